"""The project log, from which dates of change and deletions are told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `kind` is what `logtype` selects; `time` is `YYYY-MM-DD HH:MM:SS`.

    `event` is where values were changed, for the history of a field; None for all else, and in lines of older files.
    """

    time: str
    username: str
    kind: str
    action: str
    details: str
    record: str = ""
    group: int | None = None
    event: int | None = None


def write(connection: sqlite3.Connection, project: int, entries: Iterable[Entry]) -> None:
    """The entries stand in the log."""
    connection.executemany(
        "insert into log (project, time, username, kind, action, details, record, access_group, event) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(project, e.time, e.username, e.kind, e.action, e.details, e.record, e.group, e.event) for e in entries],
    )


def read(connection: sqlite3.Connection, project: int, limits: Mapping[str, object]) -> list[Entry]:
    """The entries within the limits, newest first.

    Args:
        connection: An open transaction.
        project: The project's id.
        limits: Any of `kinds` (list), `username`, `record`, `begin` and `end` (inclusive times), and `group`: what the
            members of a group did, and what was done to its records.
    """
    conditions = {
        "kinds": "kind in (select value from json_each(:kinds))",
        "username": "username = :username",
        "record": "record = :record",
        "group": "(access_group = :group or record in "
        "(select name from record where project = :project and access_group = :group))",
        "begin": "time >= :begin",
        "end": "time <= :end",
    }
    arguments = {**limits, "project": project}
    if "kinds" in arguments:
        arguments["kinds"] = json.dumps(arguments["kinds"])
    where = " and ".join(["project = :project", *(conditions[name] for name in sorted(limits))])
    found = connection.execute(
        f"select time, username, kind, action, details, record, access_group, event from log where {where} "  # noqa: S608
        "order by id desc",
        arguments,
    )
    return [Entry(*row) for row in found]


def changed_records(connection: sqlite3.Connection, project: int, begin: str, end: str) -> frozenset[str]:
    """The names of the records created or changed at or after `begin` and at or before `end` ('' for no limit)."""
    found = connection.execute(
        "select distinct record from log where project = ? and kind in ('record_add', 'record_edit') "
        "and (? = '' or time >= ?) and (? = '' or time <= ?)",
        (project, begin, begin, end, end),
    )
    return frozenset(row[0] for row in found)


def forget_record(connection: sqlite3.Connection, project: int, record: str) -> None:
    """The details of everything logged about the record are gone; that something was done remains."""
    connection.execute("update log set details = '' where project = ? and record = ?", (project, record))
