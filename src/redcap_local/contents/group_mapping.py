"""content=userDagMapping (reference/redcap-api.md 11.1)."""

from __future__ import annotations

from redcap_local.call import Call
from redcap_local.people import find_group, member_or_refuse, refuse_inside_group
from redcap_local.storage import people
from redcap_local.wire import data, replies
from redcap_local.wire.replies import Grid, Reply
from redcap_rules.names import GROUP


def export(call: Call) -> Reply:
    """The group of every user."""
    refuse_inside_group(call)
    rows = [
        {"username": row["username"], GROUP: row["group_name"] or ""}
        for row in people.members(call.connection, call.project.id)
    ]
    call.note("export_design", "Manage/Design ", "Export user-DAG assignments (API)")
    return replies.table(Grid(("username", GROUP), rows), call.parameters.format)


def import_(call: Call) -> Reply:
    """Each user is in the group named, or in none."""
    refuse_inside_group(call)
    rows = data.rows(call.parameters)
    for row in rows:
        username = member_or_refuse(call, row.get("username", ""))
        name = row.get(GROUP, "").strip()
        group = find_group(call, name).id if name else None
        people.set_member_group(call.connection, call.project.id, username, group)
        call.note("user", f"Update user {username}", f"Assign user to data access group '{name}' (API)")
    return replies.number(len(rows), call.parameters.return_format)
