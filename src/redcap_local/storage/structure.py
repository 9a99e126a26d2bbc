"""Projects and what they are made of: settings, dictionary, arms, events, designated and repeating forms."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping


def insert_project(connection: sqlite3.Connection, settings: Mapping[str, str]) -> int:
    """A project without fields and events exists; its id is returned."""
    row = connection.execute(
        "insert into project (settings, dictionary) values (?, '[]') returning id", (json.dumps(dict(settings)),)
    ).fetchone()
    return int(row[0])


def project_ids(connection: sqlite3.Connection) -> tuple[int, ...]:
    """The ids of all projects, rising."""
    return tuple(row[0] for row in connection.execute("select id from project order by id"))


def revision(connection: sqlite3.Connection, project: int) -> int | None:
    """How often the structure has changed; None when there is no such project."""
    row = connection.execute("select revision from project where id = ?", (project,)).fetchone()
    return None if row is None else int(row[0])


def touch(connection: sqlite3.Connection, project: int) -> None:
    """Whoever has kept the project's structure in memory reads it again."""
    connection.execute("update project set revision = revision + 1 where id = ?", (project,))


def settings(connection: sqlite3.Connection, project: int) -> dict[str, str]:
    """The project's settings as texts."""
    row = connection.execute("select settings from project where id = ?", (project,)).fetchone()
    return dict(json.loads(row[0]))


def save_settings(connection: sqlite3.Connection, project: int, values: Mapping[str, str]) -> None:
    """The project has exactly these settings."""
    connection.execute("update project set settings = ? where id = ?", (json.dumps(dict(values)), project))
    touch(connection, project)


def metadata(connection: sqlite3.Connection, project: int) -> list[dict[str, str]]:
    """The metadata rows of the project's dictionary."""
    row = connection.execute("select dictionary from project where id = ?", (project,)).fetchone()
    return list(json.loads(row[0]))


def save_metadata(connection: sqlite3.Connection, project: int, rows: list[dict[str, str]]) -> None:
    """The project has exactly these metadata rows."""
    connection.execute("update project set dictionary = ? where id = ?", (json.dumps(rows), project))
    touch(connection, project)


def arms(connection: sqlite3.Connection, project: int) -> list[tuple[int, str]]:
    """Number and name of every arm, by number."""
    found = connection.execute("select number, name from arm where project = ? order by number", (project,))
    return [(row[0], row[1]) for row in found]


def save_arm(connection: sqlite3.Connection, project: int, number: int, name: str) -> None:
    """The arm exists under that name."""
    connection.execute(
        "insert into arm (project, number, name) values (?, ?, ?) "
        "on conflict (project, number) do update set name = excluded.name",
        (project, number, name),
    )
    touch(connection, project)


def delete_arms(connection: sqlite3.Connection, project: int, numbers: Iterable[int]) -> None:
    """The arms are gone with their events, mappings and data."""
    connection.executemany(
        "delete from arm where project = ? and number = ?", [(project, number) for number in numbers]
    )
    touch(connection, project)


def events(connection: sqlite3.Connection, project: int) -> list[sqlite3.Row]:
    """Every event in the order of arm, day offset and label."""
    return connection.execute(
        "select id, arm, label, name, custom_label, day_offset, offset_min, offset_max from event "
        "where project = ? order by arm, day_offset, label, id",
        (project,),
    ).fetchall()


def insert_event(connection: sqlite3.Connection, project: int, values: Mapping[str, object]) -> int:
    """A new event exists; `values` names its columns."""
    row = connection.execute(
        "insert into event (project, arm, label, name, custom_label, day_offset, offset_min, offset_max) values "
        "(:project, :arm, :label, :name, :custom_label, :day_offset, :offset_min, :offset_max) returning id",
        {**values, "project": project},
    ).fetchone()
    touch(connection, project)
    return int(row[0])


def update_event(connection: sqlite3.Connection, project: int, event: int, values: Mapping[str, object]) -> None:
    """The event has these values."""
    connection.execute(
        "update event set arm = :arm, label = :label, name = :name, custom_label = :custom_label, "
        "day_offset = :day_offset, offset_min = :offset_min, offset_max = :offset_max where id = :id",
        {**values, "id": event},
    )
    touch(connection, project)


def delete_events(connection: sqlite3.Connection, project: int, ids: Iterable[int]) -> None:
    """The events are gone with their mappings and data."""
    connection.executemany("delete from event where id = ?", [(event,) for event in ids])
    touch(connection, project)


def designations(connection: sqlite3.Connection, project: int) -> list[tuple[int, str]]:
    """Every (event id, form) that is designated."""
    found = connection.execute(
        "select event, form from designation join event on event.id = event where project = ?", (project,)
    )
    return [(row[0], row[1]) for row in found]


def replace_designations(connection: sqlite3.Connection, project: int, pairs: Iterable[tuple[int, str]]) -> None:
    """Exactly these (event id, form) are designated."""
    connection.execute("delete from designation where event in (select id from event where project = ?)", (project,))
    connection.executemany("insert or ignore into designation (event, form) values (?, ?)", pairs)
    touch(connection, project)


def repeating(connection: sqlite3.Connection, project: int) -> list[tuple[int, str, str]]:
    """Every repeating (event id, form, custom label); form '' for a repeating event."""
    found = connection.execute(
        "select event, form, repeating.label from repeating join event on event.id = event where project = ?",
        (project,),
    )
    return [(row[0], row[1], row[2]) for row in found]


def replace_repeating(connection: sqlite3.Connection, project: int, rows: Iterable[tuple[int, str, str]]) -> None:
    """Exactly these (event id, form, custom label) repeat."""
    connection.execute("delete from repeating where event in (select id from event where project = ?)", (project,))
    connection.executemany("insert or replace into repeating (event, form, label) values (?, ?, ?)", rows)
    touch(connection, project)


def forms(connection: sqlite3.Connection, project: int) -> dict[str, tuple[str, bool]]:
    """Label and survey switch of the forms that have ones of their own, by form name."""
    found = connection.execute("select name, label, survey from form where project = ?", (project,))
    return {row[0]: (row[1], bool(row[2])) for row in found}


def save_form(connection: sqlite3.Connection, project: int, name: str, label: str, *, survey: bool) -> None:
    """The form has this label and is, or is not, a survey."""
    connection.execute(
        "insert or replace into form (project, name, label, survey) values (?, ?, ?, ?)",
        (project, name, label, int(survey)),
    )
    touch(connection, project)
