"""What an insider can work out from how a parcel was cut: the exact chance of each cut, given the arms of its lists.

`cut` takes the best balanced of the first n vectors drawn, the earliest among equals. With M vectors, all equally
likely, let q be the share with a lower imbalance than vector v, and e the share with the same one (v included). The
k-th draw is v, and taken, if the k − 1 before it are all worse and the n − k after it are none better:

    P(v taken) = Σ over k of (1/M) · (1 − q − e)^(k − 1) · (1 − q)^(n − k)
               = (1/M) · ((1 − q)^n − (1 − q − e)^n) / e

Stopping early at an imbalance of 0 changes nothing: none is better. A parcel of fewer than DIVIDED piles takes the
first draw, whatever its arms, so its cut says nothing: 1/M for every vector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product

from trialdesk.allocation.parcels import DIVIDED, DRAWS, Vector, imbalance
from trialdesk.allocation.scheme import Scheme


def cut_chances(
    scheme: Scheme, batch: int, lists: Mapping[str, Sequence[str]], draws: int = DRAWS
) -> Mapping[Vector, Fraction]:
    """The chance that each vector is the one taken, over all parcel keys.

    Args:
        scheme: Arms with their ratios.
        batch: The size of a batch.
        lists: Stratum code to the next batch + 1 arms of its list, at least.
        draws: How many vectors are drawn.

    Returns:
        Each of the 3^piles vectors, strata in ascending order, to its exact chance; they add up to 1.
    """
    every = list(product((-1, 0, 1), repeat=len(lists)))
    if len(lists) < DIVIDED:
        return dict.fromkeys(every, Fraction(1, len(every)))
    scores = {vector: _score(scheme, batch, lists, vector) for vector in every}
    return dict(zip(every, _chances(list(scores.values()), draws), strict=True))


def _score(scheme: Scheme, batch: int, lists: Mapping[str, Sequence[str]], vector: Vector) -> int:
    piles = [lists[stratum][: batch + step] for stratum, step in zip(sorted(lists), vector, strict=True)]
    return imbalance([[sum(arm == code for arm in pile) for code, _ in scheme.arms] for pile in piles], scheme)


def _chances(scores: Sequence[int], draws: int) -> list[Fraction]:
    of, worse, chance = len(scores), len(scores), {}
    for score, equal in sorted(Counter(scores).items()):
        not_better, worse = worse, worse - equal
        chance[score] = Fraction(not_better**draws - worse**draws, of**draws * equal)
    return [chance[score] for score in scores]
