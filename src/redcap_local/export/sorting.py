"""Rows of a report in the report's own order (reference/redcap-api.md 13.5)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from redcap_local.export.layout import Layout
from redcap_local.export.options import Options
from redcap_local.export.order import natural_key
from redcap_local.export.rows import PlacedRow, placed_rows
from redcap_local.project import Project
from redcap_local.view import cells

_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?", re.ASCII)
Key = tuple[int, float, list[tuple[int, int, str]]]


def sorted_rows(
    connection: sqlite3.Connection, layout: Layout, options: Options, sort: Sequence[str]
) -> list[list[str]]:
    """The written rows as one batch, sorted by columns; `-name` sorts the highest first.

    Blanks come before numbers, numbers by size before texts; equal rows stay in the order of an export. All rows are
    held in memory: nothing can be written before the last one is known.
    """
    names = [name.removeprefix("-") for name in sort]
    keyed: list[tuple[list[Key], str]] = []
    for batch in placed_rows(connection, layout, options, frozenset(names)):
        keyed.extend((_keys(layout.project, row, names), row.text) for row in batch)
    for place in reversed(range(len(names))):
        keyed.sort(key=lambda entry: entry[0][place], reverse=sort[place].startswith("-"))
    return [[text for _, text in keyed]]


def _keys(project: Project, row: PlacedRow, names: Sequence[str]) -> list[Key]:
    values = cells(project, (value[1:] for value in row.stored)).get(row.place, {})
    values = {**values, project.dictionary.record_id: row.record.name}
    return [_key(values.get(name, "")) for name in names]


def _key(value: str) -> Key:
    if not value:
        return 0, 0.0, []
    if _NUMBER.fullmatch(value):
        return 1, float(value), []
    return 2, 0.0, natural_key(value)
