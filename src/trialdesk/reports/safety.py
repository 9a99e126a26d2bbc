"""The sheet Safety: adverse events as every arm can have them, the serious ones with their reports, and deaths."""

from __future__ import annotations

from collections.abc import Iterator

from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import Figures
from trialdesk.facts.logged import Event, categories
from trialdesk.workbook import Block, Column, Line, SheetTable, Tone

DEATHS = "Deaths"


def safety(facts: Facts, whole: Figures) -> tuple[SheetTable, SheetTable]:
    """Counts by category for 100 patient-weeks with the deaths; and events one by one: no free text, no relation."""
    log, weeks = whole.events, whole.days // 7
    columns = (
        Column("Category", width=80), Column("Events", "number", 16), Column("Serious", "number", 16),
        Column("Patients", "number", 16), Column("For 100 patient-weeks", "number", 24),
    )  # fmt: skip
    names = categories(facts.config, facts.snapshot.dictionary, facts.common.telling).get("events", ())
    lines = [_category(name, [one for one in log.listed if one.category == name], whole) for name in names]
    lines.append(
        Line(
            ("Related to treatment, or without a category", log.unlisted, None, None, _rate(whole, log.unlisted)),
            "quiet",
        )
    )
    lines.append(
        Line(("All events", len(log.every), log.serious, log.patients, _rate(whole, len(log.every))), "strong")
    )
    about = (
        f"{weeks} patient-weeks. {log.serious} serious, {log.overdue} of them reported late or not yet though due. "
        "Events that only one arm can have are counted together for the whole trial and not listed."
    )
    how = "Study day 0 is the randomisation. Days to report: from awareness to the report to the sponsor, or to now."
    listed = tuple(map(_event, log.listed))
    every = SheetTable("Adverse events", "Adverse events", how, _columns(), listed, keys=2, empty="No event is logged.")
    deaths = Block(
        DEATHS,
        (
            Column("Record", width=44),
            Column("Site", width=10),
            Column("Study day", "number", 10),
            Column("Randomised", width=14),
        ),
        tuple(_deaths(whole)),
        "Nobody has died.",
    )
    empty = "The configuration names no log of adverse events."
    return SheetTable("Safety", "Safety", about, columns, tuple(lines), empty=empty, more=(deaths,)), every


def _category(name: str, found: list[Event], whole: Figures) -> Line:
    serious, patients = sum(one.serious for one in found), len({one.record for one in found})
    values = (name, len(found), serious, patients, _rate(whole, len(found)))
    return Line(values, "plain" if found else "quiet")


def _rate(whole: Figures, count: int) -> float | None:
    rate = whole.a_hundred_weeks(count)
    return None if rate is None else round(rate, 2)


def _columns() -> tuple[Column, ...]:
    return (Column("Type", width=44), Column("Record", width=10), Column("Site", width=10),
            Column("Study day", "number", 10), Column("Grade", width=14), Column("Serious", width=9),
            Column("Outcome", width=24), Column("Days to report", "number", 10),
            Column("Report to sponsor", width=16))  # fmt: skip


def _event(one: Event) -> Line:
    late: Tone = "alarm" if one.report in ("late", "overdue") else "plain"
    values = (
        one.category, one.record, one.site, one.study_day, one.severity, "serious" if one.serious else None,
        one.outcome, one.delay, one.report,
    )  # fmt: skip
    return Line(values, tones={5: "strong", 8: late})


def _deaths(whole: Figures) -> Iterator[Line]:
    for member in whole.cohort.members:
        patient = member.patient
        if patient.dead:
            day = (patient.died_on - patient.opened_on).days if patient.died_on and patient.opened_on else None
            yield Line((patient.record, member.site, day, "yes" if member.randomised else "no"))
