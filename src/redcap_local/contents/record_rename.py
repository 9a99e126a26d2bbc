"""content=record&action=rename (reference/redcap-api.md 7)."""

from __future__ import annotations

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.intake.plan import MAX_RECORD_NAME
from redcap_local.messages import ApiError
from redcap_local.places import find_record
from redcap_local.storage import records
from redcap_local.storage.records import Record
from redcap_local.wire import replies
from redcap_local.wire.replies import Reply


def rename(call: Call) -> Reply:
    """The record has its new name everywhere; the answer is 1."""
    old, new = call.parameters.needed("record"), call.parameters.needed("new_record_name").strip()
    if not new or len(new) > MAX_RECORD_NAME:
        raise ApiError(messages.BAD_RECORD_NAME)
    record = find_record(call, old)
    if records.records(call.connection, call.project.id, [new]):
        raise ApiError(messages.RENAME_TAKEN, new)
    if record.locked:
        raise ApiError(messages.RECORD_LOCKED)
    _refuse_part(call, record)
    id_field = call.project.dictionary.record_id
    records.rename_record(call.connection, record, new, id_field)
    call.note("record_edit", call.words("Update", new), f"{id_field} = '{new}'", new)
    return replies.text("1")


def _refuse_part(call: Call, record: Record) -> None:
    """Nothing, unless the request is for one arm of a record that is in others too: it would be two records."""
    arm = call.parameters.whole("arm")
    if arm is None or not call.project.longitudinal:
        return
    id_field = call.project.dictionary.record_id
    events = {value[1] for value in records.values(call.connection, [record.id], [id_field])}
    others = {call.project.events_by_id[event].arm for event in events} - {arm}
    if others:
        raise ApiError(messages.RENAME_PART, record.name, ", ".join(map(str, sorted(others))))
