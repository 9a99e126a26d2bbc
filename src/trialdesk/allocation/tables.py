"""The allocation table of one version: what the packer prints, and what is sealed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from trialdesk.allocation.blocks import block_list
from trialdesk.allocation.cards import card_code, commitment
from trialdesk.allocation.codes import Codes, as_told, changed, codes_from
from trialdesk.allocation.numbering import envelope_id
from trialdesk.allocation.parcels import PARCEL, cut, parcel_key, parcel_name
from trialdesk.allocation.scheme import SCHEME, Scheme, list_key
from trialdesk.errors import TableError
from trialdesk.model import Card, Envelope, Pile

SCHEMA = 2
WHOLE_BLOCKS = "whole blocks"
"""How versions of schema 1 were cut."""


@dataclass(frozen=True, slots=True, order=True)
class Allocation:
    """One envelope (status `made`) and the card inside."""

    envelope: Envelope
    card: Card


@dataclass(frozen=True, slots=True)
class Table:
    """The envelopes made in one version, by pile and number; the master and the cards never show in `repr`.

    `batch` and `rule` say how its parcels were cut, `codes` what the codes mean, `made` the day it was made, ISO; a
    version of schema 1 holds none of them.
    """

    version: int
    scheme: Scheme
    master: bytes = field(repr=False)
    allocations: tuple[Allocation, ...] = field(repr=False)
    batch: int = 0
    rule: str = WHOLE_BLOCKS
    codes: Codes | None = None
    made: str = ""

    @property
    def schema(self) -> int:
        """Of which kind the version is; 1 is read for ever."""
        return SCHEMA if self.codes is not None else 1

    @property
    def parcels(self) -> Mapping[str, tuple[Allocation, ...]]:
        """The parcels of the version, one for each site."""
        sites: dict[str, list[Allocation]] = defaultdict(list)
        for made in self.allocations:
            sites[made.envelope.pile.site].append(made)
        return {parcel_name(site, self.version): tuple(made) for site, made in sorted(sites.items())}

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


@dataclass(frozen=True, slots=True)
class Order:
    """What a version is to be made of: the piles, the size of a batch, the meaning of the codes, and the day, ISO."""

    piles: tuple[Pile, ...]
    batch: int
    codes: Codes
    day: str


def next_table(tables: Sequence[Table], scheme: Scheme, master: bytes, order: Order) -> Table:
    """A table with the next batch of each of the piles, a parcel for each site; the lists made so far go on unchanged.

    Args:
        tables: All versions made so far, oldest first.
        scheme: What decides the lists.
        master: The 32 secret bytes.
        order: What to make.

    Raises:
        TableError: Master, scheme or codes are not those of the tables, the tables do not follow from them, or there
            is no pile to make.
    """
    frozen = frozen_codes(tables)
    differences = [line for table in tables[-1:] for line in _differences(table, scheme, master)]
    differences += (
        [f"{line}; put it back, or use another tables folder" for line in changed(frozen, order.codes)]
        if (frozen)
        else []
    )
    if differences:
        raise TableError("\n".join(differences))
    if not order.piles:
        raise TableError("nothing to make: every pile has its first batch; name the piles to resupply with --pile")
    made, version = by_pile(tables), len(tables) + 1
    sites: dict[str, list[Pile]] = defaultdict(list)
    for pile in sorted(set(order.piles)):
        sites[pile.site].append(pile)
    new: list[Allocation] = []
    for site, piles in sites.items():
        ahead = {pile: _ahead(scheme, master, pile, made.get(pile, ()), order.batch + 1) for pile in piles}
        key = parcel_key(master, scheme, site, version)
        sizes = cut(key, scheme, order.batch, {pile.stratum: arms for pile, arms in ahead.items()})
        for pile in piles:
            batch = _batch(scheme, master, pile, made.get(pile, ()), ahead[pile][: sizes[pile.stratum]])
            new.extend(batch)
    return Table(version, scheme, master, tuple(new), order.batch, PARCEL, order.codes, order.day)


def made_again(table: Table, earlier: Mapping[Pile, Sequence[Allocation]], sizes: Mapping[Pile, int]) -> Table:
    """The table with its allocations drawn again from its master.

    Args:
        table: The version.
        earlier: What older versions made of its piles.
        sizes: How many envelopes of each pile it made.

    Raises:
        TableError: the older versions do not follow from the master.
    """
    scheme, master = table.scheme, table.master
    drawn = (
        made
        for pile in sorted(sizes)
        for made in _batch(
            scheme, master, pile, earlier[pile], _ahead(scheme, master, pile, earlier[pile], sizes[pile])
        )
    )
    return replace(table, allocations=tuple(drawn))


def frozen_codes(tables: Sequence[Table]) -> Codes | None:
    """The codes as the first version that holds them froze them; None while no version does."""
    return next((table.codes for table in tables if table.codes is not None), None)


def _ahead(scheme: Scheme, master: bytes, pile: Pile, made: Sequence[Allocation], number: int) -> tuple[str, ...]:
    """The next arms of a list, after those that were made.

    Drawn again from the start: what is sealed has to be what the scheme gives (reference/randomisation.md G7). The
    lists are compared number by number: versions end where blocks end, or in the middle of one.
    """
    arms = chain.from_iterable(block_list(scheme, list_key(master, scheme.trial, scheme.domain, pile)))
    if tuple(islice(arms, len(made))) != tuple(allocation.card.arm for allocation in made):
        raise TableError(f"{pile}: the sealed list is not the one its master gives; nothing is made")
    return tuple(islice(arms, number))


def _batch(
    scheme: Scheme, master: bytes, pile: Pile, made: Sequence[Allocation], arms: Sequence[str]
) -> Iterator[Allocation]:
    key = list_key(master, scheme.trial, scheme.domain, pile)
    batch = 1 + max((allocation.envelope.batch for allocation in made), default=0)
    for number, arm in enumerate(arms, start=len(made) + 1):
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
    content: dict[str, Any] = {
        "schema": table.schema,
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
    if table.codes is not None:
        content |= {"size_of_batch": table.batch, "rule": table.rule, "codes": as_told(table.codes)}
        content["made"] = table.made
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def from_text(text: str) -> Table:
    """The table of a canonical text.

    Raises:
        TableError: The text is not a table of this schema and scheme.
    """
    try:
        content = json.loads(text)
        if content["schema"] not in (1, SCHEMA) or content["scheme"] != SCHEME:
            raise TableError(f"the sealed table is not of scheme {SCHEME}; use the release that made it")
        arms, blocks = tuple(map(tuple, content["arms"])), tuple(map(tuple, content["blocks"]))
        scheme = Scheme(content["trial"], content["domain"], arms, blocks)
        allocations = tuple(_allocation(row) for row in content["envelopes"])
        table = Table(content["version"], scheme, bytes.fromhex(content["master"]), allocations)
        if content["schema"] == 1:
            return table
        codes = codes_from(content["codes"])
        batch, rule, day = int(content["size_of_batch"]), str(content["rule"]), str(content["made"])
        return replace(table, batch=batch, rule=rule, codes=codes, made=day)
    except (ValueError, KeyError, TypeError):
        # The text is secret: neither it nor the parser's message, which may quote it, is passed on.
        raise TableError("the sealed table opens but is damaged inside; restore it from the copy") from None


def _allocation(row: Mapping[str, str]) -> Allocation:
    pile, number, batch = Pile(row["site"], row["stratum"]), int(row["number"]), int(row["batch"])
    envelope = Envelope(pile, number, row["envelope"], batch, "made", row["commitment"])
    return Allocation(envelope, Card(row["envelope"], row["arm"], row["code"]))
