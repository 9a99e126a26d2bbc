"""The whole schedule on one day: every contact of every randomised patient with its day, status and remarks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

from redcap_rules.logic import LogicError
from trialdesk.config import Config
from trialdesk.config.parts import ENROLMENT
from trialdesk.errors import ConfigError
from trialdesk.followup.attempts import Attempt, Chase, NextTry, next_try
from trialdesk.followup.contacts import Contact, Course, Heard, course, record_order
from trialdesk.followup.keeping import Promises, kept
from trialdesk.followup.oddities import Oddity, oddities
from trialdesk.followup.opendays import OpenDays, day_text, open_days
from trialdesk.followup.pauses import paused
from trialdesk.followup.planner import Planned, plan
from trialdesk.followup.sources import check
from trialdesk.followup.status import ACTIVE, status
from trialdesk.model import ContactStatus, Patient
from trialdesk.redcap.snapshot import Snapshot

_MISSED_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One contact on the schedule's day.

    `reached` is the contact by which the patient was reached last, `tries` are those since then, `attempts` how many
    there were at this contact, and `next_try` when to call while it is to be made. `flags` are short sentences for the
    nurse. `may_change_arm_from` is the first day on which the patient may change arm, None for patients whose arm knows
    no change or who have changed.
    """

    contact: Contact
    planned: Planned | None
    status: ContactStatus
    flags: tuple[str, ...] = ()
    may_change_arm_from: date | None = None
    reached: Contact | None = None
    tries: tuple[Attempt, ...] = ()
    attempts: int | None = None
    next_try: NextTry | None = None

    @property
    def tried(self) -> Attempt | None:
        """The last try since the patient was reached."""
        return self.tries[-1] if self.tries else None

    @property
    def due(self) -> date | None:
        """The day of the call: the one the patient asked for, else the planned one."""
        if self.contact.booking:
            return self.contact.booking.on
        return self.planned.on if self.planned else None

    @property
    def active(self) -> bool:
        """Whether the contact is still to be made."""
        return self.status in ACTIVE

    @property
    def coming(self) -> bool:
        """Whether it is still to be made, now or after a pause that ends in its window."""
        contact, planned = self.contact, self.planned
        waits = self.status == "paused" and planned is not None and not paused(contact.pauses, planned.on)
        return self.active or waits

    @property
    def calls(self) -> tuple[date, ...]:
        """The days on which the patient expects a call on account of this contact; none once contacts have ended."""
        recall = self.contact.recall if self.contact.halt is None else None
        days = {self.due if self.active else None, recall.on if recall else None}
        return tuple(sorted(day for day in days if day))


@dataclass(frozen=True, slots=True)
class Hold:
    """A patient nobody calls until something has been verified, or whose `contacts` (codes) can't be planned yet.

    With `undated` it is the date of the enrolment that can't be right, so that no contact has a day.
    """

    record: str
    site: str
    reasons: tuple[str, ...]
    contacts: tuple[str, ...] = ()
    undated: bool = False


