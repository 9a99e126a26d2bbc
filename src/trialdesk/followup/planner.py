"""On which day each contact is planned: an open day in its window, near the target, and not all on one day.

The plan is a function of data, never of the clock: of the days of enrolment and operation, what patients asked for, the
calendar, and the day already written in REDCap. What was done, missed or stopped changes no one's day. Patients come in
the order of their enrolment, so a new patient finds room around those before and moves none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from trialdesk.followup.contacts import Contact, record_order
from trialdesk.followup.opendays import OpenDays, day_text
from trialdesk.followup.pauses import Pause, paused
from trialdesk.followup.windows import Window

_REACH = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Planned:
    """The planned day; `why` says in one sentence why it is not the target, or is ""."""

    on: date
    why: str = ""


Key = tuple[str, str]
Loads = Counter[tuple[str, date]]


def plan(
    contacts: Iterable[Contact], calendar: OpenDays, a_day: int, kept: Mapping[Key, date] | None = None
) -> dict[Key, Planned]:
    """The planned day of every contact that has a window, by record and contact code.

    Nearest open day in the window, ties earlier
    (reference/trial-operations.md 3.2), outside pauses where there is one; a preferred weekday wins inside the window.
    A day that already holds `a_day` contacts of a form hands the next one to the least loaded open day within two days
    of the target. Never moved by that: primary contacts, preferred weekdays, bookings, and the days in `kept`.

    Args:
        contacts: All contacts of the trial, in any order.
        calendar: The open days.
        a_day: How many contacts of one form a day holds before the planner levels.
        kept: Days already promised (`keeping.kept`); they stay unless they are no open day of the window.
    """
    loads: Loads = Counter()
    plans: dict[Key, Planned] = {}
    for contact in sorted(contacts, key=_seniority):
        if contact.window is None:
            continue
        days = calendar.at(contact.site)
        chosen = _first_choice(contact, contact.window, days)
        promised = _promised(contact, contact.window, chosen, days, kept or {})
        if promised:
            chosen = promised
        elif not (contact.booking or contact.weekday or contact.rule.primary):
            chosen = _level(contact, contact.window, chosen, days, (a_day, loads))
        plans[contact.key] = chosen
        loads[contact.rule.form, contact.booking.on if contact.booking else chosen.on] += 1
    return plans


def _seniority(contact: Contact) -> tuple[object, ...]:
    target = contact.window.target if contact.window else date.max
    return (contact.enrolled_on, record_order(contact.record), target, contact.rule.code)


def _first_choice(contact: Contact, around: Window, calendar: OpenDays) -> Planned:
    """The day this contact gets when it is alone in the world."""
    near = _near(calendar, around, contact.pauses)
    if not near:
        return Planned(
            around.target, f"no open day from {day_text(around.opens)} to {day_text(around.closes)}; left on the target"
        )
    preferred = next((day for day in near if day.isoweekday() == contact.weekday), None)
    chosen = preferred or near[0]
    if chosen == around.target:
        return Planned(chosen)
    reason = calendar.reason(around.target) or ("in a pause" if paused(contact.pauses, around.target) else "")
    if reason and chosen == near[0]:
        why = f"target {day_text(around.target)} is {reason}; moved to {day_text(chosen, year=False)}"
    else:
        why = f"target {day_text(around.target)}; moved to {day_text(chosen, year=False)}, the preferred weekday"
    return Planned(chosen, why)


def _promised(
    contact: Contact, around: Window, first: Planned, calendar: OpenDays, kept: Mapping[Key, date]
) -> Planned | None:
    day = kept.get(contact.key)
    if day is None or day not in _near(calendar, around, contact.pauses):
        return None
    return first if day == first.on else Planned(day, f"stays on {day_text(day)}, as planned before")


def _level(
    contact: Contact, around: Window, first: Planned, calendar: OpenDays, capacity: tuple[int, Loads]
) -> Planned:
    a_day, loads = capacity
    form = contact.rule.form
    load = loads[form, first.on]
    if load < a_day:
        return first
    near = {first.on, *(day for day in _near(calendar, around, contact.pauses) if abs(day - around.target) <= _REACH)}
    chosen = min(near, key=lambda day: (loads[form, day], abs(day - around.target), day))
    if chosen == first.on:
        return first
    return Planned(
        chosen, f"{day_text(first.on)} is full with {load} contacts; moved to {day_text(chosen, year=False)}"
    )


@lru_cache(maxsize=2**16)
def _near(calendar: OpenDays, around: Window, pauses: tuple[Pause, ...]) -> Sequence[date]:
    """The open days of the window outside pauses, those near the target first, ties earlier.

    All open days of a window that lies in pauses altogether.
    """
    opened = calendar.between(around.opens, around.closes)
    free = [day for day in opened if not paused(pauses, day)] or opened
    return tuple(sorted(free, key=lambda day: (abs(day - around.target), day)))
