"""Whether a share or a rate differs from another by more than chance, by its exact limits.

A share lies below the exact 95 % limits of `hits` of `of` (Clopper and Pearson) just when so few hits, or fewer, have a
chance under 2.5 % with it; likewise for a rate of rare events (Poisson). So no limit has to be searched for.
"""

from __future__ import annotations

from math import exp, lgamma, log

_TAIL = 0.025


def too_few(hits: int, of: int, share: float) -> bool:
    """Whether a share lies above the upper limit of what was seen: there are fewer hits than chance explains.

    >>> too_few(8, 10, 0.97), too_few(8, 10, 0.98)
    (False, True)
    """
    if share <= 0 or share >= 1:
        return share >= 1 and hits < of
    ways = (lgamma(of + 1) - lgamma(k + 1) - lgamma(of - k + 1) for k in range(hits + 1))
    chance = sum(exp(way + k * log(share) + (of - k) * log(1 - share)) for k, way in enumerate(ways))
    return chance < _TAIL


def too_many(count: int, mean: float) -> bool:
    """Whether a mean lies below the lower limit of a count: there are more than chance explains.

    >>> too_many(3, 0.62), too_many(3, 0.61)
    (False, True)
    """
    if mean <= 0:
        return count > 0
    fewer = sum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(count))
    return 1 - fewer < _TAIL
