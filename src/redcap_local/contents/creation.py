"""content=project with a super token: Create Project (reference/redcap-api.md 13.3)."""

from __future__ import annotations

import sqlite3
from xml.etree.ElementTree import Element

from redcap_local import messages
from redcap_local.call import Call, Server
from redcap_local.contents.building import add_data, build
from redcap_local.contents.project_info import accepted_settings
from redcap_local.founding import create_project
from redcap_local.messages import ApiError
from redcap_local.odm import definition
from redcap_local.odm.vocabulary import parsed
from redcap_local.people import CREATOR, issue_token
from redcap_local.project import load
from redcap_local.rights import User, all_rights
from redcap_local.storage import log
from redcap_local.wire import data, replies
from redcap_local.wire.parameters import Parameters
from redcap_local.wire.replies import Reply


def create(server: Server, connection: sqlite3.Connection, parameters: Parameters) -> Reply:
    """A new project exists, after the ODM document if one is sent; the body is the creator's token."""
    items = data.rows(parameters)
    if len(items) != 1:
        raise ApiError(messages.BAD_DATA, "a project is one item")
    for needed in ("project_title", "purpose"):
        if not items[0].get(needed, "").strip():
            raise ApiError(messages.BAD_DATA, f"{needed} is missing")
    project = create_project(connection, server, accepted_settings(items[0]))
    if parameters.text("odm").strip():
        root = parsed(parameters.text("odm"))
        build(connection, project, definition.read(root), accepted_settings(items[0]))
        _fill(server, connection, parameters, project, root)
    token = issue_token(connection, server, project, CREATOR)
    return replies.text(token)


def _fill(server: Server, connection: sqlite3.Connection, parameters: Parameters, project: int, root: Element) -> None:
    loaded = load(connection, project)
    user = User(CREATOR, all_rights(loaded.dictionary.forms), None, None)
    call = Call(server, connection, loaded, user, parameters, server.clock())
    call.note("manage", "Manage/Design ", "Create project using REDCap XML file")
    add_data(call, root, checked=False)
    log.write(connection, project, call.notes)
