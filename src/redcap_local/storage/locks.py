"""Forms that nobody changes until they are unlocked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

LockPlace = tuple[int, int, int, str]
"""Record id, event id, instance and form."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Who locked a form, and when: `YYYY-MM-DD HH:MM:SS`."""

    username: str
    time: str


def locks(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[LockPlace, Lock]:
    """The locked forms of the records."""
    found = connection.execute(
        "select record, event, instance, form, username, time from form_lock "
        "where record in (select value from json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {(row[0], row[1], row[2], row[3]): Lock(row[4], row[5]) for row in found}


def lock(connection: sqlite3.Connection, place: LockPlace, by: Lock) -> None:
    """The form is locked."""
    connection.execute(
        "insert or replace into form_lock (record, event, instance, form, username, time) values (?, ?, ?, ?, ?, ?)",
        (*place, by.username, by.time),
    )


def unlock(connection: sqlite3.Connection, place: LockPlace) -> None:
    """The form is not locked."""
    connection.execute("delete from form_lock where record = ? and event = ? and instance = ? and form = ?", place)
