"""The logs of adverse events and deviations, as a monitor may read them.

A row is listed by itself only if its category is one that every arm can have. Events related to treatment, and those
nobody has classified yet, are one number for the whole trial: beside a record, or a site of few patients, they would
tell an arm (instruments/treatment.py). So no site's number counts them, and no finding names the place of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import evaluate, is_true
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.config.logs import DeviationLog, EventLog
from trialdesk.facts.cohort import Cohort, Member
from trialdesk.findings.dates import where
from trialdesk.instruments.treatment import Telling
from trialdesk.redcap.patients import day
from trialdesk.redcap.snapshot import Snapshot

Report = Literal["", "in time", "late", "to be reported", "overdue"]


@dataclass(frozen=True, slots=True)
class Event:
    """One adverse event; words are those of the dictionary, `study_day` counts from the randomisation (day 0).

    `delay` are the days from awareness to the report of a serious one, or to the day of the data while there is none.
    """

    record: str
    site: str
    study_day: int | None
    category: str
    severity: str
    serious: bool
    outcome: str
    delay: int | None = None
    report: Report = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """One deviation that a site reports: `days` from the deviation to its being found, `known` the day of that."""

    record: str
    site: str
    study_day: int | None
    code: str
    grade: str
    days: int | None
    known: date | None


@dataclass(frozen=True, slots=True)
class Events:
    """The log of adverse events; one without a category is related to treatment, or nobody has classified it."""

    every: tuple[Event, ...] = ()

    @property
    def listed(self) -> tuple[Event, ...]:
        """Those that may be listed one by one."""
        return tuple(one for one in self.every if one.category)

    @property
    def unlisted(self) -> int:
        """How many are related to treatment or have no category."""
        return len(self.every) - len(self.listed)

    @property
    def serious(self) -> int:
        """How many are serious, those not listed too."""
        return sum(one.serious for one in self.every)

    @property
    def overdue(self) -> int:
        """Serious ones reported late, or not yet though due."""
        return sum(one.report in ("late", "overdue") for one in self.every)

    @property
    def patients(self) -> int:
        """Patients with one or more."""
        return len({one.record for one in self.every})

    def at(self, site: str) -> Events:
        """Those of one site's patients."""
        return Events(tuple(one for one in self.every if one.site == site))


@dataclass(frozen=True, slots=True)
class Deviations:
    """The deviations sites report; one without a code is related to treatment, or nobody has given it one."""

    every: tuple[Reported, ...] = ()

    @property
    def listed(self) -> tuple[Reported, ...]:
        """Those that may be listed one by one."""
        return tuple(one for one in self.every if one.code)

    @property
    def unlisted(self) -> int:
        """How many are related to treatment or have no code."""
        return len(self.every) - len(self.listed)

    def at(self, site: str) -> Deviations:
        """Those of one site's patients."""
        return Deviations(tuple(one for one in self.every if one.site == site))


@dataclass(frozen=True, slots=True)
class Reader:
    """What a log is read with: the pull, what tells an arm, and a data cut before the day of the pull."""

    snapshot: Snapshot
    telling: Telling
    cut: date | None = None

    @property
    def dictionary(self) -> Dictionary:
        """The dictionary of the pull."""
        return self.snapshot.dictionary

    def words(self, field: str | None, row: Row) -> str:
        """The answer in words; "" for a blank, an unknown one, and one that tells the arm."""
        value = row.values.get(field or "", "")
        if not field or not value or field not in self.dictionary or self.telling.answer(field, value):
            return ""
        return next((o.label for o in self.dictionary.get(field).options if o.code == value), "")

    def rows(self, cohort: Cohort, instrument: str) -> Iterator[tuple[Member, Row]]:
        """Every row of a log of the patients, in order of record and instance."""
        for member in cohort.members:
            for row in self.snapshot.rows.get(member.patient.record, ()):
                if row.instrument == instrument:
                    yield member, row


def events(cohort: Cohort, reader: Reader, config: Config) -> Events:
    """The log of adverse events up to the data cut; a row counts that has a day or a category to be listed by."""
    log = config.logs.events
    if log is None:
        return Events()
    return Events(
        tuple(
            _event(member, row, log, reader, cohort.as_of)
            for member, row in reader.rows(cohort, log.instrument)
            if _counts(row, log.started, reader.words(log.category, row), reader.cut)
        )
    )


def deviations(cohort: Cohort, reader: Reader, config: Config) -> Deviations:
    """The log of reported deviations up to the data cut."""
    log = config.logs.deviations
    if log is None:
        return Deviations()
    return Deviations(
        tuple(
            _reported(member, row, log, reader)
            for member, row in reader.rows(cohort, log.instrument)
            if _counts(row, log.on, reader.words(log.code, row), reader.cut)
        )
    )


def categories(config: Config, dictionary: Dictionary, telling: Telling) -> Mapping[str, tuple[str, ...]]:
    """Log to the words of the categories it is listed by: those every arm can have, in the order of the dictionary."""
    named = {
        "events": config.logs.events and config.logs.events.category,
        "deviations": config.logs.deviations and config.logs.deviations.code,
    }
    return {
        log: tuple(o.label for o in dictionary.get(field).options if not telling.answer(field, o.code))
        for log, field in named.items()
        if field and field in dictionary
    }


def apart(snapshot: Snapshot, telling: Telling, config: Config) -> frozenset[tuple[str, str]]:
    """Record and place of every row of a log that is not listed by itself, as findings name places.

    A finding there names the record, and the row is missing where events are listed: both together tell its arm.
    """
    reader = Reader(snapshot, telling)
    coded: dict[str, str] = {}
    if events_log := config.logs.events:
        coded[events_log.instrument] = events_log.category
    if deviation_log := config.logs.deviations:
        coded[deviation_log.instrument] = deviation_log.code
    return frozenset(
        (row.record, where(row))
        for rows in snapshot.rows.values()
        for row in rows
        if row.instrument in coded and not reader.words(coded[row.instrument], row)
    )


def _counts(row: Row, dated: str, words: str, cut: date | None) -> bool:
    when = day(row.values.get(dated, ""))
    return bool(when or words) and not (cut and when and when > cut)


def _event(member: Member, row: Row, log: EventLog, reader: Reader, as_of: date) -> Event:
    serious = log.serious is not None and is_true(
        evaluate(
            log.serious,
            reader.snapshot.view(row.record),
            event=row.event,
            instrument=row.instrument,
            instance=row.instance,
        )
    )
    aware, told = (day(row.values.get(name or "", "")) for name in (log.aware, log.reported))
    delay = ((told or as_of) - aware).days if serious and aware else None
    report: Report = ""
    if delay is not None:
        late = delay > log.days
        report = ("late" if late else "in time") if told else ("overdue" if late else "to be reported")
    words = (reader.words(field, row) for field in (log.category, log.severity, log.outcome))
    category, severity, outcome = words
    started = _study_day(member, day(row.values.get(log.started, "")))
    return Event(row.record, member.site, started, category, severity, serious, outcome, delay, report)


def _reported(member: Member, row: Row, log: DeviationLog, reader: Reader) -> Reported:
    on, found = (day(row.values.get(name or "", "")) for name in (log.on, log.found))
    code, grade = (reader.words(field, row) for field in (log.code, log.grade))
    days = (found - on).days if on and found else None
    return Reported(row.record, member.site, _study_day(member, on), code, grade, days, found or on)


def _study_day(member: Member, when: date | None) -> int | None:
    opened = member.patient.opened_on
    return (when - opened).days if when and opened else None
