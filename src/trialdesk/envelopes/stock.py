"""What lies at the sites, and what has to be sent or made (reference/design.md 11: resupply per pile)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from trialdesk.config import Config
from trialdesk.model import Envelope, Pile

Level = Literal["OK", "LOW", "EMPTY"]
Action = Literal["", "on its way", "send", "make"]


@dataclass(frozen=True, slots=True)
class PileStock:
    """How a pile stands and what to do; `send` names the envelopes of the next batch that is made or packed.

    How many are left is not told: level and action are what the coordinator acts on (reference/randomisation.md 6, 3).
    """

    pile: Pile
    level: Level
    action: Action = ""
    send: tuple[str, ...] = field(default=())


def stock(config: Config, envelopes: Sequence[Envelope], today: date) -> tuple[PileStock, ...]:
    """Every pile of the configuration, in configured order; sites that have closed are left out.

    A pile is EMPTY with no received envelope left, LOW with at most `reorder_at`, else OK. What is LOW or EMPTY is
    already on its way, or its next batch is to be sent, or to be made when nothing is in stock.
    """
    piles: dict[Pile, list[Envelope]] = defaultdict(list)
    for envelope in sorted(envelopes):
        piles[envelope.pile].append(envelope)
    closed = {site.code for site in config.sites if site.closes and site.closes < today}
    return tuple(
        _state(pile, piles[pile], config.envelopes.reorder_at) for pile in config.piles if pile.site not in closed
    )


def _state(pile: Pile, members: Sequence[Envelope], reorder_at: int) -> PileStock:
    left = sum(envelope.status == "received" for envelope in members)
    if left > reorder_at:
        return PileStock(pile, "OK")
    level: Level = "LOW" if left else "EMPTY"
    if any(envelope.status == "dispatched" for envelope in members):
        return PileStock(pile, level, "on its way")
    ready = [envelope for envelope in members if envelope.status in ("made", "packed")]
    if not ready:
        return PileStock(pile, level, "make")
    batch = min(envelope.batch for envelope in ready)
    return PileStock(pile, level, "send", tuple(envelope.id for envelope in ready if envelope.batch == batch))
