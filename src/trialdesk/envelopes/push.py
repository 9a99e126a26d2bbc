"""Tables to register: one record per envelope, added when missing, compared when there; the packer's job."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from redcap_rules.record import Row
from trialdesk.allocation.codes import changed, codes_of
from trialdesk.allocation.parcels import parcel_name
from trialdesk.allocation.tables import Allocation, Table, frozen_codes
from trialdesk.config import Config
from trialdesk.envelopes.register import ARM, CODE, MADE, NOTE, PROOF, RECORD_ID, STATUS
from trialdesk.envelopes.register import made as made_of
from trialdesk.errors import NotAllowed, TableError, WriteBackFailed
from trialdesk.model import EnvelopeStatus
from trialdesk.redcap.gateway import Gateway

_LATER = (*PROOF, ARM, CODE)
"""What an envelope of the register may lack, and is given then."""


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push would add, and which envelopes lack what an older register did not hold.

    `new` are rows to add, `fill` rows of proof facts for envelopes that are there, `present` how many are there.
    """

    new: tuple[Row, ...] = field(repr=False)
    fill: tuple[Row, ...] = field(repr=False)
    present: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.new or self.fill)

    def __str__(self) -> str:
        fill = f"; version, domain and parcel to fill in for {len(self.fill)}" if self.fill else ""
        return f"{len(self.new)} envelope(s) to add; {self.present} in the register already, all as in the tables{fill}"


def check_tables(config: Config, tables: Sequence[Table]) -> None:
    """The tables are those of this trial and domain, and its codes mean what they did.

    Raises:
        TableError: one line for what differs; nothing may be pushed, released or printed then.
    """
    now = codes_of(config)
    made = {(table.scheme.trial, table.scheme.domain) for table in tables}
    problems = [
        f"the tables are of {trial}, {domain}, and this is {now.trial}, {now.domain}"
        for trial, domain in sorted(made - {(now.trial, now.domain)})
    ]
    frozen = frozen_codes(tables)
    problems += changed(frozen, now) if frozen else ()
    if problems:
        raise TableError("\n".join(f"{line}; nothing was pushed" for line in problems))


def plan_push(tables: Sequence[Table], register: Gateway, *, cards: bool = True) -> PushPlan:
    """What is missing in the register; everything that is there was compared and agrees.

    Args:
        tables: Every version, opened and checked.
        register: The register, seen with the packer's token.
        cards: Whether the register is to hold arms and card codes; without, they are taken out of it.

    Raises:
        NotAllowed: the token is not the packer's.
        TableError: an envelope of the register is not in the tables, or differs from them; ids only, one line each.
    """
    known = register.dictionary()
    proof = tuple(name for name in PROOF if name in known)
    wanted = {
        made.envelope.id: _facts(table, made, proof, cards=cards) for table in tables for made in table.allocations
    }
    export = register.records(RECORD_ID, [*MADE, *proof, ARM, CODE])
    if export.rows and not {ARM, CODE} <= export.columns:
        raise NotAllowed(
            "this token can't see the form `allocation`: push with the packer's own, TRIALDESK_PACKER_TOKEN"
        )
    found = {row.record: row.values for row in export.rows}
    shown = {name: {k: v for k, v in values.items() if cards or k not in (ARM, CODE)} for name, values in found.items()}
    problems = list(_differences(wanted, shown))
    if problems:
        raise TableError("\n".join(problems))
    new = tuple(_row(name, {**wanted[name], STATUS: "made"}) for name in sorted(wanted.keys() - found.keys()))
    late = (*proof, *((ARM, CODE) if cards else ()))
    fill = []
    for name, held in sorted(found.items()):
        lacking = {one: wanted[name][one] for one in late if not held.get(one)}
        surplus = {} if cards else {one: "" for one in (ARM, CODE) if held.get(one)}
        fill += [_row(name, {**lacking, **surplus})] if lacking or surplus else []
    return PushPlan(new, tuple(fill), len(found))


@dataclass(frozen=True, slots=True)
class Restore:
    """A person's word that an envelope that was deleted in the register comes back, with which status, and why."""

    envelope: str
    status: EnvelopeStatus
    reason: str


def guarded(plan: PushPlan, deleted: Collection[str], restore: Restore | None = None) -> PushPlan:
    """The plan, if it adds nothing that was in the register before.

    An envelope that was deleted may have been used: added again as `made` it would be sent a second time.

    Args:
        plan: What a push would add.
        deleted: The envelopes that the register's log knows as deleted.
        restore: The one that comes back on a person's word.

    Raises:
        TableError: another one would come back; every one is named, with the way out.
    """
    back = [row.record for row in plan.new if row.record in deleted]
    word = restore.envelope if restore else ""
    others = [name for name in back if name != word]
    if others:
        raise TableError(
            f"register: {', '.join(others)} was deleted there and is not added again; find out what became of it, then "
            "--restore ID --status STATUS --reason TEXT"
        )
    if restore is None:
        return plan
    if word not in back:
        raise TableError(f"register: {word} was not deleted, so there is nothing to restore")
    more = {STATUS: restore.status, NOTE: f"restored: {restore.reason}"}
    new = (_row(row.record, {**row.values, **more}) if row.record == word else row for row in plan.new)
    return replace(plan, new=tuple(new))


def push(plan: PushPlan, tables: Sequence[Table], register: Gateway, *, cards: bool = True) -> None:
    """The register holds every envelope of the tables; those that were there are untouched but for what they lacked.

    Raises:
        WriteBackFailed: an envelope is not there afterwards.
        TableError: an envelope reads back differently.
    """
    register.write(RECORD_ID, [*plan.new, *plan.fill], clear=True)
    left = plan_push(tables, register, cards=cards)
    if not left.empty:
        raise WriteBackFailed(
            f"{len(left.new) + len(left.fill)} envelope(s) are not in the register as pushed; run it again"
        )


def _row(name: str, values: Mapping[str, str]) -> Row:
    return Row(name, "", "", 0, dict(values))


def _facts(table: Table, made: Allocation, proof: Sequence[str], *, cards: bool) -> dict[str, str]:
    """Everything the register holds of an envelope from the beginning."""
    told = {
        "env_version": str(table.version),
        "env_domain": table.scheme.domain,
        "env_parcel": parcel_name(made.envelope.pile.site, table.version),
    }
    card = {ARM: made.card.arm, CODE: made.card.code} if cards else {}
    return {**made_of(made.envelope), **{name: told[name] for name in proof}, **card}


def _differences(wanted: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for name in sorted(found):
        if name not in wanted:
            yield f"register: {name}: is not in the tables; nothing was pushed: check the tables folder and the token"
            continue
        facts, held = wanted[name], found[name]
        wrong = [one for one in facts if held.get(one, "") != facts[one] and not (one in _LATER and not held.get(one))]
        if wrong:
            yield f"register: {name}: {', '.join(wrong)} not as in the tables; nothing was pushed: ask who changed it"
