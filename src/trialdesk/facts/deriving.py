"""All facts of one pull, derived once; and once more in each world of the blinding proof."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from trialdesk.config import Config
from trialdesk.facts.cards import Before, Cards, prove_cards
from trialdesk.facts.cohort import Cohort, cohort, gaps
from trialdesk.facts.dueforms import DueForms, due_forms, gone_through, over
from trialdesk.facts.logged import apart
from trialdesk.facts.pulling import Pull
from trialdesk.facts.worlds import differing, exchanged, worlds
from trialdesk.findings.crosschecks import cross_findings
from trialdesk.findings.dates import date_findings
from trialdesk.findings.life import lives
from trialdesk.findings.lists import FindingList, sort_out
from trialdesk.findings.own import CLASSES
from trialdesk.findings.ruled import ruled, told_once, touched
from trialdesk.followup.contacts import Heard, heard
from trialdesk.followup.keeping import Promises, promises
from trialdesk.followup.schedule import Schedule, of_courses, schedule
from trialdesk.instruments.folder import folder_of, read_labels, read_translations
from trialdesk.instruments.labels import Labels
from trialdesk.instruments.rules import Rules, read_rules
from trialdesk.instruments.translation import in_own_words
from trialdesk.instruments.treatment import Telling
from trialdesk.memory.values import Known, Remembered, Scope
from trialdesk.model import Finding, Patient
from trialdesk.redcap.observing import Moves
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs left, read and never written: the memory, what moved since, and days promised to patients.

    `rekeyed` says that the calendars of before were made with another key than tonight's.
    """

    remembered: Remembered = field(default_factory=lambda: Remembered(Scope("", "")))
    promised: Promises = field(default_factory=dict)
    moves: Moves = field(default_factory=Moves)
    rekeyed: bool = False


