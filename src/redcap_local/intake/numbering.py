"""forceAutoNumber: the names sent only group rows, the server gives the names (reference/redcap-api.md 6.1)."""

from __future__ import annotations

from collections.abc import Iterable

from redcap_local.call import Call
from redcap_local.naming import next_name
from redcap_local.storage import records
from redcap_local.wire.data import DataRow


def numbered(call: Call, rows: Iterable[DataRow]) -> tuple[list[DataRow], dict[str, str]]:
    """The rows under their new names, and the name sent of every new name.

    In a project without auto-numbering the names stay what they are.
    """
    record_id = call.project.dictionary.record_id
    automatic = call.project.settings["record_autonumbering_enabled"] == "1"
    existing = (record.name for record in records.records(call.connection, call.project.id))
    following = next_name(existing, call.user.group)
    prefix, _, number = following.rpartition("-")
    prefix = f"{prefix}-" if prefix else ""
    new_of: dict[str, str] = {}
    for row in rows:
        sent = row.get(record_id, "").strip()
        new_of.setdefault(sent, f"{prefix}{int(number) + len(new_of)}" if automatic else sent)
    renamed = [{**row, record_id: new_of[row.get(record_id, "").strip()]} for row in rows]
    return renamed, {new: sent for sent, new in new_of.items()}
