"""Moving a project to production and back."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from redcap_local.intake.targets import set_target
from redcap_local.messages import AdministrationError
from redcap_local.people import CREATOR, administrators_change, administrators_entry
from redcap_local.project import Project
from redcap_local.storage import log, randomization, records, structure
from redcap_local.storage.log import Change, Place


def move_to_production(
    connection: sqlite3.Connection, project: Project, now: datetime, *, keep_records: bool = True, by: str = CREATOR
) -> None:
    """The project is in production: its structure is fixed, and its production tables are in use.

    The targets of all records that were randomised in development are empty, so that they can be randomised from the
    production table (reference/redcap-validation-facts.md 8).

    Args:
        connection: A write transaction.
        project: The project.
        now: When it is moved.
        keep_records: False deletes all records.
        by: Whom the log names.

    Raises:
        AdministrationError: A randomization without a production table (reference/randomisation.md 2c).
    """
    for model in randomization.models(connection, project.id):
        if not randomization.slots(connection, model.id, production=True):
            msg = f"randomization {model.id} has no production allocation table; upload one first"
            raise AdministrationError(msg)
    words = "Move project to Production status"
    if keep_records:
        _empty_targets(connection, project, now)
    else:
        records.delete_records(connection, [one.id for one in records.records(connection, project.id)])
        words += " (delete all records)"
    moved = {**project.settings, "in_production": "1", "production_time": now.strftime("%Y-%m-%d %H:%M:%S")}
    structure.save_settings(connection, project.id, moved)
    log.write(connection, project.id, [administrators_entry(now, words, by=by)])


def move_to_development(connection: sqlite3.Connection, project: Project, now: datetime) -> None:
    """The project is in development again.

    Raises:
        AdministrationError: Its randomization is on: arms that were given are not taken back so.
    """
    if project.settings["randomization_enabled"] == "1":
        msg = f"project {project.id} uses randomization; it is not moved back to development"
        raise AdministrationError(msg)
    structure.save_settings(connection, project.id, {**project.settings, "in_production": "0", "production_time": ""})
    log.write(connection, project.id, [administrators_entry(now, "Move project back to Development status")])


def _empty_targets(connection: sqlite3.Connection, project: Project, now: datetime) -> None:
    by_id = {record.id: record for record in records.records(connection, project.id)}
    done = randomization.randomised_records(connection, project.id, production=False)
    for model in randomization.models(connection, project.id):
        for number in sorted(record for rid, record in done if rid == model.id and record in by_id):
            record = by_id[number]
            set_target(connection, project, model, record, "", now)
            place = Place(project.event_named(model.target_event).id)
            entry = administrators_change(now, record.name, place, Change(model.target_field, ""))
            log.write(connection, project.id, [entry])
