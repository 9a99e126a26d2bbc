"""content=record&action=rename (redcap-api.md 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redcap_local import messages
from redcap_local.contents.record_delete import named
from redcap_local.intake.plan import MAX_RECORD_NAME
from redcap_local.messages import ApiError
from redcap_local.storage import records
from redcap_local.wire import replies

if TYPE_CHECKING:
    from redcap_local.call import Call
    from redcap_local.wire.replies import Reply


def rename(call: Call) -> Reply:
    """The record has its new name everywhere; the answer is 1."""
    old, new = call.parameters.needed("record"), call.parameters.needed("new_record_name").strip()
    if not new or len(new) > MAX_RECORD_NAME:
        raise ApiError(messages.BAD_RECORD_NAME)
    record = named(call, [old])[0]
    if records.records(call.connection, call.project.id, [new]):
        raise ApiError(messages.RENAME_TAKEN, new)
    id_field = call.project.dictionary.record_id
    records.rename_record(call.connection, record, new, id_field)
    call.note("record_edit", f"Update record (API) {new}", f"{id_field} = '{new}'", new)
    return replies.text("1")
