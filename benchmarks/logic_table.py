"""How much faster a formula is over a whole table than over its records one by one.

Every calculation and every data-quality rule of the trial, over two tables: one with values as in the trial, each
cell a text of its own as a file reader leaves them, and one in which no column holds a value twice. The records
stand ready before the clock starts; the table starts from lists of texts and ends with a list of values.

    python benchmarks/logic_table.py 100000
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from redcap_rules.dictionary import Dictionary, Field, join, read_dictionary
from redcap_rules.logic import Expression, Reference, compile_table, evaluate, number_text, parse, references
from redcap_rules.record import RecordView, Row

TRIAL = Path(__file__).parents[1] / "instruments" / "trial"
TODAY, NOW = date(2026, 11, 23), datetime(2026, 11, 23, 12)
SAMPLE, TIMES = 1_000, 3
Fill = Callable[[Field, str, int, random.Random], list[str]]
Table = dict[str, list[str]]


@dataclass(frozen=True)
class Measured:
    """Seconds per row of one formula, one record at a time and as a table."""

    formula: str
    one_by_one: float
    table: float

    @property
    def gain(self) -> float:
        """How many times faster the table is."""
        return self.one_by_one / self.table


def dictionary() -> Dictionary:
    """The trial's dictionary, one CSV per instrument."""
    paths = sorted(TRIAL.glob("[0-9]*.csv"))
    return join(read_dictionary(path.read_text(encoding="utf-8-sig"), path.name) for path in paths)


def formulas(forms: Dictionary) -> list[str]:
    """The calculations and the data-quality rules."""
    with (TRIAL / "dq_rules.csv").open(encoding="utf-8-sig", newline="") as file:
        rules = [row["rule_logic"] for row in csv.DictReader(file)]
    return [field.choices for field in forms.fields if field.kind == "calc"] + rules


def as_in_the_trial(field: Field, code: str, rows: int, chance: random.Random) -> list[str]:
    """Ticks, codes of choices, dates of three years, whole numbers; a tenth of them blank."""
    if code:
        pool = ["0", "1"]
    elif field.options:
        pool = [option.code for option in field.options]
    elif field.validation.startswith("date"):
        pool = [str(date(2026, 1, 1) + timedelta(day)) for day in range(1096)]
    else:
        pool = [str(number) for number in range(101)]
    return [chance.choice(pool) if chance.random() > 0.1 else "" for _ in range(rows)]


def all_distinct(field: Field, _code: str, rows: int, chance: random.Random) -> list[str]:
    """Minutes or numbers, no two alike."""
    texts = minutes(rows) if field.validation.startswith("date") else [f"{n / 1000:.3f}" for n in range(rows)]
    return chance.sample(texts, rows)


@lru_cache
def minutes(rows: int) -> list[str]:
    """So many minutes, one after another."""
    return [f"{datetime(2026, 1, 1) + timedelta(minutes=minute):%Y-%m-%d %H:%M}" for minute in range(rows)]


def filled(wanted: Sequence[Reference], forms: Dictionary, fill: Fill, rows: int) -> Table:
    """A column for every field a formula refers to, always the same."""
    return {one.column: column(one, forms, fill, rows) for one in wanted}


def column(wanted: Reference, forms: Dictionary, fill: Fill, rows: int) -> list[str]:
    """The texts of a field; a calculation is worked out where the table is as in the trial."""
    # The status of a form is no field of the dictionary; it has codes as a choice does.
    status = Field(wanted.field, "", "radio", choices="0, | 1, | 2,")
    field = forms.get(wanted.field) if wanted.field in forms else status
    if field.kind == "calc" and fill is as_in_the_trial:
        formula = parse(field.choices)
        parts = [replace(one, event=one.event or wanted.event) for one in references(formula)]
        columns = {
            one.column: column(part, forms, fill, rows) for one, part in zip(references(formula), parts, strict=True)
        }
        texts = [number_text(value) for value in compile_table(formula, today=TODAY, now=NOW)(columns)]
    else:
        texts = fill(field, wanted.code, rows, random.Random(wanted.column))
    return [text.encode().decode() for text in texts]


def record(wanted: Sequence[Reference], table: Table, place: int, forms: Dictionary) -> RecordView:
    """One row of the table as a record."""
    events: dict[str, dict[str, str]] = {"": {}}
    for one in wanted:
        column = f"{one.field}___{one.code}" if one.code else one.field
        events.setdefault(one.event, {})[column] = table[one.column][place]
    return RecordView([Row("1", event, "", 0, values) for event, values in events.items()], forms)


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(text: str, forms: Dictionary, fill: Fill, rows: int) -> Measured:
    """Both ways of evaluating a formula: the best of some runs, one by one over records not seen before."""
    expression: Expression = parse(text)
    wanted = references(expression)
    table = filled(wanted, forms, fill, rows)
    run = compile_table(expression, today=TODAY, now=NOW)
    fast = min(seconds(lambda: run(table)) for _ in range(TIMES)) / rows
    slow = []
    for begin in range(0, SAMPLE * TIMES, SAMPLE):
        records = [record(wanted, table, place % rows, forms) for place in range(begin, begin + SAMPLE)]
        slow.append(seconds(lambda: [evaluate(expression, one, today=TODAY, now=NOW) for one in records]))  # noqa: B023
    return Measured(text, min(slow) / SAMPLE, fast)


def show(title: str, found: Sequence[Measured], slowest: int) -> None:
    """One line of figures and the formulas that gain least."""
    gains = sorted(one.gain for one in found)
    total = sum(one.one_by_one for one in found) / sum(one.table for one in found)
    share = sum(gain >= 50 for gain in gains) / len(gains)
    print(
        f"{title}: {len(gains)} formulas, summed {total:.0f}x, median {median(gains):.0f}x, least {gains[0]:.0f}x, ",
        end="",
    )
    print(f"{share:.0%} of them at least 50x")
    for one in sorted(found, key=lambda one: one.gain)[:slowest]:
        print(f"  {one.gain:4.0f}x {one.one_by_one * 1e9:7.0f} {one.table * 1e9:6.0f} ns a row  {one.formula[:80]}")


def main(
    rows: Annotated[int, typer.Argument(help="Rows of the table.")] = 100_000,
    slowest: Annotated[int, typer.Option(help="How many of the formulas that gain least are shown.")] = 12,
) -> None:
    """Print how much faster the trial's formulas are over a table."""
    forms = dictionary()
    for fill in (as_in_the_trial, all_distinct):
        found = [measure(text, forms, fill, rows) for text in formulas(forms)]
        show(fill.__name__.replace("_", " "), found, slowest)


if __name__ == "__main__":
    typer.run(main)
