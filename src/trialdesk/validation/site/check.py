"""The whole look at a server: read and refuse, agree, try one record, ask, delete everything, prove that it is gone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from trialdesk.config import Config
from trialdesk.errors import (
    ConfigError,
    NotAllowed,
    PlanRefused,
    RedcapRefused,
    RedcapUnreachable,
    WriteBackFailed,
)
from trialdesk.redcap.replies import Reply, Wire
from trialdesk.redcap.tokens import VARIABLES, token
from trialdesk.validation.site import steps
from trialdesk.validation.site.project import PREFIX, TITLE, Design, foreign, redesigned, strange

T = TypeVar("T")

WAITS = (2.0, 10.0)
"""Seconds between tries to leave the project as it was, where the server does not answer."""
RIGHTS = "docs/validation/site-check.md has the table of rights"


@dataclass(frozen=True, slots=True)
class Person:
    """Who sits before it: agrees to the lines or does not, and says when user B may not export, or that it can't be."""

    agrees: Callable[[Sequence[str]], bool]
    pauses: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Looked:
    """Everything that was answered, the server's version, and what may not stand in a report."""

    replies: Mapping[str, Reply]
    version: str
    names: frozenset[str]


def open_wire(config: Config) -> Wire:
    """The way to the configuration's server for users A and B; nothing is asked yet.

    Raises:
        ConfigError: a token is missing or malformed.
        PlanRefused: the two are one, or one is a token of the trial.
    """
    tokens = {"A": token(config, "site check A"), "B": token(config, "site check B")}
    secrets = [one.get_secret_value() for one in tokens.values()]
    if secrets[0] == secrets[1]:
        raise PlanRefused("nothing was asked: A and B have one token; they are two users of one project")
    for role in VARIABLES:
        try:
            known = token(config, role).get_secret_value()
        except ConfigError:
            continue
        if not role.startswith("site check") and known in secrets:
            raise PlanRefused(
                f"nothing was asked: a token is that of {VARIABLES[role]}; never use a project of the trial"
            )
    settings = config.redcap
    return Wire(settings.url, tokens, timeout=(settings.connect_seconds, settings.read_seconds))


def check(wire: Wire, others: Collection[str], person: Person) -> Looked:
    """The project holds no record when this ends, however it ends, as far as REDCap lets it.

    Args:
        wire: The way to the server, with the tokens of A and B.
        others: Numbers of the projects in the configuration.
        person: Who is asked.

    Raises:
        PlanRefused: it is not the project that may be looked at, or the person does not agree; nothing was written.
        NotAllowed: user A lacks a right that all of it needs.
        RedcapUnreachable: the server does not answer, or wants to be left alone.
        WriteBackFailed: records are left, or the dictionary is not as it was.
    """
    fields, left = _read(wire, others)
    before = (f"first deletes what a run that was stopped has left: {', '.join(left)}",) if left else ()
    if not person.agrees((*before, *steps.written())):
        raise PlanRefused("nothing was written, because it was not agreed to")
    try:
        _cleaned(wire)
        _tried(wire)
        replies = {step.name: wire.ask(step.user, step.parameters) for step in steps.STEPS}
        if person.pauses():
            replies[steps.PAUSED.name] = wire.ask(steps.PAUSED.user, steps.PAUSED.parameters)
    finally:
        _left_as_it_was(lambda: _cleaned(wire))
    replies["dictionary"] = _left_as_it_was(lambda: _dictionary_refused(wire, fields))
    _left_as_it_was(lambda: _cleaned(wire))
    version = replies["version"].text.strip()
    return Looked(replies, version if re.fullmatch(r"\d+\.\d+\.\d+", version) else "unknown", _names(wire))


def _read(wire: Wire, others: Collection[str]) -> tuple[list[dict[str, object]], tuple[str, ...]]:
    """The fields and the records of the project, once it is known for the one that may be looked at.

    No record is asked for before title, number, status and design are right.
    """
    seen = {user: _one(wire.read(user, {"content": "project"})) for user in ("A", "B")}
    _refuse(strange(seen, others))
    fields, events, places, repeating = (
        _structure(wire, content) for content in ("metadata", "event", "formEventMapping", "repeatingFormsEvents")
    )
    _refuse(redesigned(Design(fields, events, places, repeating)))
    # who is in a group sees only its records, and is refused here (reference/redcap-api.md 2.4)
    for content, right in (("dag", "data access groups"), ("log", "logging")):
        try:
            wire.read("A", {"content": content})
        except (NotAllowed, RedcapRefused):
            raise NotAllowed(f"user A lacks the right {right}, or is in a data access group; {RIGHTS}") from None
    records = _records(wire)
    if strangers := foreign(records):
        _refuse((f"it holds {len(strangers)} record(s) that were not made here",))
    return fields, records


