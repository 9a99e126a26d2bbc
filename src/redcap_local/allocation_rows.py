"""What an administrator does to one row of an allocation table (reference/redcap-validation-facts.md 8)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from redcap_local.allocation_table import is_concealed
from redcap_local.intake.targets import set_target
from redcap_local.messages import AdministrationError
from redcap_local.people import administrators_change, administrators_entry
from redcap_local.project import Project
from redcap_local.storage import log, randomization, records
from redcap_local.storage.log import Change, Place
from redcap_local.storage.randomization import Model, Slot
from redcap_local.storage.records import Record

UNAVAILABLE = "-UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Action:
    """One action on the row of that id (`aid`).

    `what` is one of `target`, `alternate`, `randomize`, `remove`, `unavailable` and `restore`; `value` the new code,
    the new number or the record for the first three. Every action has a reason.
    """

    aid: int
    what: str
    reason: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The row at hand, in the table that is in use."""

    connection: sqlite3.Connection
    project: Project
    model: Model
    slot: Slot
    now: datetime

    def give(self, record: int | None, used: str) -> None:
        """The row is used by the record; or by none, and free when `used` is blank."""
        randomization.update_slot(self.connection, replace(self.slot, record=record, used=used))

    def write(self, text: str, *, as_code: bool) -> None:
        """The row has another code, or another number."""
        changed = replace(self.slot, code=text) if as_code else replace(self.slot, number=text)
        randomization.update_slot(self.connection, changed)

    def note(self, value: str, name: str) -> None:
        """The log says what the target of the record of that name was given."""
        place = Place(self.project.event_named(self.model.target_event).id)
        entry = administrators_change(self.now, name, place, Change(self.model.target_field, value))
        log.write(self.connection, self.project.id, [entry])

    @property
    def value(self) -> str:
        """What the row gives the target field."""
        return self.slot.value(concealed=is_concealed(self.project, self.model))


def act(connection: sqlite3.Connection, project: Project, model: Model, action: Action, now: datetime) -> None:
    """The action is done to the row of the table in use, and the log tells it with its reason.

    Raises:
        AdministrationError: No reason, no such row or action, or a row to which it cannot be done.
    """
    if not action.reason.strip():
        msg = "give a reason: the log keeps it"
        raise AdministrationError(msg)
    slots = randomization.slots(connection, model.id, production=project.in_production)
    slot = next((slot for slot in slots if slot.id == action.aid), None)
    if slot is None or action.what not in _ACTIONS:
        msg = f"randomization {model.id} has no row {action.aid} to {action.what}"
        raise AdministrationError(msg)
    words, told, do = _ACTIONS[action.what]
    status = "production" if project.in_production else "development"
    used = told.format(value=action.value, aid=action.aid)
    details = (
        f'Update randomization allocation table ({status}){words} (aid: {slot.id}, {used}, reason: "{action.reason}")'
    )
    log.write(connection, project.id, [administrators_entry(now, details)])
    do(Row(connection, project, model, slot, now), action.value)


def _change_target(row: Row, value: str) -> None:
    _refuse_used(row)
    concealed = is_concealed(row.project, row.model)
    codes = {option.code for option in row.project.dictionary.get(row.model.target_field).options}
    if not concealed and value not in codes:
        msg = f"{value!r} is no code of {row.model.target_field}"
        raise AdministrationError(msg)
    row.write(value, as_code=not concealed)


def _change_alternate(row: Row, value: str) -> None:
    _refuse_used(row)
    row.write(value, as_code=is_concealed(row.project, row.model))


def _randomize(row: Row, name: str) -> None:
    _refuse_used(row)
    record = _record(row, name)
    production = row.project.in_production
    if randomization.slot_of_record(row.connection, row.model.id, record.id, production=production):
        msg = f"record {name!r} has already been randomised"
        raise AdministrationError(msg)
    row.give(record.id, row.now.strftime("%Y-%m-%d %H:%M:%S"))
    set_target(row.connection, row.project, row.model, record, row.value, row.now)
    row.note(row.value, name)


def _remove(row: Row, _value: str) -> None:
    if row.slot.record is None:
        msg = f"row {row.slot.id} has been given to no record"
        raise AdministrationError(msg)
    found = [one for one in records.records(row.connection, row.project.id) if one.id == row.slot.record]
    row.give(None, "")
    for record in found:  # none, when the record has been deleted
        set_target(row.connection, row.project, row.model, record, "", row.now)
        row.note("", record.name)


def _block(row: Row, _value: str) -> None:
    _refuse_used(row)
    row.give(None, f"{row.slot.id}{UNAVAILABLE}")
    row.note(row.value, f"{row.slot.id}{UNAVAILABLE}")


def _restore(row: Row, _value: str) -> None:
    if not row.slot.used.endswith(UNAVAILABLE):
        msg = f"row {row.slot.id} is not unavailable"
        raise AdministrationError(msg)
    row.give(None, "")


def _refuse_used(row: Row) -> None:
    if row.slot.used:
        msg = f"row {row.slot.id} is in use; remove its randomization first"
        raise AdministrationError(msg)


def _record(row: Row, name: str) -> Record:
    found = records.records(row.connection, row.project.id, [name])
    if not found:
        msg = f"project {row.project.id} has no record {name!r}"
        raise AdministrationError(msg)
    return found[0]


# Action -> the words of the log before the brackets, what changes inside them, and the work.
_ACTIONS: dict[str, tuple[str, str, Callable[[Row, str], None]]] = {
    "target": ("", 'target_field: "{value}"', _change_target),
    "alternate": ("", 'target_field_alt: "{value}"', _change_alternate),
    "randomize": (" - Randomize record (manual)", 'is_used_by: "{value}"', _randomize),
    "remove": (" - Remove randomization", 'is_used_by: ""', _remove),
    "unavailable": ("", 'is_used_by: "{aid}-UNAVAILABLE"', _block),
    "restore": ("", 'is_used_by: ""', _restore),
}
