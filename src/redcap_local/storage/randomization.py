"""Randomization models and their allocation tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trigger:
    """When records are randomized by themselves: as the form is saved in that event and the logic holds.

    `event` is a unique name. Without `everybody` only a save by who has the Randomize right does it.
    """

    form: str
    event: str
    logic: str
    everybody: bool


@dataclass(frozen=True, slots=True)
class Model:
    """One randomization: what it fills and by which strata, each a field and the unique name of its event."""

    id: int
    target_field: str
    target_event: str
    strata: tuple[tuple[str, str], ...]
    by_group: bool
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of an allocation table; `group` is a data access group's id.

    `used` is when it was given to the record, or `<id>-UNAVAILABLE` for a row that nobody can be given.
    """

    id: int
    number: str
    code: str
    strata: tuple[str, ...]
    group: int | None
    record: int | None
    used: str

    def value(self, *, concealed: bool) -> str:
        """What the target field of its record holds: the code, or the number where the code is concealed."""
        return self.number if concealed else self.code


def models(connection: sqlite3.Connection, project: int) -> list[Model]:
    """The models of a project in order of creation."""
    found = connection.execute(
        "select id, target_field, target_event, strata, by_group, triggered from randomization where project = ? "
        "order by id",
        (project,),
    )
    return [_model(row) for row in found]


def _model(row: sqlite3.Row) -> Model:
    strata = tuple((field, event) for field, event in json.loads(row[3]))
    return Model(row[0], row[1], row[2], strata, bool(row[4]), Trigger(*json.loads(row[5])) if row[5] else None)


def insert_model(connection: sqlite3.Connection, project: int, model: Model) -> int:
    """The model exists; its id (not the one given) is returned."""
    row = connection.execute(
        "insert into randomization (project, target_field, target_event, strata, by_group) "
        "values (?, ?, ?, ?, ?) returning id",
        (project, model.target_field, model.target_event, json.dumps(model.strata), int(model.by_group)),
    ).fetchone()
    save_trigger(connection, int(row[0]), model.trigger)
    return int(row[0])


def save_trigger(connection: sqlite3.Connection, model: int, trigger: Trigger | None) -> None:
    """Records are randomized by that trigger; by hand alone when there is none."""
    written = json.dumps([trigger.form, trigger.event, trigger.logic, trigger.everybody]) if trigger else ""
    connection.execute("update randomization set triggered = ? where id = ?", (written, model))


def slots(connection: sqlite3.Connection, model: int, *, production: bool) -> list[Slot]:
    """The rows of a table in upload order."""
    found = connection.execute(
        "select id, number, code, strata, access_group, record, used from allocation "
        "where randomization = ? and production = ? order by id",
        (model, int(production)),
    )
    return [_slot(row) for row in found]


def _slot(row: sqlite3.Row) -> Slot:
    return Slot(row[0], row[1], row[2], tuple(json.loads(row[3])), row[4], row[5], row[6])


def insert_slots(connection: sqlite3.Connection, model: int, rows: Iterable[Slot], *, production: bool) -> None:
    """The rows stand at the end of the table (their ids are new)."""
    connection.executemany(
        "insert into allocation (randomization, production, number, code, strata, access_group) "
        "values (?, ?, ?, ?, ?, ?)",
        [(model, int(production), s.number, s.code, json.dumps(s.strata), s.group) for s in rows],
    )


def delete_slots(connection: sqlite3.Connection, model: int, *, production: bool) -> None:
    """The table is empty."""
    connection.execute("delete from allocation where randomization = ? and production = ?", (model, int(production)))


def free_slot(
    connection: sqlite3.Connection, model: int, strata: tuple[str, ...], group: int | None, *, production: bool
) -> Slot | None:
    """The first unused row of a stratum and group in upload order; None when there is none left."""
    row = connection.execute(
        "select id, number, code, strata, access_group, record, used from allocation where randomization = ? "
        "and production = ? and strata = ? and access_group is ? and used = '' order by id limit 1",
        (model, int(production), json.dumps(strata), group),
    ).fetchone()
    return None if row is None else _slot(row)


def use(connection: sqlite3.Connection, slot: int, record: int, time: str) -> None:
    """The row has been given to the record."""
    connection.execute("update allocation set record = ?, used = ? where id = ?", (record, time, slot))


def update_slot(connection: sqlite3.Connection, slot: Slot) -> None:
    """The row has the slot's number and code, and is used by its record or by none."""
    connection.execute(
        "update allocation set number = ?, code = ?, record = ?, used = ? where id = ?",
        (slot.number, slot.code, slot.record, slot.used, slot.id),
    )


def slot_of_record(connection: sqlite3.Connection, model: int, record: int, *, production: bool) -> Slot | None:
    """The row given to a record; None when it has not been randomised."""
    row = connection.execute(
        "select id, number, code, strata, access_group, record, used from allocation "
        "where randomization = ? and production = ? and record = ?",
        (model, int(production), record),
    ).fetchone()
    return None if row is None else _slot(row)


def randomised_records(connection: sqlite3.Connection, project: int, *, production: bool) -> set[tuple[int, int]]:
    """Every (model id, record id) that has been randomised."""
    found = connection.execute(
        "select randomization, record from allocation join randomization on randomization.id = randomization "
        "where project = ? and production = ? and record is not null",
        (project, int(production)),
    )
    return {(row[0], row[1]) for row in found}
