"""The data as tidy tables: one for each instrument, a row for each form that was entered, with a codebook.

The open dataset holds nothing that tells an arm: not the arm, no treatment field, event, instrument or row, no card
code (whoever has the register could try it with each arm), and no free text, in which anything may stand. What
repeats is counted anew among the rows that are shown: a number left out would tell of one that is not. It is proved as
the reports are: made again without any treatment, it is the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

from redcap_rules.calculation import Calculations
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.record import Row
from trialdesk.errors import ConcealmentBroken
from trialdesk.facts.deriving import Facts, other_worlds
from trialdesk.instruments.treatment import Telling
from trialdesk.workbook import Column, Line, SheetTable

CODEBOOK, SCORES = "codebook", "scores"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PLACE = {
    "record": "Record id",
    "site": "Site code",
    "event": "Unique event name",
    "instance": "Instance, of what repeats; without treatment counted among the rows that are shown",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its name, what people call it, its columns, and its rows as texts, as REDCap stores them."""

    name: str
    label: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Score(NamedTuple):
    """A calculated value that is other than recomputed."""

    field: Field
    form: str
    record: str
    event: str
    instance: int
    stored: str
    recomputed: str


def dataset(facts: Facts, *, whole: bool) -> tuple[Table, ...]:
    """The tables of every instrument that holds data, the codebook, and scores that are other than recomputed.

    Args:
        facts: One pull.
        whole: Whether treatment is in it: for the statistician, from her own token.

    Raises:
        ConcealmentBroken: the open dataset would not be the same without treatment.
    """
    made = _tables(facts, whole)
    if not whole:
        for other in other_worlds(facts):
            _prove(made, _tables(other, whole))
    return made


def csv_text(table: Table, delimiter: str) -> str:
    """The table as CSV with a byte-order mark, so that Excel reads it as UTF-8; lines end in CR LF (RFC 4180).

    A cell that begins like a formula gets an apostrophe, as the codebook says: a spreadsheet would run it.
    """
    text = StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return f"\ufeff{text.getvalue()}"


def sheets(tables: Sequence[Table]) -> tuple[SheetTable, ...]:
    """The tables as sheets of a workbook; every cell is text, as REDCap stores it."""
    return tuple(
        SheetTable(
            table.name,
            table.label,
            f"{len(table.rows)} rows",
            tuple(Column(name) for name in table.columns),
            tuple(Line(tuple(cell or None for cell in row)) for row in table.rows),
        )
        for table in tables
    )


def _prove(shown: Sequence[Table], other: Sequence[Table]) -> None:
    names, others = ({table.name for table in tables} for tables in (shown, other))
    if odd := sorted(names ^ others):
        raise ConcealmentBroken(f"the open dataset would tell the arm: whether there is {odd[0]}")
    for mine, theirs in zip(shown, other, strict=True):
        if mine != theirs:
            name = next((c for c, a, b in _differing(mine, theirs) if a != b), "its rows")
            raise ConcealmentBroken(
                f"the open dataset would tell the arm: {mine.name}, {name}; list the field in treatment_values"
            )


def _differing(mine: Table, theirs: Table) -> Iterator[tuple[str, object, object]]:
    for number, name in enumerate(mine.columns):
        yield name, [row[number] for row in mine.rows], [row[number] for row in theirs.rows]


def _tables(facts: Facts, whole: bool) -> tuple[Table, ...]:
    dictionary, telling = facts.snapshot.dictionary, Telling() if whole else _telling(facts)
    hidden = frozenset() if whole else _hidden(dictionary, facts, telling)
    by_form = _entered(facts, telling)
    numbers = {} if whole else _counted_anew(chain.from_iterable(by_form.values()))
    sites = {patient.record: patient.site for patient in facts.patients}
    tables = []
    for form in dictionary.forms:
        fields = [field for field in dictionary.form(form) if _kept(field, dictionary, hidden)]
        shown = ((row, numbers.get(_spot(row), row.instance)) for row in by_form.get(form, ()))
        rows = [_row(row, (sites.get(row.record, ""), number), fields, telling) for row, number in shown]
        if fields and rows:
            columns = (*_PLACE, *chain.from_iterable(map(_columns, fields)))
            tables.append(Table(form, facts.common.labels.form(form), columns, tuple(rows)))
    entered = {
        (form, row.record, row.event, row.instance): numbers.get(_spot(row), row.instance)
        for form, rows in by_form.items()
        for row in rows
    }
    scores = [
        score._replace(instance=entered[score[1:5]])
        for score in _recomputed(facts)
        if score.field.name not in hidden and score[1:5] in entered
    ]
    return (*tables, _codebook(dictionary, tables), _scores(scores))


def _spot(row: Row) -> tuple[str, str, str, int]:
    return row.record, row.event, row.instrument, row.instance


def _counted_anew(rows: Iterable[Row]) -> Mapping[tuple[str, str, str, int], int]:
    """The place of every row of what repeats, to its number among those of its record, event and form."""
    shown = sorted({_spot(row) for row in rows if row.instance})
    return {spot: number for _, own in groupby(shown, key=itemgetter(0, 1, 2)) for number, spot in enumerate(own, 1)}


def _telling(facts: Facts) -> Telling:
    """What tells an arm, and in the call log tries at a contact that one arm alone has."""
    told, log = facts.common.telling, facts.config.call_log
    own = frozenset(rule.code for rule in facts.config.contacts if facts.config.tells_arm(rule))
    return replace(told, codes={**told.codes, log.contact.field: own}) if log and own else told


