"""Tries that did not reach the patient, as the call log has them, and when to try next.

What each outcome leads to: reference/trial-operations.md 3.4. Reaching the patient is no try: it is the contact's own
form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from redcap_rules.record import RecordView
from trialdesk.config import CallLog, Config
from trialdesk.followup.opendays import OpenDays
from trialdesk.model import Outcome
from trialdesk.redcap.patients import day

A_DAY = 2
APART = timedelta(hours=3)
_DAY, _NEAR = timedelta(days=1), 60
_PARTS = (("morning", time(11)), ("midday", time(14)), ("afternoon", time(18)))
"""The times of day, each until; nobody is called after the last."""
WORDS: dict[Outcome, str] = {
    "not_reached": "not reached",
    "later": "asks to be called later",
    "no_answer": "no answer",
    "voicemail": "voicemail",
    "wrong_number": "wrong number",
    "relative": "relative answered",
    "in_hospital": "in hospital",
    "declines": "declines this contact",
    "declines_all": "declines all contacts",
    "died": "died",
}


@dataclass(frozen=True, slots=True)
class Booking:
    """When the patient asked to be called; `at` is the time of day as stored, or ""."""

    on: date
    at: str = ""

    def __str__(self) -> str:
        return f"{self.on} {self.at}".strip()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a contact (its code), at a time of day if that is known; `callback` is the day named in it."""

    contact: str
    on: date
    at: time | None
    outcome: Outcome
    callback: Booking | None = None

    def __str__(self) -> str:
        at = f" {self.at:%H:%M}" if self.at else ""
        return f"{self.on}{at} {self.contact} {WORDS[self.outcome]}"


@dataclass(frozen=True, slots=True)
class History:
    """The tries of one patient in the order of time, and a sentence for each entry of the log that can't be read."""

    attempts: tuple[Attempt, ...] = ()
    unread: tuple[str, ...] = ()

    def at(self, contact: str) -> tuple[Attempt, ...]:
        """The tries at one contact."""
        return tuple(attempt for attempt in self.attempts if attempt.contact == contact)

    def latest(self, *outcomes: Outcome) -> Attempt | None:
        """The last try with one of these outcomes."""
        return next((one for one in reversed(self.attempts) if one.outcome in outcomes), None)


@dataclass(frozen=True, slots=True)
class NextTry:
    """When to call next: day, time of day or clock time if one is better, and why then; `on` None: not before `why`."""

    on: date | None
    when: str
    why: str

    def __str__(self) -> str:
        return f"{self.on or 'not yet'} {self.when}".strip() + f": {self.why}"


@dataclass(frozen=True, slots=True)
class Chase:
    """One contact to be made: its code, the day it is due, its last day, and what the patient asked for."""

    contact: str
    due: date
    last: date
    booking: Booking | None = None
    best: str = ""


def read_log(view: RecordView, config: Config) -> History:
    """The call log of one record; nothing in a trial without one.

    An entry without a day, about no contact of the trial, or with an outcome nobody knows is no attempt: what it means
    is for a person to say.
    """
    log = config.call_log
    if log is None:
        return History()
    form, event = view.dictionary.form_of(log.outcome.field), log.outcome.event
    codes = {rule.code for rule in config.contacts}
    found: list[Attempt] = []
    unread: list[str] = []
    for instance in view.instances(event, form) or (0,):
        texts = {name: view.value(ref.field, event, instance=instance) for name, ref in log.fields.items()}
        if not any(texts.values()):
            continue
        on, outcome = day(texts["date"]), log.outcomes.get(texts["outcome"])
        if on and outcome and texts["contact"] in codes:
            callback = day(texts["callback_date"])
            booking = Booking(callback, texts["callback_time"]) if callback else None
            found.append(Attempt(texts["contact"], on, _clock(texts["time"]), outcome, booking))
        else:
            lacks = ", ".join(_lacking(texts, log, codes))
            unread.append(f"call log: entry {instance or 1} {lacks}; correct it in REDCap")
    return History(tuple(sorted(found, key=_moment)), tuple(unread))


