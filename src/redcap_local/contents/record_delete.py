"""content=record&action=delete (reference/redcap-api.md 7)."""

from __future__ import annotations

from collections.abc import Sequence

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.columns import time_stamp
from redcap_local.intake.changes import Changes
from redcap_local.intake.plan import refuse
from redcap_local.intake.saving import note_changes, untouchable
from redcap_local.messages import ApiError
from redcap_local.places import visible
from redcap_local.storage import log, records
from redcap_local.storage.records import Record
from redcap_local.wire import replies
from redcap_local.wire.replies import Reply


def delete(call: Call) -> Reply:
    """The records are gone, or what was asked of them: an arm, an event, a form, an instance."""
    wanted = call.parameters.items("records")
    if not wanted:
        raise ApiError(messages.MISSING_PARAMETER, "records")
    found = named(call, wanted)
    partly = any(call.parameters.text(name) for name in ("arm", "instrument", "event", "repeat_instance"))
    for record in found:
        if partly:
            _delete_part(call, record)
        else:
            _delete_whole(call, record)
        if call.parameters.flag("delete_logging"):
            log.forget_record(call.connection, call.project.id, record.name)
    return replies.number(len(found), call.parameters.return_format)


def named(call: Call, names: Sequence[str]) -> list[Record]:
    """The records of those names that the user sees.

    Raises:
        ApiError: One of them does not exist, or belongs to another data access group.
    """
    found = visible(records.records(call.connection, call.project.id, names), call.user.group)
    known = {record.name for record in found}
    missing = [name for name in dict.fromkeys(names) if name not in known]
    if missing:
        raise ApiError(messages.CANNOT_DELETE, ", ".join(missing))
    return found


def _delete_whole(call: Call, record: Record) -> None:
    records.delete_records(call.connection, [record.id])
    id_field = call.project.dictionary.record_id
    call.note("record_delete", call.words("Delete", record.name), f"{id_field} = '{record.name}'", record.name)


def _delete_part(call: Call, record: Record) -> None:
    if record.locked:
        raise ApiError(messages.RECORD_LOCKED)
    events, columns, instance = _part(call)
    stored = list(records.values(call.connection, [record.id], columns, events))
    gone = [value[:4] for value in stored if instance is None or value[2] == instance]
    change = Changes(erased=dict.fromkeys(key[1:] for key in gone))
    refuse(list(untouchable(call, {record.name: change}, {record.name: record})))
    records.delete_values(call.connection, gone)
    note_changes(call, record.name, change)
    if not any(records.values(call.connection, [record.id])):
        _delete_whole(call, record)


def _part(call: Call) -> tuple[list[int] | None, list[str] | None, int | None]:
    """Event ids, columns and instance to delete; None for all."""
    project, parameters = call.project, call.parameters
    arm, name, form = parameters.whole("arm"), parameters.text("event"), parameters.text("instrument")
    if name and project.longitudinal and name not in project.events_by_name:
        raise ApiError(messages.BAD_VALUES, "event", f"'{name}'")
    if form and form not in project.dictionary.forms:
        raise ApiError(messages.BAD_VALUES, "instrument", f"'{form}'")
    if form and project.longitudinal and not name:
        raise ApiError(messages.MISSING_PARAMETER, "event")
    events = None
    if project.longitudinal and (arm is not None or name):
        events = [e.id for e in project.events if arm in (None, e.arm) and name in ("", e.name)]
    columns = None
    if form:
        record_id = project.dictionary.record_id
        columns = [c.name for c in project.columns.values() if c.form == form and c.name != record_id]
        columns.append(time_stamp(form))
    return events, columns, parameters.whole("repeat_instance")
