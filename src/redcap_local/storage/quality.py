"""Data quality rules."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QualityRule:
    """What no row of a record should be; a live one is executed when a form is saved, too."""

    id: int
    name: str
    logic: str
    live: bool


def rules(connection: sqlite3.Connection, project: int) -> list[QualityRule]:
    """The rules of a project in their order."""
    found = connection.execute(
        "select id, name, logic, live from quality_rule where project = ? order by id", (project,)
    )
    return [QualityRule(row[0], row[1], row[2], bool(row[3])) for row in found]


def insert(connection: sqlite3.Connection, project: int, rule: QualityRule) -> int:
    """The rule is the last of the project; its id (not the one given) is returned."""
    row = connection.execute(
        "insert into quality_rule (project, name, logic, live) values (?, ?, ?, ?) returning id",
        (project, rule.name, rule.logic, int(rule.live)),
    ).fetchone()
    return int(row[0])


def delete(connection: sqlite3.Connection, project: int, rule: int) -> None:
    """The project has no rule of that id."""
    connection.execute("delete from quality_rule where project = ? and id = ?", (project, rule))
