"""The sheets Screening and Patients: how far recruitment comes, why not farther, and who is waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from redcap_rules.logic import LogicError
from trialdesk.errors import ConfigError
from trialdesk.facts.cohort import Cohort, share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import LONG_PENDING, Figures
from trialdesk.reports import listings
from trialdesk.reports.profiles import UNKNOWN_SITE
from trialdesk.workbook import Block, Column, Line, SheetTable, Value

CRITERIA = "Criteria not met"
IN_ORDER, GIVEN, WAITING = "Why not randomised, after the last step reached", "Reason given", "Pending"


def screening(facts: Facts, whole: Figures) -> tuple[SheetTable, ...]:
    """The funnel by site, the reasons in order and as given, who is pending for long; and every patient."""
    cohort, config = facts.cohort, facts.config
    codes = [*(site.code for site in config.sites)]
    strays = [UNKNOWN_SITE] if any(member.site not in codes for member in cohort.everyone) else []
    columns = (
        Column("Site", width=29), *(Column(step.label, "number", 12) for step in config.funnel),
        Column("Approached", "number", 12), Column("Approached %", "percent", 12), Column("Accepted %", "percent", 12),
    )  # fmt: skip
    lines = [_funnel(code, cohort.at(code)) for code in codes]
    if strays:
        lines.append(_funnel(UNKNOWN_SITE, cohort.where(lambda member: member.site not in codes)))
    lines.append(_funnel("All", cohort, strong=True))
    about = (
        "Approached: eligible patients who were invited. Accepted: of those approached, the ones who consented. "
        "Percentages stand over ten or more."
    )
    every = [*codes, *strays]
    more = (_in_order(cohort), _given(cohort, every), *_criteria(facts, every), _waiting(whole))
    made = SheetTable("Screening", "Screening", about, columns, tuple(lines), more=more)
    return made, listings.patients(cohort)


def _funnel(name: str, here: Cohort, *, strong: bool = False) -> Line:
    counts = [here.reached(step) for step in range(len(here.steps))]
    eligible = [member for member in here.everyone if member.steps > 1]
    invited = [member for member in eligible if member.reason != "not invited"]
    accepted = sum(member.patient.consented_on is not None for member in invited)
    values: tuple[Value, ...] = (
        name, *counts, len(invited), share(len(invited), len(eligible)), share(accepted, len(invited)),
    )  # fmt: skip
    return Line(values, "strong" if strong else "plain", {n: "quiet" for n, value in enumerate(values) if value == 0})


def _in_order(cohort: Cohort) -> Block:
    """Who came how far and no farther, by reason: every patient who is not randomised once."""
    columns = (
        Column("Last step", width=29), *(Column(reason.capitalize(), "number", 14) for reason in cohort.reasons),
        Column("All", "number", 12),
    )  # fmt: skip
    names = ["No step", *(step.label for step in cohort.steps[:-1])]
    return Block(IN_ORDER, columns, tuple(_stopped(cohort, level, name) for level, name in enumerate(names)))


def _stopped(cohort: Cohort, level: int, name: str) -> Line:
    here = Counter(
        m.reason for m in cohort.everyone if not m.randomised and min(m.steps, len(cohort.steps) - 1) == level
    )
    return Line((name, *(here[reason] for reason in cohort.reasons), here.total()))


def _given(cohort: Cohort, codes: list[str]) -> Block:
    """The reasons sites gave, whichever step they were given at, by site."""
    columns = (Column("As the site words it", width=29), *(Column(code, "number", 10) for code in codes))
    counted = Counter((m.stated, m.site if m.site in codes else UNKNOWN_SITE) for m in cohort.everyone if m.stated)
    reasons = sorted({stated for stated, _ in counted}, key=lambda r: (-sum(counted[r, c] for c in codes), r))
    lines = tuple(Line((reason, *(counted[reason, code] for code in codes))) for reason in reasons)
    return Block(GIVEN, columns, lines, "No reason is given.")


def _criteria(facts: Facts, codes: list[str]) -> Iterator[Block]:
    """Of every criterion in configured order the patients it keeps out: as the first of theirs, in all, and by site.

    Counted are those who are not randomised; a patient with two stands in two rows, and once among the first.

    Raises:
        ConfigError: a criterion names something the project does not have.
    """
    if not facts.config.criteria:
        return
    tables, records = facts.snapshot.tables, facts.snapshot.tables.records
    try:
        out = {one.label: tables.holds(one.unmet, records) for one in facts.config.criteria}
    except LogicError as error:
        raise ConfigError(f"criteria: the logic does not fit the project: {error}") from None
    at = {row.record: number for number, row in enumerate(records)}
    left = [(m, at[m.patient.record]) for m in facts.cohort.members if not m.randomised]
    first = Counter(next((label for label, held in out.items() if held[number]), "") for _, number in left)
    columns = (
        Column("Criterion", width=29), Column("First", "number", 10), Column("In all", "number", 10),
        *(Column(code, "number", 10) for code in codes),
    )  # fmt: skip
    lines = []
    for label, held in out.items():
        here = Counter(m.site if m.site in codes else UNKNOWN_SITE for m, number in left if held[number])
        values: tuple[Value, ...] = (label, first[label], here.total(), *(here[code] for code in codes))
        lines.append(Line(values, tones={n: "quiet" for n, value in enumerate(values) if value == 0}))
    yield Block(CRITERIA, columns, tuple(lines))


def _waiting(whole: Figures) -> Block:
    columns = (Column("Record", width=29), Column("Site", width=12), Column("Screened", "date", 12),
               Column("Days", "number", 12), Column("Last step", width=12))  # fmt: skip
    return Block(f"{WAITING} for more than {LONG_PENDING} days", columns, tuple(_pending(whole)), "Nobody.")


def _pending(whole: Figures) -> Iterator[Line]:
    labels = [step.label for step in whole.cohort.steps]
    for member, days in whole.pending:
        step = labels[member.steps - 1] if member.steps else ""
        values = (member.patient.record, member.site, member.patient.screened_on, days, step)
        yield Line(values, tones={3: "warning"})
