"""content=userRole (reference/redcap-api.md 11.3)."""

from __future__ import annotations

import sqlite3
from string import ascii_uppercase, digits

from redcap_local import messages, rights
from redcap_local.call import Call
from redcap_local.contents import rights_rows
from redcap_local.messages import ApiError
from redcap_local.storage import people
from redcap_local.wire import data, replies
from redcap_local.wire.data import DataRow
from redcap_local.wire.replies import Cell, Grid, Reply


def export(call: Call) -> Reply:
    """The roles; their switches are texts, unlike those of users (reference/redcap-api.md 3.1)."""
    columns = ("unique_role_name", "role_label", *rights_rows.switch_keys(call), "forms", "forms_export")
    rows = [_row(call, row) for row in people.roles(call.connection, call.project.id)]
    call.note("export_design", "Manage/Design ", "Export user roles (API)")
    return replies.table(Grid(columns, rows, final_newline=False), call.parameters.format)


def _row(call: Call, row: sqlite3.Row) -> dict[str, Cell]:
    cells = rights_rows.cells(call, rights.from_json(row["rights"]))
    texts = {key: str(value) if isinstance(value, int) else value for key, value in cells.items()}
    return {"unique_role_name": row["name"], "role_label": row["label"], **texts}


def import_(call: Call) -> Reply:
    """Roles are added (blank unique name) or changed."""
    rows = data.rows(call.parameters, maps=True)
    old = {row["name"]: row for row in people.roles(call.connection, call.project.id)}
    for row in rows:
        label = _save(call, row, old)
        word = "Edit" if row.get("unique_role_name", "").strip() else "Create"
        call.note("user", f"{word} user role", f"role = '{label}'")
    return replies.number(len(rows), call.parameters.return_format)


def _save(call: Call, row: DataRow, old: dict[str, sqlite3.Row]) -> str:
    """The role is stored; its label is returned."""
    name = row.get("unique_role_name", "").strip()
    if name and name not in old:
        raise ApiError(messages.BAD_VALUES, "unique_role_name", f"'{name}'")
    label = row.get("role_label", "").strip() or (old[name]["label"] if name else "")
    if not label:
        raise ApiError(messages.BAD_DATA, "a role has no role_label")
    before = rights.from_json(old[name]["rights"]) if name else None
    wanted = rights_rows.from_row(row, before, call.project.dictionary.forms)
    name = name or f"U-{call.server.draw(ascii_uppercase + digits, 10)}"
    people.save_role(call.connection, call.project.id, name, label, wanted.as_json())
    return label


def delete(call: Call) -> Reply:
    """The roles are gone; their users keep the rights as personal ones."""
    wanted = call.parameters.items("roles")
    if not wanted:
        raise ApiError(messages.MISSING_PARAMETER, "roles")
    labels = {row["name"]: row["label"] for row in people.roles(call.connection, call.project.id)}
    for name in wanted:
        people.delete_role(call.connection, role_id(call, name))
        call.note("user", "Delete user role", f"role = '{labels[name]}'")
    return replies.number(len(wanted), call.parameters.return_format)


def role_id(call: Call, name: str) -> int:
    """The server's id of the role of that unique name; refused when there is none."""
    for row in people.roles(call.connection, call.project.id):
        if row["name"] == name:
            return int(row["id"])
    raise ApiError(messages.BAD_VALUES, "unique_role_name", f"'{name}'")
