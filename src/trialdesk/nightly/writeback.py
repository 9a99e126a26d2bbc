"""What the nightly run writes into REDCap: what it alone owns, and only where it differs.

Everything written is a function of the data and never of the clock, so a quiet night writes nothing and the audit
trail stays readable (reference/trial-operations.md 3.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redcap_rules.record import Row
from trialdesk.config import CallPlan, FieldRef
from trialdesk.envelopes.register import write_use
from trialdesk.errors import WriteBackFailed
from trialdesk.facts.deriving import Facts
from trialdesk.followup.callplan import call_plan_values
from trialdesk.model import Envelope
from trialdesk.redcap.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Changes:
    """What would be written: envelopes that become `opened`, and call plans by record."""

    opened: tuple[Envelope, ...]
    plans: Mapping[str, Mapping[str, str]]

    def __str__(self) -> str:
        return f"{len(self.opened)} envelope(s) marked opened, {len(self.plans)} call plan(s) renewed"


def changes(facts: Facts) -> Changes:
    """The smallest set of changes that makes register and call plans agree with the records."""
    fields, plans = facts.config.call_plan, {}
    for record, values in call_plan_values(facts.schedule, fields).items():
        view = facts.snapshot.view(record)
        different = {
            ref.field: values[ref.field]
            for ref in _fields(fields)
            if view.value(ref.field, ref.event) != values[ref.field]
        }
        if different:
            plans[record] = different
    return Changes(facts.cards.opened, plans)


def write(wanted: Changes, facts: Facts, trial: Gateway, register: Gateway) -> None:
    """Register and call plans hold the changes; both were read back.

    Raises:
        WriteBackFailed: a project does not hold what was written.
    """
    write_use(register, wanted.opened)
    _write_plans(wanted.plans, facts, trial)


def _write_plans(plans: Mapping[str, Mapping[str, str]], facts: Facts, trial: Gateway) -> None:
    if not plans:
        return
    record_id, fields = facts.snapshot.dictionary.record_id, _fields(facts.config.call_plan)
    events = {ref.field: ref.event for ref in fields}
    rows = [
        Row(record, event, "", 0, {name: value for name, value in values.items() if events[name] == event})
        for record, values in plans.items()
        for event in dict.fromkeys(events[name] for name in values)
    ]
    trial.write(record_id, rows, clear=True)
    held: dict[str, dict[str, str]] = {}
    for row in trial.records(record_id, [ref.field for ref in fields], records=sorted(plans)).rows:
        held.setdefault(row.record, {}).update(row.values)
    wrong = [
        record
        for record, values in plans.items()
        if any(held.get(record, {}).get(name, "") != value for name, value in values.items())
    ]
    if wrong:
        raise WriteBackFailed(f"REDCap does not hold the call plan of {', '.join(wrong[:5])}; run again")


def _fields(plan: CallPlan | None) -> tuple[FieldRef, ...]:
    return tuple(reference for _, reference in plan or ())
