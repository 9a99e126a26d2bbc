"""What an administrator sets up on the Randomization page: models and allocation tables.

Source: reference/randomisation.md 2.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from redcap_local import allocation_table
from redcap_local.messages import AdministrationError
from redcap_local.people import CREATOR, administrators_entry
from redcap_local.project import Project
from redcap_local.storage import log, randomization, structure
from redcap_local.storage.randomization import Model, Slot, Trigger
from redcap_rules.logic import LogicError, parse

MOST_STRATA = 14


@dataclass(frozen=True, slots=True)
class Upload:
    """How a table is uploaded: for which status, to which REDCap version, when, and by whom."""

    production: bool
    version: str
    now: datetime
    by: str = CREATOR


def define_randomization(connection: sqlite3.Connection, project: Project, model: Model, now: datetime) -> int:
    """The model exists and the module is on; its id (rid) is returned.

    Raises:
        AdministrationError: A field or event that is not there, or a stratum that is no single choice.
    """
    for field, event in ((model.target_field, model.target_event), *model.strata):
        if field not in project.dictionary or (event and event not in project.events_by_name):
            msg = f"there is no field {field!r} in event {event!r}"
            raise AdministrationError(msg)
    for field, _ in model.strata:
        if project.dictionary.get(field).kind not in {"radio", "dropdown", "yesno", "truefalse"}:
            msg = f"{field!r} cannot be a stratum: it is no single-choice field"
            raise AdministrationError(msg)
    if len(model.strata) > MOST_STRATA:
        msg = f"Sorry, but the maximum number of fields that can be used as randomization criteria is {MOST_STRATA}"
        raise AdministrationError(msg)
    structure.save_settings(connection, project.id, {**project.settings, "randomization_enabled": "1"})
    rid = randomization.insert_model(connection, project.id, model)
    blinded = " - blinded" if allocation_table.is_concealed(project, model) else ""
    _log(connection, project, f"Save randomization model{blinded} (rid={rid})", now)
    return rid


def set_trigger(
    connection: sqlite3.Connection, project: Project, model: Model, trigger: Trigger | None, now: datetime
) -> None:
    """The model randomizes by that trigger, also in production; by hand alone when there is none.

    Raises:
        AdministrationError: The form is not in that event, or the logic cannot be read.
    """
    if trigger is not None:
        event = project.events_by_name.get(trigger.event, None if trigger.event else project.first_event)
        if event is None or trigger.form not in project.forms_of(event):
            msg = f"there is no form {trigger.form!r} in event {trigger.event!r}"
            raise AdministrationError(msg)
        try:
            parse(trigger.logic)
        except LogicError as fault:
            msg = f"the logic cannot be read: {fault.message}, column {fault.column}"
            raise AdministrationError(msg) from None
    randomization.save_trigger(connection, model.id, trigger)
    _log(connection, project, f"Save trigger of randomization (rid={model.id})", now)


def upload_allocations(connection: sqlite3.Connection, project: Project, model: Model, text: str, table: Upload) -> str:
    """The table of one status is this one; in production its rows are appended, as administrators may.

    Returns:
        What REDCap says of it.

    Raises:
        TableError: The table is refused, in REDCap's words.
        AdministrationError: Records have been randomised with the table it would replace, or it is the development
            table of a project in production.
    """
    production = table.production
    if project.in_production and not production:
        msg = "the project is in production: nobody touches its development table any more"
        raise AdministrationError(msg)
    slots = allocation_table.read(project, model, text, table.version)
    if _contents(slots) == _contents(randomization.slots(connection, model.id, production=not production)):
        raise allocation_table.TableError(allocation_table.DUPLICATE_TABLE)
    there = randomization.slots(connection, model.id, production=production)
    append = production and project.in_production
    if not append and any(slot.used for slot in there):
        msg = "records have been randomised with this table; it cannot be replaced"
        raise AdministrationError(msg)
    if not append:
        randomization.delete_slots(connection, model.id, production=production)
    randomization.insert_slots(connection, model.id, slots, production=production)
    status = "production" if production else "development"
    appended = append and bool(there)
    words = "to append - " if appended else "- "
    details = f"Upload randomization allocation table {words}{status} (rid={model.id})"
    log.write(connection, project.id, [administrators_entry(table.now, details, by=table.by)])
    return allocation_table.APPENDED if appended else allocation_table.SUCCESS


def _contents(slots: Iterable[Slot]) -> list[tuple[str, str, tuple[str, ...], int | None]]:
    return [(slot.number, slot.code, slot.strata, slot.group) for slot in slots]


def _log(connection: sqlite3.Connection, project: Project, details: str, now: datetime) -> None:
    log.write(connection, project.id, [administrators_entry(now, details)])


def find_model(connection: sqlite3.Connection, project: Project, wanted: int) -> Model:
    """The randomization of that id.

    Raises:
        AdministrationError: There is none.
    """
    for model in randomization.models(connection, project.id):
        if model.id == wanted:
            return model
    msg = f"project {project.id} has no randomization {wanted}"
    raise AdministrationError(msg)
