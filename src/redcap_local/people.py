"""Members of a project, their groups and their tokens: found, or refused."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from redcap_local import messages
from redcap_local.call import Call, Server
from redcap_local.chance import HEX
from redcap_local.messages import AdministrationError, ApiError
from redcap_local.project import Group
from redcap_local.storage import people
from redcap_local.storage.log import Change, Entry, Place

CREATOR = "site_admin"
"""The user to whom new projects belong."""


def administrators_entry(
    now: datetime, details: str, action: str = "", record: str = "", *, by: str = CREATOR
) -> Entry:
    """The line of the log for what an administrator, or another user on a page, has done: to record or design."""
    kind = "record_edit" if record else "manage"
    return Entry(now.strftime("%Y-%m-%d %H:%M:%S"), by, kind, action or "Manage/Design ", details, record)


def administrators_change(now: datetime, record: str, place: Place, *changes: Change) -> Entry:
    """The line of the log for values that an administrator has given or taken."""
    return replace(administrators_entry(now, "", f"Update record {record}", record), place=place, changes=changes)


def member_or_refuse(call: Call, name: str) -> str:
    """The user name of a member; refused when nobody of the project is called so."""
    username = name.strip().lower()
    if username not in {row["username"] for row in people.members(call.connection, call.project.id)}:
        raise ApiError(messages.BAD_VALUES, "username", f"'{name}'")
    return username


def assign_group(call: Call, username: str, name: str, old: int | None) -> None:
    """The member is in the group of that unique name, '' for none.

    Raises:
        ApiError: There is no such group, or the asking user is in a group and so may not move anybody.
    """
    group = find_group(call, name.strip()).id if name.strip() else None
    if group == old:
        return
    refuse_inside_group(call)
    people.set_member_group(call.connection, call.project.id, username, group)


def find_group(call: Call, name: str) -> Group:
    """The group of that unique name; refused when there is none."""
    group = call.project.groups_by_name.get(name)
    if group is None:
        raise ApiError(messages.BAD_VALUES, "dags", f"'{name}'")
    return group


def refuse_inside_group(call: Call) -> None:
    """Nothing, unless the user is in a data access group.

    Raises:
        ApiError: The user is in a group and may not see or change groups.
    """
    if call.user.group is not None:
        raise ApiError(messages.IN_DAG)


def issue_token(connection: sqlite3.Connection, server: Server, project: int, username: str) -> str:
    """The member's token, made when there is none yet.

    Raises:
        AdministrationError: The project has no such member.
    """
    token = people.token(connection, project, username)
    if token is None:
        token = server.draw(HEX, 32)
        if not people.set_token(connection, project, username, token):
            msg = f"project {project} has no user {username!r}: add the user first"
            raise AdministrationError(msg)
    return token
