"""The enrolment report of each profile, open ones proved blind before anyone gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from trialdesk.config import Config
from trialdesk.facts.cohort import Cohort, cohort, gaps
from trialdesk.facts.dueforms import Due, DueForm, due_forms
from trialdesk.findings.rules import FindingList, Rules, check, sort_out, told_once
from trialdesk.instruments.treatment import treatment_columns
from trialdesk.model import Finding
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports import listings, recruitment
from trialdesk.reports.blinding import prove_blind, worlds
from trialdesk.reports.profiles import Profile, profile
from trialdesk.workbook import Table


def _nothing(snapshot: Snapshot) -> tuple[()]:  # noqa: ARG001 - the signature of a cross-check
    return ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where findings and expectations come from, as of `today`, the day of the pull.

    `crosschecks` (checks in code) and `due` (records and the events that are over for them) take a pull and are asked
    again for every world of the blinding proof. `envelopes` are findings that name no arm by their making. `mapping` is
    event to forms; without it there is no sheet on completeness.
    """

    today: date
    rules: Rules
    crosschecks: Callable[[Snapshot], Iterable[Finding]] = _nothing
    envelopes: tuple[Finding, ...] = ()
    due: Callable[[Snapshot], Iterable[Due]] = _nothing
    mapping: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the sheets are made of: the cohort, what is to be looked at, and the forms expected by now.

    `found` is None for a day before that of the pull: what REDCap held then is not known, only what it dates.
    """

    cohort: Cohort
    found: FindingList | None = None
    forms: tuple[DueForm, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything to be looked at, in full words."""
        return self.found.every if self.found else ()


def facts(snapshot: Snapshot, config: Config, sources: Sources, as_of: date) -> Facts:
    """The facts of one pull as of one day; findings and expected forms only if that is the day of the pull."""
    whole = cohort(patients(snapshot, config), config, snapshot.dictionary, as_of, sources.today)
    if as_of < sources.today:
        return Facts(whole)
    ruled = (*check(sources.rules, snapshot, config, as_of), *sources.crosschecks(snapshot))
    begun = [one for one in ruled if not one.record or one.record in whole.records]
    known = told_once(begun, sources.envelopes, sources.rules, snapshot)
    found = sort_out(known, sources.rules, gaps(whole), sources.envelopes)
    hidden = treatment_columns(snapshot.dictionary, config)
    return Facts(whole, found, due_forms(snapshot, sources.due(snapshot), sources.mapping, hidden))


def enrolment_tables(
    facts: Facts, mapping: Mapping[str, tuple[str, ...]], config: Config, reader: Profile
) -> tuple[Table, ...]:
    """The sheets of one profile in the order of reading; what its allow-list does not name is left out.

    A site's report is made of the patients that both the site field and the data access group give to it.
    """
    whole, found = facts.cohort, facts.found
    mine = whole if reader.whole else whole.owned(reader.sites[0].code)
    complete = (listings.completeness(facts.forms, mine, mapping, config, reader),) if found and mapping else ()
    return reader.show(
        (
            recruitment.enrolment(mine, config, reader),
            recruitment.by_month(mine, config, reader),
            recruitment.participant_flow(mine),
            listings.patients(mine),
            *complete,
            *((listings.findings(found, mine, reader),) if found else ()),
            recruitment.by_arm(mine, config),
            listings.about(mine, config, reader, current=found is not None),
        )
    )


def enrolment_packs(
    snapshot: Snapshot, config: Config, sources: Sources, profiles: Sequence[str], real: Facts
) -> Mapping[str, tuple[Table, ...]]:
    """Profile name to its sheets; every open one is proved not to depend on any patient's treatment.

    Args:
        snapshot: One pull.
        config: The trial.
        sources: Where findings and expectations come from.
        profiles: Names: `monitor`, `closed`, `site:CODE`.
        real: The `facts` of these.

    Raises:
        ConfigError: there is no such profile.
        ConcealmentBroken: an open report would show the treatment.
    """
    readers = [profile(name, config) for name in profiles]
    others = list(_others(snapshot, config, sources, real)) if any(reader.open for reader in readers) else []
    packs: dict[str, tuple[Table, ...]] = {}
    for reader in readers:
        packs[reader.name] = enrolment_tables(real, sources.mapping, config, reader)
        if reader.open:
            prove_blind(
                packs[reader.name], (enrolment_tables(other, sources.mapping, config, reader) for other in others)
            )
    return packs


def footer(config: Config, name: str, as_of: date) -> str:
    """What stands at the foot of every printed page: trial, profile and data cut."""
    return f"{config.trial.id} · {name} · data as of {as_of}"


def _others(snapshot: Snapshot, config: Config, sources: Sources, real: Facts) -> Iterator[Facts]:
    """The facts of every other world; the pooled count of treatment findings is the one thing that is kept."""
    for world in worlds(snapshot, config):
        other = facts(world, config, sources, real.cohort.as_of)
        if other.found and real.found:
            other = replace(other, found=replace(other.found, treatment=real.found.treatment))
        yield other
