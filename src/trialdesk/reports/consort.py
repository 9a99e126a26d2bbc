"""The flow of participants after CONSORT 2025 (items 22a, 22b): drawn in cells, counted by time point, and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trialdesk.errors import OutputFailed
from trialdesk.facts.cohort import Cohort, share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import Figures
from trialdesk.facts.tracks import TimePoint, shared, time_points, tracks
from trialdesk.reports.flow import OUT_OF_ORDER, STEP_BY_STEP, flow, unbalanced
from trialdesk.reports.flow import Box as Part
from trialdesk.reports.recruitment import participant_flow, records_by_arm
from trialdesk.workbook import Block, Box, Column, Line, SheetTable, Tone

CHECKS = "Checks"
_COLUMNS, _WIDE = 12, 12
_MAIN, _SIDE, _SIDE_AT = 5, 6, 6


def drawing(cohort: Cohort, whole: Figures) -> SheetTable:
    """The boxes from the record to the end of the trial on one page, those who stopped beside; zeros in one grey line.

    Raises:
        OutputFailed: a box is not the sum of what is below it.
    """
    parts = flow(cohort)
    if wrong := unbalanced(parts):
        raise OutputFailed(f"flow: {wrong[0]} is not the sum of what is below it; please report this line")
    columns = tuple(Column(f"{number}", width=_WIDE) for number in range(_COLUMNS))
    about = "Everybody who left recruitment stands beside the step reached last, by reason. Arms are pooled."
    return SheetTable("Flow drawing", "Flow of participants", about, columns, (), boxes=tuple(_boxes(parts, whole)))


def follow_up(cohort: Cohort, whole: Figures) -> tuple[SheetTable, SheetTable]:
    """The boxes as a table; and follow-up by time point, with what has to add up below it."""
    columns = (Column("What has to be equal", width=44), Column("Result", width=12))
    checks = Block(CHECKS, columns, tuple(_checks(cohort, whole)))
    about = "Arms are pooled; contacts after a procedure are left out. Every randomised patient is counted once a row."
    empty = "The trial has no contacts."
    lines = tuple(map(_time, whole.points))
    by_time = SheetTable(
        "Follow-up", "Follow-up by time point", about, _time_columns(), lines, empty=empty, more=(checks,)
    )
    return participant_flow(cohort), by_time


def _boxes(parts: Sequence[Part], whole: Figures) -> Iterator[Box]:
    row = 0
    main = [part for part in parts if not part.leaf]
    for number, part in enumerate(main):
        beside = tuple(_lines([leaf for leaf in parts if leaf.parent == part.name and _stands_beside(leaf)]))
        if number:
            yield Box(row, 2, 1, 1, (("↓", "plain"),), arrow=True)
            row += 1
        yield Box(row, 0, 2, _MAIN, ((part.name, "strong"), (f"n = {part.n}", "plain")))
        yield Box(row, _SIDE_AT, len(beside), _SIDE, beside)
        yield Box(row, _MAIN, 1, 1, (("→", "plain"),), arrow=True)
        row += max(2, len(beside))
    told = tuple(_point(point) for point in whole.points if point.rule.key or point.rule.primary)
    if told:
        yield Box(row, 2, 1, 1, (("↓", "plain"),), arrow=True)
        yield Box(row + 1, 0, len(told) + 1, _COLUMNS, (("Follow-up at key contacts", "strong"), *told))


def by_arm(facts: Facts) -> SheetTable:
    """Every contact that all arms have, by arm as randomised; for the closed report alone."""
    contact, *numbers = _time_columns()
    columns = (
        replace(contact, width=20), Column("Arm", width=32),
        *(replace(column, width=max(len(column.title) + 2, 9)) for column in numbers),
    )  # fmt: skip
    tracked = {track.record: track for track in tracks(facts.cohort, facts.schedule, facts.config)}
    by_label = {
        arm: time_points([tracked[record] for record in own], facts.config)
        for arm, own in records_by_arm(facts.cohort, facts.config).items()
    }
    lines = tuple(
        _of_arm(points[number], arm) for number in range(len(shared(facts.config))) for arm, points in by_label.items()
    )
    about = "As randomised; who changed arm stays in the arm of the envelope. Confidential."
    return SheetTable("Follow-up by arm", "Follow-up by time point and arm", about, columns, lines, keys=2)


def _of_arm(point: TimePoint, arm: str) -> Line:
    label, *rest = (line := _time(point)).values
    tones = {number + 1: tone for number, tone in line.tones.items() if number}
    return Line((label, arm, *rest), line.tone, tones)


def _stands_beside(leaf: Part) -> bool:
    """Whether a part is drawn beside its step: who stopped there, and who was randomised though a step is missing."""
    return leaf.leaf and leaf.name != STEP_BY_STEP and not (leaf.name == OUT_OF_ORDER and not leaf.n)


def _lines(leaves: Sequence[Part]) -> Iterator[tuple[str, Tone]]:
    """A line for each part somebody is in, and one for all that are empty."""
    yield from ((f"{leaf.name}: n = {leaf.n}", "plain") for leaf in leaves if leaf.n)
    if none := [leaf.name for leaf in leaves if not leaf.n]:
        words = ", ".join([none[0], *(f"{name[0].lower()}{name[1:]}" for name in none[1:])])
        yield f"{words}: n = 0", "quiet"


def _point(point: TimePoint) -> tuple[str, Tone]:
    counts = point.counts
    gone = counts["died"] + counts["withdrawn"] + counts["lost"] + counts["ended"]
    coming = counts["not due"] + counts["open"] + counts["late, open"]
    text = (
        f"{point.rule.label}: made {point.done} of {point.expected} expected ({counts['in window']} in window), "
        f"missed {counts['missed']}, not yet {coming}, ended before {gone}"
    )
    return text, "plain" if point.expected else "quiet"


def _time_columns() -> tuple[Column, ...]:
    titles = ("Randomised", "Expected", "Made", "In window", "Missed", "Open", "Not due", "Died", "Withdrawn", "Lost",
              "Completed")  # fmt: skip
    return (Column("Contact", width=44), *(Column(title, "number", 11) for title in titles),
            Column("In window %", "percent", 9))  # fmt: skip


def _time(point: TimePoint) -> Line:
    n = point.counts
    values = (
        point.rule.label, point.randomised, point.expected, point.done, n["in window"], n["missed"],
        n["open"] + n["late, open"], n["not due"], n["died"], n["withdrawn"], n["lost"], n["ended"],
        share(n["in window"], point.expected),
    )  # fmt: skip
    return Line(
        values,
        "strong" if point.rule.primary else "plain",
        {number: "quiet" for number, value in enumerate(values) if value == 0},
    )


def _checks(cohort: Cohort, whole: Figures) -> Iterator[Line]:
    """Everything that has to add up, with what it came to; a wrong one stops the report before it is written."""
    parts = flow(cohort)
    yield _check("Every box of the flow is the sum of the boxes below it", holds=not unbalanced(parts))
    for point in whole.points:
        fits = sum(point.counts.values()) == point.randomised == cohort.randomised
        if not fits:
            raise OutputFailed(f"flow: {point.rule.label} does not add up to the patients; please report this line")
    yield _check("Every contact: expected, open, not due and ended are the randomised", holds=True)
    yield _check("Randomised here are the opened envelopes of all sites", holds=cohort.randomised == len(whole.tracks))


def _check(what: str, *, holds: bool) -> Line:
    return Line((what, "yes" if holds else "NO"), tones={1: "good" if holds else "alarm"})
