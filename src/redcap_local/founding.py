"""A new project, as REDCap makes one."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from redcap_local.call import Server
from redcap_local.people import CREATOR
from redcap_local.project import EDITABLE_SETTINGS
from redcap_local.rights import all_rights
from redcap_local.storage import people, structure

_FIRST_FORM = "form_1"


def create_project(connection: sqlite3.Connection, server: Server, wanted: Mapping[str, str]) -> int:
    """A project with one form, one arm and one event exists, as REDCap makes it; `site_admin` has all rights."""
    settings = {**EDITABLE_SETTINGS, **wanted, "in_production": "0"}
    settings["creation_time"] = server.clock().strftime("%Y-%m-%d %H:%M:%S")
    project = structure.insert_project(connection, settings)
    first = {"field_name": "record_id", "form_name": _FIRST_FORM, "field_type": "text", "field_label": "Record ID"}
    structure.save_metadata(connection, project, [first])
    structure.save_arm(connection, project, 1, "Arm 1")
    event = structure.insert_event(
        connection,
        project,
        {
            "arm": 1, "label": "Event 1", "name": "event_1_arm_1", "custom_label": None,
            "day_offset": 0, "offset_min": 0, "offset_max": 0,
        },
    )  # fmt: skip
    structure.replace_designations(connection, project, [(event, _FIRST_FORM)])
    people.save_account(connection, CREATOR, {"firstname": "Site", "lastname": "Administrator"})
    people.save_member(connection, project, CREATOR, all_rights([_FIRST_FORM]).as_json(), "")
    return project
