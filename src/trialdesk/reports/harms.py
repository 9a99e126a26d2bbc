"""The sheet Events by arm: adverse events of every category, those of one arm too; for the closed report alone."""

from __future__ import annotations

from collections.abc import Iterable

from trialdesk.facts.cohort import share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.logged import Event, Reader, categories, events
from trialdesk.instruments.treatment import Telling
from trialdesk.reports.recruitment import allocated, arm_of
from trialdesk.workbook import Column, Line, SheetTable

_WITHOUT = "Without a category"


def harms(facts: Facts, telling: Telling) -> SheetTable:
    """Patients with an event, events and serious ones by category and arm as randomised.

    Events that tell an arm are left out, also of the sums, and with them those that nobody has given a category.
    """
    config, common, cohort = facts.config, facts.common, facts.cohort
    columns = (
        Column("Category", width=44), Column("Arm", width=30), Column("Randomised", "number", 13),
        Column("Patients", "number", 13), Column("% of patients", "percent", 13), Column("Events", "number", 13),
        Column("Serious", "number", 13),
    )  # fmt: skip
    cut = common.as_of if common.as_of < common.day else None
    randomised = cohort.where(lambda member: member.randomised)
    found = events(randomised, Reader(facts.snapshot, telling, cut), config)
    whole = telling == Telling()
    log = found.every if whole else found.listed
    arm = {member.patient.record: arm_of(member, config) for member in randomised.members}
    lines: list[Line] = []
    names = categories(config, facts.snapshot.dictionary, telling).get("events", ())
    for name in (*names, *([""] if whole else []), None):
        for code, label in allocated(cohort, config):
            mine = [one for one in log if arm[one.record] == code and name in (one.category, None)]
            head = "All events" if name is None else name or _WITHOUT
            lines.append(_line((head, label), sum(own == code for own in arm.values()), mine, strong=name is None))
    about = (
        "Patients randomised, in the arm of the envelope, whatever was changed later; nothing is tested. Confidential."
        + ("" if whole else " Without events of a category that only one arm can have, or of none.")
    )
    return SheetTable("Events by arm", "Adverse events by arm", about, columns, tuple(lines), keys=2)


def _line(head: tuple[str, str], randomised: int, found: Iterable[Event], *, strong: bool) -> Line:
    listed = tuple(found)
    patients = len({one.record for one in listed})
    values = (
        *head, randomised, patients, share(patients, randomised), len(listed), sum(one.serious for one in listed),
    )  # fmt: skip
    return Line(values, "strong" if strong else "plain" if listed else "quiet")
