"""Saved reports."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its fields in order, its filter, and the columns its rows are sorted by (`-name`: highest first)."""

    id: int
    title: str
    fields: tuple[str, ...]
    logic: str
    sort: tuple[str, ...] = ()


def get(connection: sqlite3.Connection, project: int, report: int) -> Report | None:
    """The report of that id; None if the project has none."""
    row = connection.execute(
        "select id, title, fields, logic, sort from report where project = ? and id = ?", (project, report)
    ).fetchone()
    if row is None:
        return None
    return Report(row[0], row[1], tuple(json.loads(row[2])), row[3], tuple(json.loads(row[4])))


def insert(connection: sqlite3.Connection, project: int, report: Report) -> int:
    """The report exists; its id (not the one given) is returned."""
    row = connection.execute(
        "insert into report (project, title, fields, logic, sort) values (?, ?, ?, ?, ?) returning id",
        (project, report.title, json.dumps(report.fields), report.logic, json.dumps(report.sort)),
    ).fetchone()
    return int(row[0])


def all_reports(connection: sqlite3.Connection, project: int) -> list[Report]:
    """The reports of a project in order of creation."""
    ids = connection.execute("select id from report where project = ? order by id", (project,)).fetchall()
    return [report for row in ids if (report := get(connection, project, row[0])) is not None]
