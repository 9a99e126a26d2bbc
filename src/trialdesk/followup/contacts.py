"""The contacts of one patient: which apply, when their windows are, and what the record says about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from redcap_rules.logic import evaluate, is_true
from redcap_rules.record import RecordView
from trialdesk.config import Config, ContactForm, ContactRule
from trialdesk.followup.halts import Halt, doubts, halt
from trialdesk.followup.windows import Window, window
from trialdesk.model import Patient
from trialdesk.redcap.patients import day
from trialdesk.redcap.snapshot import Snapshot

_YEARS = 10


@dataclass(frozen=True, slots=True)
class Booking:
    """When the patient asked to be called; `at` is the time of day as stored, or ""."""

    on: date
    at: str = ""

    def __str__(self) -> str:
        return f"{self.on} {self.at}".strip()


@dataclass(frozen=True, slots=True)
class Said:
    """What one contact's own form says. `weekday` is 1 Monday … 7 Sunday, `time` the label of the time of day."""

    done: bool = False
    refused: bool = False
    on: date | None = None
    attempts: int | None = None
    booking: Booking | None = None
    weekday: int | None = None
    time: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of one patient.

    `window` is None while the contact does not apply, for example before there was an operation. `booking`, `weekday`
    and `time` are what holds for this contact, whichever form of the patient said it. `recall` is a wish from this
    contact's form for a day that no open contact covers.
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

    @property
    def key(self) -> tuple[str, str]:
        """Record and contact code."""
        return (self.record, self.rule.code)

    @property
    def settled(self) -> bool:
        """Whether the record says this contact is over: done, or declined by the patient."""
        return self.said.done or self.said.refused


@dataclass(frozen=True, slots=True)
class Course:
    """One patient with all contacts by target and what has to be verified before anyone calls."""

    patient: Patient
    contacts: tuple[Contact, ...]
    verify: tuple[str, ...]


def course(patient: Patient, snapshot: Snapshot, config: Config) -> Course:
    """The contacts of a randomised patient, as the record stands.

    A booking belongs to the contact in whose window it falls: "call me on Tuesday", said in week 3 about a day of
    week 4, is the call of week 4. The preferred weekday and time are those of the latest contact that names one.
    """
    enrolled_on = patient.opened_on
    if enrolled_on is None:
        return Course(patient, (), ())
    view = snapshot.view(patient.record)
    anchors = {"enrolment": enrolled_on, "procedure": patient.procedure_on}
    wrong = tuple(_impossible(anchors, config))
    contacts = []
    for rule in config.contacts:
        anchor = anchors[rule.anchor]
        around = window(rule, anchor) if anchor and not wrong else None
        said = _said(config.contact_forms[rule.form], rule.event, view)
        contacts.append(Contact(patient.record, patient.site, enrolled_on, rule, around, said))
    contacts.sort(key=lambda contact: contact.window.target if contact.window else date.max)
    last_done = max((c.said.on for c in contacts if c.said.done and c.said.on), default=None)
    verify = wrong + doubts(patient, last_done)
    ended = [
        replace(contact, halt=halt(patient, chased=contact.rule.grace > 0, doubtful=bool(verify)))
        for contact in contacts
    ]
    return Course(patient, _agreed(ended), verify)


def record_order(record: str) -> tuple[str | int, ...]:
    """A key that sorts ODE-2 before ODE-10."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", record))


def _impossible(anchors: dict[str, date | None], config: Config) -> Iterator[str]:
    """Dates no window should be counted from; they are typing errors and would overflow the calendar."""
    for name, anchor in anchors.items():
        if anchor and abs(anchor.year - config.trial.starts.year) > _YEARS:
            yield f"{name}: {anchor} is more than {_YEARS} years from the start of the trial; correct it in REDCap"


def _said(form: ContactForm, event: str, view: RecordView) -> Said:
    if view.values(form.instrument, event) is None:
        return Said()

    def text(name: str | None) -> str:
        return view.value(name, event) if name else ""

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
    )


def _agreed(contacts: Sequence[Contact]) -> tuple[Contact, ...]:
    """What was agreed with the patient, handed to the contacts it is about."""
    booked: dict[str, Booking] = {}
    recalled: dict[str, Booking] = {}
    for number, contact in enumerate(contacts):
        if booking := contact.said.booking:
            covering = _covering(booking, contact.rule.form, contacts[number:])
            (booked if covering else recalled)[covering or contact.rule.code] = booking
    weekdays = {contact.rule.form: contact.said.weekday for contact in contacts if contact.said.weekday}
    times = {contact.rule.form: contact.said.time for contact in contacts if contact.said.time}
    return tuple(
        replace(
            contact,
            booking=booked.get(contact.rule.code),
            recall=recalled.get(contact.rule.code),
            weekday=weekdays.get(contact.rule.form),
            time=times.get(contact.rule.form, ""),
        )
        for contact in contacts
    )


def _covering(booking: Booking, form: str, contacts: Sequence[Contact]) -> str:
    """The first of `contacts` that is still open on the day of the booking; "" without one."""
    codes = (
        contact.rule.code
        for contact in contacts
        if contact.rule.form == form
        and contact.window
        and contact.window.holds_booking(booking.on)
        and not contact.settled
    )
    return next(codes, "")
