"""How likely a pile is to be empty before the next parcel can arrive: from openings alone, without any arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import exp

from trialdesk.config import Config
from trialdesk.model import Envelope, Pile

DELIVERY = 14
"""Days from asking the packer to the clinic's receipt."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A pile, and how likely it is that more patients come to it in DELIVERY days than it has envelopes."""

    pile: Pile
    empty: float


def forecast(config: Config, envelopes: Sequence[Envelope], today: date) -> tuple[Outlook, ...]:
    """Every pile of an open site, in configured order.

    Patients come to a site as a Poisson process at its rate since it opened, (openings + ½) by its days; to a pile goes
    its share of them, (openings of the pile + ½) by (those of the site + ½ for each pile). P = P(more than are left).
    """
    opened, left = (Counter(one.pile for one in envelopes if one.status == status) for status in ("opened", "received"))
    found = []
    for site in config.sites:
        piles = [pile for pile in config.piles if pile.site == site.code]
        days = (min(today, site.closes or today) - site.opens).days
        if days <= 0 or (site.closes and site.closes < today):
            continue
        every = sum(opened[pile] for pile in piles)
        rate = (every + 0.5) / days * DELIVERY
        for pile in piles:
            share = (opened[pile] + 0.5) / (every + 0.5 * len(piles))
            found.append(Outlook(pile, more_than(left[pile], rate * share)))
    return tuple(found)


def more_than(number: int, mean: float) -> float:
    """The probability that a Poisson number is more than this: 1 − Σ e^−m m^k / k! for k from 0 to it."""
    term = total = exp(-mean)
    for k in range(1, number + 1):
        term *= mean / k
        total += term
    return max(0.0, 1.0 - total)
