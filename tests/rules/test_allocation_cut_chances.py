"""What the choice of a cut tells an insider: the exact chances, against every sequence of draws and the real cut."""

from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction
from itertools import product

import pytest

from insider.chances import _chances, cut_chances
from trialdesk.allocation.parcels import cut
from trialdesk.allocation.scheme import Scheme

pytestmark = pytest.mark.requirement("ENV-04")

TWO = Scheme("T", "prod", (("1", 1), ("2", 1)), ((2, 1), (4, 1), (6, 1)))
FOUR = {"1": "1221122", "2": "1122112", "3": "2112121", "4": "1212211"}
KEYS = 3_000


@pytest.mark.parametrize("scores", [(0, 0, 2), (4, 2, 0), (2, 2, 2), (6, 2, 4, 2)])
@pytest.mark.parametrize("draws", [1, 2, 4])
def test_the_formula_is_what_every_sequence_of_draws_gives(scores: tuple[int, ...], draws: int) -> None:
    taken = Counter(min(order, key=scores.__getitem__) for order in product(range(len(scores)), repeat=draws))
    assert _chances(scores, draws) == [Fraction(taken[one], len(scores) ** draws) for one in range(len(scores))]


@pytest.mark.parametrize("piles", [2, 4])
def test_the_real_cut_falls_as_the_formula_says(piles: int) -> None:
    lists = dict(list(FOUR.items())[:piles])
    chances = cut_chances(TWO, 6, lists)
    keys = (hashlib.sha256(b"%d" % one).digest() for one in range(KEYS))
    seen = Counter(tuple(number - 6 for number in cut(key, TWO, 6, lists).values()) for key in keys)
    assert sum(chances.values()) == 1
    likely = {vector: KEYS * float(chance) for vector, chance in chances.items() if chance * KEYS > 1}
    assert set(seen) <= set(likely)
    off = sum((seen[vector] - mean) ** 2 / mean for vector, mean in likely.items())
    free = len(likely) - 1
    assert off < free + 4 * (2 * free) ** 0.5
