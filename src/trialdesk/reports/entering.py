"""The sheet Entry delay: how long after a contact its forms stand in REDCap."""

from __future__ import annotations

from collections.abc import Sequence

from trialdesk.facts.cohort import share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.entering import LATE, Entry, delays
from trialdesk.workbook import Column, Line, SheetTable


def entry_delay(facts: Facts, found: Sequence[Entry]) -> SheetTable:
    """Every form of every event with the days until a run saw it, in the order of the events.

    Args:
        facts: What was derived.
        found: Its entries.
    """
    columns = (
        Column("Event", width=28), Column("Form", width=40), Column("Forms", "number", 12),
        Column("Median, days", "number", 16), Column("90 %, days", "number", 16),
        Column(f"Over {LATE} days", "number", 16), Column("% over", "percent", 14),
    )  # fmt: skip
    by_place: dict[tuple[str, str], list[Entry]] = {}
    for one in found:
        by_place.setdefault((one.event, one.form), []).append(one)
    places = [
        (event, form)
        for event in facts.snapshot.events
        for form in facts.common.mapping.get(event, ())
        if (event, form) in by_place
    ]
    labels = facts.common.labels
    lines = [_line((labels.event(event), labels.form(form)), by_place[event, form]) for event, form in places]
    if found:
        lines.append(_line(("All", ""), found, strong=True))
    about = (
        "Days from the form's date, else its contact's or step's, to the first run that saw it. 90 %: of nine in ten."
    )
    empty = (
        "No form yet whose first day a run has seen: those that were there before the desk's memory began have none."
    )
    return SheetTable("Entry delay", "Entry delay", about, columns, tuple(lines), keys=2, empty=empty)


def _line(head: tuple[str, str], found: Sequence[Entry], *, strong: bool = False) -> Line:
    told = delays(found)
    values = (*head, told.forms, told.median, told.nine_of_ten, told.late, share(told.late, told.forms))
    return Line(values, "strong" if strong else "plain", {5: "warning"} if told.late else {})
