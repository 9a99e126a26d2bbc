"""content=version."""

from __future__ import annotations

import sqlite3

from redcap_local.call import Call, Server
from redcap_local.wire import replies
from redcap_local.wire.parameters import Parameters
from redcap_local.wire.replies import Reply


def export(call: Call) -> Reply:
    """The version as plain text."""
    return replies.text(call.server.version)


def super_export(server: Server, _connection: sqlite3.Connection, _parameters: Parameters) -> Reply:
    """The version for a super token (reference/redcap-api.md 13.5)."""
    return replies.text(server.version)