@dataclass(frozen=True, slots=True)
class Common:
    """What all worlds have in common: the trial, the days, and what cards, files and earlier runs say.

    Cards prove something of the real world alone: in another no card fits. `as_of` is the data cut, `day` the day of
    the pull; `labels` are what people call instruments and events, `counted` patients that no list names.
    """

    config: Config
    day: date
    as_of: date
    past: Past
    cards: Cards
    rules: Rules
    mapping: Mapping[str, tuple[str, ...]]
    labels: Labels = field(default_factory=Labels)
    missing: tuple[str, ...] = ()
    counted: tuple[Patient, ...] = ()

    @property
    def telling(self) -> Telling:
        """What tells an arm."""
        return self.rules.telling


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything lists, schedules and reports are made of.

    `found` is None for a data cut before the day of the pull: what REDCap held then is not known, only what it dates.
    `lives` are the findings of tonight and of earlier with their lives, `ruled` what the rules alone found.
    """

    common: Common
    snapshot: Snapshot
    patients: tuple[Patient, ...]
    schedule: Schedule
    cohort: Cohort
    found: FindingList | None = None
    forms: DueForms = field(default_factory=dict)
    lives: tuple[Known, ...] = ()
    ruled: tuple[Finding, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Envelopes the register lacks, in whatever world."""
        return self.common.missing

    @property
    def config(self) -> Config:
        """The trial."""
        return self.common.config

    @property
    def cards(self) -> Cards:
        """What the cards prove."""
        return self.common.cards

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything to be looked at, in full words."""
        return self.found.every if self.found else ()

    @property
    def forms_as_held(self) -> DueForms:
        """The forms of `forms`, entered by whatever they hold, treatment too: for a reader who may know arms."""
        due = [(record, form.event) for form, records in self.forms.items() for record in records]
        return due_forms(self.snapshot, due, self.common.mapping, frozenset())

    @property
    def open_releases(self) -> tuple[str, ...]:
        """Records with an open release, those too that the register alone knows: a broken-off one blocks the next."""
        used = {patient.record for patient in self.patients if patient.randomised}
        in_register = {envelope.record for envelope in self.cards.register if envelope.status == "released"}
        return tuple(sorted({p.record for p in self.patients if p.release_open} | (in_register - used)))


def past(config: Config, snapshot: Snapshot, remembered: Remembered | None = None, moved: Moves | None = None) -> Past:
    """What earlier runs left: in the desk's memory, and as promised days in REDCap's call plan."""
    scope = Scope(config.trial.id, config.redcap.url)
    return Past(remembered or Remembered(scope), promises(snapshot, config.call_plan), moved or Moves())


def derive(
    pull: Pull, before: Past, config: Config, day: date, as_of: date | None = None, cards: Cards | None = None
) -> Facts:
    """The facts of one pull; findings and expected forms only if the data cut is the day of the pull.

    Args:
        pull: Both projects at one moment.
        before: What earlier runs left.
        config: The trial.
        day: The day of the pull in the trial's time zone.
        as_of: The data cut; by default that day.
        cards: What the envelopes say, where the register is not in the pull.

    Raises:
        ConfigError, SanityFailed: configuration and project do not fit, or the pull lacks what calls are made from.
        InstrumentError: a rule can't be read or does not fit the project.
    """
    folder = folder_of(config, "trial")
    dictionary = in_own_words(pull.snapshot.dictionary, read_translations(folder).values())
    common = Common(
        config,
        day,
        as_of or day,
        before,
        cards=cards or prove_cards(pull.patients, pull.register, config, day, _beforehand(pull, before)),
        rules=read_rules(folder, dictionary, config, CLASSES),
        mapping=pull.mapping,
        labels=read_labels(folder),
        missing=pull.missing,
        counted=pull.counted,
    )
    snapshot = (
        pull.snapshot if dictionary == pull.snapshot.dictionary else replace(pull.snapshot, dictionary=dictionary)
    )
    every = ruled(common.rules, snapshot, config, day) if common.as_of == day else ()
    return _facts(snapshot, pull.patients, common, every, {})


def _beforehand(pull: Pull, past: Past) -> Before:
    night = past.remembered.night
    return Before(pull.filed, past.moves.renamed, past.remembered.secret, night.proved if night else ())


def found_alone(real: Facts, records: Collection[str]) -> FindingList:
    """The findings as they would be if REDCap held these records alone: nothing of any other can be in them.

    What rules find in a record, whether a condition is true in one of its rows, and the course of its contacts, are
    read from that record alone, so they are the same; the rest is found again.
    """
    common = replace(real.common, cards=Cards(), missing=())
    snapshot = real.snapshot.of(records)
    everyone = [patient for patient in real.patients if patient.record in records]
    courses = [one for one in real.schedule.courses if one.patient.record in records]
    alone = _stood(snapshot, everyone, common, of_courses(courses, common.config, common.day, common.past.promised))
    return _found(alone, [one for one in real.ruled if one.record in records])


def other_worlds(real: Facts) -> Iterator[Facts]:
    """The facts as they would be without treatment, and with everybody in an arm that nobody has yet."""
    for world in worlds(real.snapshot, real.config, real.common.telling):
        yield _otherwise(real, world)


def exchanged_world(real: Facts) -> Facts:
    """The facts as they would be with everybody in the next arm."""
    return _otherwise(real, exchanged(real.snapshot, real.config, real.common.telling))


def _otherwise(real: Facts, world: Snapshot) -> Facts:
    """The facts of another world; what reads nothing of what differs there finds what it finds in the real one."""
    common = real.common
    columns = differing(real.snapshot, world)
    again = touched(common.rules, columns, world.dictionary, common.config)
    before = heard(real.schedule.courses, columns, world.dictionary, common.config)
    names = {rule.id for rule in again.rules}
    kept = [one for one in real.ruled if one.rule not in names]
    fresh = ruled(again, world, common.config, common.day) if common.as_of == common.day else ()
    return _facts(world, patients(world, common.config), common, tuple(sorted((*kept, *fresh))), before)


def _placed(snapshot: Snapshot, everyone: Sequence[Patient], common: Common, before: Mapping[str, Heard]) -> Facts:
    """Where every patient and every contact stands, and nothing that is found about them."""
    plan = schedule(everyone, snapshot, common.config, common.day, common.past.promised, before)
    return _stood(snapshot, everyone, common, plan)


def _stood(snapshot: Snapshot, everyone: Sequence[Patient], common: Common, plan: Schedule) -> Facts:
    whole = cohort(everyone, common.config, snapshot.dictionary, common.as_of, common.day, common.counted)
    return Facts(common, snapshot, tuple(everyone), plan, whole)


def _facts(
    snapshot: Snapshot,
    everyone: Sequence[Patient],
    common: Common,
    by_rules: tuple[Finding, ...],
    before: Mapping[str, Heard],
) -> Facts:
    real = _placed(snapshot, everyone, common, before)
    if common.as_of < common.day:
        return real
    randomised = [member.patient.record for member in real.cohort.members if member.randomised]
    gone = gone_through(snapshot, randomised, common.config.facts.opened_on.event, common.telling.events)
    telling = common.telling.columns | common.telling.codes.keys()
    forms = due_forms(snapshot, [*gone, *over(real.schedule)], common.mapping, telling)
    found = _found(real, by_rules)
    return replace(real, found=found, forms=forms, lives=_lives(found, common), ruled=by_rules)


def _lives(found: FindingList, common: Common) -> tuple[Known, ...]:
    treatment = {*found.treatment}
    told = ((one, one in treatment) for one in found.every)
    return lives(told, common.past.remembered, common.day, common.past.moves.renamed)


def _found(facts: Facts, by_rules: Iterable[Finding]) -> FindingList:
    common, snapshot = facts.common, facts.snapshot
    every = (
        *by_rules,
        *cross_findings(snapshot, facts.patients, facts.schedule, common.config),
        *date_findings(snapshot, facts.patients, facts.schedule, common.config, common.day),
    )
    known = told_once(every, common.cards.findings, common.rules, snapshot)
    unlisted = apart(snapshot, common.telling, common.config)
    return sort_out(known, common.rules, gaps(facts.cohort), common.cards.findings, unlisted)
