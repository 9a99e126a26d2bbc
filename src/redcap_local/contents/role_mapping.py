"""content=userRoleMapping (reference/redcap-api.md 11.3)."""

from __future__ import annotations

from redcap_local.call import Call
from redcap_local.contents.roles import role_id
from redcap_local.people import assign_group, member_or_refuse
from redcap_local.storage import people
from redcap_local.wire import data, replies
from redcap_local.wire.replies import Grid, Reply

# The version from which the assignment of roles names the data access group too.
_WITH_GROUP = "15.8.2"


def export(call: Call) -> Reply:
    """The role of every user."""
    columns = ["username", "unique_role_name"]
    if call.server.at_least(_WITH_GROUP):
        columns.append("data_access_group")
    rows = [
        {
            "username": row["username"],
            "unique_role_name": row["role_name"] or "",
            "data_access_group": row["group_name"] or "",
        }
        for row in people.members(call.connection, call.project.id)
    ]
    call.note("export_design", "Manage/Design ", "Export user-role assignments (API)")
    return replies.table(Grid(columns, rows, final_newline=False), call.parameters.format)


def import_(call: Call) -> Reply:
    """Each user has the role named, or none and keeps the rights of the role left."""
    rows = data.rows(call.parameters)
    members = {row["username"]: row for row in people.members(call.connection, call.project.id)}
    for row in rows:
        username = member_or_refuse(call, row.get("username", ""))
        name = row.get("unique_role_name", "").strip()
        role = role_id(call, name) if name else None
        people.set_member_role(call.connection, call.project.id, username, role)
        group = row.get("data_access_group", "").strip()
        if group and call.server.at_least(_WITH_GROUP):
            assign_group(call, username, group, members[username]["access_group"])
        call.note("user", f"Update user {username}", f"Assign user to role '{name}' (API)")
    return replies.number(len(rows), call.parameters.return_format)
