"""The enrolment report of each profile, open ones proved blind before anyone gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from trialdesk.config import Config
from trialdesk.errors import ConcealmentBroken, TrialError
from trialdesk.facts.deriving import Facts, found_alone, other_worlds
from trialdesk.facts.todo import Task, tasks
from trialdesk.instruments.treatment import Telling, shown_openly
from trialdesk.reports import (
    accountability,
    baseline,
    completing,
    consort,
    curves,
    exposure,
    groups,
    harms,
    listings,
    outcomes,
    recruitment,
    sitedesk,
)
from trialdesk.reports.blinding import prove_blind
from trialdesk.reports.monitor import monitor_sheets
from trialdesk.reports.profiles import Profile, profile
from trialdesk.workbook import SheetTable, digest


def enrolment_packs(
    facts: Facts, profiles: Sequence[str], lost: Callable[[str, Exception], None] | None = None, secret: str = ""
) -> Mapping[str, tuple[SheetTable, ...]]:
    """Profile name to its sheets; every open one is proved not to depend on any patient's treatment.

    A site is shown what is to be corrected in the treatment of its own patients. That part is proved apart: made of the
    site's own records alone, it is the same, so nothing of another site's treatment is in it.

    Args:
        facts: What the sheets are made of.
        profiles: Names: `monitor`, `closed`, `site:CODE`.
        lost: Told the profile whose sheets can't be laid out, and why; it is left out. None: the error is raised.
        secret: What decides the letters of a masked closed report (groups.py).

    Raises:
        ConfigError: there is no such profile.
        ConcealmentBroken: an open report would show the treatment, or a masked one which group has which.
    """
    readers = [profile(name, facts.config) for name in profiles]
    asked = tasks(facts) if any(reader.asked for reader in readers) and facts.found is not None else ()
    packs: dict[str, tuple[SheetTable, ...]] = {}
    proving: dict[str, tuple[Profile, str]] = {}
    for reader in readers:
        with _one(reader.name, packs, lost):
            packs[reader.name] = (
                _masked(facts, reader, secret) if reader.masked else reader.show(sheets(facts, reader, asked))
            )
            if reader.open:
                bare = replace(reader, treatment=False)
                own = packs[reader.name] if bare == reader else bare.show(sheets(facts, bare))
                proving[reader.name] = bare, digest(own)
                _prove_own(facts, reader)
    # one world after another, since each is as large as the trial; and digests, since tables are as large again
    for other in other_worlds(facts) if proving else ():
        for name, (bare, known) in proving.items():
            with _one(name, packs, lost):
                if digest(shown := bare.show(sheets(other, bare))) != known:
                    _prove(bare.show(sheets(facts, bare)), shown, facts)
        del other
    return packs


def _masked(facts: Facts, reader: Profile, secret: str) -> tuple[SheetTable, ...]:
    """The sheets by group, proved to be the same if every group had the next one's arm."""
    own = groups.lettered(facts, secret)
    reader = profile(reader.name, own.config)
    shown = reader.show(sheets(own, reader))
    _prove(shown, reader.show(sheets(groups.moved_on(own), reader)), facts)
    return shown


@contextmanager
def _one(
    name: str, packs: dict[str, tuple[SheetTable, ...]], lost: Callable[[str, Exception], None] | None
) -> Iterator[None]:
    """A profile is made and proved, or nobody gets it; what shows an allocation stops everything."""
    try:
        yield
    except TrialError:
        raise
    except Exception as error:
        if lost is None:
            raise
        packs.pop(name, None)
        lost(name, error)


def sheets(facts: Facts, reader: Profile, asked: Sequence[Task] = ()) -> tuple[SheetTable, ...]:
    """Every sheet there is, in the order of reading, for the patients a profile shows; it leaves out what is not its.

    `asked` is everything to do, of which a site is shown its own part.

    A site's report is made of the patients that both the site field and the data access group give to it.
    """
    if reader.name == "monitor":
        return monitor_sheets(facts, reader)
    config, whole, found = facts.config, facts.cohort, facts.found
    mapping = facts.common.mapping
    mine = whole if reader.whole else whole.owned(reader.sites[0].code)
    complete = (listings.completeness(facts, mine, reader),) if found and mapping else ()
    about = (listings.about(mine, config, reader, facts.cards.told_by if found is not None else None),)
    return (
        *(() if reader.open else about),
        *((sitedesk.to_do(asked, mine),) if reader.asked and found is not None else ()),
        recruitment.enrolment(mine, config, reader),
        recruitment.by_month(mine, config, reader),
        recruitment.participant_flow(mine),
        listings.patients(mine),
        *complete,
        *((listings.findings(facts, found, mine, reader),) if found else ()),
        *(() if reader.whole else (accountability.envelopes(facts, reader),)),
        recruitment.by_arm(mine, config),
        *(() if reader.open else _compared(facts, Telling() if reader.unmasked else facts.common.telling)),
        *(about if reader.open else ()),
    )


def _compared(facts: Facts, telling: Telling) -> Iterator[SheetTable]:
    """What compares the arms record by record, but what is `telling`: much work, and for the closed report alone."""
    yield consort.by_arm(facts)
    yield exposure.exposure(facts)
    if facts.config.logs.events:
        yield harms.harms(facts, telling)
    if facts.found is None:
        return
    if facts.config.baseline:
        yield from baseline.baseline(facts, telling)
    if facts.common.mapping:
        yield completing.by_arm(facts, telling)
    if facts.config.outcomes:
        measured = outcomes.outcomes(facts, telling)
        yield measured
        yield from curves.curves(measured)


def _prove_own(facts: Facts, reader: Profile) -> None:
    """What a site is told of treatments comes from its own records: others may be in any arm."""
    if not reader.treatment or facts.found is None:
        return
    mine = facts.cohort.owned(reader.sites[0].code).records
    shown, by_itself = ({*listings.own_treatment(one, mine)} for one in (facts.found, found_alone(facts, mine)))
    if shown != by_itself:
        raise ConcealmentBroken(
            f"the report of {reader.name} shows findings of treatment that other sites' patients bear on "
            f"({', '.join(sorted({one.rule for one in shown ^ by_itself}))}); nothing was written"
        )


def _prove(shown: Sequence[SheetTable], other: Sequence[SheetTable], facts: Facts) -> None:
    """The proof; a failure names the setting that tells the arm where the configuration alone shows it."""
    try:
        prove_blind(shown, [other])
    except ConcealmentBroken as leak:
        found = next(shown_openly(facts.snapshot.dictionary, facts.config), None)
        if found is None:
            raise
        place, why = found
        raise ConcealmentBroken(f"{leak}; {'.'.join(map(str, place))} in the configuration: {why}") from None


def footer(config: Config, name: str, as_of: date) -> str:
    """What stands at the foot of every printed page: trial, profile, data cut, and whether it is a rehearsal."""
    rehearsal = " · REHEARSAL" if config.envelopes.domain == "dev" else ""
    return f"{config.trial.id} · {name} · data as of {as_of}{rehearsal}"
