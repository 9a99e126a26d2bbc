"""What an administrator does and the API does not: projects, users, tokens."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from redcap_local import passwords
from redcap_local.call import DEFAULT_VERSION, Server
from redcap_local.chance import HEX, random_text
from redcap_local.messages import AdministrationError
from redcap_local.people import CREATOR, issue_token
from redcap_local.project import EDITABLE_SETTINGS, FLAGS, PAGE_SETTINGS, Project, load
from redcap_local.rights import Rights, all_rights
from redcap_local.storage import log, people, records, reports, structure
from redcap_local.storage.database import Database
from redcap_local.storage.log import Entry
from redcap_local.storage.reports import Report
from redcap_rules.choices import parse_choices
from redcap_rules.logic import LogicError, parse

SUPER_TOKEN_VARIABLE = "REDCAP_LOCAL_SUPER_TOKEN"  # noqa: S105 - the name of a variable
ADMINISTRATOR_SETTINGS = PAGE_SETTINGS | {"missing_data_codes"}


def give_token(path: Path, project: int, username: str) -> str:
    """The token of a member of a project in the database file, made when there is none yet.

    Raises:
        AdministrationError: There is no such file, or the project has no such member.
    """
    with opened(path) as connection:
        return issue_token(connection, command_line(), project, username)


def command_line() -> Server:
    """The server as an administrator's command needs it: real clock, real chance."""
    return Server(DEFAULT_VERSION, "", datetime.now, random_text)