def _hidden(dictionary: Dictionary, facts: Facts, telling: Telling) -> frozenset[str]:
    """The fields an open dataset lacks; a text without a format is free, and "pain after cement" tells an arm."""
    texts = {f.name for f in dictionary.fields if f.kind == "notes" or (f.kind == "text" and not f.validation)}
    whole = telling.fields - telling.codes.keys()
    return frozenset(whole | texts | {facts.config.facts.card_code.field})


def _kept(field: Field, dictionary: Dictionary, hidden: frozenset[str]) -> bool:
    own = field.name not in hidden and field.name != dictionary.record_id
    return own and bool(field.columns) and not field.identifier


def _entered(facts: Facts, telling: Telling) -> Mapping[str, Sequence[Row]]:
    """Form to the rows in which it was entered, by record, event and instance."""
    dictionary = facts.snapshot.dictionary
    order = {event: number for number, event in enumerate(facts.snapshot.events)}
    found: dict[str, list[Row]] = {}
    for rows in facts.snapshot.rows.values():
        for row in rows:
            if row.event in telling.events or _told(row, dictionary, telling):
                continue
            said = (name for name, value in row.values.items() if value and not _tells(row, name, value, telling))
            names = {name.partition("___")[0] for name in said} - {dictionary.record_id}
            for form in {dictionary.form_of(name) for name in names if name in dictionary}:
                found.setdefault(form, []).append(row)
    for several in found.values():
        several.sort(key=lambda row: (row.record, order.get(row.event, len(order)), row.instance))
    return found


def _tells(row: Row, name: str, value: str, telling: Telling) -> bool:
    """Whether a value is not in the dataset, so that it does not make a form entered either."""
    return telling.place(row.event, name) or telling.answer(name, value)


def _told(row: Row, dictionary: Dictionary, telling: Telling) -> bool:
    """Whether an entry of a log is about something one arm alone can have, or nobody has said what it is about."""
    asked = (name for name in telling.codes if name in dictionary and dictionary.form_of(name) == row.instrument)
    return any(not row.values.get(name) or telling.answer(name, row.values[name]) for name in asked)


def _columns(field: Field) -> Iterator[str]:
    yield from field.columns
    if field.options and field.kind != "checkbox":
        yield f"{field.name}_label"


def _row(row: Row, place: tuple[str, int], fields: Sequence[Field], telling: Telling) -> tuple[str, ...]:
    """The cells of a row; `place` are its site and its number."""
    site, number = place
    cells = [row.record, site, row.event, str(number or "")]
    for field in fields:
        values = ["" if telling.answer(name, v) else v for name in field.columns for v in (row.values.get(name, ""),)]
        cells += values
        if field.options and field.kind != "checkbox":
            cells.append(next((option.label for option in field.options if option.code == values[0]), ""))
    return tuple(cells)


def _codebook(dictionary: Dictionary, tables: Sequence[Table]) -> Table:
    """Every column of every table in words, with its codes and limits."""
    fields = {name: field for field in dictionary.fields for name in field.columns}
    rows = [
        *((table.name, name, _PLACE[name], "text", "", "", "") for table in tables for name in _PLACE),
        *(_coded(table.name, name, fields) for table in tables for name in table.columns if name not in _PLACE),
        ("", "", "A cell of a .csv that begins with = + - @ or a tab stands behind an apostrophe.", "note", "", "", ""),
    ]
    columns = ("instrument", "column", "label", "kind", "codes", "minimum", "maximum")
    return Table(CODEBOOK, "Codebook", columns, (*sorted(rows[:-1]), rows[-1]))


def _coded(table: str, column: str, fields: Mapping[str, Field]) -> tuple[str, ...]:
    field = fields.get(column) or fields[column.removesuffix("_label")]
    if column not in fields:
        return (table, column, f"{field.label} (in words)", "text", "", "", "")
    if field.kind == "checkbox":
        option = next(one for one, name in zip(field.options, field.columns, strict=True) if name == column)
        return (table, column, f"{field.label}: {option.label}", "checkbox", "0, no | 1, yes", "", "")
    codes = " | ".join(f"{option.code}, {option.label}" for option in field.options)
    return (table, column, field.label, field.validation or field.kind, codes, field.minimum, field.maximum)


def _recomputed(facts: Facts) -> Iterator[Score]:
    """Every calculated value that is other than it comes out when it is calculated again from the same answers."""
    snapshot, forms = facts.snapshot, dict[str, set[str]]()
    for event, names in facts.common.mapping.items():
        for name in names:
            forms.setdefault(name, set()).add(event)
    repeating = {(row.event, row.instrument) for rows in snapshot.rows.values() for row in rows if row.instance}
    again = Calculations(snapshot.dictionary, forms or None, repeating)
    for record in snapshot.records:
        view = snapshot.view(record)
        stored = {(row.event, row.instrument, row.instance): row.values for row in view.rows}
        for row in again.recalculate(view, today=facts.common.day):
            held = stored[row.event, row.instrument, row.instance]
            for name, value in row.values.items():
                field = snapshot.dictionary.get(name)
                place = (field.form, record, row.event, row.instance)
                yield Score(field, *place, held.get(name, ""), value)


def _scores(found: Iterable[Score]) -> Table:
    columns = ("record", "event", "instance", "field", "stored", "recomputed")
    rows = sorted((s.record, s.event, str(s.instance or ""), s.field.name, s.stored, s.recomputed) for s in found)
    return Table(SCORES, "Scores that are other than recomputed", columns, tuple(rows))


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
