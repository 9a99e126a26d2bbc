"""Accounts, members of a project, roles, data access groups and tokens."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

_MEMBER = """
    select member.project, member.username, member.rights, member.expiration, member.role, member.access_group,
           account.email, account.firstname, account.lastname, account.suspended,
           role.name as role_name, role.label as role_label, role.rights as role_rights,
           access_group.name as group_name, access_group.label as group_label
    from member join account using (username)
    left join role on role.id = member.role
    left join access_group on access_group.id = member.access_group
"""


def server_value(connection: sqlite3.Connection, key: str) -> str | None:
    """What the server keeps under a key; None if nothing."""
    row = connection.execute("select value from server where key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def save_server_value(connection: sqlite3.Connection, key: str, value: str) -> None:
    """The server keeps the value under the key."""
    connection.execute("insert or replace into server (key, value) values (?, ?)", (key, value))


def save_account(connection: sqlite3.Connection, username: str, details: Mapping[str, str]) -> None:
    """The account exists; the details given (email, firstname, lastname) are its own."""
    connection.execute("insert or ignore into account (username) values (?)", (username,))
    for column in ("email", "firstname", "lastname"):
        if details.get(column):
            connection.execute(
                f"update account set {column} = ? where username = ?",  # noqa: S608 - a literal of this tuple
                (details[column], username),
            )


def password(connection: sqlite3.Connection, username: str) -> str:
    """What is kept of the account's password; '' when it has none."""
    row = connection.execute("select password from account where username = ?", (username,)).fetchone()
    return "" if row is None else str(row[0])


def save_password(connection: sqlite3.Connection, username: str, kept: str) -> bool:
    """That is kept of the account's password; False when there is no such account."""
    return connection.execute("update account set password = ? where username = ?", (kept, username)).rowcount == 1


def suspend(connection: sqlite3.Connection, username: str, suspended: bool) -> bool:
    """The account is suspended, or no longer; False when there is no such account."""
    changed = connection.execute("update account set suspended = ? where username = ?", (int(suspended), username))
    return changed.rowcount == 1


def member_by_token(connection: sqlite3.Connection, token: str) -> sqlite3.Row | None:
    """The member a token belongs to; None for an unknown token."""
    found: sqlite3.Row | None = connection.execute(f"{_MEMBER} where member.token = ?", (token,)).fetchone()
    return found


def members(connection: sqlite3.Connection, project: int) -> list[sqlite3.Row]:
    """The members of a project by user name."""
    return connection.execute(f"{_MEMBER} where member.project = ? order by username", (project,)).fetchall()


def member(connection: sqlite3.Connection, project: int, username: str) -> sqlite3.Row | None:
    """The member of that name; None when the project has none."""
    found: sqlite3.Row | None = connection.execute(
        f"{_MEMBER} where member.project = ? and member.username = ?", (project, username)
    ).fetchone()
    return found


def memberships_of(connection: sqlite3.Connection, username: str) -> list[sqlite3.Row]:
    """What the account is in every project, by project."""
    return connection.execute(f"{_MEMBER} where member.username = ? order by member.project", (username,)).fetchall()


