"""content=log (reference/redcap-api.md 13.1)."""

from __future__ import annotations

import re

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.storage import log
from redcap_local.wire import replies
from redcap_local.wire.replies import Grid, Reply

# What each type selects; redcapAPI asserts of every line of a type what its action says.
KINDS: dict[str, list[str]] = {
    "": [],
    "export": ["export"],
    "manage": ["manage", "export_design"],
    "user": ["user"],
    "record": ["record_add", "record_edit", "record_delete", "randomize"],
    "record_add": ["record_add"],
    "record_edit": ["record_edit"],
    "record_delete": ["record_delete"],
    "lock_record": ["lock_record"],
    "page_view": ["page_view"],
}
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?", re.ASCII)


def export(call: Call) -> Reply:
    """The log, newest first, within the limits asked for; always comma-separated in CSV."""
    entries = log.read(call.connection, call.project.id, limits_of(call))
    rows = [
        {
            "timestamp": entry.time[:16],
            "username": entry.username,
            "action": entry.action,
            "details": entry.told,
            "record": entry.record,
        }
        for entry in entries
    ]
    call.note("export_design", "Manage/Design ", "Export Logging (API)")
    columns = ("timestamp", "username", "action", "details", "record")
    return replies.table(Grid(columns, rows), call.parameters.format)


def _group(call: Call, asked: str) -> int:
    """The id of the group of that id or unique name; 0, the group of nothing, when there is none."""
    named = call.project.groups_by_name.get(asked)
    if named is not None:
        return named.id
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0


def limits_of(call: Call) -> dict[str, object]:
    """What the request wants to see of the log, its user's own group at most.

    Raises:
        ApiError: A type or time that is none.
    """
    parameters = call.parameters
    limits: dict[str, object] = {}
    kinds = KINDS[parameters.choice("logtype", KINDS, "")]
    if kinds:
        limits["kinds"] = kinds
    for name, limit in (("user", "username"), ("record", "record")):
        if parameters.text(name):
            limits[limit] = parameters.text(name)
    if call.user.group is not None or parameters.text("dag"):
        limits["group"] = call.user.group or _group(call, parameters.text("dag").strip())
    for name, limit, seconds in (("beginTime", "begin", ":00"), ("endTime", "end", ":59")):
        text = parameters.text(name).strip()
        if text and not _MOMENT.fullmatch(text):
            raise ApiError(messages.BAD_PARAMETER, name, "it must look like 2026-01-31 23:59")
        if text:
            # A day alone is its midnight; a minute is whole.
            limits[limit] = text + {10: " 00:00:00", 16: seconds}.get(len(text), "")
    return limits
