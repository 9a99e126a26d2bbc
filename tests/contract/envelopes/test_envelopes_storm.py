"""Coordinators at the same moment: one of them gets an envelope, soon, and never two."""

from __future__ import annotations

import pytest

from contract.envelopes.conftest import World
from storm import stormy

pytestmark = pytest.mark.requirement("ENV-06")


@pytest.mark.parametrize(("callers", "rounds", "soon"), [(2, 4, 20), (16, 1, 60)])
def test_of_many_callers_one_wins_soon_and_never_two(desk: World, callers: int, rounds: int, soon: float) -> None:
    """Of different piles; twenty of them are in tests/long."""
    stormy(desk, callers, rounds, soon)
