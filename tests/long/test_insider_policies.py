"""What the cut of a parcel tells an insider, with the shipped policy and with two that must not pass."""

from __future__ import annotations

import numpy as np
import pytest

from insider.course import Game
from insider.scoring import CERTAIN_BOUND, score

pytestmark = pytest.mark.requirement("ENV-04")


def test_the_shipped_policy_tells_an_insider_little() -> None:
    """Blocks {2, 4}, 100 patients at nine sites; the other sets and sizes are in benchmarks/insider.py."""
    found = score(Game((2, 4), "parcel", 2_000, np.random.default_rng(20)), 100, 4)
    assert found.openings > 380
    assert found.within, found
    assert found.divided[0] > 0.9


@pytest.mark.parametrize(("cutting", "trials"), [("blocks", 8), ("single", 3)])
def test_other_policies_tell_an_insider_too_much(cutting: str, trials: int) -> None:
    """Whole blocks, and piles sent alone whose cut balances them: if these passed, the bounds would mean nothing."""
    found = score(Game((2, 4), cutting, 500, np.random.default_rng(21)), 100, trials)  # type: ignore[arg-type]
    assert found.certain.mean > 2 * CERTAIN_BOUND, found
    assert not found.within
