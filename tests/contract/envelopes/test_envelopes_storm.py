"""Coordinators at the same moment: one of them gets an envelope, soon, and never two."""

from __future__ import annotations

import pytest

from contract.envelopes.conftest import World
from storm import stormy

pytestmark = pytest.mark.requirement("ENV-06")


def test_of_two_callers_one_wins_soon_and_never_two(desk: World) -> None:
    """Of different piles; twenty of them are in tests/long."""
    stormy(desk, 2, 4, 20)