@dataclass(frozen=True)
class Schedule:
    """All randomised patients, their contacts by site, record and target, and what to verify first, as of one day.

    `courses` are what it was planned from, one for each patient.
    """

    today: date
    patients: tuple[Patient, ...]
    entries: tuple[Entry, ...]
    holds: tuple[Hold, ...] = ()
    courses: tuple[Course, ...] = field(default=(), repr=False, compare=False)

    def of(self, record: str) -> tuple[Entry, ...]:
        """The contacts of one patient by target; () for a record that is not randomised."""
        return self.by_record.get(record, ())

    @cached_property
    def by_record(self) -> Mapping[str, tuple[Entry, ...]]:
        """Record to its contacts by target, records in the order of the schedule."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.contact.record, []).append(entry)
        return {record: tuple(entries) for record, entries in found.items()}

    @cached_property
    def called_on(self) -> Mapping[date, frozenset[str]]:
        """Day to the records whose patients expect a call on it."""
        found: dict[date, set[str]] = {}
        for entry in self.entries:
            for day in entry.calls:
                found.setdefault(day, set()).add(entry.contact.record)
        return {day: frozenset(records) for day, records in found.items()}

    def at_site(self, site: str) -> Schedule:
        """The same schedule with one site's patients only; their days are those of the whole trial's plan."""
        own = {patient.record for patient in self.patients if patient.belongs_to(site)}
        return replace(
            self,
            patients=tuple(patient for patient in self.patients if patient.record in own),
            entries=tuple(entry for entry in self.entries if entry.contact.record in own),
            holds=tuple(hold for hold in self.holds if hold.record in own),
        )

    @property
    def strays(self) -> tuple[Patient, ...]:
        """The patients in no site's list, because site field and data access group disagree or there is no site."""
        return tuple(patient for patient in self.patients if _stray(patient))


def schedule(
    patients: Sequence[Patient],
    snapshot: Snapshot,
    config: Config,
    today: date,
    promised: Promises | None = None,
    before: Mapping[str, Heard] | None = None,
) -> Schedule:
    """The schedule of all randomised patients; the same data and day give the same schedule, in any order of patients.

    Days an earlier run has promised are kept while their causes stand.

    Args:
        patients: The patients of the snapshot.
        snapshot: The pull they come from.
        config: The trial.
        today: The day in the trial's time zone.
        promised: What earlier runs have promised (`keeping.promises`).
        before: What records said when they were read before (`contacts.heard`).

    Raises:
        ConfigError: the configuration does not fit the project.
        SanityFailed: the pull lacks what contacts or deaths are read from.
    """
    check(snapshot, config)
    randomised = [patient for patient in patients if patient.randomised]
    try:
        courses = [course(one, snapshot, config, today, (before or {}).get(one.record)) for one in randomised]
    except LogicError as error:
        raise ConfigError(f"contact_forms: the logic does not fit the project: {error}") from None
    return of_courses(courses, config, today, promised)


def of_courses(courses: Iterable[Course], config: Config, today: date, promised: Promises | None = None) -> Schedule:
    """The schedule of these patients alone: no course depends on another patient's, but their days do."""
    courses = sorted(courses, key=lambda found: (found.patient.site, record_order(found.patient.record)))
    days = kept((contact for found in courses for contact in found.contacts), promised or {})
    calendar = open_days(config)
    contacts = [contact for found in courses for contact in found.contacts]
    plans = plan(contacts, calendar, config.calls.a_day, days)
    entries = tuple(entry for found in courses for entry in _entries(found, plans, (config, calendar), today))
    patients = tuple(found.patient for found in courses)
    return Schedule(today, patients, entries, tuple(_holds(courses, entries)), tuple(courses))


def _entries(
    found: Course, plans: Mapping[tuple[str, str], Planned], setting: tuple[Config, OpenDays], today: date
) -> Iterator[Entry]:
    config, calendar = setting[0], setting[1].at(found.patient.site)
    missed: Counter[str] = Counter()
    tried, reached, odd = found.tried, found.reached, tuple(oddities(found.contacts))
    for contact in found.contacts:
        planned = plans.get(contact.key)
        state = status(contact, planned.on if planned else None, today)
        remarks = list(_remarks(contact, found, calendar))
        if config.call_log and contact.said.attempts:
            remarks.append(f"earlier tries: {contact.said.attempts}")
        form = contact.rule.form
        entry = Entry(
            contact,
            planned,
            state,
            tuple(remarks),
            None,
            reached,
            tried,
            _count(contact, found, config),
        )
        if state in ACTIVE:
            remarks += _patient_remarks(found, odd, missed[form])
            remarks += [planned.why] if planned and planned.why else []
            entry = replace(
                entry,
                flags=tuple(remarks),
                may_change_arm_from=_arm_change(found.patient, config),
                next_try=_next_try(entry, tried, calendar, today),
            )
        yield entry
        if state != "paused":
            missed[form] = missed[form] + 1 if state == "missed" else 0


