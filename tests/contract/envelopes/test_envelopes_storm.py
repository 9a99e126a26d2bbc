"""Coordinators at the same moment: one of them gets an envelope, soon, and never two."""

from __future__ import annotations

from itertools import product

import pytest

from contract.envelopes.conftest import World
from storm import storm
from trialdesk.envelopes.release import take_back

STRATA = tuple(product("12", "12", "01"))
PILES = tuple((site, stratum) for site in ("ODE", "RIG", "HER") for stratum in STRATA)
"""Those of the third site are for the benchmark: a world has two."""


@pytest.mark.parametrize(("callers", "rounds", "soon"), [(2, 4, 20), (16, 1, 60)])
def test_of_many_callers_one_wins_soon_and_never_two(desk: World, callers: int, rounds: int, soon: float) -> None:
    """Of different piles, so that nobody is in another's way but by the rule of one at a time."""
    records = [f"S{number:02}" for number in range(callers)]
    for record, (site, stratum) in zip(records, PILES, strict=False):
        desk.enter(record, site, stratum)
    for _ in range(rounds):
        ended = storm(desk.release, records)
        assert [envelope.record for envelope in ended.won] == [record for _, record in desk.open()]
        assert len(ended.won) == 1
        assert ended.seconds < soon
        take_back(desk.config, desk.trial(), desk.register(), ended.won[0].record)