def promised(attempts: Sequence[Attempt], contact: str) -> Booking | None:
    """The call back that was agreed in a try at a contact, and at whose time nobody has tried yet."""
    for number, attempt in enumerate(attempts):
        later = attempts[number + 1 :]
        asked = attempt.callback if attempt.outcome != "in_hospital" else None
        if attempt.contact != contact or asked is None or any(one.callback for one in later if one.contact == contact):
            continue
        begins = (asked.on, _clock(asked.at) or time.min)
        return None if any((one.on, one.at or time.max) >= begins for one in later) else asked
    return None


def next_try(chase: Chase, since: Sequence[Attempt], calendar: OpenDays, today: date) -> NextTry | None:
    """When to call next, or None where no try is left before the contact's last day.

    A promise goes before everything. At most two tries a day, three hours apart; then the next open day at another time
    of day. A wrong number stops until it was corrected, a stay in hospital until its end.

    Args:
        chase: The contact.
        since: The tries at the patient since the last contact that was made.
        calendar: The open days.
        today: The day on which somebody asks.
    """
    last = since[-1] if since else None
    if chase.booking:
        return NextTry(max(chase.booking.on, today), chase.booking.at, f"promised for {chase.booking}")
    if last and last.outcome == "wrong_number":
        return NextTry(None, "", f"wrong number on {last.on}: the site corrects it first")
    if last and last.outcome == "in_hospital" and last.callback is None:
        return NextTry(None, "", f"in hospital on {last.on}: ask the site until when")
    found = _again(chase, since, calendar, today) if last else _planned(chase, calendar, today)
    return found if found.on is None or found.on <= chase.last else None


def part_of_day(at: time) -> str:
    """Morning, midday or afternoon."""
    return next((name for name, until in _PARTS if at < until), _PARTS[-1][0])


def _planned(chase: Chase, calendar: OpenDays, today: date) -> NextTry:
    on = _open_from(max(chase.due, today), calendar)
    return NextTry(on, chase.best.lower(), "planned" if on == chase.due else "was planned earlier")


def _again(chase: Chase, since: Sequence[Attempt], calendar: OpenDays, today: date) -> NextTry:
    last = since[-1]
    if last.outcome == "in_hospital" and last.callback:
        return NextTry(_open_from(max(last.callback.on, today), calendar), "", "in hospital until then")
    if last.on >= today and last.at and sum(one.on == last.on for one in since) < A_DAY:
        earliest = datetime.combine(last.on, last.at) + APART
        if earliest.date() == last.on and earliest.time() < _PARTS[-1][1]:
            return NextTry(last.on, f"from {earliest:%H:%M}", "second try of the day")
    on = _open_from(max(chase.due, today, min(last.on, date.max - _DAY) + _DAY), calendar)
    return NextTry(on, _other_part(chase, since), f"another time of day after {WORDS[last.outcome]}")


def _other_part(chase: Chase, since: Sequence[Attempt]) -> str:
    """A time of day not tried at this contact, the patient's best one first; after all of them the one after the last.

    Without any known time it is the patient's best.
    """
    tried = [part_of_day(one.at) for one in since if one.at and one.contact == chase.contact]
    names = [name for name, _ in _PARTS]
    if not tried:
        return chase.best.lower()
    following = names.index(tried[-1]) + 1
    free = [name for name in (chase.best.lower(), *names[following:], *names) if name in names and name not in tried]
    return free[0] if free else names[following % len(names)]


def _open_from(start: date, calendar: OpenDays) -> date:
    """The first open day from a day on; that day itself where none is near, or the calendar ends."""
    steps = min(_NEAR, (date.max - start).days)
    days = (start + timedelta(days=step) for step in range(steps + 1))
    return next((on for on in days if calendar.is_open(on)), start)


def _lacking(texts: dict[str, str], log: CallLog, codes: set[str]) -> Iterator[str]:
    if day(texts["date"]) is None:
        yield "has no day"
    if texts["contact"] not in codes:
        yield "names no contact"
    if texts["outcome"] not in log.outcomes:
        yield "has no known outcome"


def _moment(attempt: Attempt) -> tuple[date, time]:
    return attempt.on, attempt.at or time.min


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text else None
    except ValueError:
        return None