def _count(contact: Contact, found: Course, config: Config) -> int | None:
    """The tries at a contact: those of the call log, or in a trial without one the number typed into the form."""
    return len(found.history.at(contact.rule.code)) if config.call_log else contact.said.attempts


def _next_try(entry: Entry, tried: Sequence[Attempt], calendar: OpenDays, today: date) -> NextTry | None:
    contact = entry.contact
    if entry.due is None or contact.window is None:
        return None
    chase = Chase(contact.rule.code, entry.due, contact.window.chased_until, contact.booking, contact.time)
    return next_try(chase, tried, calendar, today)


def _arm_change(patient: Patient, config: Config) -> date | None:
    arm = config.arms_by_code.get(patient.arm)
    if arm is None or arm.may_change_from_day is None or patient.opened_on is None or "arm_changed" in patient.states:
        return None
    return patient.opened_on + timedelta(days=arm.may_change_from_day)


def _remarks(contact: Contact, found: Course, calendar: OpenDays) -> Iterator[str]:
    """What is worth knowing about one contact, whatever its status."""
    said = contact.said
    if said.done and said.on is None:
        yield "done, but without a date: add it in REDCap"
    if said.refused and not said.done:
        yield "the patient declined this contact"
    if contact.rule.anchor in found.misdated:
        yield found.misdated[contact.rule.anchor]
    around = contact.window
    if around and not said.done:
        yield from (
            str(one) for one in contact.pauses if one.ends >= around.opens and one.begins <= around.chased_until
        )
    if contact.recall:
        yield f"asked to be called on {contact.recall}, a day no open contact covers"
    if contact.booking and (reason := calendar.reason(contact.booking.on)):
        yield f"the patient asked for {day_text(contact.booking.on)}, which is {reason}"


def _patient_remarks(found: Course, odd: Sequence[Oddity], missed: int) -> Iterator[str]:
    """What to know about the patient before calling; `missed` contacts of this form were missed just before."""
    yield from (f"CHECK FIRST: {one.text}" for one in odd)
    patient, last = found.patient, found.tried[-1].outcome if found.tried else None
    if last == "in_hospital":
        yield "in hospital: is there an adverse event form?"
    if last == "relative":
        yield "a relative answered: tell nothing of the trial"
    if missed >= _MISSED_IN_A_ROW:
        yield f"{missed} contacts missed in a row"
    if patient.withdrawal == "treatment":
        yield "withdrew from treatment; contacts go on"
    if "lost" in patient.states:
        yield "lost to follow-up; still attempted"
    if _stray(patient):
        yield (
            f"in no site's list: site field {patient.site or 'blank'}, data access group {patient.group or 'none'}; "
            "correct the wrong one"
        )
    yield from found.verify


def _holds(courses: Sequence[Course], entries: Sequence[Entry]) -> Iterator[Hold]:
    """Patients with something to verify whose contacts it holds up; not those whose follow-up is over anyway."""
    held = {e.contact.record for e in entries if e.status in ("stopped", "withdrawn")}
    for found in courses:
        record, site = found.patient.record, found.patient.site
        waiting = (c for c in found.contacts if not (c.settled or c.halt))
        undated = tuple(contact.rule.code for contact in waiting if contact.rule.anchor in found.misdated)
        if ENROLMENT in found.misdated or (found.verify and record in held):
            reasons = (*found.misdated.values(), *found.verify)
            yield Hold(record, site, reasons, undated=ENROLMENT in found.misdated)
        elif undated:
            yield Hold(record, site, tuple(found.misdated.values()), undated)


def _stray(patient: Patient) -> bool:
    return not patient.site or not patient.belongs_to(patient.site)
