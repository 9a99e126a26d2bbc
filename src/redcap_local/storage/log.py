"""The project log, from which dates of change and deletions are told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

_COLUMNS = "time, username, kind, action, details, record, access_group, event, instance, changes"


class Change(NamedTuple):
    """What a field was given, '' for a blank; of a checkbox what the option of that code was given, '1' for a tick."""

    field: str
    value: str
    code: str = ""

    def __str__(self) -> str:
        """The change as the log tells it (reference/redcap-validation-facts.md 7)."""
        if self.code:
            return f"{self.field}({self.code}) = {'checked' if self.value else 'unchecked'}"
        return f"{self.field} = '{self.value}'"


@dataclass(frozen=True, slots=True)
class Place:
    """The event of changed values, and the instance of the row they stand in; 0 where nothing repeats."""

    event: int
    instance: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `kind` is what `logtype` selects; `time` is `YYYY-MM-DD HH:MM:SS`.

    A line about values has `changes` and their `place` and no `details`; lines of older files tell them in `details`.
    """

    time: str
    username: str
    kind: str
    action: str
    details: str
    record: str = ""
    group: int | None = None
    place: Place | None = None
    changes: tuple[Change, ...] = ()

    @property
    def told(self) -> str:
        """The details as they are read; of a repeating row they begin with its instance."""
        first = [f"[instance = {self.place.instance}]"] if self.place and self.place.instance else []
        return ", ".join([*first, *map(str, self.changes)]) if self.changes else self.details


def write(connection: sqlite3.Connection, project: int, entries: Iterable[Entry]) -> None:
    """The entries stand in the log."""
    connection.executemany(
        f"insert into log (project, {_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [
            (project, e.time, e.username, e.kind, e.action, e.details, e.record, e.group, *_written(e.place, e.changes))
            for e in entries
        ],
    )


def _written(place: Place | None, changes: Iterable[Change]) -> tuple[int | None, int, str]:
    told = tuple(changes)
    event, instance = (place.event, place.instance) if place else (None, 0)
    return event, instance, json.dumps(told, ensure_ascii=False, separators=(",", ":")) if told else ""


def read(connection: sqlite3.Connection, project: int, limits: Mapping[str, object]) -> list[Entry]:
    """The entries within the limits, newest first.

    Args:
        connection: An open transaction.
        project: The project's id.
        limits: Any of `kinds` (list), `username`, `record`, `begin` and `end` (inclusive times), and `group`: what the
            members of a group did, and what was done to its records; `after`: what `last` has given.
    """
    conditions = {
        "kinds": "kind in (select value from json_each(:kinds))",
        "username": "username = :username",
        "record": "record = :record",
        "group": "(access_group = :group or record in "
        "(select name from record where project = :project and access_group = :group))",
        "after": "id > :after",
        "begin": "time >= :begin",
        "end": "time <= :end",
    }
    arguments = {**limits, "project": project}
    if "kinds" in arguments:
        arguments["kinds"] = json.dumps(arguments["kinds"])
    where = " and ".join(["project = :project", *(conditions[name] for name in sorted(limits))])
    found = connection.execute(
        f"select {_COLUMNS} from log where {where} order by id desc",  # noqa: S608
        arguments,
    )
    return [_entry(*row) for row in found]


def _entry(*row: Any) -> Entry:
    place = None if row[7] is None else Place(row[7], row[8])
    changes = tuple(Change(*change) for change in json.loads(row[9])) if row[9] else ()
    return replace(Entry(*row[:7]), place=place, changes=changes)


def last(connection: sqlite3.Connection) -> int:
    """What tells the lines there are from those that will be written."""
    return int(connection.execute("select coalesce(max(id), 0) from log").fetchone()[0])


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
    connection.execute("update log set details = '', changes = '' where project = ? and record = ?", (project, record))
