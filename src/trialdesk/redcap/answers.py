"""What answers of REDCap's are made into: rows without blanks, and what an export or its log said. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import itemgetter
from typing import Any

from redcap_rules.names import EVENT, GROUP, INSTANCE, INSTRUMENT
from redcap_rules.record import Row
from trialdesk.redcap.cells import Pool

Rows = list[dict[str, str]]
SYSTEM_COLUMNS = (EVENT, INSTRUMENT, INSTANCE, GROUP)
_DELIMITERS = ",;\t|^\r\n"
_LINE = re.compile(r"[^\n]*\n")
csv.field_size_limit(2**31 - 1)  # a note may be longer than Python's usual 131 072 characters


@dataclass(frozen=True, slots=True)
class Export:
    """What one export returned: rows without blanks, the columns that came, and record → data access group.

    `vanished` are records that were there when the export began and were not when it ended.
    """

    rows: tuple[Row, ...]
    columns: frozenset[str]
    groups: Mapping[str, str]
    vanished: tuple[str, ...] = ()

    @property
    def has_groups(self) -> bool:
        """Whether REDCap named the data access groups; it does not to a user who sits in one.

        Source: reference/redcap-api.md 5.1.
        """
        return GROUP in self.columns or not self.rows


@dataclass(frozen=True, slots=True)
class Removals:
    """What REDCap's log says of deleted records since a moment, and the newest moment it knows.

    `records` is record to when and by whom; what the log holds beside that never leaves the gateway.
    """

    stamp: str
    records: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one answer, the columns that came, and record to data access group."""

    rows: tuple[Row, ...] = ()
    columns: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)

    def is_about(self, records: Collection[str]) -> bool:
        """Whether it is about exactly these records, and no place of a record stands there twice."""
        places = {(row.record, row.event, row.instrument, row.instance) for row in self.rows}
        return {*records} == self.records and len(places) == len(self.rows)

    def places(self, record: str) -> frozenset[tuple[str, str, int]]:
        """Event, repeating instrument and instance of every row of a record."""
        return frozenset((row.event, row.instrument, row.instance) for row in self.rows if row.record == record)

    @property
    def records(self) -> frozenset[str]:
        """The records that came."""
        return frozenset(row.record for row in self.rows)


class Untrue(ValueError):
    """A text that is no whole table: a page, a message, or one that was cut off."""


def read_table(text: str, record_id: str, ticks: Collection[str] = (), pool: Pool | None = None) -> Answer:
    """The rows of exported records as text, blanks left out.

    A table begins with the record id, ends with a line, and every line has as many cells as the first. Every
    delimiter is understood that a project may have as its own (reference/redcap-api.md 2).

    Args:
        text: The answer, csv with raw names.
        record_id: The project's record-id field.
        ticks: Columns of checkbox options: one that is not ticked is left out like a blank.
        pool: What was seen before, so that it is kept once.

    Raises:
        Untrue: it is no such table; never says what stands in it.
    """
    if not text.strip():
        return Answer()
    lines = _lines(text.removeprefix("\ufeff"), record_id)
    header = next(lines)
    if header[0] != record_id or len({*header}) < len(header):
        raise Untrue("no table of this project")
    unticked = [place for place, name in enumerate(header) if name in ticks]
    options: Callable[[list[str]], Sequence[str]] = itemgetter(*unticked) if unticked else lambda _: ()
    places = [header.index(name) if name in header else 0 for name in SYSTEM_COLUMNS]
    rows, groups, pool = [], {}, pool or Pool()
    for line in lines:
        if len(line) != len(header):
            raise Untrue("cut off")
        for place in unticked if "0" in options(line) else ():
            if line[place] == "0":
                line[place] = ""
        row, group = _row(line, header, places, pool)
        rows.append(row)
        groups[row.record] = group
    return Answer(tuple(rows), tuple(header), groups)


def _lines(text: str, record_id: str) -> Iterator[list[str]]:
    """The cells of every line; a text without an end of line is cut off."""
    begins = text.removeprefix('"').removeprefix(record_id).removeprefix('"')
    if not text.endswith("\n") or begins == text or begins[0] not in _DELIMITERS:
        raise Untrue("no table, or cut off")
    delimiter = begins[0] if begins[0] not in "\r\n" else ","
    try:
        # line by line: a text as a file of its own takes four bytes for every letter
        yield from csv.reader((one[0] for one in _LINE.finditer(text)), delimiter=delimiter, strict=True)
    except csv.Error:
        raise Untrue("cut off") from None


def _row(line: list[str], header: Sequence[str], places: Sequence[int], pool: Pool) -> tuple[Row, str]:
    """A line as a row without blanks, and its data access group; `places` are those of the system's columns, or 0."""
    record, event, instrument, instance, group = pool.texts((line[0], *(line[at] if at else "" for at in places)))
    for place in (0, *places):
        line[place] = ""
    if not record or (instance and not instance.isdecimal()):
        raise Untrue("a line without a record")
    cells = pool.cells(tuple(compress(header, line)), filter(None, line))
    return Row(record, event, instrument, int(instance or 0), cells), group


def removal(row: Mapping[str, str]) -> tuple[str, str]:
    """A deleted record, and when and by whom; its id stands in its own column or at the end of the action."""
    record = row.get("record", "") or row.get("action", "").rpartition(" ")[2]
    return record, f"{row.get('timestamp', '')} by {row.get('username', '')}"


def texts(row: Mapping[str, Any]) -> dict[str, str]:
    """Every value of a row as text."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{_text(part)}" for name, part in value.items())
    # PHP writes an empty map as an empty list
    return "" if value is None or value == [] else str(value)


def flat(row: Row, record_id: str) -> dict[str, str]:
    """A row as REDCap takes it."""
    system = {EVENT: row.event, INSTRUMENT: row.instrument, INSTANCE: str(row.instance or "")}
    return {record_id: row.record, **{name: value for name, value in system.items() if value}, **row.values}
