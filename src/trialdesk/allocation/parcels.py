"""How a parcel is cut: what one version makes for one clinic (reference/design.md 5, rule trialdesk-parcel-v1).

Each pile of a parcel gets the next batch − 1, batch or batch + 1 numbers of its list, so that a shipment ends in the
middle of a block and no count tells where one ends. Which of the three follows from the master. A parcel of four piles
or more is equally divided between the arms, as nearly as the first 4 096 draws allow.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence

from trialdesk.allocation.blocks import numbers
from trialdesk.allocation.scheme import Scheme, encode

PARCEL = "trialdesk-parcel-v1"
DRAWS = 4_096
DIVIDED = 4
"""So many piles make a parcel that is equally divided; a smaller one takes the first draw."""

Vector = tuple[int, ...]


def parcel_name(site: str, version: int) -> str:
    """What a parcel is called, for example `ODE-v003`."""
    return f"{site}-v{version:03d}"


def parcel_key(master: bytes, scheme: Scheme, site: str, version: int) -> bytes:
    """The key a parcel is cut with, 32 bytes."""
    return hmac.digest(master, encode(PARCEL, scheme.trial, scheme.domain, site, str(version)), "sha256")


def cut(key: bytes, scheme: Scheme, batch: int, lists: Mapping[str, Sequence[str]]) -> Mapping[str, int]:
    """How many envelopes each pile of a parcel gets.

    Args:
        key: The parcel's key.
        scheme: Arms with their ratios.
        batch: The size of a batch; every pile gets one less, as many, or one more.
        lists: Stratum code to the next batch + 1 arms of its list, at least.

    Returns:
        Stratum code to number, strata in ascending order as text.
    """
    strata = sorted(lists)
    draws = vectors(key, len(strata))
    if len(strata) < DIVIDED:
        return dict(zip(strata, (batch + step for step in next(draws)), strict=True))
    ahead = [[_counted(lists[stratum][: batch + step], scheme) for step in (-1, 0, 1)] for stratum in strata]
    chosen: Vector = ()
    least = -1
    for vector, _ in zip(draws, range(DRAWS), strict=False):
        off = imbalance([ahead[pile][step + 1] for pile, step in enumerate(vector)], scheme)
        if least < 0 or off < least:
            chosen, least = vector, off
        if least == 0:
            break
    return dict(zip(strata, (batch + step for step in chosen), strict=True))


def vectors(key: bytes, piles: int) -> Iterator[Vector]:
    """The draws of a key one after another: −1, 0 or 1 for each pile, words running on."""
    below = numbers(key)
    while True:
        yield tuple(below(3) - 1 for _ in range(piles))


def imbalance(counts: Sequence[Sequence[int]], scheme: Scheme) -> int:
    """Σ over the arms of |n·R − N·r|: n envelopes of that arm and N in all, r its ratio, R the sum of ratios."""
    parts = sum(ratio for _, ratio in scheme.arms)
    of_arm = [sum(count) for count in zip(*counts, strict=True)]
    every = sum(of_arm)
    return sum(abs(n * parts - every * ratio) for n, (_, ratio) in zip(of_arm, scheme.arms, strict=True))


def _counted(arms: Sequence[str], scheme: Scheme) -> tuple[int, ...]:
    return tuple(sum(arm == code for arm in arms) for code, _ in scheme.arms)
