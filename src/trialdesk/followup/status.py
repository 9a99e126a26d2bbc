"""The one definition of a contact's status; every sheet, calendar and report uses it."""

from __future__ import annotations

from datetime import date

from trialdesk.followup.contacts import Contact
from trialdesk.followup.pauses import paused
from trialdesk.followup.windows import Window
from trialdesk.model import ContactStatus

ACTIVE: frozenset[ContactStatus] = frozenset({"overdue", "due", "open", "upcoming"})


def status(contact: Contact, planned: date | None, today: date) -> ContactStatus:
    """What a contact is on a day. First match wins (reference/trial-operations.md 3.3).

    done (early, late) → not applicable → declined: missed → over before the patient left: missed → stopped or
    withdrawn → paused → missed → overdue → due → open → upcoming. So what was done before a death stays done and what
    was missed before it stays missed. Nothing to come is missed, even if the patient's end is dated after it by
    mistake. A contact with days of grace is overdue, not missed, until they are over. A contact is paused where its
    window has no open day outside a pause (the planner found none), and on the days of a pause that fall into it; a
    promised day is not paused.

    Args:
        contact: The contact as the record stands.
        planned: The planned day; None for a contact without a window.
        today: The day in the trial's time zone.
    """
    if contact.said.done:
        return _done(contact)
    if contact.window is None or planned is None:
        return "not applicable"
    if contact.said.refused:
        return "missed"
    if end := contact.halt:
        return "missed" if end.since and contact.window.chased_until < min(end.since, today) else end.status
    if not contact.booking and (paused(contact.pauses, planned) or _rests(contact, contact.window, today)):
        return "paused"
    return _running(contact.window, contact.booking.on if contact.booking else planned, today)


def _done(contact: Contact) -> ContactStatus:
    around, on = contact.window, contact.said.on
    if around is None or on is None or on in around:
        return "done"
    return "done early" if on < around.opens else "done late"


def _rests(contact: Contact, around: Window, today: date) -> bool:
    """Whether the contact could be made today but for a pause."""
    return around.opens <= today <= around.chased_until and paused(contact.pauses, today)


def _running(around: Window, due: date, today: date) -> ContactStatus:
    if today > around.chased_until:
        return "missed"
    if today > due:
        return "overdue"
    if today == due:
        return "due"
    return "open" if today >= around.opens else "upcoming"
