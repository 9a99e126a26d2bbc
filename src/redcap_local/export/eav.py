"""Exports with one row per value (redcap-api.md 5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redcap_local.export.labels import shown
from redcap_local.export.pens import pen
from redcap_local.export.rows import batches, kept_rows, stored_by_record
from redcap_local.view import row_place

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from redcap_local.columns import Column
    from redcap_local.export.options import Options
    from redcap_local.export.pens import Pen
    from redcap_local.export.rows import StoredValue
    from redcap_local.project import Project
    from redcap_local.storage.records import Record


class EavSheet:
    """The columns of an EAV export and how a stored value becomes a row."""

    def __init__(self, project: Project, options: Options, form: str, delimiter: str) -> None:
        self._project = project
        self._options = options
        names = ["record"]
        if project.longitudinal:
            names.append("redcap_event_name")
        if project.repeating:
            names += ["redcap_repeat_instrument", "redcap_repeat_instance"]
        names += ["field_name", "value"]
        self.pen: Pen = pen(form, names, names, delimiter)
        self._columns = {column.name: column for column in options.columns}
        self._middles: dict[tuple[int, int, str], list[str]] = {}
        # The internal number of a document is exported, not its name: no file names here.
        self._shows = {column.name: shown(project, column, options, {}) for column in options.columns}

    @property
    def columns_to_read(self) -> frozenset[str]:
        """The columns that must be read."""
        return frozenset(self._columns)

    def kept(self, record: Record, stored: list[StoredValue]) -> list[StoredValue]:
        """The values of the columns asked for, in rows that the filter keeps."""
        if self._options.filter is None:
            return stored
        project = self._project
        places = {value: row_place(project, *value[1:4]) for value in stored if value[3] in project.columns}
        rows = set(kept_rows(self._options, record, set(places.values()), stored))
        return [value for value, place in places.items() if place in rows and value[3] in self._columns]

    def row(self, name: str, stored: StoredValue) -> str:
        """The row of one stored value; `name` is the record as it is shown."""
        _, event, instance, column_name, value = stored
        middle = self._middles.get((event, instance, column_name))
        if middle is None:
            middle = self._middles[event, instance, column_name] = self._middle(event, instance, column_name)
        column = self._columns[column_name]
        shown_value = name if column_name == self._project.dictionary.record_id else value
        field, text = self._field_and_value(column, shown_value)
        cell, last = self.pen.cell, len(middle)
        return self.pen.row([cell(0, name), *middle, cell(last + 1, field), cell(last + 2, text)])

    def _middle(self, event: int, instance: int, column: str) -> list[str]:
        """The written cells between the record and the field: event, repeating form, instance."""
        project = self._project
        cells: list[str] = []
        if project.longitudinal:
            found = project.events_by_id[event]
            cells.append(self.pen.cell(1, found.label if self._options.labels else found.name))
        if project.repeating:
            _, instrument, number = row_place(project, event, instance, column)
            place = len(cells) + 1
            cells.append(self.pen.cell(place, instrument))
            cells.append(self.pen.number(place + 1, number) if number else self.pen.cell(place + 1, ""))
        return cells

    def _field_and_value(self, column: Column, value: str) -> tuple[str, str]:
        if column.code and column.field is not None:
            if not self._options.labels:
                return column.field.name, column.code
            labels = {option.code: option.label for option in column.field.options}
            return column.field.name, labels[column.code]
        show = self._shows[column.name]
        return column.name, show(value) if show else value


def written_values(connection: sqlite3.Connection, sheet: EavSheet, options: Options) -> Iterator[list[str]]:
    """The written rows of all records, a batch of records at a time."""
    events = {event.id: event.position for event in options.events}
    columns = sheet.columns_to_read | (options.filter.columns if options.filter else frozenset())
    for batch in batches(options.records):
        stored = stored_by_record(connection, batch, columns, None if options.filter else events)
        yield [
            sheet.row(options.show_name(record.name), value)
            for record in batch
            for value in sorted(sheet.kept(record, stored[record.id]), key=lambda value: (events[value[1]], value[2]))
        ]
