"""content=generateNextRecordName (reference/redcap-api.md 7)."""

from __future__ import annotations

from redcap_local.call import Call
from redcap_local.naming import next_name
from redcap_local.storage import records
from redcap_local.wire import replies
from redcap_local.wire.replies import Reply


def export(call: Call) -> Reply:
    """The next record name; nothing is reserved."""
    names = (record.name for record in records.records(call.connection, call.project.id))
    return replies.text(next_name(names, call.user.group))
