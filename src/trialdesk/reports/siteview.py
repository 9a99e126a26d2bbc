"""The sheet Sites: how recruitment and conduct stand at every site, with flags that are more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from trialdesk.config import Site
from trialdesk.facts.cohort import Cohort, share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.entering import Entry, delays
from trialdesk.facts.figures import OLD, Figures, in_window
from trialdesk.facts.limits import too_few, too_many
from trialdesk.reports.accrual import exposure
from trialdesk.reports.profiles import UNKNOWN_SITE
from trialdesk.workbook import Block, Column, Line, SheetTable, Tone, Value

FEWEST_PATIENTS, FEWEST_DAYS = 3, 30
"""Below these nothing is flagged (reference/trial-operations.md 2.2, sheet 03)."""
CONDUCT = "Conduct"
_SMALL = "small n"


def sites(facts: Facts, whole: Figures, here: Mapping[str, Figures], entered: Sequence[Entry]) -> SheetTable:
    """Recruitment by site, and below it contacts, outcome, findings and deviations with flags.

    Args:
        facts: What was derived.
        whole: The counts of the whole trial.
        here: Those of every site by its code, in configured order.
        entered: The forms whose first day is known.
    """
    config, as_of = facts.config, facts.cohort.as_of
    rows = [_recruited(site, here[site.code].cohort, as_of) for site in config.sites]
    strays = facts.cohort.where(lambda member: member.site not in here)
    if strays.everyone:
        counts = [strays.reached(step) for step in range(len(config.funnel))]
        blank: tuple[Value, ...] = (None,) * 6
        rows.append(
            Line(
                (UNKNOWN_SITE, "Site not recorded: correct the site field", None, None, *counts, *blank),
                tones={1: "warning"},
            )
        )
    rows.append(_all(facts.cohort, config.trial.target, as_of, config.sites))
    columns = (
        Column("Site", width=6), Column("Name", width=25), Column("Opened", "date", 11), Column("First", "date", 11),
        *(Column(step.label, "number", 11) for step in config.funnel), Column("Target", "number", 8),
        Column("% of target", "percent", 9), Column("A month", "number", 7), Column("Days since last", "number", 9),
        Column("Screen failure %", "percent", 9), Column("Consent %", "percent", 9),
    )  # fmt: skip
    about = f"Data as of {as_of}. First: the first randomised patient. Percentages stand over ten or more."
    conduct = Block(CONDUCT, _conduct_columns(), tuple(_conducted(whole, here, entered)))
    return SheetTable("Sites", "Sites", about, columns, tuple(rows), keys=2, more=(conduct,))


def _recruited(site: Site, here: Cohort, as_of: date) -> Line:
    counts = [here.reached(step) for step in range(len(here.steps))]
    first, last = (here.opened_on[0], here.opened_on[-1]) if here.opened_on else (None, None)
    spent = exposure(site, as_of)
    values = (
        site.code, site.name, site.opens, first, *counts, site.target, share(here.randomised, site.target),
        round(here.randomised / spent, 2) if spent else None, (as_of - last).days if last else None, *_failing(here),
    )  # fmt: skip
    tones: dict[int, Tone] = {number: "quiet" for number, value in enumerate(values) if value == 0}
    return Line(values, "plain" if site.opens <= as_of else "quiet", tones)


def _all(cohort: Cohort, target: int, as_of: date, every: tuple[Site, ...]) -> Line:
    counts = [cohort.reached(step) for step in range(len(cohort.steps))]
    first, last = (cohort.opened_on[0], cohort.opened_on[-1]) if cohort.opened_on else (None, None)
    spent = sum(exposure(site, as_of) for site in every)
    values = (
        "All", "Whole trial; a month: for each site-month", min(site.opens for site in every), first, *counts, target,
        share(cohort.randomised, target), round(cohort.randomised / spent, 2) if spent else None,
        (as_of - last).days if last else None, *_failing(cohort),
    )  # fmt: skip
    return Line(values, "strong")


def _failing(here: Cohort) -> tuple[float | None, float | None]:
    """Of the screened those not eligible, of the eligible those who consented; None under ten."""
    failed = sum(member.reason == "not eligible" for member in here.everyone)
    declined = sum(member.reason == "declined" for member in here.everyone)
    consented = sum(member.patient.consented_on is not None for member in here.everyone)
    return share(failed, here.reached(0)), share(consented, consented + declined)


def _conduct_columns() -> tuple[Column, ...]:
    return (
        Column("Site", width=6), Column("Flags", width=25), Column("Patient-days", "number", 11),
        Column("Contacts expected", "number", 11), Column("Made in window", "number", 11),
        Column("In window %", "percent", 11), Column("Primary expected", "number", 11),
        Column("Primary complete", "number", 11), Column("Primary %", "percent", 11),
        Column("Open findings", "number", 8), Column(f"Over {OLD} days", "number", 9),
        Column("Oldest, days", "number", 7),
        Column("Deviations", "number", 10), Column("For 100 days", "number", 9),
        Column("Serious events listed", "number", 9), Column("Entry, median days", "number", 8),
        Column("Entry, 90 %", "number", 7),
    )  # fmt: skip


def _conducted(whole: Figures, here: Mapping[str, Figures], entered: Sequence[Entry]) -> Iterator[Line]:
    for code, one in here.items():
        mine = [entry for entry in entered if entry.record in one.cohort.records]
        flags = "; ".join(_flags(one, whole))
        tone: Tone = "quiet" if flags in ("", _SMALL) else "warning"
        yield Line(_values(code, flags, one, mine), tones={1: tone})
    yield Line(_values("All", "", whole, entered), "strong")


def _values(code: str, flags: str, one: Figures, entered: Sequence[Entry]) -> tuple[Value, ...]:
    took = delays(entered)
    rate = one.a_hundred_days(one.deviating)
    return (
        code, flags, one.days, one.expected, one.in_window, in_window(one), one.primary_expected, one.primary_complete,
        share(one.primary_complete, one.primary_expected), len(one.open), sum(f.days > OLD for f in one.open),
        max((f.days for f in one.open), default=None), one.deviating, None if rate is None else round(rate, 2),
        sum(event.serious for event in one.events.listed), took.median, took.nine_of_ten,
    )  # fmt: skip


def _flags(one: Figures, whole: Figures) -> Iterator[str]:
    """What differs from the whole trial by more than chance: its figure lies outside the site's exact 95 % limits."""
    if one.cohort.randomised < FEWEST_PATIENTS or one.days < FEWEST_DAYS:
        yield _SMALL
        return
    if one.expected and too_few(one.in_window, one.expected, whole.in_window / whole.expected):
        yield "contacts in window low"
    primary = one.primary_complete, one.primary_expected
    if one.primary_expected and too_few(*primary, whole.primary_complete / whole.primary_expected):
        yield "primary outcome low"
    if too_many(one.deviating, one.days * whole.deviating / whole.days):
        yield "deviations high"
    if too_many(len(one.open), one.days * len(whole.open) / whole.days):
        yield "open findings high"
