"""What a run found, for people in a few lines and for machines as JSON with a schema version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from trialdesk.config import Config
from trialdesk.envelopes.stock import PileStock
from trialdesk.facts.deriving import Facts
from trialdesk.facts.todo import counts, tasks
from trialdesk.followup.schedule import Schedule
from trialdesk.model import Finding

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage: what it did in a sentence of counts, and how long it took."""

    stage: str
    note: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One run in numbers: no record, envelope or arm. `todo` counts tasks by kind, `new` those not told before.

    `findings` is severity to rule to number, `open_findings` the same without those of treatment: how many procedures
    were late is a number of one arm. The file for whoever watches the runs, and the monitor's mail, tell the latter.
    `lost` are the files that could not be made, each with the reason: the run is then partial.
    """

    run: str
    trial: str
    domain: str
    day: str
    data_as_of: str
    recruitment: Mapping[str, int]
    states: Mapping[str, int]
    target: int
    calls: Mapping[str, int]
    todo: Mapping[str, int]
    new: int
    envelopes_to_send: Sequence[str]
    envelopes_to_make: Sequence[str]
    findings: Mapping[str, Mapping[str, int]]
    open_findings: Mapping[str, Mapping[str, int]]
    to_write: str
    files: Mapping[str, str]
    lost: Mapping[str, str] = field(default_factory=dict)

    def as_json(self, stages: Sequence[StageResult]) -> dict[str, Any]:
        """The summary as it is stored in `summary.json`, with the stages done by then."""
        told = asdict(self)
        told["findings"] = told.pop("open_findings")
        return {"schema": SCHEMA, **told, "stages": [asdict(stage) for stage in stages]}

    def lines(self) -> list[str]:
        """What the coordinator reads, in a few lines."""
        randomised = self.recruitment.get("randomised", 0)
        found = {level: sum(rules.values()) for level, rules in self.findings.items()}
        return [
            f"{self.trial}, {self.day}{' · REHEARSAL' if self.domain == 'dev' else ''}",
            f"  patients   {randomised} of {self.target} randomised · " + _listed(self.recruitment),
            f"             now: {_listed(self.states)}",
            f"  to do      {sum(self.todo.values())} ({self.new} new): {_listed(self.todo)}",
            f"  calls      {_listed(self.calls)}",
            f"  envelopes  {len(self.envelopes_to_send)} pile(s) to send, {len(self.envelopes_to_make)} to make",
            f"  findings   {found.get('error', 0)} to correct, {found.get('warning', 0)} to look at",
            *(f"  PARTIAL    without {name}: {why}" for name, why in self.lost.items()),
        ]


def summarise(facts: Facts, run: str, now: datetime, to_write: str, files: Mapping[str, str]) -> Summary:
    """A run in numbers.

    Args:
        facts: What was derived.
        run: The name of the run.
        now: When the data were read.
        to_write: What is to be written back, in words.
        files: File name to the digest of its content.
    """
    config, whole, found = facts.config, facts.cohort, tasks(facts)
    return Summary(
        run=run,
        trial=config.trial.id,
        domain=config.envelopes.domain,
        day=facts.common.day.isoformat(),
        data_as_of=now.isoformat(timespec="seconds"),
        recruitment={step.code: whole.reached(number) for number, step in enumerate(whole.steps)},
        states={state: number for state, number in whole.states.items() if number},
        target=config.trial.target,
        calls=calls(facts.schedule, config),
        todo=counts(found),
        new=sum(task.new for task in found),
        envelopes_to_send=to_do(facts.cards.stock, "send"),
        envelopes_to_make=to_do(facts.cards.stock, "make"),
        findings=by_rule(facts.findings),
        open_findings=by_rule(facts.found.untold if facts.found else ()),
        to_write=to_write,
        files=files,
    )


def calls(schedule: Schedule, config: Config) -> dict[str, int]:
    """Calls promised or planned for the day, contacts whose day has passed but whose window has not, and missed ones.

    Missed are all there ever were, and those alone that patients of every arm have.
    """
    usual = [entry for entry in schedule.entries if not config.tells_arm(entry.contact.rule)]
    return {
        "today": sum(schedule.today in entry.calls for entry in schedule.entries),
        "overdue": sum(entry.status == "overdue" for entry in schedule.entries),
        "missed": sum(entry.status == "missed" for entry in usual),
    }


def to_do(stock: Sequence[PileStock], action: str) -> list[str]:
    """The piles for which this is to be done."""
    return [str(state.pile) for state in stock if state.action == action]


def by_rule(findings: Sequence[Finding]) -> dict[str, dict[str, int]]:
    """Severity to rule to number of findings; severities without a finding are left out."""
    counted = Counter((finding.severity, finding.rule) for finding in findings)
    table: dict[str, dict[str, int]] = {}
    for (severity, rule), number in sorted(counted.items()):
        table.setdefault(severity, {})[rule] = number
    return table


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items()) or "none"
