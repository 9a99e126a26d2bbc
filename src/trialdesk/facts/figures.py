"""What is counted for every site and for the whole trial; sheets show these and divide nothing themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from trialdesk.config import Config
from trialdesk.facts.cohort import Cohort, Member, share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.dueforms import Due
from trialdesk.facts.logged import Deviations, Events, Reader, deviations, events
from trialdesk.facts.tracks import DONE, TimePoint, Track, time_points, tracks
from trialdesk.memory.values import Known
from trialdesk.model import Finding

BANDS: tuple[tuple[str, int, int], ...] = (
    ("0 to 7 days", 0, 7), ("8 to 14 days", 8, 14), ("15 to 30 days", 15, 30), ("31 to 60 days", 31, 60),
    ("over 60 days", 61, 10**6),
)  # fmt: skip
"""How old findings are, in words, with the first and the last day."""
OLD = 30
LONG_PENDING = 14


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """One finding a monitor may read, and since when; without a memory every one is as old as the pull."""

    finding: Finding
    deviation: str
    since: date
    days: int
    new: bool
    accepted: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts of some patients. What is `expected` is made or missed by now.

    `primary` says of every patient whose primary contact is over whether its forms are all complete.
    """

    cohort: Cohort
    tracks: tuple[Track, ...]
    points: tuple[TimePoint, ...]
    events: Events
    deviations: Deviations
    findings: tuple[OpenFinding, ...]
    primary: Mapping[Due, bool]

    @property
    def days(self) -> int:
        """Patient-days."""
        return sum(track.days for track in self.tracks)

    @property
    def primary_expected(self) -> int:
        """Primary contacts that are over."""
        return len(self.primary)

    @property
    def primary_complete(self) -> int:
        """Those of which every form is complete."""
        return sum(self.primary.values())

    @property
    def expected(self) -> int:
        """Contacts made or missed by now."""
        return sum(point.expected for point in self.points)

    @property
    def in_window(self) -> int:
        """Contacts made inside their window."""
        return sum(point.counts["in window"] for point in self.points)

    @property
    def made(self) -> int:
        """Contacts made, whenever."""
        return sum(point.done for point in self.points)

    @property
    def open(self) -> tuple[OpenFinding, ...]:
        """The findings nobody has accepted."""
        return tuple(one for one in self.findings if not one.accepted)

    @property
    def automatic(self) -> tuple[OpenFinding, ...]:
        """The findings that are deviations of the protocol."""
        return tuple(one for one in self.findings if one.deviation)

    @property
    def deviating(self) -> int:
        """Deviations found by rules and reported by sites, those not listed one by one left out."""
        return len(self.automatic) + len(self.deviations.listed)

    def a_hundred_days(self, count: int) -> float | None:
        """The count for 100 patient-days; None under 30 of them, where it says nothing."""
        return 100 * count / self.days if self.days >= 30 else None

    def a_hundred_weeks(self, count: int) -> float | None:
        """The count for 100 patient-weeks; None under 30 patient-days."""
        return 700 * count / self.days if self.days >= 30 else None

    @property
    def pending(self) -> tuple[tuple[Member, int], ...]:
        """Patients screened more than 14 days ago of whom nothing is known since, with the days; longest first."""
        as_of = self.cohort.as_of
        waiting = [
            (member, (as_of - member.patient.screened_on).days)
            for member in self.cohort.members
            if member.reason == "pending" and member.patient.screened_on
        ]
        return tuple(sorted((pair for pair in waiting if pair[1] > LONG_PENDING), key=lambda pair: -pair[1]))


def figures(facts: Facts) -> Figures:
    """The counts of the whole trial."""
    config, common, cohort = facts.config, facts.common, facts.cohort
    cut = common.as_of if common.as_of < common.day else None
    reader = Reader(facts.snapshot, common.telling, cut)
    tracked = tracks(cohort, facts.schedule, config)
    events_of = {rule.event for rule in config.contacts if rule.primary and not config.tells_arm(rule)}
    records = cohort.records
    primary: dict[tuple[str, str], bool] = {}
    for form, due in facts.forms.items():
        for record in due if form.event in events_of else ():
            if record in records:
                primary[record, form.event] = form.complete and primary.get((record, form.event), True)
    return Figures(
        cohort,
        tracked,
        time_points(tracked, config),
        events(cohort, reader, config),
        deviations(cohort, reader, config),
        listed(facts),
        primary,
    )


def at_site(whole: Figures, config: Config, site: str) -> Figures:
    """The counts of one site's patients, and the findings that name the site."""
    cohort, tracked = whole.cohort.at(site), tuple(track for track in whole.tracks if track.site == site)
    records = cohort.records
    return Figures(
        cohort,
        tracked,
        time_points(tracked, config),
        whole.events.at(site),
        whole.deviations.at(site),
        tuple(one for one in whole.findings if one.finding.site == site),
        {due: complete for due, complete in whole.primary.items() if due[0] in records},
    )


def listed(facts: Facts) -> tuple[OpenFinding, ...]:
    """The findings open profiles list, oldest first; what the memory knows of treatment's is not asked for."""
    if facts.found is None:
        return ()
    told = {same(one.finding): one for one in facts.lives if one.open and not one.treatment}
    found = (_open(one, told.get(same(one)), facts) for one in facts.found.plain)
    return tuple(sorted(found, key=lambda one: (one.since, one.finding)))


def by_band(found: Sequence[OpenFinding]) -> Mapping[str, int]:
    """How many are how old; every band is there."""
    return {name: sum(low <= one.days <= high for one in found) for name, low, high in BANDS}


def in_window(here: Figures) -> float | None:
    """Contacts made in their window of those expected, None under ten."""
    return share(here.in_window, here.expected)


def done_of(track: Track) -> int:
    """How many contacts of a patient are made."""
    return sum(stand in DONE for stand in track.stands.values())


def _open(one: Finding, known: Known | None, facts: Facts) -> OpenFinding:
    day = facts.common.day
    since = (known.reopened or known.first) if known else day
    fresh = known is not None and known.change in ("new", "reopened")
    accepted = known is not None and known.acceptance is not None
    code = facts.found.class_of(one.rule).deviation if facts.found else ""
    return OpenFinding(one, code, since, (day - since).days, fresh, accepted)


def same(one: Finding) -> tuple[str, ...]:
    """What a finding is about, whatever words it is told in."""
    return (one.rule, one.record, one.where, one.field, one.envelope, one.other)
