"""content=user (reference/redcap-api.md 11.2)."""

from __future__ import annotations

import sqlite3
from datetime import date

from redcap_local import messages, rights
from redcap_local.call import Call
from redcap_local.contents import rights_rows
from redcap_local.messages import ApiError
from redcap_local.people import assign_group, member_or_refuse
from redcap_local.storage import people
from redcap_local.wire import data, replies
from redcap_local.wire.data import DataRow
from redcap_local.wire.replies import Cell, Grid, Reply

_FIRST = (
    "username", "email", "firstname", "lastname", "expiration", "data_access_group", "data_access_group_id",
)  # fmt: skip


def export(call: Call) -> Reply:
    """The users of the project; who is in a role shows the role's rights."""
    named = (*_FIRST, "data_access_group_label") if call.server.at_least("16.0.0") else _FIRST
    columns = (*named, *rights_rows.switch_keys(call), "forms", "forms_export")
    rows = [_row(call, row) for row in people.members(call.connection, call.project.id)]
    call.note("export_design", "Manage/Design ", "Export users (API)")
    return replies.table(Grid(columns, rows, "users", final_newline=False), call.parameters.format)


def _row(call: Call, row: sqlite3.Row) -> dict[str, Cell]:
    return {
        **{key: row[key] for key in ("username", "email", "firstname", "lastname", "expiration")},
        "data_access_group": row["group_name"] or "",
        "data_access_group_id": "" if row["access_group"] is None else str(row["access_group"]),
        "data_access_group_label": row["group_label"] or "",
        **rights_rows.cells(call, rights.from_json(row["role_rights"] or row["rights"])),
    }


def import_(call: Call) -> Reply:
    """Users are added or changed; a row without data_access_group takes the user out of a group."""
    rows = data.rows(call.parameters, maps=True)
    members = {row["username"]: row for row in people.members(call.connection, call.project.id)}
    for row in rows:
        username = _username(row)
        _save(call, row, username, members.get(username))
        call.note("user", f"{'Update' if username in members else 'Add'} user {username}", f"user = '{username}'")
    return replies.number(len(rows), call.parameters.return_format)


def _username(row: DataRow) -> str:
    username = row.get("username", "").strip().lower()
    if not username or len(username) > 100:
        raise ApiError(messages.BAD_DATA, "a user has no username")
    return username


def _save(call: Call, row: DataRow, username: str, old: sqlite3.Row | None) -> None:
    before = rights.from_json(old["rights"]) if old is not None else None
    wanted = rights_rows.from_row(row, before, call.project.dictionary.forms)
    expiration = _expiration(row.get("expiration", old["expiration"] if old is not None else ""))
    people.save_account(call.connection, username, row)
    people.save_member(call.connection, call.project.id, username, wanted.as_json(), expiration)
    assign_group(call, username, row.get("data_access_group", ""), old["access_group"] if old is not None else None)


def _expiration(text: str) -> str:
    """The day from which the user is locked out; '' for never."""
    try:
        return date.fromisoformat(text.strip()).isoformat() if text.strip() else ""
    except ValueError:
        raise ApiError(messages.BAD_DATA, f"expiration cannot be '{text}': it must look like 2026-01-31") from None


def delete(call: Call) -> Reply:
    """The users are members no more."""
    wanted = [member_or_refuse(call, name) for name in call.parameters.items("users")]
    if not wanted:
        raise ApiError(messages.MISSING_PARAMETER, "users")
    for username in wanted:
        people.delete_member(call.connection, call.project.id, username)
        call.note("user", f"Delete user {username}", f"user = '{username}'")
    return replies.number(len(wanted), call.parameters.return_format)
