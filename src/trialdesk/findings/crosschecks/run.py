"""All checks between and within records, as findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from trialdesk.config import Config
from trialdesk.findings.crosschecks import between, within
from trialdesk.findings.crosschecks.between import Hit
from trialdesk.findings.crosschecks.case import Case, Given
from trialdesk.followup.schedule import Schedule
from trialdesk.instruments.rules import RuleClass
from trialdesk.instruments.treatment import treatment_events
from trialdesk.model import Finding, Patient
from trialdesk.redcap.snapshot import Snapshot

# After reference/instruments.md 8; none names an arm or a card.
OWN: Mapping[str, RuleClass] = {
    "Q31": RuleClass("warning", "D02", open=True, wording="Possible double entry: the same person at the same site"),
    "Q40": RuleClass("warning", "D12", wording="Set of treated levels differs from the planned set"),
    "Q42": RuleClass("error", "", wording="Complication ticked but no adverse event in the log within 30 days"),
    "Q43": RuleClass("warning", "D10", open=True, wording="Key contact, or three in a row, not in time"),
    "Q47": RuleClass("warning", "", wording="Wish to change arm noted but the form for it is empty"),
    "Q48": RuleClass(
        "warning",
        "",
        open=True,
        wording="New event, treatment change or admission noted but no log entry since the previous contact",
    ),
    "Q57": RuleClass("warning", "D11", wording="Procedure long ago and the control after it is not done"),
    # Not open: beside a list without that event it says, by firing or not, that a death was the procedure's.
    "Q63": RuleClass("error", "", wording="Fatal event without an end-of-study death, or the reverse"),
    "Q64": RuleClass(
        "error", "", wording="Event judged related to the procedure but no procedure on or before its start"
    ),
    "Q66": RuleClass(
        "error", "", open=True, wording="Form dated after death, or after withdrawal from data collection"
    ),
}
"""How each rule is treated where a trial says nothing else, and what it says."""

CHECKS: tuple[Callable[[Sequence[Case], Given], Iterator[Hit]], ...] = (
    between.double,
    within.other_levels,
    within.unlogged_complication,
    within.untimely,
    within.unanswered_wish,
    within.unlogged,
    within.late_control,
    within.death,
    within.unfounded_relation,
    within.after_the_end,
)


def cross_findings(
    snapshot: Snapshot, patients: Iterable[Patient], schedule: Schedule, config: Config
) -> tuple[Finding, ...]:
    """What the checks find, sorted; the same for the same data and day. Nothing where the trial has no such checks.

    Args:
        snapshot: One pull of the trial project.
        patients: The patients of the same pull.
        schedule: How their contacts stand today.
        config: The trial; says which field means what.
    """
    if config.crosschecks is None:
        return ()
    telling = frozenset(rule.code for rule in config.contacts if config.tells_arm(rule))
    given = Given(config.crosschecks, schedule, telling, treatment_events(config))
    cases = [Case(patient, snapshot.view(patient.record), snapshot.tables) for patient in patients]
    return tuple(sorted({_finding(hit) for check in CHECKS for hit in check(cases, given)}))


def _finding(hit: Hit) -> Finding:
    who, text = hit.case.patient, OWN[hit.rule].wording + (f": {hit.detail}" if hit.detail else "")
    return Finding(hit.rule, who.site, who.record, hit.where, OWN[hit.rule].severity, text, evidence=text)
