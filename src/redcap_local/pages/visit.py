"""One request of a person in a project: who, where, and what a page may answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from redcap_local.allocation_table import TableError
from redcap_local.call import Call, Server
from redcap_local.messages import AdministrationError, ApiError, Confidence, Message
from redcap_local.pages.addresses import Addresses
from redcap_local.pages.editors import Editors
from redcap_local.pages.sessions import Session
from redcap_local.project import Event, Project
from redcap_local.rights import User, is_in_force
from redcap_local.storage import people
from redcap_local.wire.parameters import Parameters, Upload


@dataclass(frozen=True, slots=True)
class Shown:
    """A page made of a template."""

    template: str
    values: Mapping[str, object]
    status: int = 200


@dataclass(frozen=True, slots=True)
class Moved:
    """The browser goes on to another address."""

    address: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A file."""

    name: str
    mime: str
    content: bytes


Answer = Shown | Moved | Sent


class NoSuchPlace(Exception):
    """The address names nothing that this user can see; the message says what."""


@dataclass(frozen=True)
class Visit:
    """A request of a session's user in a project, inside a transaction."""

    call: Call
    session: Session
    editors: Editors
    addresses: Addresses
    asked: Mapping[str, str]
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """The project of the address."""
        return self.call.project

    @property
    def user(self) -> User:
        """The user as a member of the project."""
        return self.call.user

    def text(self, name: str) -> str:
        """What the request has under that name, '' for nothing."""
        return self.asked.get(name, "").strip()

    def number(self, name: str, default: int) -> int:
        """The number under that name."""
        text = self.text(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise NoSuchPlace(f"{name} is no number: {text[:40]!r}")
        return int(text)

    def event(self) -> Event:
        """The event of the address; the first one when it names none."""
        number = self.number("event_id", self.project.first_event.id)
        if number not in self.project.shown_event_ids:
            raise NoSuchPlace(f"project {self.project.id} has no event {number}")
        return self.project.events_by_id[number]

    def arm(self) -> int:
        """The arm of the address; the first one when it names none."""
        number = self.number("arm", self.project.first_event.arm)
        if number not in {event.arm for event in self.project.shown_events}:
            raise NoSuchPlace(f"project {self.project.id} has no events in arm {number}")
        return number

    def asking(self, **parameters: str) -> Call:
        """The call with these parameters, for a content of the API that does what the page wants done."""
        return replace(self.call, parameters=Parameters(list(parameters.items())))

    def needs(self, right: str) -> None:
        """Nothing, if the user has the right.

        Raises:
            ApiError: They have not.
        """
        if not self.user.rights.has(right):
            raise ApiError(Message(NO_PAGE_RIGHT[right], Confidence.UNKNOWN, 403))


@contextmanager
def as_administrator() -> Iterator[None]:
    """What an administrator's work is refused for is told on the page.

    Raises:
        ApiError: With the same words.
    """
    try:
        yield
    except (AdministrationError, TableError) as fault:
        raise ApiError(Message(str(fault), Confidence.UNKNOWN, 400)) from None


NO_PAGE_RIGHT = {
    "record_create": "You may not create records in this project.",
    "record_delete": "You may not delete data in this project.",
    "record_rename": "You may not rename records in this project.",
    "lock_records": "You may not lock forms in this project.",
    "lock_records_all_forms": "You may not lock records in this project.",
    "random_perform": "You may not randomize in this project.",
    "random_setup": "You may not set up randomization in this project.",
    "data_quality_create": "You may not change the data quality rules of this project.",
    "data_quality_execute": "You may not execute the data quality rules of this project.",
}


def begin(
    server: Server, connection: sqlite3.Connection, project: Project, username: str, now: datetime
) -> tuple[Call, Addresses]:
    """The call of a user of the pages in a project, and its addresses.

    Raises:
        NoSuchPlace: The user is no member, or no longer.
    """
    row = people.member(connection, project.id, username)
    if row is None or not is_in_force(row, now):
        raise NoSuchPlace(f"{username} is no user of project {project.id}, or not any more")
    call = Call(server, connection, project, User.from_row(row), Parameters([]), now, origin="")
    return call, Addresses(server.version, project.id)
