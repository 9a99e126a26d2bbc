"""What lies at the sites, and what has to be sent or made: whole parcels (reference/design.md 5 and 11)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from trialdesk.allocation.parcels import parcel_name
from trialdesk.config import Config
from trialdesk.model import Envelope, Pile

Level = Literal["OK", "LOW", "EMPTY"]
Action = Literal["", "on its way", "send", "make"]


FEWEST = 6
"""Piles of a parcel that the night proposes. Four are enough to divide one; six tell an insider less of each pile
(docs/validation/allocation.md)."""


@dataclass(frozen=True, slots=True)
class PileStock:
    """How a pile stands and what to do; `send` names its envelopes in the next parcel that is made or packed.

    `parcel` is the name of that parcel, which is sent as a whole, other piles' envelopes with it; "" where no filed
    manifest tells it. How many are left is not told: level and action are what the coordinator acts on
    (reference/randomisation.md 6, 3).
    """

    pile: Pile
    level: Level
    action: Action = ""
    send: tuple[str, ...] = field(default=())
    parcel: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A parcel that is to be made for a clinic: its piles, those in need first."""

    site: str
    piles: tuple[Pile, ...]

    def __str__(self) -> str:
        return " ".join(f"--pile {pile}" for pile in self.piles)


def stock(
    config: Config, envelopes: Sequence[Envelope], today: date, versions: Mapping[str, int] | None = None
) -> tuple[PileStock, ...]:
    """Every pile of the configuration, in configured order; sites that have closed are left out.

    A pile is EMPTY with no received envelope left, LOW with at most `reorder_at`, else OK. What is LOW or EMPTY is
    already on its way, or its next parcel is to be sent, or to be made when nothing is in stock.

    Args:
        config: The trial.
        envelopes: The whole register.
        today: Sites that closed before that day need none.
        versions: Envelope to the version that made it, from the filed manifests.
    """
    piles = _by_pile(envelopes)
    known = versions or {}
    return tuple(_state(pile, piles[pile], config.envelopes.reorder_at, known) for pile in _open(config, today))


def proposals(config: Config, envelopes: Sequence[Envelope], today: date) -> tuple[Proposal, ...]:
    """The parcels to make: for each clinic with a pile in need, at least six piles, or all the clinic has.

    Those at the reorder level come first, then those with fewest left. A pile that a parcel holds which is made,
    packed or dispatched is in no new one.
    """
    piles, states = _by_pile(envelopes), stock(config, envelopes, today)
    needy = {state.pile for state in states if state.action == "make"}
    found = []
    for site in dict.fromkeys(pile.site for pile in config.piles if pile in needy):
        own = [state.pile for state in states if state.pile.site == site and not _underway(piles[state.pile])]
        own.sort(key=lambda pile: (pile not in needy, sum(one.status == "received" for one in piles[pile])))
        enough = max(FEWEST, sum(pile in needy for pile in own))
        found.append(Proposal(site, tuple(own[:enough])))
    return tuple(found)


def _open(config: Config, today: date) -> Iterator[Pile]:
    closed = {site.code for site in config.sites if site.closes and site.closes < today}
    return (pile for pile in config.piles if pile.site not in closed)


def _by_pile(envelopes: Sequence[Envelope]) -> Mapping[Pile, Sequence[Envelope]]:
    piles: dict[Pile, list[Envelope]] = defaultdict(list)
    for envelope in sorted(envelopes):
        piles[envelope.pile].append(envelope)
    return piles


def _underway(members: Sequence[Envelope]) -> bool:
    return any(envelope.status in ("made", "packed", "dispatched") for envelope in members)


def _state(pile: Pile, members: Sequence[Envelope], reorder_at: int, versions: Mapping[str, int]) -> PileStock:
    left = sum(envelope.status == "received" for envelope in members)
    if left > reorder_at:
        return PileStock(pile, "OK")
    level: Level = "LOW" if left else "EMPTY"
    if any(envelope.status == "dispatched" for envelope in members):
        return PileStock(pile, level, "on its way")
    ready = [envelope for envelope in members if envelope.status in ("made", "packed")]
    if not ready:
        return PileStock(pile, level, "make")
    first = min(ready, key=lambda envelope: envelope.batch)
    sent = tuple(envelope.id for envelope in ready if envelope.batch == first.batch)
    version = versions.get(first.id, 0)
    return PileStock(pile, level, "send", sent, parcel_name(pile.site, version) if version else "")
