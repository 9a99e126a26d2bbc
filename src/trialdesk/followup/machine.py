"""The schedule for other programs: `calls.json`, described in docs/calls.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from trialdesk.followup.attempts import WORDS, Attempt, NextTry
from trialdesk.followup.schedule import Entry, Schedule
from trialdesk.followup.windows import Window

SCHEMA = 1
_json = json.JSONEncoder(ensure_ascii=False).encode  # one for all: json.dumps makes a new one for every line


def calls_json(plan: Schedule, trial: str, data_as_of: datetime) -> Iterator[str]:
    """Every contact of every randomised patient as it stands on the schedule's day, a line each, line by line.

    Days are YYYY-MM-DD, times HH:MM in the trial's time zone; what there is none of is null.

    Args:
        plan: The schedule.
        trial: The trial's id.
        data_as_of: When the data were read.
    """
    head = {
        "schema": SCHEMA,
        "trial": trial,
        "day": str(plan.today),
        "read_at": data_as_of.isoformat(timespec="minutes"),
    }
    holds = (
        {"record": hold.record, "site": hold.site, "contacts": list(hold.contacts), "verify": list(hold.reasons)}
        for hold in plan.holds
    )
    yield "{\n"
    for name, value in head.items():
        yield f"{_json(name)}: {_json(value)},\n"
    yield '"verify_first": '
    yield from _lines(holds)
    yield ',\n"contacts": '
    yield from _lines(map(_contact, plan.entries))
    yield "\n}\n"


def _lines(items: Iterable[object]) -> Iterator[str]:
    """A list with a line for each item; json's own indentation takes twenty times as long."""
    yield "[\n"
    for number, item in enumerate(items):
        yield (",\n" if number else "") + _json(item)
    yield "\n]"


def _contact(entry: Entry) -> dict[str, Any]:
    contact, planned = entry.contact, entry.planned
    booking = contact.booking or contact.recall
    return {
        "record": contact.record,
        "site": contact.site,
        "contact": contact.rule.code,
        "anchor": contact.rule.anchor,
        **_window(contact.window),
        "planned": _text(planned.on if planned else None),
        "booked": {"on": str(booking.on), "at": booking.at or None} if booking else None,
        "status": entry.status,
        "cause": (planned.why if planned else "") or None,
        "done_on": _text(contact.said.on if contact.said.done else None),
        "last_reached": {"on": _text(entry.reached.said.on), "contact": entry.reached.rule.code}
        if entry.reached
        else None,
        "attempts": entry.attempts,
        "last_attempt": _attempt(entry.tried),
        "next_try": _try(entry.next_try),
    }


def _window(around: Window | None) -> dict[str, str | None]:
    names = {"target": "target", "open": "opens", "close": "closes", "last_day": "chased_until"}
    return {name: _text(getattr(around, own)) if around else None for name, own in names.items()}


def _attempt(tried: Attempt | None) -> dict[str, Any] | None:
    if tried is None:
        return None
    at = f"{tried.at:%H:%M}" if tried.at else None
    return {"on": str(tried.on), "at": at, "contact": tried.contact, "outcome": WORDS[tried.outcome]}


def _try(coming: NextTry | None) -> dict[str, Any] | None:
    return {"on": _text(coming.on), "when": coming.when or None, "why": coming.why} if coming else None


def _text(day: date | None) -> str | None:
    return str(day) if day else None
