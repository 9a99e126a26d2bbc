"""The sheet Exposure by arm: how long patients are followed, who was operated on and when, who changed arm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from trialdesk.config import Config
from trialdesk.facts.cohort import Member
from trialdesk.facts.deriving import Facts
from trialdesk.facts.tracks import tracks
from trialdesk.model import Patient
from trialdesk.reports.outcomes import DESCRIBED, described
from trialdesk.reports.recruitment import allocated, arm_of
from trialdesk.workbook import Column, Line, SheetTable

EARLY = "changed before the earliest day"
_DATES: Mapping[str, Callable[[Patient], date | None]] = {
    "procedure_done": lambda patient: patient.procedure_on,
    "arm_changed": lambda patient: patient.arm_change_on,
}
_WORDS = {"procedure_done": "Operated on", "arm_changed": "Changed arm"}


def exposure(facts: Facts) -> SheetTable:
    """By arm as randomised: days followed, and how many days after randomisation what treatment calls for took place.

    Follow-up runs from the randomisation to the data cut, or to death or the end of the study.
    """
    config, cohort = facts.config, facts.cohort
    columns = (
        Column("What", width=36), Column("Arm", width=30), Column("Randomised", "number", 13),
        Column("Patients", "number", 11), Column("Days in all", "number", 11), Column("With a day", "number", 11),
        *DESCRIBED,
    )  # fmt: skip
    arms = {
        label: [m for m in cohort.members if m.randomised and arm_of(m, config) == code]
        for code, label in allocated(cohort, config)
    }
    followed = {track.record: track.days for track in tracks(cohort, facts.schedule, config)}
    lines = [_line("Followed", arm, mine, mine, [followed[m.patient.record] for m in mine], whole=True)
             for arm, mine in arms.items()]  # fmt: skip
    for state, word in _WORDS.items():
        if state not in config.states.known:
            continue
        for arm, mine in arms.items():
            having = [m for m in mine if state in m.patient.states]
            lines.append(_line(word, arm, mine, having, _days(state, having)))
            if state == "procedure_done":
                without = [m for m in mine if state not in m.patient.states]
                lines.append(_line("Not operated on", arm, mine, without, []))
            else:
                early = [m for m in having if _early(m, config)]
                lines.append(_line(f"  {EARLY}", arm, mine, early, _days(state, early)))
    about = "As randomised. Days count from the randomisation (day 0); nothing is tested. Confidential."
    return SheetTable("Exposure by arm", "Exposure by arm", about, columns, tuple(lines), keys=2)


def _line(
    what: str, arm: str, mine: list[Member], having: list[Member], days: list[int], *, whole: bool = False
) -> Line:
    values = (what, arm, len(mine), len(having), sum(days) if whole else None, *described(days, 1))
    return Line(values, "plain" if having else "quiet")


def _days(state: str, having: list[Member]) -> list[int]:
    """Days from the randomisation to the state's date, of those who have a date."""
    pairs = ((_DATES[state](member.patient), member.patient.opened_on) for member in having)
    return [(on - opened).days for on, opened in pairs if on and opened]


def _early(member: Member, config: Config) -> bool:
    """Whether the arm was changed before the first day on which the protocol lets its patients."""
    patient, code = member.patient, arm_of(member, config)
    first = config.arms_by_code[code].may_change_from_day if code else None
    if first is None or patient.arm_change_on is None or patient.opened_on is None:
        return False
    return (patient.arm_change_on - patient.opened_on).days < first
