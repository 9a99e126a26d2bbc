"""Envelopes: made, on their way, opened, left over; patients who find none."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from designs import blocks, coming, one_list
from trialdesk.designs.arrivals import Arrivals
from trialdesk.designs.plan import Design, Floats, Resupply
from trialdesk.designs.playing import play
from trialdesk.designs.supply import Supplied, supply

pytestmark = pytest.mark.requirement("ENV-17")

ONE = Resupply(batch=4, vary=0, reorder_at=1, delivery_days=7, piles=1, when="pile")


def at_days(days: list[float], piles: list[int], policy: Resupply, size: tuple[int, int]) -> Supplied:
    """One trial: patients of site 0 on these days, from these piles."""
    came = Arrivals(np.zeros((1, len(days)), dtype=np.int64), np.array([piles]), np.array([days]))
    return supply(came, came.stratum, size, policy, np.random.default_rng(1))


def test_a_pile_ordered_when_empty_blocks_who_comes_before_the_parcel() -> None:
    """Four envelopes, ordered on day 4 when none is left, there on day 11: two patients are blocked."""
    sent = at_days([1, 2, 3, 4, 5, 10.9, 11, 12], [0] * 8, replace(ONE, reorder_at=0), (1, 1))
    assert sent.taken.tolist() == [[True] * 4 + [False] * 2 + [True] * 2]
    assert (sent.made.tolist(), sent.parcels.tolist()) == ([8], [2])


def test_a_pile_ordered_in_time_blocks_nobody() -> None:
    """The same patients, ordered on day 3 with one left; what comes on day 10 is there on day 10.9."""
    sent = at_days([1, 2, 3, 4, 10, 10.9, 11, 12], [0] * 8, ONE, (1, 1))
    assert sent.taken.all()
    assert (sent.made.tolist(), sent.parcels.tolist()) == ([12], [3])  # four, eight, and again at one left


def test_nothing_is_ordered_twice_while_it_is_on_its_way() -> None:
    """Everybody blocked in the meantime orders nothing."""
    sent = at_days([1, 1, 1, 1, 2, 3, 4, 5], [0] * 8, replace(ONE, reorder_at=0, delivery_days=100), (1, 1))
    assert sent.taken.sum() == 4
    assert sent.made.tolist() == [8]


def test_a_parcel_holds_the_low_pile_and_those_with_least() -> None:
    """Five piles of four; one comes to one left, two others to three and two: a parcel of three brings 12 to these."""
    policy = replace(ONE, piles=3)
    days = [1.0, 2, 3, 4, 5, 6, 20, 20, 20, 20, 20, 20]
    piles = [1, 2, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    sent = at_days(days, piles, policy, (1, 5))
    assert sent.made.tolist() == [20 + 12 + 12]  # the second parcel when pile 1, of 3 + 4, is at one
    assert sent.taken.all()


def test_what_is_on_its_way_is_not_put_into_the_next_parcel() -> None:
    """Three piles of four, parcels of two: the first brings piles 0 and 1, the second pile 2 alone."""
    sent = at_days([1, 2, 3, 4, 5, 6, 7], [1, 0, 0, 0, 2, 2, 2], replace(ONE, piles=2), (1, 3))
    assert (sent.made.tolist(), sent.parcels.tolist()) == ([12 + 8 + 4], [3])


def test_a_site_that_waits_until_it_is_empty_blocks_who_comes_to_an_empty_pile() -> None:
    """Two piles of one envelope each: the second patient of pile 0 is blocked though pile 1 has one."""
    policy = Resupply(batch=1, vary=0, reorder_at=0, delivery_days=1, piles=1, when="site")
    sent = at_days([1, 2, 3, 3.5, 4.1], [0, 0, 1, 0, 0], policy, (1, 2))
    assert sent.taken.tolist() == [[True, False, True, False, True]]
    assert (sent.made.tolist(), sent.parcels.tolist()) == ([4], [2])


def test_shipments_vary_by_what_is_asked() -> None:
    """First shipments of 3 to 5, each equally often; without, of 4."""
    came = Arrivals(np.zeros((3_000, 1), dtype=np.int64), np.zeros((3_000, 1), dtype=np.int64), np.ones((3_000, 1)))
    made = supply(came, came.stratum, (1, 1), replace(ONE, vary=1, reorder_at=0), np.random.default_rng(1)).made
    assert np.abs(np.bincount(made)[3:] - 1_000).max() < 5 * math.sqrt(3_000 * 2 / 9)
    assert set(supply(came, came.stratum, (1, 1), ONE, np.random.default_rng(1)).made.tolist()) == {4}


@pytest.mark.parametrize("policy", [ONE, replace(ONE, vary=1, piles=4), replace(ONE, reorder_at=0, when="site")])
def test_what_is_made_is_opened_or_left_over(policy: Resupply) -> None:
    """Made less unused are the randomised; randomised and blocked are all patients."""
    played = play(coming(100), blocks(2, 4, resupply=policy), 300, (1,))
    assert (played.made - played.unused + played.blocked).tolist() == [100] * 300
    assert (played.unused >= 0).all()
    assert (played.parcels >= 6).all()


def test_a_list_of_a_site_has_one_pile_there() -> None:
    """Six sites, six piles of four at first."""
    played = play(coming(1), Design("E", "site", ((2, 1),), resupply=ONE), 5, (1,))
    assert played.made.tolist() == [24] * 5
    assert play(coming(1), blocks(2, resupply=ONE), 5, (1,)).made.tolist() == [192] * 5


def test_designs_without_envelopes_at_the_sites_have_none_made() -> None:
    """Not zero: there is no such thing."""
    played = play(one_list(4), blocks(2), 3, (1,))
    assert np.isnan(played.made).all()
    assert np.isnan(played.blocked).all()


KNOWN = [
    # reference/randomisation.md 7.2, 7 days: patients, reorder at, when, blocked, unused
    (100, 0, "site", 16.8, 109),
    (60, 0, "site", 4.3, 136),
    (100, 0, "pile", 0.54, 137),
    (100, 1, "pile", 0.02, 162),
    (200, 2, "pile", 0.01, 213),
]


@pytest.mark.parametrize(("patients", "level", "when", "blocked", "unused"), KNOWN)
def test_stock_comes_out_as_in_an_earlier_simulation(
    patients: int, level: int, when: str, blocked: float, unused: float
) -> None:
    """Four at first and four each time: written by somebody else, with other code."""
    policy = replace(ONE, reorder_at=level, when="site" if when == "site" else "pile")
    played = play(coming(patients), blocks(2, 4, resupply=policy), 1_000, (1,))

    def near(values: Floats, known: float, rounding: float) -> bool:
        return bool(abs(values.mean() - known) < 5 * values.std() / math.sqrt(1_000) + rounding)

    assert near(played.blocked, blocked, 0.01)
    assert near(played.unused, unused, 0.5)
