"""Form display logic: forms that pages disable until a condition holds (reference/redcap-validation-facts.md 10).

REDCap takes it by hand only, and imports do not heed it.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from redcap_local.messages import AdministrationError
from redcap_local.project import Project
from redcap_local.storage import structure
from redcap_rules.logic import LogicError, parse

SETTING = "form_display_logic"
_COLUMNS = ("form_name", "event_name", "control_condition")


@dataclass(frozen=True, slots=True)
class Condition:
    """A form is disabled in an event, '' for all, unless the condition holds."""

    form: str
    event: str
    condition: str


@dataclass(frozen=True, slots=True)
class DisplayLogic:
    """A project's form display logic: whether a form with data stays enabled, and whether disabled ones are hidden."""

    conditions: tuple[Condition, ...] = ()
    keeps_data: bool = False
    hides: bool = False


def display_logic(project: Project) -> DisplayLogic:
    """The form display logic of a project."""
    stored = json.loads(project.settings.get(SETTING) or "{}")
    conditions = tuple(Condition(**row) for row in stored.get("conditions", ()))
    return DisplayLogic(conditions, bool(stored.get("keeps_data")), bool(stored.get("hides")))


def set_display_logic(
    connection: sqlite3.Connection, project: Project, text: str, *, keeps_data: bool = False, hides: bool = False
) -> int:
    """The project has the form display logic of a CSV file, and no other; returns how many conditions.

    Args:
        connection: A write transaction.
        project: The project.
        text: The file, with the columns form_name, event_name and control_condition; an event left blank means all.
        keeps_data: Whether a form that holds data stays enabled.
        hides: Whether disabled forms are hidden.

    Raises:
        AdministrationError: A column is missing, a form or event is not there, or a condition cannot be read.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        msg = f"the file has no column {missing[0]!r}; it needs {', '.join(_COLUMNS)}"
        raise AdministrationError(msg)
    conditions = tuple(_condition(project, number, row) for number, row in enumerate(rows, start=2))
    kept = asdict(DisplayLogic(conditions, keeps_data, hides))
    structure.save_settings(connection, project.id, {**project.settings, SETTING: json.dumps(kept)})
    return len(conditions)


def _condition(project: Project, line: int, row: Mapping[str, str | None]) -> Condition:
    form, event, condition = ((row.get(name) or "").strip() for name in _COLUMNS)
    if form not in project.dictionary.forms or (event and event not in project.events_by_name):
        msg = f"line {line}: the project has no form {form!r} in event {event!r}"
        raise AdministrationError(msg)
    try:
        parse(condition)
    except LogicError as fault:
        msg = f"line {line}: the condition cannot be read: {fault.message}, column {fault.column}"
        raise AdministrationError(msg) from None
    return Condition(form, event, condition)
