"""An import checked as a whole: either every value is good, or every bad one is told.

Source: reference/redcap-api.md 6.2, 6.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.columns import Column
from redcap_local.intake.columns import SYSTEM, Sheet
from redcap_local.intake.dates import stored_date
from redcap_local.intake.places import NEW, BadPlace, Place, place
from redcap_local.messages import ApiError
from redcap_local.wire.data import DataRow
from redcap_local.wire.text import csv_quoted
from redcap_rules.names import GROUP

MAX_RECORD_NAME = 100


@dataclass(slots=True)
class Incoming:
    """What an import brings for one record.

    `cells` maps (event id, repeating form or None or '', instance, column) to the value; '' erases. `places` are the
    rows sent, also those without a value. `group` is the unique name of a group, None when not sent. `computed` are
    calculated columns that a page saves with their form, also those that no field is needed for.
    """

    name: str
    cells: dict[tuple[int, int | str, str], str] = field(default_factory=dict)
    places: dict[tuple[int, int | str, str], None] = field(default_factory=dict)
    group: str | None = None
    computed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the error body: record, field, value, sentence."""

    record: str
    column: str
    value: str
    text: str

    def __str__(self) -> str:
        return ",".join(csv_quoted(part) for part in (self.record, self.column, self.value, self.text))


def refuse(lines: Sequence[Line]) -> None:
    """Nothing, unless there is a line.

    Raises:
        ApiError: With every line, as in reference/redcap-api.md 6.3.
    """
    if lines:
        raise ApiError(messages.Message("\n".join(map(str, lines)), messages.Confidence.SEEN))


class Plan:
    """The rows of an import, read into one Incoming per record."""

    def __init__(self, call: Call, sheet: Sheet, *, overwrite: bool, date_format: str) -> None:
        self._call = call
        self._project = call.project
        self._sheet = sheet
        self._overwrite = overwrite
        self._date_format = date_format
        self._editable = {form: call.user.rights.edits(form) for form in self._project.dictionary.forms}
        self._forms = {event.id: self._project.forms_of(event) for event in self._project.events}
        self._new = 0
        self.records: dict[str, Incoming] = {}
        self.lines: list[Line] = []

    def add(self, row: DataRow) -> None:
        """The row's values stand in the plan, or its faults in `lines`."""
        name = row.get(self._project.dictionary.record_id, "").strip()
        if not name or len(name) > MAX_RECORD_NAME:
            self._fault(name, self._project.dictionary.record_id, name, messages.BAD_RECORD_NAME.text)
            return
        record = self.records.setdefault(name, Incoming(name))
        try:
            where = place(self._project, row)
        except BadPlace as bad:
            for named, sent, text in bad.lines:
                self._fault(name, named, sent, text)
            return
        instance = self._instance(where)
        record.places[where.event.id, instance, where.instrument] = None
        if row.get(GROUP) or (self._overwrite and GROUP in row):
            record.group = row[GROUP].strip()
        for column, value in self._cells(row):
            if self._belongs(name, column, value, where):
                record.cells[where.event.id, instance, column.name] = value

    def _instance(self, where: Place) -> int | str:
        if where.instance != NEW:
            return where.instance or 1
        self._new += 1
        return f"{NEW} {self._new}"

    def _cells(self, row: DataRow) -> Iterator[tuple[Column, str]]:
        columns = self._sheet.columns
        for column_name, value in row.items():
            if (value or self._overwrite) and column_name not in SYSTEM and column_name in columns:
                column = columns[column_name]
                text = value.strip() if self._sheet.trims(column) else value
                if text or self._overwrite:
                    yield column, stored_date(column.field, text, self._date_format, self._call.now.date())

    def _belongs(self, record: str, column: Column, value: str, where: Place) -> bool:
        """True when the value may be stored at the place; otherwise its fault is noted, unless it is blank."""
        text = self._misplaced(column, where) or (self._sheet.refusal(column, value) if value else None)
        if text is None:
            return True
        if value:
            self._fault(record, column.name, value, text)
        return False

    def _misplaced(self, column: Column, where: Place) -> str | None:
        form, event = column.form, where.event
        if form not in self._forms[event.id]:
            arm = next(name for number, name in self._project.arms if number == event.arm)
            shown = f"{event.label} (Arm {event.arm}: {arm})"
            return messages.NOT_DESIGNATED.text.format(column.name, shown)
        instrument = self._project.row_instrument(event.id, form) or ""
        if instrument != where.instrument or (instrument and not where.instance):
            if instrument and not (where.instrument and where.instance):
                return messages.NEEDS_INSTANCE.text.format(column.name, instrument)
            return messages.WRONG_INSTRUMENT.text
        return None if self._editable[form] else messages.NO_FORM_RIGHT.text

    def _fault(self, record: str, column: str, value: str, text: str) -> None:
        self.lines.append(Line(record, column, value, text))
