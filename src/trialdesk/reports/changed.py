"""The sheet Changes: what happened of late and what is other than before; of treatments nothing, not even that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from trialdesk.facts.cohort import Member
from trialdesk.facts.deriving import Facts
from trialdesk.instruments.treatment import DELIVERY
from trialdesk.workbook import Column, Line, SheetTable, Tone

LATELY = timedelta(days=7)
_ALARMING = ("vanished", "no longer", "died")


def changes(facts: Facts) -> SheetTable:
    """Records that vanished or moved, what patients came to in the last week, and findings begun and over."""
    columns = (
        Column("What", width=24), Column("Record", width=14), Column("Site", width=8), Column("Detail", width=100),
    )  # fmt: skip
    about = (
        f"Records and the project: since the last run. Patients: what is dated in the {LATELY.days} days up to "
        f"{facts.cohort.as_of}. Findings: since the last issue."
    )
    sites = {patient.record: patient.site for patient in facts.patients}
    lines = tuple(_line(what, record, sites, detail) for what, record, detail in changed(facts))
    empty = "Nothing has changed."
    return SheetTable("Changes", "Changes", about, columns, lines, keys=2, empty=empty)


def changed(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """What changed, about which record ("" for the trial), and in which way; the gravest first."""
    yield from moved(facts)
    yield from sorted(row for member in facts.cohort.members for row in _lately(member, facts.cohort.as_of))
    begun = (one for one in facts.lives if one.change and not one.treatment and not one.finding.envelope)
    yield from ((f"finding {o.change}", o.finding.record, f"{o.finding.rule} {o.finding.text}") for o in begun)


def _lately(member: Member, as_of: date) -> Iterator[tuple[str, str, str]]:
    patient = member.patient
    dated = {"randomised": patient.opened_on, "died": patient.died_on, "screened": patient.screened_on}
    if member.state not in ("", "in follow-up", "died"):
        dated[member.state] = patient.left_on
    for what, when in dated.items():
        if when and as_of - LATELY < when <= as_of:
            yield what, patient.record, str(when)


def moved(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """What is other with records and the project than in the last run."""
    moves = facts.common.past.moves
    yield from (("vanished record", record, "") for record in moves.gone)
    yield from (("vanished in the pull", record, "") for record in facts.snapshot.vanished)
    for record, states in moves.lost.items():
        if told := sorted(state.replace("_", " ") for state in states - DELIVERY):
            yield "no longer", record, ", ".join(told)
    yield from (("renamed record", record, f"was {old}") for record, old in moves.renamed.items())
    yield from (("moved record", r, f"group {a or 'none'} to {b or 'none'}") for r, (a, b) in moves.moved.items())
    yield from (("new record", record, "") for record in moves.fresh)
    yield from (("project", "", f"its {part} is other than in the last run") for part in moves.structure)


def _line(what: str, record: str, sites: dict[str, str], detail: str) -> Line:
    tone: Tone = "alarm" if what.startswith(_ALARMING) else "plain"
    return Line((what, record, sites.get(record, ""), detail), tones={0: tone})
