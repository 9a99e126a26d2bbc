"""How a record is called in an export (reference/redcap-api.md 2.5)."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Callable

from redcap_local.project import Project
from redcap_local.rights import ExportRight, Rights
from redcap_local.storage import people


def shown_name(connection: sqlite3.Connection, project: Project, rights: Rights) -> Callable[[str], str]:
    """A function that gives the name to show: a hash when the record id is an identifier the user may not have."""
    field = project.dictionary.fields[0]
    if not field.identifier or rights.exports(field.form) == ExportRight.FULL:
        return str
    # Keyed: record names are short numbers, whose plain hash could be looked up.
    secret = (people.server_value(connection, "secret") or "").encode()

    def hashed(name: str) -> str:
        return hmac.digest(secret, f"{project.id}\0{name}".encode(), hashlib.sha256).hex()[:32]

    return hashed
