"""Exports with one row per value (reference/redcap-api.md 5.6)."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator

from redcap_local.columns import Column
from redcap_local.export.labels import Show, shown
from redcap_local.export.options import Options
from redcap_local.export.pens import Pen, pen
from redcap_local.export.rows import batches, kept_rows, read_columns, read_events, stored_by_record
from redcap_local.project import Project
from redcap_local.storage.records import Record, StoredValue
from redcap_local.view import row_place
from redcap_rules.names import EVENT, INSTANCE, INSTRUMENT

# The written cells between the record and the value, as one; and how the value is shown.
Frame = tuple[str, Show | None]


class EavSheet:
    """The columns of an EAV export and how a stored value becomes a row."""

    def __init__(self, project: Project, options: Options, form: str, delimiter: str) -> None:
        self.project = project
        self._options = options
        names = ["record"]
        if project.longitudinal:
            names.append(EVENT)
        if project.repeating:
            names += [INSTRUMENT, INSTANCE]
        names += ["field_name", "value"]
        self.pen: Pen = pen(form, names, names, delimiter)
        # A time stamp is the value of no field.
        self._columns = {column.name: column for column in options.columns if column.name in project.columns}
        self._last = len(names) - 1
        # By event and instance, then by column.
        self._frames: defaultdict[tuple[int, int], dict[str, Frame]] = defaultdict(dict)

    @property
    def columns_to_read(self) -> frozenset[str]:
        """The columns that must be read."""
        return frozenset(self._columns)

    def kept(self, record: Record, stored: list[StoredValue]) -> list[StoredValue]:
        """The values of the columns asked for, in rows that the filter keeps."""
        if self._options.filter is None:
            return stored
        project = self.project
        places = {value: row_place(project, *value[1:4]) for value in stored if value[3] in project.columns}
        rows = set(kept_rows(self._options, record, set(places.values()), stored))
        return [value for value, place in places.items() if place in rows and value[3] in self._columns]

    def rows(self, name: str, stored: Iterable[StoredValue]) -> Iterator[str]:
        """The rows of a record's stored values; `name` is the record as it is shown."""
        pen, last = self.pen, self._last
        first = pen.cell(0, name)
        current, frames = (0, 0), self._frames[0, 0]
        for _, event, instance, column, value in stored:
            if current[0] != event or current[1] != instance:
                current = (event, instance)
                frames = self._frames[current]
            frame = frames.get(column)
            if frame is None:
                if column not in self._columns:
                    continue
                frame = frames[column] = self._frame(event, instance, self._columns[column])
            middle, show = frame
            yield pen.row((first, middle, pen.cell(last, show(value) if show else value)))

    def _frame(self, event: int, instance: int, column: Column) -> Frame:
        """The written cells between record and value, and how the value is shown."""
        project, pen = self.project, self.pen
        cells: list[str] = []
        if project.longitudinal:
            found = project.events_by_id[event]
            cells.append(pen.cell(1, found.label if self._options.labels else found.name))
        if project.repeating:
            _, instrument, number = row_place(project, event, instance, column.name)
            place = len(cells) + 1
            cells.append(pen.cell(place, instrument))
            cells.append(pen.number(place + 1, number) if number else pen.cell(place + 1, ""))
        cells.append(pen.cell(self._last - 1, column.field.name if column.field is not None else column.name))
        return pen.glue.join(cells), self._show(column)

    def _show(self, column: Column) -> Show | None:
        if column.name == self.project.dictionary.record_id:
            return self._options.show_name
        if not column.code or column.field is None:
            # The internal number of a document is exported, not its name: no file names here.
            return shown(self.project, column, self._options, {})
        text = column.option if self._options.labels else column.code
        return lambda _ticked: text


def written_values(connection: sqlite3.Connection, sheet: EavSheet, options: Options) -> Iterator[list[str]]:
    """The written rows of all records, a batch of records at a time."""
    events = {event.id: event.position for event in options.events}
    columns = read_columns(sheet.project, sheet.columns_to_read, options)
    wanted = read_events(sheet.project, options)
    for batch in batches(options.records):
        stored = stored_by_record(connection, batch, columns, wanted)
        yield [
            row
            for record in batch
            for row in sheet.rows(
                options.show_name(record.name),
                sorted(sheet.kept(record, stored[record.id]), key=lambda value: (events[value[1]], value[2])),
            )
        ]
