"""content=record: import (reference/redcap-api.md 6)."""

from __future__ import annotations

from collections.abc import Sequence

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.collecting import put_off
from redcap_local.contents.building import add_data
from redcap_local.intake import background, eav
from redcap_local.intake.columns import sheet
from redcap_local.intake.dates import ORDERS
from redcap_local.intake.numbering import numbered
from redcap_local.intake.places import refuse_unknown_events
from redcap_local.intake.plan import Plan, refuse
from redcap_local.intake.saving import save
from redcap_local.messages import ApiError
from redcap_local.odm.vocabulary import ODM, parsed
from redcap_local.wire import data, replies
from redcap_local.wire.data import DataRow
from redcap_local.wire.replies import MIME, Grid, Reply
from redcap_local.wire.text import XML_PROLOG
from redcap_rules.names import GROUP

_CONTENTS = ("count", "ids", "auto_ids", "nothing")


def import_(call: Call) -> Reply:
    """All values of the request are stored and calculations follow them, or nothing is and every fault is told."""
    with put_off():
        return _import(call)


def _import(call: Call) -> Reply:
    parameters = call.parameters
    content = parameters.choice("returnContent", _CONTENTS, "count")
    overwrite = parameters.choice("overwriteBehavior", ("normal", "overwrite"), "normal") == "overwrite"
    order = parameters.choice("dateFormat", ORDERS, "YMD")
    if parameters.format == "odm":
        root = parsed(parameters.text("data"))
        add_data(call, root, checked=True)
        if parameters.flag("backgroundProcess"):
            return _queued(call)
        return _confirmation(call, content, [s.get("SubjectKey", "") for s in root.iter(f"{ODM}SubjectData")], {})
    rows = _rows(call)
    rows, renamed = numbered(call, rows) if parameters.flag("forceAutoNumber") else (rows, {})
    names = {name: None for row in rows for name in row}
    _refuse_columns(call, rows, names)
    plan = Plan(call, sheet(call.project, names), overwrite=overwrite, date_format=order)
    for number, row in enumerate(rows):
        plan.add(row)
        rows[number] = {}  # a large import need not lie in memory twice
    if parameters.flag("backgroundProcess"):
        background.save_what_is_right(call, plan)
        return _queued(call)
    refuse(plan.lines)
    save(call, plan.records.values())
    return _confirmation(call, content, list(plan.records), renamed)


def _rows(call: Call) -> list[DataRow]:
    parameters = call.parameters
    if data.is_single_object(parameters.text("data"), parameters.format):
        # A single object is accepted and imports nothing (reference/redcap-api.md 6.2).
        return []
    rows = data.rows(parameters)
    if parameters.is_eav:
        return eav.flat(call.project.dictionary, rows)
    return rows


def _refuse_columns(call: Call, rows: Sequence[DataRow], names: dict[str, None]) -> None:
    record_id = call.project.dictionary.record_id
    if rows and record_id not in names:
        raise ApiError(messages.NO_ID_COLUMN, record_id)
    if GROUP in names and call.user.group is not None:
        raise ApiError(messages.GROUP_NOT_YOURS)
    refuse_unknown_events(call.project, rows)


def _queued(call: Call) -> Reply:
    # The import is done at once; a client that asked for a queue learns no more than from REDCap (6.1).
    form = call.parameters.return_format
    body = {"json": '{"success": true}', "csv": "true", "xml": f"{XML_PROLOG}<success>true</success>"}
    return Reply(body[form].encode(), MIME[form])


def _confirmation(call: Call, content: str, ids: Sequence[str], renamed: dict[str, str]) -> Reply:
    """What reference/redcap-api.md 3.4 says for each returnContent and format."""
    form = call.parameters.return_format
    if content == "nothing":
        return Reply(b"", MIME[form])
    if content == "count":
        count = {
            "json": f'{{"count": {len(ids)}}}',
            "csv": str(len(ids)),
            "xml": f"{XML_PROLOG}<count>{len(ids)}</count>",
        }
        return Reply(count[form].encode(), MIME[form])
    if content == "auto_ids" and renamed:
        return _id_list([f"{name},{renamed[name]}" for name in ids], form)
    return _id_list(ids, form)


def _id_list(ids: Sequence[str], form: str) -> Reply:
    if form == "json":
        import json

        return Reply(json.dumps(list(ids), separators=(",", ":")).encode(), MIME["json"])
    if form == "csv":
        return replies.table(Grid(("id",), [{"id": name} for name in ids]), "csv")
    items = "".join(f"<id>{replies.xml_escaped(name)}</id>" for name in ids)
    return Reply(f"{XML_PROLOG}<ids>{items}</ids>".encode(), MIME["xml"])
