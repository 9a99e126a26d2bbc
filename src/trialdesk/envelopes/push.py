"""Tables to register: one record per envelope, added when missing, compared when there; the packer's job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from redcap_rules.record import Row
from trialdesk.allocation.tables import Allocation, Table
from trialdesk.envelopes.register import ARM, CODE, MADE, RECORD_ID, STATUS, made
from trialdesk.errors import NotAllowed, TableError, WriteBackFailed
from trialdesk.redcap.gateway import Gateway


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push would add, and how many envelopes of the tables are in the register already and agree."""

    new: tuple[Allocation, ...] = field(repr=False)
    present: int

    def __str__(self) -> str:
        return f"{len(self.new)} envelope(s) to add; {self.present} in the register already, all as in the tables"


def plan_push(tables: Sequence[Table], register: Gateway) -> PushPlan:
    """What is missing in the register; everything that is there was compared and agrees.

    Args:
        tables: Every version, opened and checked.
        register: The register, seen with the packer's token.

    Raises:
        NotAllowed: the token is not the packer's.
        TableError: an envelope of the register is not in the tables, or differs from them; ids only, one line each.
    """
    wanted = {allocation.envelope.id: allocation for table in tables for allocation in table.allocations}
    export = register.records(RECORD_ID, [*MADE, ARM, CODE])
    if export.rows and not {ARM, CODE} <= export.columns:
        raise NotAllowed(
            "this token can't see the form `allocation`: push with the packer's own, TRIALDESK_PACKER_TOKEN"
        )
    found = {row.record: row.values for row in export.rows}
    problems = list(_differences(wanted, found))
    if problems:
        raise TableError("\n".join(problems))
    new = tuple(wanted[name] for name in sorted(wanted.keys() - found.keys()))
    return PushPlan(new, len(found))


def push(plan: PushPlan, tables: Sequence[Table], register: Gateway) -> None:
    """The register holds every envelope of the tables; those that were there are untouched.

    Raises:
        WriteBackFailed: an envelope is not there afterwards.
        TableError: an envelope reads back differently.
    """
    register.write(RECORD_ID, [_row(allocation) for allocation in plan.new])
    left = plan_push(tables, register).new
    if left:
        raise WriteBackFailed(f"{len(left)} envelope(s) are not in the register after the push; run it again")


def _row(allocation: Allocation) -> Row:
    return Row(allocation.envelope.id, "", "", 0, {**_facts(allocation), STATUS: "made"})


def _facts(allocation: Allocation) -> dict[str, str]:
    return {**made(allocation.envelope), ARM: allocation.card.arm, CODE: allocation.card.code}


def _differences(wanted: Mapping[str, Allocation], found: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for name in sorted(found):
        if name not in wanted:
            yield f"register: {name}: is not in the tables; nothing was pushed: check the tables folder and the token"
            continue
        facts = _facts(wanted[name])
        wrong = [column for column in facts if found[name].get(column, "") != facts[column]]
        if wrong:
            yield f"register: {name}: {', '.join(wrong)} not as in the tables; nothing was pushed: ask who changed it"
