"""content=metadata: the data dictionary (reference/redcap-api.md 9)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from redcap_local import messages, rights
from redcap_local.call import Call
from redcap_local.contents import metadata_faults
from redcap_local.messages import ApiError
from redcap_local.project import Project
from redcap_local.storage import people, structure
from redcap_local.wire import data, replies
from redcap_local.wire.data import DataRow
from redcap_local.wire.replies import Grid, Reply
from redcap_rules.calculation import CalculationCycle, Calculations
from redcap_rules.dictionary import API_COLUMNS, Dictionary, DictionaryError, from_api, to_api


def export(call: Call) -> Reply:
    """The dictionary, or the fields and forms asked for (both: their union)."""
    dictionary = call.project.dictionary
    fields, forms = call.parameters.items("fields"), call.parameters.items("forms")
    unknown = [name for name in fields if name not in dictionary]
    if unknown:
        raise ApiError(messages.BAD_VALUES, "fields", ", ".join(f"'{name}'" for name in unknown))
    rows = [
        row
        for row in to_api(dictionary)
        if (not fields and not forms) or row["field_name"] in fields or row["form_name"] in forms
    ]
    call.note("export_design", "Manage/Design ", "Export data dictionary (API)")
    return replies.table(
        Grid(API_COLUMNS, rows, "records", between=",\n"), call.parameters.format, call.parameters.delimiter
    )


def import_(call: Call) -> Reply:
    """The dictionary of the request is the project's; the answer counts its fields."""
    rows = _rows(call)
    if not rows:
        raise ApiError(messages.BAD_DATA, "the data dictionary is empty")
    told = metadata_faults.sentences(rows)
    if told:
        raise ApiError(messages.Message("\n".join(told), messages.Confidence.SEEN))
    try:
        dictionary = from_api(rows)
        Calculations(dictionary)
    except DictionaryError as faults:
        raise ApiError(messages.BAD_METADATA, "\n".join(map(str, faults.problems))) from None
    except CalculationCycle as ring:
        raise ApiError(messages.BAD_METADATA, ring) from None
    replace_dictionary(call.connection, call.project, dictionary)
    call.note("manage", "Manage/Design ", "Upload data dictionary (API)")
    return replies.number(len(rows), call.parameters.return_format)


def _rows(call: Call) -> list[DataRow]:
    """The rows of the request under the names of the API.

    A CSV without them, as REDCap's pages offer it for download, is read by position: so PyCap issue 190 shows it, where
    form names are told as cells of column A.
    """
    rows = data.rows(call.parameters)
    if call.parameters.format == "csv" and rows and API_COLUMNS[0] not in rows[0]:
        return [dict(zip(API_COLUMNS, row.values(), strict=False)) for row in rows]
    return rows


def replace_dictionary(connection: sqlite3.Connection, project: Project, dictionary: Dictionary) -> None:
    """The project has this dictionary; mappings and rights follow its forms."""
    structure.save_metadata(connection, project.id, to_api(dictionary))
    old, new = set(project.dictionary.forms), dictionary.forms
    kept = [pair for pair in structure.designations(connection, project.id) if pair[1] in new]
    if not project.longitudinal:
        # In a classic project every form stands in the one event.
        kept.extend((event.id, form) for event in project.events[:1] for form in new if form not in old)
    structure.replace_designations(connection, project.id, kept)
    repeating = [row for row in structure.repeating(connection, project.id) if not row[1] or row[1] in new]
    structure.replace_repeating(connection, project.id, repeating)
    _follow_forms(connection, project.id, new)


def _follow_forms(connection: sqlite3.Connection, project: int, forms: Sequence[str]) -> None:
    for row in people.members(connection, project):
        mine = rights.from_json(row["rights"]).with_forms(forms)
        people.save_member(connection, project, row["username"], mine.as_json(), row["expiration"])
    for row in people.roles(connection, project):
        theirs = rights.from_json(row["rights"]).with_forms(forms)
        people.save_role(connection, project, row["name"], row["label"], theirs.as_json())
