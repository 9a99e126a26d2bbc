"""The sheets read first and last: Contents, Key figures, Definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice

from trialdesk import VERSION
from trialdesk.facts.cohort import share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import LONG_PENDING, OLD, Figures, in_window
from trialdesk.instruments.change import digest_of
from trialdesk.memory.values import Issued
from trialdesk.reports import listings
from trialdesk.reports.accrual import needed, project, recent
from trialdesk.reports.changed import changed
from trialdesk.reports.profiles import Profile
from trialdesk.workbook import Block, Column, Line, Link, SheetTable, Tone

MADE_FROM, NEWS = "What it was made from", "The most important changes"
_MOST_NEWS = 5
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(?![0-9-])")
_QUIET = timedelta(days=60)
# Beside each word a symbol, so that nobody has to see the colour.
_SIGNS: dict[str, tuple[str, Tone]] = {
    "good": ("● as planned", "good"), "look": ("▲ look at it", "warning"), "act": ("■ act", "alarm"), "": ("", "plain"),
}  # fmt: skip


def contents(facts: Facts, sheets: Sequence[SheetTable]) -> SheetTable:
    """The sheets with what each answers, what has changed most, and what the report was made from."""
    lacking = "; ".join(_lacking(facts))
    status = f"PARTIAL: {lacking}" if lacking else "COMPLETE"
    trial = facts.config.trial
    columns = (Column("Sheet", width=30), Column("What it answers", width=120))
    lines = tuple(Line((Link(sheet.name, f"#{sheet.name}"), _ANSWERS.get(sheet.name, sheet.title))) for sheet in sheets)
    news = [Line((what, f"{record} {detail}".strip())) for what, record, detail in islice(changed(facts), _MOST_NEWS)]
    more = (
        Block(NEWS, (Column("Change", width=30), Column("Detail", width=120)), tuple(news), "Nothing has changed."),
        Block(MADE_FROM, (Column("Term", width=30), Column("Value", width=120)), tuple(_made_from(facts, status))),
    )
    title = f"{trial.id}: enrolment report for the monitor, data as of {facts.cohort.as_of}"
    return SheetTable(
        "Contents",
        title,
        f"{status}. {facts.cohort.randomised} of {trial.target} randomised. {trial.title}.",
        columns,
        lines,
        more=more,
    )


def _lacking(facts: Facts) -> Iterator[str]:
    """What is missing of a whole report."""
    if facts.found is None:
        yield "an earlier data cut, so without findings and completeness"
    if facts.missing:
        yield f"{len(facts.missing)} envelope(s) are missing from the register's answer"
    if facts.snapshot.vanished:
        yield f"{len(facts.snapshot.vanished)} record(s) vanished while REDCap was read"


def _made_from(facts: Facts, status: str) -> Iterator[Line]:
    common = facts.common
    held = common.cards.held
    told: tuple[tuple[str, str], ...] = (
        ("Report", f"{status}; {_numbered(facts)}; the run is named at the foot of every page, if it is of one"),
        ("Data as of", f"{facts.cohort.as_of}, read from REDCap on {common.day}"),
        ("Records", f"{listings.records(facts.cohort)}; {facts.cohort.later} began after the data cut"),
        ("Program", f"trialdesk {VERSION}"),
        ("Configuration", f"digest {facts.config.digest[:12]}"),
        (
            "Dictionary",
            f"{len(facts.snapshot.dictionary.fields)} fields, digest {_dictionary(facts)}; "
            f"{len(common.rules.rules)} rules of the instruments",
        ),
        ("Envelope register", f"held against {held.filed} filed manifest(s)" if held.filed else "no manifest is filed"),
    )  # fmt: skip
    yield from (Line(pair, tones={0: "strong"}) for pair in told)


def _numbered(facts: Facts) -> str:
    issued = facts.common.past.remembered.issued
    return f"not issued; the last one is {issued[-1].number} of {issued[-1].on}" if issued else "none is issued yet"


def _dictionary(facts: Facts) -> str:
    return digest_of("\n".join(map(repr, facts.snapshot.dictionary.fields)))


def key_figures(facts: Facts, whole: Figures) -> SheetTable:
    """One printed page of what a monitor is asked about, each with a word and a symbol where it can be judged."""
    issued = facts.common.past.remembered.issued
    last = issued[-1] if issued else None
    columns = (
        Column("Id", width=7), Column("Figure", width=44), Column("Value", width=38), Column("Last issued", width=26),
        Column("Change", width=10), Column("Judgement", width=14), Column("How", width=36),
    )  # fmt: skip
    lines = tuple(_figure(last, *row) for row in _figures(facts, whole))
    issue = f"Last issued: report {last.number} of {last.on}. " if last else "No report is issued yet. "
    about = f"{issue}The sheet Definitions explains every figure; enrolment_report.py explain ID lists its records."
    return SheetTable("Key figures", f"Key figures by {facts.cohort.as_of}", about, columns, lines, least_height=22)


def _figure(last: Issued | None, name: str, words: str, value: str, sign: str = "", how: str = "") -> Line:
    judged, tone = _SIGNS[sign]
    before = last.figures.get(name) if last else None
    values = (name, words, value, before, _change(value, before), judged or None, how or None)
    return Line(values, tones={1: "strong", 5: tone})


def _change(value: str, before: str | None) -> str | None:
    """How the number a value begins with has moved since it was issued; None where one of them begins with none."""
    now, then = (_NUMBER.match(text or "") for text in (value, before))
    if now is None or then is None:
        return None
    moved = round(float(now[0]) - float(then[0]), 2)
    return f"{moved:+g}" if moved else "same"


def _figures(facts: Facts, whole: Figures) -> Iterator[tuple[str, ...]]:
    yield from _recruitment(facts, whole)
    yield from _conduct(whole)
    yield from _safety(whole)
    yield from _envelopes(facts)


def _recruitment(facts: Facts, whole: Figures) -> Iterator[tuple[str, ...]]:
    config, cohort = facts.config, facts.cohort
    target, n = config.trial.target, cohort.randomised
    yield "F-01", "Screened", f"{cohort.reached(0)}"
    yield "F-02", "Randomised of target", _of(n, target)
    yield from _outlook(facts)
    late = len(whole.pending)
    yield (
        "F-03",
        f"Pending over {LONG_PENDING} days",
        f"{late}",
        "look" if late else "good",
        "screened, and nothing since",
    )
    opened = [site for site in config.sites if site.opens <= cohort.as_of]
    quiet = [s.code for s in opened if s.opens <= cohort.as_of - _QUIET and not recent(cohort.at(s.code).opened_on,
             cohort.as_of, _QUIET.days)]  # fmt: skip
    told = f"{len(quiet)} of {len(opened)}{': ' + ', '.join(quiet) if quiet else ''}"
    yield "F-04", f"Sites without a new patient for {_QUIET.days} days", told, "look" if quiet else "good"


def _outlook(facts: Facts) -> Iterator[tuple[str, ...]]:
    config, cohort = facts.config, facts.cohort
    trial, as_of = config.trial, cohort.as_of
    rate = recent(cohort.opened_on, as_of, 91) / 3
    yield "F-05", "Randomised in the last 91 days", f"{recent(cohort.opened_on, as_of, 91)} ({rate:.1f} a month)"
    wanted = needed(trial, cohort.randomised, as_of)
    if wanted is not None:
        sign = "good" if rate >= wanted else "look"
        yield "F-06", "Needed a month from now on", f"{wanted:.1f}", sign, f"to reach the target by {trial.ends}"
    if cohort.randomised >= trial.target:
        yield "F-07", "Target reached", f"{cohort.opened_on[trial.target - 1]}", "good"
        return
    outlook = project(cohort.randomised, config.sites, trial, as_of)
    if outlook is None:
        yield (
            "F-07",
            "Target reached, median and 80 % interval",
            "too early to say",
            "",
            "needs 5 patients and 3 months",
        )
        return
    early, median, late = (f"{day:%Y-%m}" if day else "never" for day in (outlook.early, outlook.median, outlook.late))
    yield "F-07", "Target reached, median and 80 % interval", f"{median} ({early} to {late})"
    sign = "good" if outlook.on_time >= 0.8 else "look" if outlook.on_time >= 0.2 else "act"
    yield "F-08", "Chance of reaching it in time", f"{100 * outlook.on_time:.0f} %", sign, f"by {trial.ends}"


def _conduct(whole: Figures) -> Iterator[tuple[str, ...]]:
    part = in_window(whole)
    sign = "" if part is None else "good" if part >= 0.9 else "look" if part >= 0.8 else "act"
    yield (
        "F-09",
        "Contacts made in their window",
        _of(whole.in_window, whole.expected),
        sign,
        "of those made or missed by now",
    )
    part = share(whole.primary_complete, whole.primary_expected)
    sign = "" if part is None else "good" if part >= 0.95 else "look" if part >= 0.9 else "act"
    yield "F-10", "Primary outcome complete", _of(whole.primary_complete, whole.primary_expected), sign
    old = sum(one.days > OLD for one in whole.open)
    yield "F-11", "Open findings", f"{len(whole.open)}, {sum(one.new for one in whole.open)} new"
    yield "F-12", f"Findings open over {OLD} days", f"{old}", "look" if old else "good"
    rate = whole.a_hundred_days(whole.deviating)
    told = f"{len(whole.automatic)} found by rules, {len(whole.deviations.listed)} reported"
    yield "F-13", "Deviations of the protocol", told, "", "" if rate is None else f"{rate:.2f} for 100 patient-days"
    if unlisted := whole.deviations.unlisted:
        yield "F-14", "Deviations related to treatment or without a code", f"{unlisted}", "", "not listed"


def _safety(whole: Figures) -> Iterator[tuple[str, ...]]:
    log = whole.events
    rate = whole.a_hundred_weeks(len(log.every))
    yield "F-15", "Adverse events", f"{len(log.every)}", "", "" if rate is None else f"{rate:.1f} for 100 patient-weeks"
    yield "F-16", "Serious adverse events", f"{log.serious}"
    yield "F-17", "Serious ones reported late or not yet", f"{log.overdue}", "act" if log.overdue else "good"
    deaths = [member for member in whole.cohort.everyone if member.patient.dead]
    yield "F-18", "Deaths", f"{len(deaths)}, {sum(member.randomised for member in deaths)} of them randomised"


def _envelopes(facts: Facts) -> Iterator[tuple[str, ...]]:
    register = facts.cards.register
    opened = sum(one.status == "opened" for one in register)
    wrong = len(facts.cards.findings)
    yield "F-19", "Envelopes opened", f"{opened} for {facts.cohort.randomised} randomised patients"
    yield "F-20", "Envelope discrepancies", f"{wrong}", "act" if wrong else "good"


def _of(part: int, whole: int) -> str:
    percent = share(part, whole)
    return f"{part} of {whole}" + ("" if percent is None else f" ({100 * percent:.0f} %)")


def definitions(facts: Facts, reader: Profile) -> tuple[SheetTable, SheetTable]:
    """What every number means; and every rule an open report may list."""
    table = listings.about(facts.cohort, facts.config, reader, facts.cards.told_by if facts.found is not None else None)
    columns = (
        Column("Rule", width=10), Column("What it finds", width=120), Column("Severity", width=12),
        Column("Deviation", width=12),
    )  # fmt: skip
    how = "Rules that say nothing of treatment; those that do are the coordinator's. Severity: an error must be solved."
    rules = SheetTable("Rules", "The rules behind findings", how, columns, tuple(_rules(facts)), empty="None.")
    terms = (*table.lines, *(Line(term, tones={0: "strong"}) for term in _TERMS))
    return SheetTable("Definitions", "Definitions", table.about, table.columns, terms), rules


def _rules(facts: Facts) -> Iterator[Line]:
    rules = facts.common.rules
    for rule in rules.rules:
        if not rule.treatment:
            kind = rules.class_of(rule.id)
            yield Line((rule.id, rule.text, kind.severity, kind.deviation))


_ANSWERS = {
    "Key figures": "Where does the trial stand? One page",
    "Accrual": "How many came, against the plan, and how many may come? Three charts",
    "Accrual numbers": "How many came each month at each site, and how far is every site from its target?",
    "Accrual curve": "What was planned, what came, and how many may come by the end of each month?",
    "Sites": "How do the sites compare in recruitment and conduct, and what is more than chance?",
    "Screening": "How far does recruitment come at each site, why not farther, and who waits?",
    "Patients": "One line a patient: last step, reason or state, dates",
    "Flow drawing": "The flow of participants (CONSORT 2025) on one page",
    "Flow": "The same as a table",
    "Follow-up": "Which contacts were expected, made, missed, not due, at each time point? What has to add up",
    "Contacts": "Which contacts were made in time, patient by patient?",
    "Contact totals": "How many contacts of each time point were made, and when? The letters in words",
    "Completeness": "Which forms are entered and complete, and where are they missing?",
    "Entry delay": "How long after a contact do its forms stand in REDCap?",
    "Deviations": "Which deviations do rules find and sites report?",
    "Deviations listed": "The same one by one",
    "Safety": "Which adverse events, and how often? Deaths",
    "Adverse events": "Every event that may be listed: were the serious ones reported in time?",
    "Envelopes": "What became of the envelopes of every site?",
    "Finding ages": "How long have findings been open, and which are the oldest?",
    "Findings": "What has to be corrected in REDCap: errors first",
    "Changes": "What is other than in the last run?",
    "Definitions": "What does every number mean?",
    "Rules": "Which rules make the findings?",
}
_TERMS = (
    ("In window", "a contact made from the first to the last day of its window, of those made or missed by now"),
    ("Open, overdue", "the window of the contact runs; it is over, the days of grace are not"),
    ("Primary outcome", "every form of the primary contact complete, of patients whose time for it is over"),
    ("Patient-days", "from the randomisation to death, end of study or the data cut"),
    ("Longest gap", "days without a contact, counted from the randomisation and up to the same end"),
    ("Flags", "the trial's figure lies outside the exact 95 % limits of the site's (Clopper–Pearson, Poisson); "
              "small n: under 3 patients or 30 patient-days"),
    ("Related to treatment", "events and deviations only one arm can have (treatment_values of the configuration), and "
                             "those without a category: one number for the whole trial"),
    ("Report in time", "serious event: days from awareness to the report to the sponsor, as configured"),
    ("Forecast", "number randomised by the end of each month: median, and low to high hold it with a chance of 80 %"),
    ("Entry delay", "days from the form's own date, else that of its contact or step of recruitment, to the first run "
                    "that saw the form; unknown of those that were there before the desk's memory began"),
    ("Run", "named at the foot of every printed page; the coordinator has its stages and times (run.json)"),
    ("Criteria not met", "of those who are not randomised; First: in the order of the configuration, the first one"),
)  # fmt: skip
