"""content=generateNextRecordName (reference/redcap-api.md 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redcap_local.storage import records
from redcap_local.wire import replies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redcap_local.call import Call
    from redcap_local.wire.replies import Reply


def export(call: Call) -> Reply:
    """The next record name; nothing is reserved."""
    names = (record.name for record in records.records(call.connection, call.project.id))
    return replies.text(next_name(names, call.user.group))


def next_name(names: Iterable[str], group: int | None) -> str:
    """The highest whole-number name plus one; `<group id>-<n>` for a user in a data access group."""
    prefix = "" if group is None else f"{group}-"
    numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    highest = max((int(n) for n in numbers if n.isascii() and n.isdigit() and len(n) < 16), default=0)
    return f"{prefix}{highest + 1}"
