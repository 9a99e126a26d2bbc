"""The rows of an export in REDCap's order, each written by a pen (reference/redcap-api.md 5.4, 5.5)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from redcap_local.export.layout import Layout
from redcap_local.export.options import Options
from redcap_local.export.pens import Pen
from redcap_local.project import Project
from redcap_local.storage import records
from redcap_local.storage.records import Record, StoredValue
from redcap_local.view import RowPlace

# Records whose values are held in memory at a time.
BATCH = 20


class PlacedRow(NamedTuple):
    """A written row, its record and place, and all that its reader may see of the record, or sort it by."""

    record: Record
    place: RowPlace
    stored: list[StoredValue]
    text: str


def batches(items: Sequence[Record]) -> Iterator[list[Record]]:
    """The records, so many at a time."""
    source = iter(items)
    while batch := list(islice(source, BATCH)):
        yield batch


def stored_by_record(
    connection: sqlite3.Connection, batch: Sequence[Record], columns: Iterable[str] | None, events: Iterable[int] | None
) -> dict[int, list[StoredValue]]:
    """What is stored for each record of a batch, by the server's record id."""
    found: dict[int, list[StoredValue]] = {record.id: [] for record in batch}
    for value in records.values(connection, list(found), columns, events):
        found[value[0]].append(value)
    return found


def read_columns(project: Project, needed: frozenset[str], options: Options) -> frozenset[str] | None:
    """The columns to read from the database; None for all, when leaving out the few others would cost more."""
    columns = needed | (options.filter.columns if options.filter else frozenset())
    return columns if 2 * len(columns) < len(project.columns) else None


def read_events(project: Project, options: Options) -> list[int] | None:
    """The events to read from the database; None for all: a filter may look at events that are not exported."""
    whole = options.filter is not None or len(options.events) == len(project.events)
    return None if whole else [event.id for event in options.events]


def written_rows(connection: sqlite3.Connection, layout: Layout, options: Options) -> Iterator[list[str]]:
    """The written rows of all records, a batch of records at a time."""
    for rows in placed_rows(connection, layout, options):
        yield [row.text for row in rows]


def placed_rows(
    connection: sqlite3.Connection, layout: Layout, options: Options, also: frozenset[str] = frozenset()
) -> Iterator[list[PlacedRow]]:
    """The written rows with what they were made from; `also` names further columns to read."""
    events = read_events(layout.project, options)
    columns = read_columns(layout.project, layout.columns_to_read | also, options)
    for batch in batches(options.records):
        stored = stored_by_record(connection, batch, columns, events)
        lines: list[PlacedRow] = []
        for record in batch:
            shown = options.shift.values(stored[record.id]) if options.shift else stored[record.id]
            rows = record_rows(layout, layout.values(shown))
            name = options.show_name(record.name)
            for key in sorted(kept_rows(options, record, rows, stored[record.id]), key=layout.sort_key):
                layout.fill_system(rows[key], name, record, key)
                lines.append(PlacedRow(record, key, shown, layout.pen.row(rows[key])))
        yield lines


def kept_rows(
    options: Options, record: Record, rows: Iterable[RowPlace], stored: Iterable[StoredValue]
) -> Iterable[RowPlace]:
    """The rows that the filter keeps, in the events asked for."""
    if options.filter is None:
        return rows
    events = {event.id for event in options.events}
    keep = options.filter.keeper(record, (value[1:] for value in stored))
    return [place for place in rows if place[0] in events and keep(place)]


def record_rows(layout: Layout, stored: Iterable[StoredValue]) -> dict[RowPlace, list[str]]:
    """The rows of one record with their data cells filled."""
    rows: dict[RowPlace, list[str]] = {}
    current: tuple[int, int] = (0, 0)
    here: dict[str, list[str]] = {}
    targets = layout.targets(0)
    cell = layout.pen.cell
    for _, event, instance, column, value in stored:
        if (event, instance) != current:
            current, here, targets = (event, instance), {}, layout.targets(event)
        target = targets[column]
        if target is None:
            continue
        instrument, place, show = target
        row = here.get(instrument)
        if row is None:
            row = here[instrument] = _row(layout, rows, event, instrument, instance)
        if place >= 0:
            row[place] = cell(place, show(value) if show else value)
    return rows


def _row(layout: Layout, rows: dict[RowPlace, list[str]], event: int, instrument: str, instance: int) -> list[str]:
    repeats = bool(instrument) or (event, "") in layout.project.repeating
    key = (event, instrument, instance if repeats else 0)
    if key not in rows:
        rows[key] = layout.blank_row(key)
    return rows[key]


def joined(pen: Pen, batches_of_rows: Iterable[list[str]]) -> Iterator[bytes]:
    """The rows as a body, one chunk a batch."""
    begun = False
    for rows in batches_of_rows:
        if rows:
            start = pen.between if begun else pen.head
            begun = True
            yield f"{start}{pen.between.join(rows)}".encode()
    yield (pen.tail if begun else pen.empty).encode()
