"""How the contacts that every arm has stand, patient by patient, without anything a treatment could move.

A contact's planned day depends on the load of all calls, those after a procedure included. So a contact that is still
to be made is told here by its window alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal, get_args

from trialdesk.config import Config, ContactRule
from trialdesk.facts.cohort import Cohort, Member, State
from trialdesk.followup.schedule import Entry, Schedule
from trialdesk.followup.status import ACTIVE
from trialdesk.model import ContactStatus

Stand = Literal[
    "in window",
    "early",
    "late",
    "done",
    "missed",
    "late, open",
    "open",
    "not due",
    "died",
    "withdrawn",
    "lost",
    "ended",
]
STANDS: tuple[Stand, ...] = get_args(Stand)
DONE: frozenset[Stand] = frozenset({"in window", "early", "late", "done"})
"""Made, whenever; "done" without a date or a window to hold it against."""
_MADE: Mapping[ContactStatus, Stand] = {"done": "in window", "done early": "early", "done late": "late"}
_ENDED: Mapping[State, Stand] = {"died": "died", "withdrawn": "withdrawn", "lost to follow-up": "lost"}


@dataclass(frozen=True, slots=True)
class Track:
    """One randomised patient: contact code to how it stands, and the longest time without a contact in days.

    The time runs from the randomisation over the contacts made to the day of the data or of the end; `days` is its
    whole length.
    """

    record: str
    site: str
    stands: Mapping[str, Stand]
    gap: int
    days: int


@dataclass(frozen=True, slots=True)
class TimePoint:
    """One contact over all patients: every randomised patient is in exactly one of `counts`."""

    rule: ContactRule
    randomised: int
    counts: Mapping[Stand, int]

    @property
    def expected(self) -> int:
        """Patients who had, or should have had it by now: made or missed."""
        return self.done + self.counts["missed"]

    @property
    def done(self) -> int:
        """Patients who had it."""
        return sum(self.counts[stand] for stand in DONE)


def shared(config: Config) -> tuple[ContactRule, ...]:
    """The contacts that every arm has."""
    return tuple(rule for rule in config.contacts if not config.tells_arm(rule))


def tracks(cohort: Cohort, plan: Schedule, config: Config) -> tuple[Track, ...]:
    """Every randomised patient of the cohort, in order of site and record; one without an id has none of its course."""
    codes = {rule.code for rule in shared(config)}
    randomised = sorted((m for m in cohort.members if m.randomised), key=lambda m: (m.site, m.patient.record))
    ended: Mapping[str, Stand] = dict.fromkeys(codes, "withdrawn")
    unnamed = (Track("", member.site, ended, 0, 0) for member in cohort.unnamed if member.randomised)
    return (*(_track(member, plan, codes, cohort.as_of) for member in randomised), *unnamed)


def time_points(found: Iterable[Track], config: Config) -> tuple[TimePoint, ...]:
    """Every contact that all arms have, in configured order; the counts of each add up to the patients."""
    tracked = tuple(found)
    return tuple(_point(rule, tracked) for rule in shared(config))


def _point(rule: ContactRule, found: Sequence[Track]) -> TimePoint:
    counted = Counter(track.stands.get(rule.code, "not due") for track in found)
    return TimePoint(rule, len(found), {stand: counted[stand] for stand in STANDS})


def _track(member: Member, plan: Schedule, codes: set[str], as_of: date) -> Track:
    patient, entries = member.patient, plan.of(member.patient.record)
    mine = [entry for entry in entries if entry.contact.rule.code in codes]
    began = patient.opened_on or as_of
    end = max(began, min(filter(None, (patient.died_on, patient.left_on, as_of))))
    made = {entry.contact.said.on for entry in mine if entry.contact.said.done}
    days = sorted({began, end, *(on for on in made if on and began <= on <= end)})
    gap = max(((later - earlier).days for earlier, later in pairwise(days)), default=0)
    stands = {entry.contact.rule.code: _stand(entry, member, as_of) for entry in mine}
    return Track(patient.record, member.site, stands, gap, (end - began).days)


def _stand(entry: Entry, member: Member, today: date) -> Stand:
    around, status = entry.contact.window, entry.status
    if made := _MADE.get(status):
        return made if around and entry.contact.said.on else "done"
    if status == "missed":
        return "missed"
    if status not in ACTIVE or around is None:
        return _ENDED.get(member.state, "ended")
    if today < around.opens:
        return "not due"
    return "open" if today in around else "late, open"
