"""Formulas add from left to right on every Python: no built-in whose last digits depend on the version has a say."""

from __future__ import annotations

import ast
import builtins
import struct
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

import redcap_rules
from frozen import trial_dictionary, trial_rows
from other_sum import compensated
from redcap_rules.calculation import Calculations
from redcap_rules.logic import Expression, Value, compile_table, evaluate, parse, references
from redcap_rules.record import RecordView, Row

DICTIONARY = trial_dictionary()
SOURCES = sorted(Path(redcap_rules.__file__).parent.rglob("*.py"))
ROWS = 60


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_module_uses_what_adds_otherwise_on_another_python(path: Path) -> None:
    """Neither `sum` of what is not counted, nor `math.fsum`, nor `statistics`."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    wrong = [ast.get_source_segment(text, node) for node in ast.walk(tree) if _adds(node)]
    assert not wrong, f"{path.name}: {wrong}: use redcap_rules.logic.numbers.added"


def _adds(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "statistics" or any(one.name in ("fsum", "sumprod") for one in node.names)
    if isinstance(node, ast.Import):
        return any(one.name == "statistics" for one in node.names)
    if isinstance(node, ast.Attribute):
        return node.attr in ("fsum", "sumprod")
    return isinstance(node, ast.Name) and node.id == "sum"


def formulas() -> list[Expression]:
    """Every formula of the trial: calculations, branching, rules; and the functions that add, of uneven decimals."""
    texts = [field.choices for field in DICTIONARY.fields if field.kind == "calc"]
    texts += [field.branching for field in DICTIONARY.fields if field.branching]
    texts += [row["rule_logic"] for row in trial_rows("dq_rules.csv")]
    three = "[an_ome],[odi_pct],[vas_back]"
    texts += [f"{name}({three},0.1,0.2,0.3)" for name in ("sum", "mean", "median", "stdev", "min", "max")]
    return [parse(text) for text in texts]


def records() -> list[RecordView]:
    """Records in which every field holds something, numbers with decimals that binary can't hold."""
    chance = Random(8)
    made = []
    for number in range(ROWS):
        values = {}
        for field in DICTIONARY.fields:
            for column in field.columns:
                codes = [option.code for option in field.options]
                held = chance.choice(codes) if codes else f"{chance.uniform(0, 99):.3f}"
                values[column] = chance.choice(("0", "1")) if field.kind == "checkbox" else held
        made.append(RecordView([Row(str(number), "", "", 0, values)], DICTIONARY))
    return made


def bits(values: Iterable[Value]) -> list[object]:
    return [struct.pack("<d", one) if isinstance(one, float) else one for one in values]


def worked_out() -> list[list[object]]:
    """Every formula per record and by column, then every calculation in its order; to the last bit."""
    views = records()
    found = []
    for formula in formulas():
        found.append(bits(evaluate(formula, view) for view in views))
        table = {}
        for reference in references(formula):
            code, event = reference.code, reference.event
            table[reference.column] = [view.value(reference.field, event, code=code) for view in views]
        if table:
            by_column = bits(compile_table(formula)(table))
            assert by_column == found[-1]
    stored = [Calculations(DICTIONARY).recalculate(view) for view in views]
    return [*found, [dict(row.values) for rows in stored for row in rows]]


def test_a_compensated_sum_changes_no_bit_of_any_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Python 3.12, where `sum` makes up for lost digits."""
    without = worked_out()
    monkeypatch.setattr(builtins, "sum", compensated)
    assert sum([0.1] * 10) == 1.0  # the other sum is really there
    assert worked_out() == without


def test_adding_goes_from_left_to_right() -> None:
    """0.1 + 0.2 + 0.3 is 0.6000000000000001 so, and 0.6 with the order turned."""
    view = records()[0]
    assert evaluate(parse("sum(0.1,0.2,0.3)"), view) == 0.6000000000000001
    assert evaluate(parse("sum(0.3,0.2,0.1)"), view) == 0.6
    assert evaluate(parse("mean(0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1)"), view) == 0.09999999999999999
