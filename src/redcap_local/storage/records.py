"""Records and their values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Keys of a stored value: event id, instance, column.
Key = tuple[int, int, str]


StoredValue = tuple[int, int, int, str, str]
"""Record, event, instance, column and text of one stored value."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the server knows it: `id` is the server's own, `name` what people call the record id."""

    id: int
    name: str
    group: int | None
    locked: bool


def records(connection: sqlite3.Connection, project: int, names: Iterable[str] | None = None) -> list[Record]:
    """The records of a project, or those of the given names; in no particular order."""
    wanted = None if names is None else json.dumps(list(names))
    found = connection.execute(
        "select id, name, access_group, locked from record where project = ? "
        "and (? is null or name in (select value from json_each(?)))",
        (project, wanted, wanted),
    )
    return [Record(row[0], row[1], row[2], bool(row[3])) for row in found]


def insert_record(connection: sqlite3.Connection, project: int, name: str, group: int | None) -> Record:
    """A new record without values exists."""
    row = connection.execute(
        "insert into record (project, name, access_group) values (?, ?, ?) returning id", (project, name, group)
    ).fetchone()
    return Record(row[0], name, group, locked=False)


def set_record_group(connection: sqlite3.Connection, record: int, group: int | None) -> None:
    """The record belongs to that data access group, or to none."""
    connection.execute("update record set access_group = ? where id = ?", (group, record))


def set_locked(connection: sqlite3.Connection, record: int, locked: bool) -> None:
    """The record is locked, or no longer."""
    connection.execute("update record set locked = ? where id = ?", (int(locked), record))


def rename_record(connection: sqlite3.Connection, record: Record, name: str, id_field: str) -> None:
    """The record is called by its new name, in its values and in the log too."""
    connection.execute(
        "update log set record = ? where record = ? and project = (select project from record where id = ?)",
        (name, record.name, record.id),
    )
    connection.execute("update record set name = ? where id = ?", (name, record.id))
    connection.execute("update value set value = ? where record = ? and field = ?", (name, record.id, id_field))


def delete_records(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """The records and all their values are gone."""
    connection.executemany("delete from record where id = ?", [(record,) for record in ids])


def values(
    connection: sqlite3.Connection,
    ids: Sequence[int],
    columns: Iterable[str] | None = None,
    events: Iterable[int] | None = None,
) -> Iterator[tuple[int, int, int, str, str]]:
    """Record id, event id, instance, column, value of everything stored for the records, ordered by these.

    Args:
        connection: An open transaction.
        ids: Records by the server's own id.
        columns: Only these columns; None for all.
        events: Only these events by id; None for all.
    """
    sql = "select record, event, instance, field, value from value where record in (select value from json_each(?))"
    arguments = [json.dumps(list(ids))]
    if columns is not None:
        sql += " and field in (select value from json_each(?))"
        arguments.append(json.dumps(list(columns)))
    if events is not None:
        sql += " and event in (select value from json_each(?))"
        arguments.append(json.dumps(list(events)))
    cursor = connection.cursor()
    cursor.row_factory = None  # plain tuples: this is the path of every export
    return cursor.execute(f"{sql} order by record, event, instance", arguments)


def holders_of_value(
    connection: sqlite3.Connection, project: int, column: str, wanted: Iterable[str]
) -> list[tuple[str, str]]:
    """Value and record name of every record that holds one of the wanted values in a column."""
    found = connection.execute(
        "select distinct value.value, record.name from record join value on value.record = record.id "
        "where record.project = ? and field = ? and value.value in (select value from json_each(?))",
        (project, column, json.dumps(list(wanted))),
    )
    return [(row[0], row[1]) for row in found]


def save_values(connection: sqlite3.Connection, rows: Iterable[tuple[int, int, int, str, str]]) -> None:
    """Each (record id, event id, instance, column) holds its value."""
    connection.executemany(
        "insert or replace into value (record, event, instance, field, value) values (?, ?, ?, ?, ?)", rows
    )


def delete_values(connection: sqlite3.Connection, keys: Iterable[tuple[int, int, int, str]]) -> None:
    """Each (record id, event id, instance, column) is blank."""
    connection.executemany("delete from value where record = ? and event = ? and instance = ? and field = ?", keys)
