"""The monitor's workbook: where the trial stands, what changed and what is wrong, and nothing that tells the arms."""

from __future__ import annotations

from trialdesk.facts.deriving import Facts
from trialdesk.facts.entering import entries
from trialdesk.facts.figures import at_site, figures
from trialdesk.reports import (
    accountability,
    ageing,
    changed,
    completing,
    consort,
    deviating,
    entering,
    listings,
    matrix,
    recruitment,
    safety,
    screening,
    siteview,
    standing,
)
from trialdesk.reports.profiles import Profile
from trialdesk.workbook import SheetTable


def monitor_sheets(facts: Facts, reader: Profile) -> tuple[SheetTable, ...]:
    """Every sheet in the order of reading; the first says what the others answer."""
    whole = figures(facts)
    sites = {site.code: at_site(whole, facts.config, site.code) for site in reader.sites}
    current, entered = facts.found is not None, tuple(entries(facts))
    sheets = (
        standing.key_figures(facts, whole),
        *recruitment.accrual(facts.cohort, facts.config, reader),
        siteview.sites(facts, whole, sites, entered),
        *screening.screening(facts, whole),
        consort.drawing(facts.cohort, whole),
        *consort.follow_up(facts.cohort, whole),
        *matrix.contacts(facts, whole),
        *((completing.completeness(facts, reader),) if current and facts.common.mapping else ()),
        *((entering.entry_delay(facts, entered),) if current and facts.common.mapping else ()),
        *deviating.deviations(facts, whole, sites, reader),
        *safety.safety(facts, whole),
        accountability.envelopes(facts, reader),
        *(
            (ageing.ages(facts, whole, reader), listings.findings(facts, facts.found, facts.cohort, reader))
            if facts.found is not None
            else ()
        ),
        changed.changes(facts),
        *standing.definitions(facts, reader),
    )
    return (standing.contents(facts, sheets), *sheets)
