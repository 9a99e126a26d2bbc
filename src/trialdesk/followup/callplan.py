"""What REDCap shows of the plan: each patient's next contact, for the machine-owned call plan instrument.

Functions of data, never of the clock: a night in which nothing happened rewrites nothing
(reference/trial-operations.md 3.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trialdesk.config import CallPlan
from trialdesk.followup.keeping import version
from trialdesk.followup.schedule import Entry, Schedule
from trialdesk.followup.windows import Window


@dataclass(frozen=True, slots=True)
class NextContact:
    """A patient's next contact; `code`, `window`, `planned` and `version` are empty when nothing is to come."""

    record: str
    code: str = ""
    window: Window | None = None
    planned: date | None = None
    version: str = ""


def next_contacts(plan: Schedule) -> tuple[NextContact, ...]:
    """The next contact of every patient in the schedule, in its order.

    Next is the earliest target that the record neither calls over nor has passed by with a later contact of the same
    form, so a week that was silently missed gives way when the following one is entered. `planned` is the day the
    patient asked for if there is one.
    """
    return tuple(_next(record, entries) for record, entries in plan.by_record.items())


def call_plan_values(plan: Schedule, fields: CallPlan | None) -> dict[str, dict[str, str]]:
    """What the call plan of every patient has to hold: record → field → value; blank clears. {} without a call plan."""
    if fields is None:
        return {}
    return {
        upcoming.record: {
            fields.next.field: upcoming.code,
            fields.target.field: str(upcoming.window.target) if upcoming.window else "",
            fields.opens.field: str(upcoming.window.opens) if upcoming.window else "",
            fields.closes.field: str(upcoming.window.closes) if upcoming.window else "",
            fields.planned.field: str(upcoming.planned or ""),
            fields.version.field: upcoming.version,
        }
        for upcoming in next_contacts(plan)
    }


def _next(record: str, entries: Sequence[Entry]) -> NextContact:
    for number, entry in enumerate(entries):
        contact, due = entry.contact, entry.due
        passed = any(
            later.contact.settled and later.contact.rule.form == contact.rule.form for later in entries[number:]
        )
        if contact.window and due and not contact.halt and not passed:
            return NextContact(record, contact.rule.code, contact.window, due, version(contact, due))
    return NextContact(record)
