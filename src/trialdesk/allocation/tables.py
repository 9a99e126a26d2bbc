"""The allocation table of one version: what the packer prints, and what is sealed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trialdesk.allocation.blocks import block_list, cut_batch
from trialdesk.allocation.cards import card_code, commitment
from trialdesk.allocation.numbering import envelope_id
from trialdesk.allocation.scheme import SCHEME, Scheme, list_key
from trialdesk.errors import TableError
from trialdesk.model import Card, Envelope, Pile

SCHEMA = 1


@dataclass(frozen=True, slots=True, order=True)
class Allocation:
    """One envelope (status `made`) and the card inside."""

    envelope: Envelope
    card: Card


@dataclass(frozen=True, slots=True)
class Table:
    """The envelopes made in one version, by pile and number; the master and the cards never show in `repr`."""

    version: int
    scheme: Scheme
    master: bytes = field(repr=False)
    allocations: tuple[Allocation, ...] = field(repr=False)

    @property
    def commitments(self) -> Mapping[str, str]:
        """Envelope id to commitment."""
        return {made.envelope.id: made.envelope.commitment for made in self.allocations}


def by_pile(tables: Sequence[Table]) -> dict[Pile, tuple[Allocation, ...]]:
    """Every pile ever made, its allocations in running order."""
    piles: dict[Pile, list[Allocation]] = defaultdict(list)
    for table in tables:
        for made in table.allocations:
            piles[made.envelope.pile].append(made)
    return {pile: tuple(sorted(piles[pile])) for pile in sorted(piles)}


def next_table(tables: Sequence[Table], scheme: Scheme, master: bytes, piles: Sequence[Pile], least: int) -> Table:
    """A table with the next batch of each of `piles`; the lists made so far go on unchanged.

    Args:
        tables: All versions made so far, oldest first.
        scheme: What decides the lists.
        master: The 32 secret bytes.
        piles: The piles to make a batch for.
        least: The configured size of a batch.

    Raises:
        TableError: Master or scheme are not those of the tables, the tables do not follow from them, or `piles`
            is empty.
    """
    differences = [line for table in tables[-1:] for line in _differences(table, scheme, master)]
    if differences:
        raise TableError("\n".join(differences))
    if not piles:
        raise TableError("nothing to make: every pile has its first batch; name the piles to resupply with --pile")
    made = by_pile(tables)
    new = (
        allocation
        for pile in sorted(set(piles))
        for allocation in _next_batch(scheme, master, pile, made.get(pile, ()), least)
    )
    return Table(len(tables) + 1, scheme, master, tuple(new))


def _next_batch(
    scheme: Scheme, master: bytes, pile: Pile, made: Sequence[Allocation], least: int
) -> Iterator[Allocation]:
    key = list_key(master, scheme.trial, scheme.domain, pile)
    blocks = block_list(scheme, key)
    # Drawn again from the start: what is sealed has to be what the scheme gives (reference/randomisation.md G7).
    if cut_batch(blocks, len(made)) != tuple(allocation.card.arm for allocation in made):
        raise TableError(f"{pile}: the sealed list is not the one its master gives; nothing is made")
    batch = 1 + max((allocation.envelope.batch for allocation in made), default=0)
    for number, arm in enumerate(cut_batch(blocks, least), start=len(made) + 1):
        name, code = envelope_id(pile, number), card_code(key, number)
        committed = commitment(scheme.trial, name, arm, code)
        yield Allocation(Envelope(pile, number, name, batch, "made", committed), Card(name, arm, code))


def _differences(table: Table, scheme: Scheme, master: bytes) -> Iterator[str]:
    then = table.scheme
    same = (
        ("master", table.master == master),
        ("trial id", then.trial == scheme.trial),
        ("domain (dev or prod)", then.domain == scheme.domain),
        ("arms, their order or ratio", then.arms == scheme.arms),
        ("block sizes, their order or weights", then.blocks == scheme.blocks),
    )
    for what, agrees in same:
        if not agrees:
            yield f"{what}: not what version {table.version} was made with; put it back, or use another tables folder"


def to_text(table: Table) -> str:
    """The table as canonical JSON: the same table gives the same text, byte for byte."""
    content = {
        "schema": SCHEMA,
        "scheme": SCHEME,
        "version": table.version,
        "trial": table.scheme.trial,
        "domain": table.scheme.domain,
        "arms": table.scheme.arms,
        "blocks": table.scheme.blocks,
        "master": table.master.hex(),
        "envelopes": [
            {
                "envelope": made.envelope.id,
                "site": made.envelope.pile.site,
                "stratum": made.envelope.pile.stratum,
                "number": made.envelope.number,
                "batch": made.envelope.batch,
                "arm": made.card.arm,
                "code": made.card.code,
                "commitment": made.envelope.commitment,
            }
            for made in table.allocations
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def from_text(text: str) -> Table:
    """The table of a canonical text.

    Raises:
        TableError: The text is not a table of this schema and scheme.
    """
    try:
        content = json.loads(text)
        if (content["schema"], content["scheme"]) != (SCHEMA, SCHEME):
            raise TableError(f"the sealed table is not of scheme {SCHEME}; use the release that made it")
        arms, blocks = tuple(map(tuple, content["arms"])), tuple(map(tuple, content["blocks"]))
        scheme = Scheme(content["trial"], content["domain"], arms, blocks)
        allocations = tuple(_allocation(row) for row in content["envelopes"])
        return Table(content["version"], scheme, bytes.fromhex(content["master"]), allocations)
    except (ValueError, KeyError, TypeError):
        # The text is secret: neither it nor the parser's message, which may quote it, is passed on.
        raise TableError("the sealed table opens but is damaged inside; restore it from the copy") from None


def _allocation(row: Mapping[str, str]) -> Allocation:
    pile, number, batch = Pile(row["site"], row["stratum"]), int(row["number"]), int(row["batch"])
    envelope = Envelope(pile, number, row["envelope"], batch, "made", row["commitment"])
    return Allocation(envelope, Card(row["envelope"], row["arm"], row["code"]))
