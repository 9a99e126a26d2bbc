"""What participants do elsewhere: survey responses, recorded by an administrator (reference/redcap-api.md 5.3)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from redcap_local.columns import NOT_COMPLETED, time_stamp
from redcap_local.messages import AdministrationError
from redcap_local.people import administrators_change
from redcap_local.project import Event, Project
from redcap_local.storage import log, records
from redcap_local.storage.log import Change, Place
from redcap_local.storage.records import Record

_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Response:
    """A response to a survey: `event` is a unique name, '' for the first; `completed` its time, '' when only begun."""

    record: str
    event: str
    form: str
    instance: int
    completed: str


def record_response(connection: sqlite3.Connection, project: Project, response: Response, now: datetime) -> None:
    """The survey has been begun or completed: its time stamp and its form status say so, the log too.

    Raises:
        AdministrationError: No such record or survey at that place, a locked record, or no such time.
    """
    completed = _time(response.completed)
    record = _record(connection, project, response.record)
    event = _event(project, response)
    if project.row_instrument(event.id, response.form) is None and response.instance != 1:
        msg = f"{response.form!r} does not repeat in event {event.name!r}: leave out the instance"
        raise AdministrationError(msg)
    record_id = project.dictionary.record_id
    # The record id stands apart: where only the form repeats, it does not.
    id_instance = response.instance if project.repeats_as_event(event) else 1
    stamp, status = time_stamp(response.form), project.dictionary.status_field(response.form)
    rows = [
        (record.id, event.id, id_instance, record_id, record.name),
        (record.id, event.id, response.instance, stamp, completed),
        (record.id, event.id, response.instance, status, "0" if completed == NOT_COMPLETED else "2"),
    ]
    records.save_values(connection, rows)
    told = [Change(column, value) for *_, column, value in rows[1:]]
    instance = 0 if project.row_instrument(event.id, response.form) is None else response.instance
    log.write(connection, project.id, [administrators_change(now, record.name, Place(event.id, instance), *told)])


def _time(completed: str) -> str:
    if not completed:
        return NOT_COMPLETED
    try:
        return datetime.strptime(completed, _TIME).strftime(_TIME)
    except ValueError:
        msg = f"{completed!r} is no time: write it as 2026-01-31 23:59:59"
        raise AdministrationError(msg) from None


def _record(connection: sqlite3.Connection, project: Project, name: str) -> Record:
    found = records.records(connection, project.id, [name])
    if not found:
        msg = f"project {project.id} has no record {name!r}"
        raise AdministrationError(msg)
    if found[0].locked:
        msg = f"record {name!r} is locked: unlock it first"
        raise AdministrationError(msg)
    return found[0]


def _event(project: Project, response: Response) -> Event:
    if not project.is_survey(response.form):
        msg = f"{response.form!r} is not enabled as a survey: `project survey` enables it"
        raise AdministrationError(msg)
    found = project.events_by_name.get(response.event) if response.event else project.first_event
    if found is None or response.form not in project.forms_of(found):
        msg = f"{response.form!r} is not designated for event {response.event!r}"
        raise AdministrationError(msg)
    return found
