"""What the nightly run writes into REDCap: what it alone owns, and only where it differs.

Everything written is a function of the data and of which windows have ended, so a quiet night writes nothing and the
audit trail stays readable (reference/trial-operations.md 3.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from redcap_rules.record import Row
from trialdesk.config import CallPlan
from trialdesk.envelopes.register import write_use
from trialdesk.errors import WriteBackFailed
from trialdesk.facts.deriving import Facts
from trialdesk.followup.callplan import Renewal, difference, renewals
from trialdesk.followup.sources import read_fields
from trialdesk.model import Envelope
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.holding import held, tick_columns
from trialdesk.redcap.snapshot import Snapshot

_FEWEST, _SHARE = 10, 5  # the brake: more than ten plans and more than a fifth of the records


@dataclass(frozen=True, slots=True)
class Changes:
    """What would be written: envelopes that become `opened`, and call plans; `records` are those of the project."""

    opened: tuple[Envelope, ...]
    plans: tuple[Renewal, ...]
    records: int = 0

    def __str__(self) -> str:
        return _words(len(self.opened), len(self.plans))

    @property
    def braking(self) -> int:
        """How many call plans change for another reason than a patient's first plan or an ended window."""
        return sum(renewal.brakes for renewal in self.plans)

    @property
    def braked(self) -> bool:
        """Whether so many change at once that a person has to look first: more than max(10, 20 % of the records)."""
        return self.braking > _FEWEST and self.braking * _SHARE > self.records


def changes(facts: Facts) -> Changes:
    """The smallest set of changes that makes register and call plans agree with the records."""
    plans = renewals(facts.schedule, facts.snapshot, facts.config.call_plan)
    return Changes(facts.cards.opened, plans, len(facts.snapshot.records))


def write(wanted: Changes, facts: Facts, trial: Gateway, register: Gateway, accepted: int | None = None) -> str:
    """Register and call plans hold the changes, and were read back; says in words what was written.

    A record in which something the plan is made from has changed since the pull is left to the next run.

    Args:
        wanted: What is to be written.
        facts: What it was derived from.
        trial: The trial project.
        register: The envelope register.
        accepted: The number of call plans a person has accepted, where so many change that the brake holds them.

    Raises:
        WriteBackFailed: the brake holds the call plans and none was written, or a project does not hold what was
            written.
    """
    write_use(register, wanted.opened)
    if wanted.braked and accepted != wanted.braking:
        raise WriteBackFailed(_held_back(wanted, accepted))
    plan = facts.config.call_plan
    if plan is None or not wanted.plans:
        return str(wanted)
    left = _write_plans(wanted.plans, plan, facts, trial)
    more = f"; {left} left to the next run, their records changed meanwhile" if left else ""
    return _words(len(wanted.opened), len(wanted.plans) - left) + more


def _words(opened: int, plans: int) -> str:
    return f"{opened} envelope(s) marked opened, {plans} call plan(s) renewed"


def _held_back(wanted: Changes, accepted: int | None) -> str:
    other = f"{accepted} were accepted, and now it is another number. " if accepted is not None else ""
    return (
        f"{other}{wanted.braking} of {wanted.records} records would get another call plan at once, so none was "
        "written; look whether a date or the configuration was changed for all of them. If it is right: "
        f"--accept-writes {wanted.braking} --reason TEXT --by NAME"
    )


def _write_plans(plans: Sequence[Renewal], plan: CallPlan, facts: Facts, trial: Gateway) -> int:
    """Writes what differs from REDCap as it is now; returns how many records are left to the next run."""
    now = _read(facts, trial, [renewal.record for renewal in plans])
    causes = read_fields(facts.config) - {ref.field for _, ref in plan}
    different = {
        renewal.record: difference(renewal.values, now.view(renewal.record), plan)
        for renewal in plans
        if _cells(now, renewal.record, causes) == _cells(facts.snapshot, renewal.record, causes)
    }
    record_id, batch = facts.snapshot.dictionary.record_id, facts.config.redcap.batch
    writing = [record for record, values in different.items() if values]
    for start in range(0, len(writing), batch):
        part = writing[start : start + batch]
        trial.write(record_id, [row for record in part for row in _rows(record, different[record], plan)], clear=True)
    _read_back({record: different[record] for record in writing}, plan, facts, trial)
    return len(plans) - len(different)


def _read(facts: Facts, trial: Gateway, records: Sequence[str]) -> Snapshot:
    """The named records as REDCap holds them now, with all that a plan is made from."""
    snapshot = facts.snapshot
    export = trial.records(snapshot.dictionary.record_id, sorted(read_fields(facts.config)), records=records)
    rows: dict[str, list[Row]] = {}
    for row in export.rows:
        rows.setdefault(row.record, []).append(row)
    return replace(snapshot, rows={record: tuple(found) for record, found in rows.items()})


def _cells(snapshot: Snapshot, record: str, causes: frozenset[str]) -> frozenset[tuple[object, ...]]:
    """Every value of a record that its plan is made from, with its place."""
    ticks = tick_columns(snapshot.dictionary)
    return frozenset(
        (row.event, row.instrument, row.instance, column, row.values[column])
        for row in snapshot.rows.get(record, ())
        for column in held(row.values, ticks)
        if column.partition("___")[0] in causes
    )


def _rows(record: str, values: Mapping[str, str], plan: CallPlan) -> Iterator[Row]:
    events = {ref.field: ref.event for _, ref in plan}
    for event in dict.fromkeys(events[name] for name in values):
        own = {name: value for name, value in values.items() if events[name] == event}
        yield Row(record, event, "", 0, own)


def _read_back(written: Mapping[str, Mapping[str, str]], plan: CallPlan, facts: Facts, trial: Gateway) -> None:
    if not written:
        return
    held_now: dict[str, dict[str, str]] = {}
    fields = [ref.field for _, ref in plan]
    for row in trial.records(facts.snapshot.dictionary.record_id, fields, records=sorted(written)).rows:
        held_now.setdefault(row.record, {}).update(row.values)
    wrong = [
        record
        for record, values in written.items()
        if any(held_now.get(record, {}).get(name, "") != value for name, value in values.items())
    ]
    if wrong:
        raise WriteBackFailed(f"REDCap does not hold the call plan of {', '.join(wrong[:5])}; run again")
