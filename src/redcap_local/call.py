"""One authenticated request on its way through a handler."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from redcap_local.project import Project
from redcap_local.rights import User
from redcap_local.storage.log import Change, Entry, Place
from redcap_local.wire.parameters import Parameters

# 15.0 has action=randomize and still codes form rights 0-3 (reference/redcap-api.md 14).
DEFAULT_VERSION = "15.0.12"


@dataclass(frozen=True, slots=True)
class Server:
    """What the whole server shares: its version, its address, its clock and its source of random letters.

    `draw(alphabet, length)` gives a random text that nobody can guess.
    """

    version: str
    address: str
    clock: Callable[[], datetime]
    draw: Callable[[str, int], str]

    def at_least(self, version: str) -> bool:
        """True when the server reports that version or a later one."""
        return version_key(self.version) >= version_key(version)


def version_key(version: str) -> tuple[int, ...]:
    """A version text as numbers that can be compared."""
    return tuple(int(part) for part in version.split("."))


@dataclass(frozen=True, slots=True)
class Call:
    """A request: who asks, in which project, with which parameters, inside which transaction.

    `origin` is what the log adds to an action: ` (API)`, or nothing where a page was used.
    """

    server: Server
    connection: sqlite3.Connection
    project: Project
    user: User
    parameters: Parameters
    now: datetime
    notes: list[Entry] = field(default_factory=list)
    origin: str = " (API)"

    @property
    def time(self) -> str:
        """The server's clock as REDCap writes it: YYYY-MM-DD HH:MM:SS."""
        return self.now.strftime("%Y-%m-%d %H:%M:%S")

    def words(self, verb: str, record: str) -> str:
        """The action of a line of the log about a record: `Update record (API) 7`."""
        return f"{verb} record{self.origin} {record}"

    def note(self, kind: str, action: str, details: str = "", record: str = "") -> None:
        """The line is written to the log when the request succeeds, for the group of the user."""
        self.notes.append(Entry(self.time, self.user.username, kind, action, details, record, self.user.group))

    def note_values(self, record: str, place: Place, changes: Iterable[Change], *, new: bool = False) -> None:
        """So is the line of what values of a record were given, the first of a new record."""
        verb, kind = ("Create", "record_add") if new else ("Update", "record_edit")
        who, action = self.user, self.words(verb, record)
        entry = Entry(self.time, who.username, kind, action, "", record, who.group, place, tuple(changes))
        self.notes.append(entry)