def super_token(database: Database, server: Server) -> str:
    """The super token: of the environment, else the one kept beside the database in a 0600 file, else a new one."""
    kept = database.path.with_name(f"{database.path.name}.super-token")
    token = os.environ.get(SUPER_TOKEN_VARIABLE, "").strip()
    if not token and kept.exists():
        token = kept.read_text(encoding="ascii").strip()
    if not token:
        token = server.draw(HEX, 64)
        kept.touch(mode=0o600)
        kept.write_text(f"{token}\n", encoding="ascii")
    if len(token) != 64:
        msg = f"the super token in {SUPER_TOKEN_VARIABLE} or {kept.name} has to be 64 characters long"
        raise AdministrationError(msg)
    with database.write() as connection:
        people.save_server_value(connection, "super_token", token)
        if people.server_value(connection, "secret") is None:
            people.save_server_value(connection, "secret", server.draw(HEX, 64))
    return token


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A write transaction on an existing database file.

    Raises:
        AdministrationError: There is no such file.
    """
    if not path.exists():
        msg = f"{path}: no such database; name the file the server was started with"
        raise AdministrationError(msg)
    database = Database(path)
    try:
        with database.write() as connection:
            yield connection
    finally:
        database.close()


def loaded(connection: sqlite3.Connection, project: int) -> Project:
    """The project of that id.

    Raises:
        AdministrationError: There is none.
    """
    if project not in structure.project_ids(connection):
        msg = f"there is no project {project}; `project list` shows those there are"
        raise AdministrationError(msg)
    return load(connection, project)


def change_settings(connection: sqlite3.Connection, project: Project, values: Mapping[str, str]) -> None:
    """The project has these settings, also those the API cannot change (missing data codes).

    Raises:
        AdministrationError: A setting a project does not have, or a value it cannot have.
    """
    unknown = sorted(set(values) - set(EDITABLE_SETTINGS) - ADMINISTRATOR_SETTINGS)
    if unknown:
        known = ", ".join(sorted({*EDITABLE_SETTINGS, *ADMINISTRATOR_SETTINGS}))
        msg = f"no setting {unknown[0]!r}; the settings are {known}"
        raise AdministrationError(msg)
    wrong = sorted(name for name, value in values.items() if name in FLAGS and value not in {"0", "1"})
    if wrong:
        msg = f"{wrong[0]} must be 0 or 1: write {wrong[0]}=1"
        raise AdministrationError(msg)
    try:
        parse_choices(values.get("missing_data_codes", ""))
    except ValueError as fault:
        msg = f"missing_data_codes cannot be read: {fault}"
        raise AdministrationError(msg) from None
    unique = values.get("secondary_unique_field", "")
    if unique and unique not in project.dictionary:
        msg = f"project {project.id} has no field {unique!r}"
        raise AdministrationError(msg)
    structure.save_settings(connection, project.id, {**project.settings, **values})


def add_user(connection: sqlite3.Connection, project: Project, username: str, *, everything: bool) -> None:
    """The user is a member, with all rights or with none.

    Raises:
        AdministrationError: The name is blank.
    """
    name = username.strip().lower()
    if not name:
        msg = "a user needs a name"
        raise AdministrationError(msg)
    forms = project.dictionary.forms
    rights = all_rights(forms) if everything else Rights({}, {}, {})
    people.save_account(connection, name, {})
    people.save_member(connection, project.id, name, rights.as_json(), "")


def label_form(connection: sqlite3.Connection, project: Project, form: str, label: str) -> None:
    """People see the form under that label.

    Raises:
        AdministrationError: The project has no such form, or the label is blank.
    """
    if form not in project.dictionary.forms:
        msg = f"project {project.id} has no instrument {form!r}"
        raise AdministrationError(msg)
    if not label.strip():
        msg = "a form needs a label"
        raise AdministrationError(msg)
    survey = form in project.own_forms and project.own_forms[form][1]
    structure.save_form(connection, project.id, form, label.strip(), survey=survey)


def enable_survey(connection: sqlite3.Connection, project: Project, form: str) -> None:
    """The form is a survey, and surveys are on.

    Raises:
        AdministrationError: The project has no such form.
    """
    if form not in project.dictionary.forms:
        msg = f"project {project.id} has no instrument {form!r}"
        raise AdministrationError(msg)
    structure.save_form(connection, project.id, form, project.form_label(form), survey=True)
    structure.save_settings(connection, project.id, {**project.settings, "surveys_enabled": "1"})


def save_report(
    connection: sqlite3.Connection,
    project: Project,
    title: str,
    fields: Sequence[str],
    logic: str,
    sort: Sequence[str] = (),
) -> int:
    """The report exists; its id is returned.

    Args:
        connection: A write transaction.
        project: The project.
        title: The report's title.
        fields: Its fields in order.
        logic: Its filter; '' for none.
        sort: The columns its rows are sorted by; `-name` sorts the highest first.

    Raises:
        AdministrationError: A field the project does not have, or a filter that cannot be read.
    """
    try:
        parse(logic or "1")
    except LogicError as fault:
        msg = f"the filter cannot be read: {fault.message}, column {fault.column}"
        raise AdministrationError(msg) from None
    unknown = [name for name in fields if name not in project.dictionary and name not in project.columns]
    unknown += [name for name in sort if name.removeprefix("-") not in project.columns]
    if unknown:
        msg = f"project {project.id} has no field {unknown[0]!r}"
        raise AdministrationError(msg)
    return reports.insert(connection, project.id, Report(0, title, tuple(fields), logic, tuple(sort)))


def lock_record(connection: sqlite3.Connection, project: int, name: str, now: datetime, *, locked: bool) -> None:
    """The record is locked, or no longer, and the log says so.

    Raises:
        AdministrationError: There is no such record.
    """
    found = records.records(connection, project, [name])
    if not found:
        msg = f"project {project} has no record {name!r}"
        raise AdministrationError(msg)
    records.set_locked(connection, found[0].id, locked)
    details, time = f"Action: {'Lock' if locked else 'Unlock'} entire record", now.strftime("%Y-%m-%d %H:%M:%S")
    log.write(connection, project, [Entry(time, CREATOR, "lock_record", f"Lock/Unlock Record {name}", details, name)])


def revoke_token(connection: sqlite3.Connection, project: int, username: str) -> None:
    """The user's token is void.

    Raises:
        AdministrationError: The project has no such user.
    """
    if not people.set_token(connection, project, username, None):
        msg = f"project {project} has no user {username!r}"
        raise AdministrationError(msg)


def save_password(connection: sqlite3.Connection, username: str, password: str) -> None:
    """The user enters the pages from other machines with that password.

    Raises:
        AdministrationError: It is too short, or nobody has an account of that name.
    """
    if len(password) < passwords.SHORTEST:
        msg = f"a password needs at least {passwords.SHORTEST} characters"
        raise AdministrationError(msg)
    if not people.save_password(connection, username, passwords.kept(password)):
        msg = f"there is no account {username!r}"
        raise AdministrationError(msg)


def suspend(connection: sqlite3.Connection, username: str, *, suspended: bool) -> None:
    """The account's tokens work no more, or again.

    Raises:
        AdministrationError: Nobody has an account of that name.
    """
    if not people.suspend(connection, username, suspended):
        msg = f"there is no account {username!r}"
        raise AdministrationError(msg)


def allow_groups(connection: sqlite3.Connection, project: Project, username: str, names: Iterable[str]) -> None:
    """The user may switch between the groups; `none` stands for no group.

    Raises:
        AdministrationError: The project has no such group.
    """
    for name in names:
        if name != "none" and name not in project.groups_by_name:
            msg = f"project {project.id} has no data access group {name!r}"
            raise AdministrationError(msg)
        group = 0 if name == "none" else project.groups_by_name[name].id
        people.allow_group(connection, project.id, username, group)
