"""Whom to call on a day: one row a patient, in the order in which a morning is worked through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from trialdesk.followup.attempts import Booking, NextTry
from trialdesk.followup.contacts import record_order
from trialdesk.followup.schedule import Entry, Schedule

AHEAD = timedelta(days=14)
WEEKS = 4


@dataclass(frozen=True, slots=True)
class Call:
    """A patient to be called on a day, with every contact that can be made then; the one that closes first leads.

    So week 12, month 3 and the surgeon's control stand together where one day at the hospital can serve them all.
    """

    day: date
    entries: tuple[Entry, ...]

    @property
    def first(self) -> Entry:
        """The contact that closes first: what a try is about."""
        return self.entries[0]

    @property
    def record(self) -> str:
        """Whose."""
        return self.first.contact.record

    @property
    def site(self) -> str:
        """The patient's site."""
        return self.first.contact.site

    @property
    def words(self) -> str:
        """The contacts in words."""
        return ", ".join(entry.contact.rule.label for entry in self.entries)

    @property
    def promised(self) -> Booking | None:
        """The earliest day and time the patient was promised, of this day or before it."""
        asked = (entry.contact.booking or entry.contact.recall for entry in self.entries)
        return min((one for one in asked if one and one.on <= self.day), key=str, default=None)

    @property
    def next_try(self) -> NextTry | None:
        """When to call next: the earliest of the contacts, that which closes first if several say the same."""
        tries = [entry.next_try for entry in self.entries if entry.next_try]
        return min(tries, key=lambda one: one.on or date.max, default=None)

    @property
    def waits(self) -> bool:
        """Whether it is not to be made on this day: the next try is later, or first somebody else has to act."""
        coming = self.next_try
        return coming is not None and (coming.on is None or coming.on > self.day)

    @property
    def flags(self) -> tuple[str, ...]:
        """What is worth knowing, each once; last the day from which the patient may change arm."""
        known = [flag for entry in self.entries for flag in entry.flags]
        known += [f"may change arm from {on}" for entry in self.entries if (on := entry.may_change_arm_from)]
        return tuple(dict.fromkeys(known))


def today(plan: Schedule) -> tuple[Call, ...]:
    """Who is called, or behind, on the schedule's day, in the order of the morning.

    Promised times, the primary contact, what closes first; at the end those whose next try is another day.
    """
    return tuple(sorted(_calls(plan, plan.today, behind=True), key=_urgency))


def ahead(plan: Schedule) -> tuple[Call, ...]:
    """Who is called on each of the next 14 days, day by day in the order of the morning."""
    days = (plan.today + timedelta(days=number) for number in range(1, AHEAD.days + 1))
    return tuple(call for day in days for call in sorted(_calls(plan, day), key=_urgency))


def load(plan: Schedule) -> tuple[tuple[date, tuple[int, ...]], ...]:
    """The next four weeks: the Monday of each, and how many patients are to be called on each of its days.

    What is behind today is not counted, and days that are over have none.
    """
    monday = plan.today - timedelta(days=plan.today.weekday())
    weeks = (monday + timedelta(weeks=number) for number in range(WEEKS))
    return tuple((week, tuple(_expected(plan.called_on, week, plan.today))) for week in weeks)


def _expected(calls: Mapping[date, frozenset[str]], week: date, today: date) -> Iterator[int]:
    for number in range(7):
        day = week + timedelta(days=number)
        yield len(calls.get(day, ())) if day >= today else 0


def _calls(plan: Schedule, day: date, *, behind: bool = False) -> Iterator[Call]:
    expected = plan.called_on.get(day, ())
    for record, entries in plan.by_record.items():
        if record not in expected and not behind:
            continue
        meant = [entry for entry in entries if day in entry.calls or (behind and entry.status == "overdue")]
        if meant:
            also = [entry for entry in entries if entry not in meant and _possible(entry, day)]
            yield Call(day, tuple(sorted((*meant, *also), key=_closing)))


def _possible(entry: Entry, day: date) -> bool:
    around = entry.contact.window
    return entry.active and around is not None and around.opens <= day <= around.chased_until


def _closing(entry: Entry) -> tuple[bool, date, date]:
    around = entry.contact.window
    last, target = (around.chased_until, around.target) if around else (date.max, date.max)
    return (not entry.active, last, target)


def _urgency(call: Call) -> tuple[object, ...]:
    primary = any(entry.contact.rule.primary for entry in call.entries)
    around, promised = call.first.contact.window, call.promised
    last = around.chased_until if around else date.max
    return (call.waits, str(promised or "~"), not primary, last, call.site, record_order(call.record))
