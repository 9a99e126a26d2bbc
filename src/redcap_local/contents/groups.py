"""content=dag: data access groups (reference/redcap-api.md 11.1)."""

from __future__ import annotations

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.people import find_group, refuse_inside_group
from redcap_local.storage import people, structure
from redcap_local.wire import data, replies
from redcap_local.wire.replies import Grid, Reply
from redcap_rules.names import group_name


def export(call: Call) -> Reply:
    """The groups by label."""
    refuse_inside_group(call)
    columns = ["data_access_group_name", "unique_group_name"]
    if call.server.at_least("13.1.0"):
        columns.append("data_access_group_id")
    rows = [
        {
            "data_access_group_name": group.label,
            "unique_group_name": group.name,
            "data_access_group_id": str(group.id),
        }
        for group in call.project.groups
    ]
    call.note("export_design", "Manage/Design ", "Export DAGs (API)")
    return replies.table(Grid(columns, rows, "dags"), call.parameters.format)


def import_(call: Call) -> Reply:
    """Groups are added (blank unique name) or renamed, which changes the unique name too."""
    refuse_inside_group(call)
    rows = data.rows(call.parameters)
    project = call.project
    taken = {group.name: group.id for group in project.groups}
    for row in rows:
        label = row.get("data_access_group_name", "").strip()
        unique = row.get("unique_group_name", "").strip()
        if not label:
            raise ApiError(messages.BAD_DATA, "a group has no data_access_group_name")
        if unique and unique not in taken:
            raise ApiError(messages.BAD_VALUES, "unique_group_name", f"'{unique}'")
        identity = taken.pop(unique, None)
        name = group_name(label, taken)
        if identity is None:
            identity = people.insert_group(call.connection, project.id, name, label)
        else:
            people.rename_group(call.connection, identity, name, label)
        taken[name] = identity
    structure.touch(call.connection, project.id)
    call.note("manage", "Manage/Design ", "Import DAGs (API)")
    return replies.number(len(rows), call.parameters.return_format)


def delete(call: Call) -> Reply:
    """The groups are gone; users and records that were in one are in none."""
    refuse_inside_group(call)
    wanted = call.parameters.items("dags")
    if not wanted:
        raise ApiError(messages.MISSING_PARAMETER, "dags")
    groups = [find_group(call, name) for name in wanted]
    for group in groups:
        people.delete_group(call.connection, group.id)
    structure.touch(call.connection, call.project.id)
    call.note("manage", "Manage/Design ", "Delete DAGs (API)")
    return replies.number(len(wanted), call.parameters.return_format)


def switch(call: Call) -> Reply:
    """The user stands in another of the groups open to them."""
    wanted = call.parameters.text("dag").strip()
    identity = find_group(call, wanted).id if wanted else 0
    if identity not in people.memberships(call.connection, call.project.id, call.user.username):
        raise ApiError(messages.BAD_VALUES, "dag", f"'{wanted}'")
    people.set_member_group(call.connection, call.project.id, call.user.username, identity or None)
    call.note("user", "Manage/Design ", f"Switch DAG{call.origin}")
    return replies.number(1, call.parameters.return_format)