def accounts(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """User name and full name of every account that is a member of a project and not suspended, by user name."""
    found = connection.execute(
        "select username, trim(firstname || ' ' || lastname) from account "
        "where not suspended and username in (select username from member) order by username"
    )
    return [(row[0], row[1]) for row in found]


def save_member(
    connection: sqlite3.Connection, project: int, username: str, rights: Mapping[str, object], expiration: str
) -> None:
    """The account is a member with these rights; role, group and token stay as they were."""
    connection.execute(
        "insert into member (project, username, rights, expiration) values (?, ?, ?, ?) on conflict "
        "(project, username) do update set rights = excluded.rights, expiration = excluded.expiration",
        (project, username, json.dumps(rights), expiration),
    )


def delete_member(connection: sqlite3.Connection, project: int, username: str) -> None:
    """The account is no member; its token is void."""
    connection.execute("delete from member where project = ? and username = ?", (project, username))


def set_member_role(connection: sqlite3.Connection, project: int, username: str, role: int | None) -> None:
    """The member has that role, or none; who leaves a role keeps its rights as personal ones."""
    connection.execute(
        "update member set rights = coalesce((select rights from role where id = member.role), rights), role = ? "
        "where project = ? and username = ?",
        (role, project, username),
    )


def set_member_group(connection: sqlite3.Connection, project: int, username: str, group: int | None) -> None:
    """The member is in that data access group, or in none."""
    connection.execute(
        "update member set access_group = ? where project = ? and username = ?", (group, project, username)
    )


def token(connection: sqlite3.Connection, project: int, username: str) -> str | None:
    """The member's token; None without one or without such a member."""
    row = connection.execute(
        "select token from member where project = ? and username = ?", (project, username)
    ).fetchone()
    return None if row is None else row[0]


def set_token(connection: sqlite3.Connection, project: int, username: str, value: str | None) -> bool:
    """The member's token is that one; False when there is no such member."""
    changed = connection.execute(
        "update member set token = ? where project = ? and username = ?", (value, project, username)
    )
    return changed.rowcount == 1


def roles(connection: sqlite3.Connection, project: int) -> list[sqlite3.Row]:
    """The roles of a project in order of creation."""
    return connection.execute(
        "select id, name, label, rights from role where project = ? order by id", (project,)
    ).fetchall()


def save_role(
    connection: sqlite3.Connection, project: int, name: str, label: str, rights: Mapping[str, object]
) -> None:
    """The role of that unique name has this label and these rights."""
    connection.execute(
        "insert into role (project, name, label, rights) values (?, ?, ?, ?) on conflict (project, name) "
        "do update set label = excluded.label, rights = excluded.rights",
        (project, name, label, json.dumps(rights)),
    )


def delete_role(connection: sqlite3.Connection, role: int) -> None:
    """The role is gone; whoever had it keeps its rights as personal ones."""
    connection.execute(
        "update member set rights = (select rights from role where id = ?), role = null where role = ?", (role, role)
    )
    connection.execute("delete from role where id = ?", (role,))


def groups(connection: sqlite3.Connection, project: int) -> list[tuple[int, str, str]]:
    """Id, unique name and label of every data access group, by label."""
    found = connection.execute(
        "select id, name, label from access_group where project = ? order by label, id", (project,)
    )
    return [(row[0], row[1], row[2]) for row in found]


def insert_group(connection: sqlite3.Connection, project: int, name: str, label: str) -> int:
    """A new data access group exists; its id is returned."""
    row = connection.execute(
        "insert into access_group (project, name, label) values (?, ?, ?) returning id", (project, name, label)
    ).fetchone()
    return int(row[0])


def rename_group(connection: sqlite3.Connection, group: int, name: str, label: str) -> None:
    """The group has this unique name and label."""
    connection.execute("update access_group set name = ?, label = ? where id = ?", (name, label, group))


def delete_group(connection: sqlite3.Connection, group: int) -> None:
    """The group is gone; its users and records belong to none."""
    connection.execute("update member set access_group = null where access_group = ?", (group,))
    connection.execute("update record set access_group = null where access_group = ?", (group,))
    connection.execute("delete from membership where access_group = ?", (group,))
    connection.execute("delete from access_group where id = ?", (group,))


def memberships(connection: sqlite3.Connection, project: int, username: str) -> frozenset[int]:
    """The ids of the groups a member may switch between; 0 stands for no group."""
    found = connection.execute(
        "select access_group from membership where project = ? and username = ?", (project, username)
    )
    return frozenset(row[0] for row in found)


def allow_group(connection: sqlite3.Connection, project: int, username: str, group: int) -> None:
    """The member may switch to the group (0: to no group)."""
    connection.execute(
        "insert or ignore into membership (project, username, access_group) values (?, ?, ?)",
        (project, username, group),
    )
