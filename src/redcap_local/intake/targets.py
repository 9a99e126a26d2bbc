"""The target field of a randomization, given a value or emptied, with what is computed from it."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from redcap_local.intake.calculations import follow
from redcap_local.intake.changes import Changes
from redcap_local.project import Project
from redcap_local.storage import records
from redcap_local.storage.randomization import Model
from redcap_local.storage.records import Record


def set_target(
    connection: sqlite3.Connection, project: Project, model: Model, record: Record, value: str, now: datetime
) -> None:
    """The record's target field holds the value, '' for none; calculations follow.

    A target that is given a value brings its row and the status of its form with it.
    """
    event = project.event_named(model.target_event).id
    known = project.columns
    stored = records.values(connection, [record.id])
    change = Changes(after={(place, at, name): text for _, place, at, name, text in stored if name in known})
    change.put((event, 1, model.target_field), value)
    if value:
        status = project.dictionary.status_field(project.dictionary.form_of(model.target_field))
        change.put((event, 1, project.dictionary.record_id), record.name)
        change.put((event, 1, status), change.after.get((event, 1, status), "0"))
    follow(project, record.name, {model.target_field}, change, now)
    records.save_values(connection, ((record.id, *key, text) for key, text in change.set.items()))
    records.delete_values(connection, ((record.id, *key) for key in change.erased))
