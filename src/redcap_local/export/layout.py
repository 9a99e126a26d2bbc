"""Where each value of a project goes in the rows of one export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

from redcap_local.columns import plain
from redcap_local.export.combining import combined_values
from redcap_local.export.labels import shown
from redcap_local.export.options import Options
from redcap_local.export.pens import Pen, pen
from redcap_local.project import Project
from redcap_local.storage.records import Record, StoredValue
from redcap_local.view import RowPlace
from redcap_rules.names import EVENT, GROUP, INSTANCE, INSTRUMENT

_SYSTEM_HEADERS = {
    EVENT: "Event Name",
    INSTRUMENT: "Repeat Instrument",
    INSTANCE: "Repeat Instance",
    GROUP: "Data Access Group",
    "redcap_survey_identifier": "Survey Identifier",
}

# Where a value goes: its repeating form ('' for the row of the event), its place in the row, how it is shown.
Target = tuple[str, int, "Callable[[str], str] | None"]


class Targets(dict[str, "Target | None"]):
    """Column to target, worked out for each column when first asked: a row holds few of a project's columns."""

    def __init__(self, find: Callable[[str], Target | None]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, column: str) -> Target | None:
        self[column] = found = self._find(column)
        return found


class Layout:
    """The columns of one export, the blank row of every kind, and the target of every stored value."""

    def __init__(self, project: Project, options: Options, files: Mapping[str, str], form: str, delimiter: str) -> None:
        self.project = project
        self._options = options
        system = self._system_columns() if options.with_id else []
        record_id = project.dictionary.record_id
        self._data = [column for column in options.columns if not (options.with_id and column.name == record_id)]
        self.names = [*system, *(column.name for column in self._data)]
        self._combined = [column for column in self._data if column.combined]
        headers = [self._header(name) for name in system] + [column.header for column in self._data]
        self.pen: Pen = pen(form, self.names, headers if options.header_labels else self.names, delimiter)
        self._system = {name: place for place, name in enumerate(system)}
        self._shows = [shown(project, column, options, files) for column in self._data]
        self._places = {column.name: place for place, column in enumerate(self._data)}
        self._targets: dict[int, Targets] = {}
        self._blanks: dict[tuple[int, str], list[str]] = {}

    def _system_columns(self) -> list[str]:
        names = [self.project.dictionary.record_id]
        if self.project.longitudinal:
            names.append(EVENT)
        if self.project.repeating:
            names += [INSTRUMENT, INSTANCE]
        if self._options.with_groups:
            names.append(GROUP)
        if self._options.with_surveys:
            names.append("redcap_survey_identifier")
        return names

    def _header(self, name: str) -> str:
        if name in _SYSTEM_HEADERS:
            return _SYSTEM_HEADERS[name]
        return plain(self.project.dictionary.get(name).label)

    def targets(self, event: int) -> Targets:
        """Where the values of an event go, by column: the record id to no place (-1), what is not asked for to None."""
        if event not in self._targets:
            self._targets[event] = Targets(partial(self._target, event))
        return self._targets[event]

    def _target(self, event: int, name: str) -> Target | None:
        place = self._places.get(name)
        if place is not None:
            instrument = self.project.row_instrument(event, self._data[place].form) or ""
            return instrument, len(self._system) + place, self._shows[place]
        # Statuses and the record id tell which rows exist, also where they are not exported.
        if name == self.project.dictionary.record_id:
            return "", -1, None
        form = self._by_status.get(name)
        return None if form is None else (self.project.row_instrument(event, form) or "", -1, None)

    @cached_property
    def _by_status(self) -> Mapping[str, str]:
        """The forms of what is exported, by the field of their status."""
        return {self.project.dictionary.status_field(form): form for form in {column.form for column in self._data}}

    @property
    def columns_to_read(self) -> frozenset[str]:
        """The columns that must be read for these rows."""
        statuses = {self.project.dictionary.status_field(column.form) for column in self._data}
        stored = {name for column in self._data for name in column.stored}
        return frozenset(stored | statuses | {self.project.dictionary.record_id})

    def values(self, stored: list[StoredValue]) -> list[StoredValue]:
        """What is stored for a record as the columns want it: the options of combined checkboxes together."""
        return combined_values(self._combined, stored) if self._combined else stored

    def blank_row(self, key: RowPlace) -> list[str]:
        """A row of that kind without data, to be filled; the caller owns the list."""
        kind = key[:2]
        if kind not in self._blanks:
            self._blanks[kind] = self._blank(*kind)
        return self._blanks[kind].copy()

    def _blank(self, event: int, instrument: str) -> list[str]:
        cells = self._nothing.copy()
        forms = self.project.forms_of(self.project.events_by_id[event])
        own = {form for form in forms if (self.project.row_instrument(event, form) or "") == instrument}
        for place, form, cell in self._untouched:
            if form in own:
                cells[place] = cell
        return cells

    @cached_property
    def _nothing(self) -> list[str]:
        """A row in which nothing stands at all."""
        return [self.pen.cell(place, "") for place in range(len(self.names))]

    @cached_property
    def _untouched(self) -> list[tuple[int, str, str]]:
        """The cells in which something stands where nothing was entered: place, form and text."""
        return [
            (place, column.form, self.pen.cell(place, show(column.empty) if show else column.empty))
            for place, (column, show) in enumerate(zip(self._data, self._shows, strict=True), start=len(self._system))
            if column.empty and not (column.field is None and self._options.blank_gray)
        ]

    def fill_system(self, cells: list[str], name: str, record: Record, key: RowPlace) -> None:
        """The row says which record, event, instance and group it is; `name` is the record as it is shown."""
        if not self._system:
            return
        event_id, instrument, instance = key
        event = self.project.events_by_id[event_id]
        texts = {
            EVENT: event.label if self._options.labels else event.name,
            INSTRUMENT: instrument,
            GROUP: self._group(record),
        }
        cells[0] = self.pen.cell(0, name)
        for column, text in texts.items():
            place = self._system.get(column)
            if place is not None and text:
                cells[place] = self.pen.cell(place, text)
        place = self._system.get(INSTANCE)
        if place is not None and instance:
            cells[place] = self.pen.number(place, instance)

    def _group(self, record: Record) -> str:
        group = self.project.groups_by_id.get(record.group or 0)
        if group is None:
            return ""
        return group.label if self._options.labels else group.name

    def sort_key(self, key: RowPlace) -> tuple[int, int, int, int]:
        """Base rows by event; then repeating rows by event, form and instance (reference/redcap-api.md 5.5)."""
        event, instrument, instance = key
        position = self.project.events_by_id[event].position
        return int(instance > 0), position, self.project.form_position[instrument], instance