def _structure(wire: Wire, content: str) -> list[dict[str, object]]:
    """The rows; none where REDCap has none to tell, as of events of a classic project."""
    try:
        return _table(wire.read("A", {"content": content}))
    except RedcapRefused:
        return []


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise PlanRefused(
            f"nothing was written: {'; '.join(reasons)}; docs/validation/site-check.md says how to make it"
        )


def _left_as_it_was(put: Callable[[], T]) -> T:
    """What is put in order at the end; a server that stays away leaves something behind."""
    for wait in WAITS:
        try:
            return put()
        except RedcapUnreachable:
            time.sleep(wait)
    try:
        return put()
    except RedcapUnreachable as away:
        raise WriteBackFailed(
            f"records {PREFIX}… may be left, or the dictionary changed ({away}); run this again: it removes records "
            "first, and says whether the dictionary is right"
        ) from None


def _tried(wire: Wire) -> None:
    """One record was written and deleted."""
    try:
        wire.read("A", steps.TRIED.parameters)
    except (NotAllowed, RedcapRefused) as refused:
        raise NotAllowed(f"user A may not write a record ({refused}); {RIGHTS}") from None
    if not _records(wire):
        raise WriteBackFailed("REDCap took a record and does not show it; nothing more was done")
    _cleaned(wire)


def _cleaned(wire: Wire) -> None:
    """No record is in the project, as a list of all says; an empty list is not believed the first time."""
    for _ in range(2):
        if ours := tuple(record for record in _records(wire) if record.startswith(PREFIX)):
            reply = wire.ask("A", steps.deletion(ours).parameters)
            if reply.status in (400, 403):
                raise NotAllowed(
                    f"{', '.join(ours)} could not be deleted (status {reply.status}); have them deleted in REDCap, "
                    f"and give user A the right; {RIGHTS}"
                )
    if left := _records(wire):
        if strangers := foreign(left):
            raise WriteBackFailed(f"{len(strangers)} record(s) that somebody else made are in the project; look whose")
        raise WriteBackFailed(f"{', '.join(left)}: still in the project; have the project deleted in REDCap")


def _records(wire: Wire) -> tuple[str, ...]:
    """The id of every record, as any of its rows says."""
    rows = _table(wire.read("A", steps.ALL.parameters))
    return tuple(dict.fromkeys(str(row.get("record_id", "")) for row in rows))


def _dictionary_refused(wire: Wire, fields: list[dict[str, object]]) -> Reply:
    """The answer to a dictionary with a wrong name; the project has its own fields afterwards."""
    wrong = [{**fields[0], "field_name": "Record_ID"}, *fields[1:]]
    asked = steps.dictionary("dictionary", wrong)
    reply = wire.ask(asked.user, asked.parameters)
    for again in (True, False):
        if _table(wire.read("A", {"content": "metadata"})) == fields:
            return reply
        if again:
            wire.ask("A", steps.dictionary("put back", fields).parameters)
    raise WriteBackFailed("the project's dictionary is not as it was; have the project deleted in REDCap")


def _names(wire: Wire) -> frozenset[str]:
    """What may not stand in a report; the users are those of the project's log."""
    users = {str(row.get("username", "")) for row in _table(wire.read("A", {"content": "log"}))}
    # a background job is logged as `SYSTEM (name)`
    single = {word for user in users for word in re.findall(r"[\w.@-]+", user) if word != "SYSTEM"}
    place = urlsplit(wire.url)
    tokens = {token.get_secret_value() for token in wire.tokens.values()}
    return frozenset({*users, *single, *tokens, wire.url, place.netloc, place.hostname or "", TITLE} - {"SYSTEM"})


def _one(told: object) -> Mapping[str, object]:
    if not isinstance(told, dict):
        raise RedcapUnreachable("the server does not tell what project this is; nothing was written")
    return told


def _table(told: object) -> list[dict[str, object]]:
    if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
        raise RedcapUnreachable("the server answered with something that is not a table; run it again")
    return told
