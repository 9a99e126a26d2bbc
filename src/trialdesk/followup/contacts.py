"""The contacts of one patient: which apply, when their windows are, and what the record says about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import evaluate, is_true, references
from redcap_rules.record import RecordView
from trialdesk.config import Config, ContactForm, ContactRule
from trialdesk.config.parts import ENROLMENT, PROCEDURE
from trialdesk.followup.attempts import Attempt, Booking, History, promised, read_log
from trialdesk.followup.halts import Halt, doubts, halt, postdated
from trialdesk.followup.pauses import Pause, pause, stays, trouble
from trialdesk.followup.windows import Window, window
from trialdesk.model import Patient
from trialdesk.redcap.patients import day
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.redcap.snapshot import columns as columns_of

_YEARS = 10


@dataclass(frozen=True, slots=True)
class Said:
    """What one contact's own form says, and the call log of it: `refused` and `booking` may stand in either.

    `attempts` is a count typed into the form. `weekday` is 1 Monday … 7 Sunday, `time` the label of the time of day,
    `trouble` what is wrong with the two dates of a pause.
    """

    done: bool = False
    refused: bool = False
    on: date | None = None
    attempts: int | None = None
    booking: Booking | None = None
    weekday: int | None = None
    time: str = ""
    pause: Pause | None = None
    trouble: str = ""

    @property
    def settled(self) -> bool:
        """Whether the record says this contact is over: done, or declined by the patient."""
        return self.done or self.refused


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of one patient.

    `window` is None while the contact does not apply, for example before there was an operation. `booking`, `weekday`
    and `time` are what holds for this contact, whichever form of the patient said it. `recall` is a wish from this
    contact's form for a day that no open contact covers; a wish that was kept is neither. On the days of `pauses` the
    patient is not called.
    """

    record: str
    site: str
    enrolled_on: date
    rule: ContactRule
    window: Window | None
    said: Said
    booking: Booking | None = None
    recall: Booking | None = None
    weekday: int | None = None
    time: str = ""
    halt: Halt | None = None
    pauses: tuple[Pause, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Record and contact code."""
        return (self.record, self.rule.code)

    @property
    def settled(self) -> bool:
        """Whether the record says this contact is over."""
        return self.said.settled


@dataclass(frozen=True, slots=True)
class Course:
    """One patient with all contacts by target, and what is to be verified.

    `verify` are sentences about the patient. `misdated` says of each anchor whose date can't be right what is wrong
    with it; contacts counted from it have no window. Only a doubt about the patient or the enrolment stops all calls.
    `history` is the call log.
    """

    patient: Patient
    contacts: tuple[Contact, ...]
    verify: tuple[str, ...] = ()
    misdated: Mapping[str, str] = field(default_factory=dict)
    history: History = field(default_factory=History)

    @property
    def reached(self) -> Contact | None:
        """The contact that reached the patient last."""
        made = [contact for contact in self.contacts if contact.said.done and contact.said.on]
        return max(made, key=lambda contact: contact.said.on or date.min, default=None)

    @property
    def tried(self) -> tuple[Attempt, ...]:
        """The tries since the patient was reached last, in the order of time.

        A form that says not reached is one too, of a time nobody knows.
        """
        reached = self.reached.said.on if self.reached else None
        forms = (
            Attempt(contact.rule.code, contact.said.on, None, "not_reached")
            for contact in self.contacts
            if contact.said.on and not contact.settled
        )
        logged = {(one.on, one.contact) for one in self.history.attempts}
        every = [*(one for one in forms if (one.on, one.contact) not in logged), *self.history.attempts]
        every.sort(key=lambda one: (one.on, one.at is not None, one.at))
        return tuple(one for one in every if reached is None or one.on > reached)


class Spot(NamedTuple):
    """A contact that applies to a patient: its rule, its window, and what its form and the log say of it."""

    rule: ContactRule
    window: Window | None
    said: Said


class Heard(NamedTuple):
    """What forms and call log of one patient said, read before: contact code to what it said, the log, the contacts."""

    said: Mapping[str, Said]
    history: History
    contacts: Mapping[str, Contact]


def heard(courses: Iterable[Course], columns: Set[str], dictionary: Dictionary, config: Config) -> Mapping[str, Heard]:
    """Record to what its forms and its log say also where these columns hold other values: nothing is read from them.

    Forms that held nothing are left out, since a form may be there elsewhere.

    Args:
        courses: The patients as they were read.
        columns: The columns with other values.
        dictionary: The project's fields.
        config: The trial.
    """
    log = config.call_log
    if log and not columns.isdisjoint(_columns([ref.field for ref in log.fields.values()], dictionary)):
        return {}
    same = {
        name for name, form in config.contact_forms.items() if columns.isdisjoint(_columns(_read(form), dictionary))
    }
    return {
        one.patient.record: Heard(
            {c.rule.code: c.said for c in one.contacts if c.rule.form in same and c.said != Said()},
            one.history,
            {c.rule.code: c for c in one.contacts},
        )
        for one in courses
    }


def _read(form: ContactForm) -> Iterator[str]:
    """The fields a contact's form is read from."""
    yield from form.fields
    for logic in (form.done, form.refused):
        yield from (one.field for one in references(logic)) if logic else ()


def _columns(fields: Iterable[str], dictionary: Dictionary) -> Set[str]:
    return {column for name in fields for column in columns_of(dictionary, name)}


def course(patient: Patient, snapshot: Snapshot, config: Config, today: date, before: Heard | None = None) -> Course:
    """The contacts of a randomised patient, as the record stands on a day.

    What was read `before` is not read again, and a contact that comes out the same is the one of before.

    A booking belongs to the contact in whose window it falls: "call me on Tuesday", said in week 3 about a day of
    week 4, is the call of week 4. A contact's preferred weekday and time are the latest that it or an earlier one
    names, so a wish changes nothing of what was before it.
    """
    enrolled_on = patient.opened_on
    if enrolled_on is None:
        return Course(patient, ())
    view = snapshot.view(patient.record)
    anchors = {ENROLMENT: enrolled_on, PROCEDURE: patient.procedure_on, **dict(patient.anchors)}
    misdated = dict(_impossible(anchors, config, today))
    history = before.history if before else read_log(view, config)
    known = before.said if before else {}
    spots = []
    for rule in config.contacts:
        if rule.arms and patient.arm not in rule.arms:
            continue
        anchor = anchors.get(rule.anchor)
        around = window(rule, anchor) if anchor and rule.anchor not in misdated else None
        form = config.contact_forms[rule.form]
        if rule.code in known and view.values(form.instrument, rule.event) is not None:
            said = known[rule.code]
        else:
            said = _logged(read_form(form, rule.event, view), history, rule.code)
        spots.append(Spot(rule, around, said))
    spots.sort(key=lambda spot: spot.window.target if spot.window else date.max)
    last_done = max((spot.said.on for spot in spots if spot.said.done and spot.said.on), default=None)
    stopping = doubts(patient, last_done, history)
    doubtful = bool(stopping) or ENROLMENT in misdated
    halts = {chased: halt(patient, chased=chased, doubtful=doubtful) for chased in (False, True)}
    pauses = _pauses(spots, history)
    contacts = (
        Contact(
            patient.record, patient.site, enrolled_on, spot.rule, spot.window, spot.said, booking, recall, weekday,
            time, halts[spot.rule.grace > 0], pauses.get(spot.rule.form, ()),
        )
        for spot, (booking, recall, weekday, time) in zip(spots, _agreed(spots), strict=True)
    )  # fmt: skip
    if before:
        contacts = (was if (was := before.contacts.get(one.rule.code)) == one else one for one in contacts)
    return Course(patient, tuple(contacts), stopping + postdated(patient, today), misdated, history)


@lru_cache(maxsize=2**16)
def record_order(record: str) -> tuple[str | int, ...]:
    """A key that sorts ODE-2 before ODE-10."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", record))


def _impossible(anchors: Mapping[str, date | None], config: Config, today: date) -> Iterator[tuple[str, str]]:
    """Dates no window should be counted from: they are typing errors, and calls would go by them.

    Of the enrolment every day ahead is one; of what may have been planned, years alone.
    """
    for name, anchor in anchors.items():
        if anchor and name == ENROLMENT and anchor > today:
            yield name, f"{name}: {anchor} lies after today; correct it in REDCap"
        elif anchor and abs(anchor.year - config.trial.starts.year) > _YEARS:
            far = f"{anchor} is more than {_YEARS} years from the start of the trial"
            yield name, f"{name}: {far}; correct it in REDCap"


def read_form(form: ContactForm, event: str, view: RecordView) -> Said:
    """What a contact's form says in its event."""
    here, form_of = view.values(form.instrument, event), view.dictionary.form_of
    if here is None:
        return Said()

    def text(name: str | None) -> str:
        if not name:
            return ""
        return here.get(name, "") if form_of(name) == form.instrument else view.value(name, event)

    begins, ends = day(text(form.pause_from)), day(text(form.pause_until))
    callback, attempts, weekday = day(text(form.callback_date)), text(form.attempts), text(form.preferred_weekday)
    preferred_time = text(form.preferred_time)
    return Said(
        done=is_true(evaluate(form.done, view, event=event)),
        refused=form.refused is not None and is_true(evaluate(form.refused, view, event=event)),
        on=day(text(form.date)),
        attempts=int(attempts) if re.fullmatch(r"[0-9]{1,4}", attempts) else None,
        booking=Booking(callback, text(form.callback_time)) if callback else None,
        weekday=int(weekday) if re.fullmatch(r"[1-7]", weekday) else None,
        time=view.dictionary.label_of(form.preferred_time or "", preferred_time),
        pause=pause(begins, ends),
        trouble=trouble(begins, ends),
    )


def _pauses(spots: Iterable[Spot], history: History) -> Mapping[str, tuple[Pause, ...]]:
    """Form to the pauses that any of its contacts names, and the stays in hospital."""
    named: dict[str, set[Pause]] = {}
    for spot in spots:
        own = named.setdefault(spot.rule.form, {*stays(history)})
        if spot.said.pause:
            own.add(spot.said.pause)
    return {form: tuple(sorted(found)) for form, found in named.items()}


def _logged(said: Said, history: History, code: str) -> Said:
    """The same with what the call log says of that contact."""
    refused = said.refused or any(attempt.outcome == "declines" for attempt in history.at(code))
    booking = promised(history.attempts, code) or said.booking
    return (
        said if (refused, booking) == (said.refused, said.booking) else replace(said, refused=refused, booking=booking)
    )


def _agreed(spots: Sequence[Spot]) -> Iterator[tuple[Booking | None, Booking | None, int | None, str]]:
    """What was agreed with the patient, for the contacts it is about: booking, recall, weekday and time."""
    booked: dict[str, Booking] = {}
    recalled: dict[str, Booking] = {}
    for number, spot in enumerate(spots):
        booking = spot.said.booking
        if booking is None:
            continue
        alike = [other for other in spots[number:] if other.rule.form == spot.rule.form]
        if not kept(booking, (other.said for other in alike)):
            covering = _covering(booking, alike)
            (booked if covering else recalled)[covering or spot.rule.code] = booking
    for spot, wishes in zip(spots, _wishes(spots), strict=True):
        yield booked.get(spot.rule.code), recalled.get(spot.rule.code), *wishes


def _wishes(spots: Iterable[Spot]) -> Iterator[tuple[int | None, str]]:
    """The preferred weekday and time that hold for each contact: the latest of its own and those before it."""
    weekdays: dict[str, int | None] = {}
    times: dict[str, str] = {}
    for spot in spots:
        form, said = spot.rule.form, spot.said
        weekdays[form] = said.weekday or weekdays.get(form)
        times[form] = said.time or times.get(form, "")
        yield weekdays[form], times[form]


def kept(booking: Booking, said: Iterable[Said]) -> bool:
    """Whether one of these contacts reached the patient on the day of the booking or later."""
    return any(one.settled and one.on and booking.on <= one.on for one in said)


def _covering(booking: Booking, spots: Iterable[Spot]) -> str:
    """The first of `spots` that is still open on the day of the booking; "" without one."""
    codes = (
        spot.rule.code
        for spot in spots
        if spot.window and spot.window.holds_booking(booking.on) and not spot.said.settled
    )
    return next(codes, "")
