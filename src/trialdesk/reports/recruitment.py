"""The sheets about recruitment: Enrolment, By month, Flow and By arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from trialdesk.config import Config, Site
from trialdesk.errors import OutputFailed
from trialdesk.facts.cohort import Cohort, Member, share
from trialdesk.reports.accrual import Month, Projection, ahead, exposure, months, planned, project, recruiting
from trialdesk.reports.flow import Box, flow, unbalanced
from trialdesk.reports.profiles import NO_ARM, UNKNOWN_SITE, Profile
from trialdesk.workbook import Block, Chart, Column, Line, SheetTable, Tone, Value

LONG = 60
"""Days after which a site without a new patient is pointed out (reference/trial-operations.md 2.2, sheet 01)."""

NOTE = 2


def enrolment(cohort: Cohort, config: Config, profile: Profile) -> SheetTable:
    """The page read first: every site with its steps, target, rate and what to notice, and the whole."""
    lines = [_site(site, cohort) for site in profile.sites]
    known = {site.code for site in profile.sites}
    strays = cohort.where(lambda member: member.site not in known)
    if strays.everyone:
        lines.append(_line((UNKNOWN_SITE, "Site not recorded", "correct the site field", None), strays, (None,) * 6))
    target = config.trial.target if profile.whole else sum(site.target for site in profile.sites)
    if profile.whole:
        lines.append(_total(cohort, profile.sites, target))
    steps = (Column(step.label, "number", 11) for step in config.funnel)
    columns = (
        Column("Site", width=8), Column("Name", width=27), Column("Note", width=18),
        Column("Opened", "date", 11), *steps, Column("Target", "number", 8), Column("% of target", "percent", 9),
        Column("Last randomised", "date", 12), Column("Days since", "number", 8),
        Column("Site-months", "number", 9), Column("A month", "number", 8),
    )  # fmt: skip
    part = share(cohort.randomised, target)
    percent = "" if part is None else f" ({_percent(part)})"
    title = f"Enrolment: {cohort.randomised} of {target} randomised{percent} by {cohort.as_of}"
    return SheetTable("Enrolment", title, _outlook(cohort, config, profile, target), columns, tuple(lines), keys=2)


def by_month(cohort: Cohort, config: Config, profile: Profile) -> SheetTable:
    """Every calendar month since the start, months without patients too, by site and against the plan, and the whole.

    Patients without a known site have a column of their own while there are any, so every row adds up.
    """
    opened = {code: cohort.at(code).opened_on for code in {member.site for member in cohort.everyone}}
    rows = months(opened, profile.sites, config.trial, cohort.as_of)
    strays = any(row.elsewhere for row in rows)
    codes = [*(site.code for site in profile.sites), *([UNKNOWN_SITE] if strays else [])]
    columns = (
        Column("Month", width=18), *(Column(code, "number", 7) for code in codes),
        Column("Randomised", "number", 12), Column("Planned", "number", 9), Column("So far", "number", 9),
        Column("Planned so far", "number", 16), Column("Ahead or behind", "number", 17),
        Column("Open sites", "number", 12), Column("A site-month", "number", 14),
    )  # fmt: skip
    about = "Randomised patients by calendar month and site, beside the number planned. Definitions: sheet About."
    lines = [_month(row, cohort.as_of, strays=strays) for row in rows]
    if rows:
        lines.append(_all_months(rows, strays=strays))
    return SheetTable("By month", "Recruitment by month", about, columns, tuple(lines))


def accrual(cohort: Cohort, config: Config, profile: Profile) -> tuple[SheetTable, ...]:
    """Charts on one page; then every month by site against the plan, sites against their targets, and the forecast."""
    table = by_month(cohort, config, profile)
    codes = [column.title for column in table.columns[1:-_AFTER_SITES]]
    lines = table.lines[:-1]  # the whole would be drawn as one more month; it stands in the title
    title = f"Accrual: {cohort.randomised} of {config.trial.target} randomised by {cohort.as_of}"
    about = _outlook(cohort, config, profile, config.trial.target)
    numbers = SheetTable(NUMBERS, title, about, table.columns, lines, more=(_targets(cohort, profile),))
    curve = _forecast(cohort, config)
    how = "What was planned, what came, and from the data cut on how many may come; definitions in Definitions."
    ahead_of = SheetTable(FORECAST, "Curve and forecast", how, curve.columns, curve.lines, empty=curve.empty)
    charts = (
        Chart("Randomised so far", _CURVE, "Month", _CURVES, sheet=FORECAST),
        Chart("Randomised by month and site", _BARS, "Month", tuple(codes), kind="bar", stacked=True, sheet=NUMBERS),
        Chart("Sites against their targets", _TARGETS, "Site", ("Done", "Left"), 1, "bar", stacked=True, sheet=NUMBERS),
    )
    grid = tuple(Column(str(number), width=12) for number in range(12))
    return SheetTable("Accrual", title, about, grid, (), charts=charts), numbers, ahead_of


_AFTER_SITES = 7
_CURVE = (
    "Lines by month: planned number of randomised patients, number randomised so far, and from the data cut on the "
    "forecast: its median, and the low and high end of the 80 % interval. The numbers are in Accrual curve."
)
_BARS = "Bars by month, one part for each site: randomised patients. The numbers are in Accrual numbers."
_TARGETS = (
    "Bars by site: randomised patients, and those left to the site's target. The numbers are in Accrual numbers, below."
)


def _forecast(cohort: Cohort, config: Config) -> Block:
    """The curve from the start of the trial: months gone by with their number, months ahead with the forecast."""
    columns = (Column("Month", width=16), *(Column(title, "number", 16) for title in _CURVES))
    rows = months({code: cohort.at(code).opened_on for code in {m.site for m in cohort.everyone}}, config.sites,
                  config.trial, cohort.as_of)  # fmt: skip
    lines = [Line((f"{row.first:%Y-%m}", round(row.planned_so_far, 1), row.so_far)) for row in rows]
    lines = [Line((*line.values, None, None, None)) for line in lines]
    outlook = project(cohort.randomised, config.sites, config.trial, cohort.as_of)
    if outlook is None or not lines:
        return Block(FORECAST, columns, tuple(lines), "No month has passed.")
    until = min(outlook.late or date.max, _add_years(config.trial.ends, 2))
    coming = ahead(cohort.randomised, config.sites, config.trial, cohort.as_of, max(until, cohort.as_of))
    # the curve of the forecast begins where that of the past ends
    lines[-1] = Line((*lines[-1].values[:3], *(cohort.randomised,) * 3))
    for end, (low, median, high) in list(coming.items())[1:]:
        due = sum(planned(site, config.trial, end) for site in config.sites)
        lines.append(Line((f"{end:%Y-%m}", round(due, 1), None, low, median, high), "quiet"))
    return Block(FORECAST, columns, tuple(lines))


NUMBERS, FORECAST, TARGETS = "Accrual numbers", "Accrual curve", "Sites against their targets"
_CURVES = ("Plan", "So far", "Low", "Median", "High")


def _add_years(day: date, years: int) -> date:
    return day.replace(year=day.year + years, day=min(day.day, 28))


def _targets(cohort: Cohort, profile: Profile) -> Block:
    columns = (Column("Site", width=16), Column("Done", "number", 7), Column("Left", "number", 7),
               Column("Target", "number", 7))  # fmt: skip
    done = {site: cohort.at(site.code).randomised for site in profile.sites}
    lines = (Line((s.code, n, max(s.target - n, 0), s.target)) for s, n in done.items())
    return Block(TARGETS, columns, tuple(lines))


def participant_flow(cohort: Cohort) -> SheetTable:
    """The flow of participants, pooled; raises OutputFailed should a box not be the sum of its children."""
    boxes = flow(cohort)
    if wrong := unbalanced(boxes):
        raise OutputFailed(f"flow: {wrong[0]} is not the sum of what is below it; please report this line")
    above = {box.name: box.n for box in boxes}
    columns = (
        Column("Box", width=80), Column("Part of", width=40), Column("Patients", "number", 20),
        Column("% of that", "percent", 20),
    )  # fmt: skip
    about = "The boxes that are part of another exclude one another and add up to it. Arms are pooled."
    return SheetTable("Flow", "Participant flow", about, columns, tuple(_box(box, above) for box in boxes))


def by_arm(cohort: Cohort, config: Config) -> SheetTable:
    """Randomised patients by arm as allocated; for the closed report alone."""
    columns = (
        Column("Arm", width=32), Column("Randomised", "number", 12),
        *(Column(state.capitalize(), "number", len(state) + 4) for state in cohort.words),
        *(Column(title, "number", len(title) + 3) for title in _delivered(config).values()),
    )  # fmt: skip
    lines = [_arm(label, code, cohort, config) for code, label in allocated(cohort, config)]
    about = "As randomised: a patient who changed arm stays in the arm of the envelope. Confidential."
    return SheetTable("By arm", "Randomised patients by arm", about, columns, tuple(lines))


def _site(site: Site, cohort: Cohort) -> Line:
    here = cohort.at(site.code)
    head = (site.code, site.name, _note(site, here, cohort.as_of), site.opens)
    spent = exposure(site, cohort.as_of)
    return _line(head, here, _progress(here, site.target, spent, spent))


def _progress(here: Cohort, target: int, spent: float, lasted: float) -> tuple[Value, ...]:
    """Target, share of it, day of the last randomisation, days since, site-months, and rate a month it has lasted."""
    last = here.opened_on[-1] if here.opened_on else None
    return (
        target,
        share(here.randomised, target),
        last,
        (here.as_of - last).days if last else None,
        round(spent, 1),
        round(here.randomised / lasted, 2) if lasted else None,
    )


def _note(site: Site, here: Cohort, as_of: date) -> str:
    if site.opens > as_of:
        return "not open yet"
    if site.closes and site.closes < as_of:
        return f"closed {site.closes}"
    if site.target and here.randomised >= site.target:
        return "target reached"
    quiet = (as_of - (here.opened_on[-1] if here.opened_on else site.opens)).days
    if quiet <= LONG:
        return ""
    return f"none for {quiet} days" if here.opened_on else f"none yet, open {quiet} days"


def _line(head: tuple[Value, ...], here: Cohort, rest: tuple[Value, ...]) -> Line:
    counts = tuple(here.reached(step) for step in range(len(here.steps)))
    values = (*head, *counts, *rest)
    tones: dict[int, Tone] = {number: "quiet" for number, value in enumerate(values) if value == 0}
    tones[len(head) + len(counts) - 1] = "strong"
    if str(head[NOTE]).startswith(("none", "correct")):
        tones[NOTE] = "warning"
    return Line(values, tones=tones)


def _total(cohort: Cohort, sites: Sequence[Site], target: int) -> Line:
    head = ("All", "Whole trial", "", min(site.opens for site in sites))
    spent = sum(exposure(site, cohort.as_of) for site in sites)
    progress = _progress(cohort, target, spent, recruiting(sites, cohort.as_of))
    return Line(_line(head, cohort, progress).values, "strong")


def _outlook(cohort: Cohort, config: Config, profile: Profile, target: int) -> str:
    if not profile.whole:
        return f"Data as of {cohort.as_of}. The site alone; the whole trial is in the monitor's report."
    if cohort.randomised >= target:
        return f"The target was reached on {cohort.opened_on[target - 1]}."
    outlook = project(cohort.randomised, profile.sites, config.trial, cohort.as_of)
    if outlook is None:
        return "Too early to project: that needs 5 randomised patients and 3 months of recruitment."
    return _projected(outlook, config.trial.ends)


def _projected(outlook: Projection, ends: date) -> str:
    early, median, late = (f"{day:%Y-%m}" if day else "never" for day in (outlook.early, outlook.median, outlook.late))
    return (
        f"At the rate so far the target is reached in {median} (80 % interval {early} to {late}); "
        f"chance of reaching it by the planned end, {ends}: {_chance(outlook.on_time)}."
    )


def _chance(chance: float) -> str:
    return "under 1 %" if chance < 0.01 else "over 99 %" if chance > 0.99 else _percent(chance)


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"


def _month(row: Month, as_of: date, *, strays: bool) -> Line:
    ends = row.first.year == as_of.year and row.first.month == as_of.month
    values = _month_values(f"{row.first:%Y-%m}" + (f" to day {as_of.day}" if ends else ""), row, strays=strays)
    tones: dict[int, Tone] = {number: "quiet" for number, value in enumerate(values) if value == 0}
    tones[len(row.by_site) + strays + 1] = "strong"
    return Line(values, "plain", tones)


def _all_months(rows: Sequence[Month], *, strays: bool) -> Line:
    """The months together: sums, and where it stands at the end."""
    whole = replace(
        rows[-1],
        by_site={code: sum(row.by_site[code] for row in rows) for code in rows[-1].by_site},
        actual=sum(row.actual for row in rows),
        planned=sum(row.planned for row in rows),
        site_months=sum(row.site_months for row in rows),
    )
    return Line(_month_values("All", whole, strays=strays), "strong")


def _month_values(name: str, row: Month, *, strays: bool) -> tuple[Value, ...]:
    return (
        name,
        *row.by_site.values(),
        *([row.elsewhere] if strays else []),
        row.actual,
        round(row.planned, 1),
        row.so_far,
        round(row.planned_so_far, 1),
        round(row.so_far - row.planned_so_far, 1),
        row.open_sites,
        round(row.actual / row.site_months, 2) if row.site_months else None,
    )


def _box(box: Box, above: Mapping[str, int]) -> Line:
    tone: Tone = "strong" if not box.leaf else "plain" if box.n else "quiet"
    return Line(("    " * box.depth + box.name, box.parent, box.n, share(box.n, above.get(box.parent, 0))), tone)


def allocated(cohort: Cohort, config: Config) -> Iterator[tuple[str, str]]:
    """Code and label of every arm, and of randomised patients whose arm is not recorded, where there are such."""
    yield from ((arm.code, arm.label) for arm in config.arms)
    if any(m.randomised and not arm_of(m, config) for m in cohort.members):
        yield "", NO_ARM


def arm_of(member: Member, config: Config) -> str:
    """The arm a patient was randomised to; blank where what is recorded is none."""
    return member.patient.arm if member.patient.arm in config.arms_by_code else ""


def records_by_arm(cohort: Cohort, config: Config) -> Mapping[str, Sequence[str]]:
    """Label of every arm to the records randomised to it."""
    return {
        label: [m.patient.record for m in cohort.members if m.randomised and arm_of(m, config) == code]
        for code, label in allocated(cohort, config)
    }


def _arm(label: str, code: str, cohort: Cohort, config: Config) -> Line:
    here = cohort.where(lambda m: m.randomised and arm_of(m, config) == code)
    done = Counter(state for m in here.members for state in m.patient.states)
    delivered = (done[state] for state in _delivered(config))
    return Line((label, here.randomised, *here.states.values(), *delivered))


def _delivered(config: Config) -> Mapping[str, str]:
    """The states of treatment this trial has, with the headings of their columns."""
    titles = {"procedure_done": "Procedure done", "arm_changed": "Arm changed"}
    return {state: title for state, title in titles.items() if state in config.states.known}
