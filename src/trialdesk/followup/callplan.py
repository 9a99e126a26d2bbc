"""What REDCap shows of the plan: each patient's next contact, for the machine-owned call plan instrument.

Functions of the data and of which windows have ended: the plan of a patient changes when a record does or a window is
over, at most once a contact, and a quiet night rewrites nothing (reference/trial-operations.md 3.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from redcap_rules.record import RecordView
from trialdesk.config import CallPlan
from trialdesk.followup.keeping import Promise, promises, version
from trialdesk.followup.schedule import Entry, Schedule
from trialdesk.followup.windows import Window
from trialdesk.redcap.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class NextContact:
    """A patient's next contact; `code`, `window`, `planned` and `version` are empty when nothing is to come."""

    record: str
    code: str = ""
    window: Window | None = None
    planned: date | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Renewal:
    """A call plan that REDCap does not hold as it is now: `values` are all its fields, blank clears.

    `brakes` is False for a patient's first plan, and where nothing but an ended window has changed it.
    """

    record: str
    values: Mapping[str, str]
    brakes: bool


def next_contacts(plan: Schedule) -> tuple[NextContact, ...]:
    """The next contact of every patient in the schedule, in its order.

    Next is the earliest target that is still to be made, as the status says: neither settled nor stopped, its last day
    (end of the window, or of the grace) not over, and not altogether in a pause. `planned` is the day the patient asked
    for if there is one.
    """
    return tuple(_next(record, entries) for record, entries in plan.by_record.items())


def call_plan_values(plan: Schedule, fields: CallPlan | None) -> dict[str, dict[str, str]]:
    """What the call plan of every patient has to hold: record → field → value; blank clears. {} without a call plan.

    A patient about whom something has to be verified first is left out: what REDCap shows stays until that is done.
    """
    if fields is None:
        return {}
    doubtful = {hold.record for hold in plan.holds if not hold.contacts}
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
        if upcoming.record not in doubtful
    }


def renewals(plan: Schedule, snapshot: Snapshot, fields: CallPlan | None) -> tuple[Renewal, ...]:
    """The call plans of which the snapshot does not hold every value, in the order of the schedule."""
    if fields is None:
        return ()
    promised = promises(snapshot, fields)
    return tuple(
        Renewal(record, values, _is_held(view, fields) and not _ended(plan.of(record), promised.get(record)))
        for record, values, view in _differing(plan, snapshot, fields)
    )


def difference(values: Mapping[str, str], view: RecordView, fields: CallPlan) -> dict[str, str]:
    """Those of `values` that the record does not hold."""
    return {ref.field: values[ref.field] for _, ref in fields if view.value(ref.field, ref.event) != values[ref.field]}


def _differing(
    plan: Schedule, snapshot: Snapshot, fields: CallPlan
) -> Iterator[tuple[str, Mapping[str, str], RecordView]]:
    for record, values in call_plan_values(plan, fields).items():
        view = snapshot.view(record)
        if difference(values, view, fields):
            yield record, values, view


def _is_held(view: RecordView, fields: CallPlan) -> bool:
    return any(view.value(ref.field, ref.event) for _, ref in fields)


def _ended(entries: Sequence[Entry], promise: Promise | None) -> bool:
    """Whether the contact that stands in REDCap is over by its last day alone: no cause of its plan has changed."""
    return promise is not None and any(
        entry.status == "missed"
        and not (entry.contact.settled or entry.contact.halt)
        and version(entry.contact, promise.on) == promise.version
        for entry in entries
        if entry.contact.rule.code == promise.code
    )


def _next(record: str, entries: Sequence[Entry]) -> NextContact:
    for entry in entries:
        contact, due = entry.contact, entry.due
        if entry.coming and due:
            return NextContact(record, contact.rule.code, contact.window, due, version(contact, due))
    return NextContact(record)
