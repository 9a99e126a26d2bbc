"""Which record and which event a request names, as far as its user may see them."""

from __future__ import annotations

from collections.abc import Iterable

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.project import Event
from redcap_local.storage import records
from redcap_local.storage.records import Record


def find_record(call: Call, name: str) -> Record:
    """The record of that name, if the user sees it; else refused (reference/redcap-api.md 2.4)."""
    found = visible(records.records(call.connection, call.project.id, [name]), call.user.group)
    if not found:
        raise ApiError(messages.NO_RECORD, name)
    return found[0]


def find_event(call: Call, name: str) -> Event:
    """The event of that unique name; the only one of a classic project; else refused."""
    project = call.project
    if not project.longitudinal:
        return project.first_event
    if name not in project.events_by_name:
        raise ApiError(messages.BAD_VALUES, "event", f"'{name}'")
    return project.events_by_name[name]


def visible(found: Iterable[Record], group: int | None) -> list[Record]:
    """The records a user in that data access group sees; None sees all."""
    return [record for record in found if group is None or record.group == group]
