"""Days already promised: what an earlier run wrote into REDCap's call plan, as long as its causes stand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from trialdesk.config import CallPlan
from trialdesk.followup.contacts import Contact
from trialdesk.followup.windows import Window
from trialdesk.redcap.patients import day
from trialdesk.redcap.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Promise:
    """The planned day of a patient's next contact (`code`), with the version that says what it was planned from."""

    code: str
    on: date
    version: str


Promises = Mapping[str, Promise]
"""Record to what it was promised."""


def promises(snapshot: Snapshot, fields: CallPlan | None) -> Promises:
    """What the call plan in REDCap promises; records without a planned day are left out, and all without a plan."""
    found: dict[str, Promise] = {}
    if fields is None:
        return found
    for record in snapshot.records:
        view = snapshot.view(record)
        code, planned, version = (
            view.value(ref.field, ref.event) for ref in (fields.next, fields.planned, fields.version)
        )
        if on := day(planned):
            found[record] = Promise(code, on, version)
    return found


def version(contact: Contact, planned: date) -> str:
    """Eight characters that change when the plan of a contact or a cause of it changes.

    Causes are the target, the window, the preferred weekday and the day the patient asked for. Their spelling is fixed
    for ever: another one would break every promise in REDCap at once.
    """
    booking = contact.booking and f"Booking(on={_spelled(contact.booking.on)}, at={contact.booking.at!r})"
    causes = f"({contact.rule.code!r}, {_window(contact.window)}, {_spelled(planned)}, {contact.weekday}, {booking})"
    return hashlib.sha256(causes.encode()).hexdigest()[:8]


def kept(contacts: Iterable[Contact], promised: Promises) -> dict[tuple[str, str], date]:
    """The promised days by record and code, of contacts of which no cause has changed.

    The version promised with the day proves what it was planned from: a corrected enrolment, another window or a new
    wish gives another version, and the contact is planned anew.
    """
    found = {}
    for contact in contacts:
        promise = promised.get(contact.record)
        if promise is None or promise.code != contact.rule.code or contact.booking:
            continue
        if version(contact, promise.on) == promise.version:
            found[contact.key] = promise.on
    return found


def _window(around: Window | None) -> str:
    if around is None:
        return "None"
    names = ("target", "opens", "closes", "chased_until")
    return f"Window({', '.join(f'{name}={_spelled(getattr(around, name))}' for name in names)})"


def _spelled(day: date) -> str:
    return f"datetime.date({day.year}, {day.month}, {day.day})"
