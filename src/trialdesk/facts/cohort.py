"""The cohort table: built once per run, the only place where a sheet's numbers come from (reference/design.md 7).

Every patient has exactly one place: how far recruitment came without a gap, and if it ended before randomisation,
why. A randomised patient stays randomised whatever earlier step is missing (CONSORT 2025, item 22b); the gap is a
finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Literal, TypeVar

from redcap_rules.dictionary import Dictionary
from trialdesk.config import Config, Step
from trialdesk.facts.datacut import LEAVING, cut, step_dates
from trialdesk.model import Finding, Patient

Reason = Literal["", "declined", "not eligible", "not invited", "left before randomisation", "pending"]
State = Literal["", "in follow-up", "completed", "withdrawn", "lost to follow-up", "died"]
Word = TypeVar("Word", Reason, State)

# The first that is true wins. A patient who declined or is not eligible may also have an end-of-study form.
_REASONS: tuple[tuple[Reason, frozenset[str]], ...] = (
    ("declined", frozenset({"declined"})),
    ("not invited", frozenset({"not_invited"})),
    ("not eligible", frozenset({"not_eligible"})),
    ("left before randomisation", LEAVING | {"dead"}),
)
_STATES: tuple[tuple[State, frozenset[str]], ...] = (
    ("died", frozenset({"dead"})),
    ("withdrawn", frozenset({"withdrawn_from_contact", "withdrawn_from_data"})),
    ("lost to follow-up", frozenset({"lost"})),
    ("completed", frozenset({"completed"})),
)
PLACING = frozenset[str]().union(*(states for _, states in (*_REASONS, *_STATES)))
"""The states that say where a patient is counted."""
REASONS: tuple[Reason, ...] = (*(reason for reason, _ in _REASONS), "pending")
STATES: tuple[State, ...] = ("in follow-up", "completed", "withdrawn", "lost to follow-up", "died")
"""Those a trial may have; `reasons` and `states` are those it has."""

_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Member:
    """One patient of the cohort. `steps` counts the recruitment steps reached without a gap.

    `reason` is blank for randomised patients, `state` for all others. `stated` is the reason the site gave, as the
    dictionary words it. `skipped` names the steps that are not true although a later one is.
    """

    patient: Patient
    steps: int
    reason: Reason
    state: State
    stated: str = ""
    skipped: tuple[str, ...] = ()

    @property
    def site(self) -> str:
        """The site code, as the site field says."""
        return self.patient.site

    @property
    def randomised(self) -> bool:
        """Whether the envelope has been opened."""
        return self.patient.randomised


@dataclass(frozen=True)
class Cohort:
    """The patients as of one day, in order of record; `later` counts records that began after it.

    `unnamed` are patients who are counted and in no list: they have no record id.
    """

    members: tuple[Member, ...]
    steps: tuple[Step, ...]
    as_of: date
    later: int = 0
    words: tuple[State, ...] = STATES
    reasons: tuple[Reason, ...] = REASONS
    unnamed: tuple[Member, ...] = ()

    @property
    def everyone(self) -> tuple[Member, ...]:
        """All who are counted, those without an id last."""
        return (*self.members, *self.unnamed)

    def where(self, keep: Callable[[Member], bool]) -> Cohort:
        """The patients that `keep` accepts, as a cohort of its own."""
        members, unnamed = (tuple(one for one in part if keep(one)) for part in (self.members, self.unnamed))
        return replace(self, members=members, unnamed=unnamed)

    def at(self, site: str) -> Cohort:
        """The patients of one site."""
        return self.where(lambda member: member.site == site)

    def owned(self, site: str) -> Cohort:
        """The patients that site field and data access group both give to the site: what its people may be shown."""
        return self.where(lambda member: member.patient.belongs_to(site))

    def reached(self, step: int) -> int:
        """How many reached step number `step` (from 0) and all before it; for the last, how many are randomised."""
        if step == len(self.steps) - 1:
            return self.randomised
        return sum(member.steps > step for member in self.everyone)

    @cached_property
    def records(self) -> frozenset[str]:
        """The record ids."""
        return frozenset(member.patient.record for member in self.members)

    @property
    def randomised(self) -> int:
        """How many envelopes are opened."""
        return sum(member.randomised for member in self.everyone)

    @property
    def opened_on(self) -> tuple[date, ...]:
        """The days of randomisation in order."""
        return tuple(sorted(day for member in self.everyone if (day := member.patient.opened_on)))

    @property
    def states(self) -> Mapping[State, int]:
        """Randomised patients by state; every state the trial has is there."""
        counted = Counter(member.state for member in self.everyone)
        return {state: counted[state] for state in self.words}


def cohort(
    patients: Iterable[Patient],
    config: Config,
    dictionary: Dictionary,
    as_of: date,
    today: date,
    counted: Iterable[Patient] = (),
) -> Cohort:
    """The cohort as of the end of a day.

    Facts dated later are taken away: a later death leaves the patient alive, a later consent leaves the step open.
    A recruitment step is dated by the fact that stands on its form (`step_dates`).

    Args:
        patients: Every record of the pull.
        config: The trial.
        dictionary: The project's dictionary, to find the form of a step.
        as_of: The data cut, a day in the trial's time zone.
        today: The day of the pull.
        counted: Patients without a record id: they are counted, and stand in no list.
    """
    dated = step_dates(config, dictionary)
    # On the day of the pull itself nothing is cut: a date ahead is a slip of typing, and must hide no patient.
    before, unnamed = (
        [cut(patient, as_of, dated, today) if as_of < today else patient for patient in part]
        for part in (patients, counted)
    )
    kept = sorted((patient for patient in before if patient is not None), key=lambda patient: patient.record)
    said = config.facts.not_enrolled_reason
    stated = _labels(dictionary, said.field) if said else {}
    members = tuple(_member(patient, config, stated) for patient in kept)
    others = tuple(_member(patient, config, stated) for patient in unnamed if patient is not None)
    later, words = len(before) - len(kept), (states(config), reasons(config))
    return Cohort(members, config.funnel, as_of, later, *words, others)


def reasons(config: Config) -> tuple[Reason, ...]:
    """Why patients of this trial may not be randomised, in the order of reading."""
    return tuple(word for word in REASONS if word == "pending" or dict(_REASONS)[word] & config.states.known.keys())


def states(config: Config) -> tuple[State, ...]:
    """How randomised patients of this trial may stand, in the order of reading."""
    return tuple(word for word in STATES if word == STATES[0] or dict(_STATES)[word] & config.states.known.keys())


def _labels(dictionary: Dictionary, name: str) -> Mapping[str, str]:
    options = dictionary.get(name).options if name in dictionary else ()
    return {option.code: option.label for option in options}


def _member(patient: Patient, config: Config, stated: Mapping[str, str]) -> Member:
    codes = [step.code for step in config.funnel]
    reached = [code in patient.reached for code in codes]
    steps = reached.index(False) if False in reached else len(codes)
    last = max((number for number, true in enumerate(reached) if true), default=0)
    skipped = tuple(step.label for step, true in list(zip(config.funnel, reached, strict=True))[:last] if not true)
    if patient.randomised:
        return Member(patient, steps, "", _first(_STATES, patient, "in follow-up"), skipped=skipped)
    why = stated.get(patient.not_enrolled_reason, "")
    return Member(patient, steps, _first(_REASONS, patient, "pending"), "", why, skipped)


def _first(table: Iterable[tuple[Word, frozenset[str]]], patient: Patient, otherwise: Word) -> Word:
    return next((word for word, states in table if states & patient.states), otherwise)


def share(part: int, whole: int) -> float | None:
    """The part as a fraction; None where the whole is under 10: n and N then say more.

    Source: reference/trial-operations.md 2.1.
    """
    return part / whole if whole >= _FEWEST else None


def gaps(cohort: Cohort) -> tuple[Finding, ...]:
    """One finding for each patient who reached a step of recruitment without an earlier one."""
    labels = {step.code: step.label for step in cohort.steps}
    return tuple(
        Finding(
            "funnel",
            member.site,
            member.patient.record,
            "",
            "error" if member.randomised else "warning",
            f"{labels[_furthest(member, labels)]} although not recorded: {', '.join(member.skipped)}",
        )
        for member in cohort.members
        if member.skipped
    )


def _furthest(member: Member, labels: Mapping[str, str]) -> str:
    return [code for code in labels if code in member.patient.reached][-1]
