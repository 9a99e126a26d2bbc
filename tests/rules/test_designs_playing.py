"""Trials that are played: who comes, balance, unfinished blocks, yardsticks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from designs import blocks, coming, one_list
from trialdesk.designs.arrivals import arrivals
from trialdesk.designs.balance import difference, worst
from trialdesk.designs.minimisation import coin_after, minimised
from trialdesk.designs.plan import Coming, Design, Floats, Resupply, Structure
from trialdesk.designs.playing import play

pytestmark = pytest.mark.requirement("ENV-17")

TRIALS = 1_500


def near(values: Floats, known: float, rounding: float) -> bool:
    """Whether a mean is the known one, within five standard errors and twice the rounding of what is known."""
    return bool(abs(values.mean() - known) < 5 * values.std() / math.sqrt(len(values)) + 2 * rounding)


def test_strata_are_products_and_sites_come_by_their_share() -> None:
    """The shares of 200 000 patients are those asked for, within five standard errors."""
    asked = Coming(100, 50, (0.7, 0.3), ((0.2, 0.8), (0.5, 0.25, 0.25)), (1, 1))
    came = arrivals(asked, 2_000, np.random.default_rng(1))
    assert asked.levels.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    assert asked.strata.tolist() == pytest.approx([0.1, 0.05, 0.05, 0.4, 0.2, 0.2])
    shares = np.bincount(came.stratum.ravel()) / came.stratum.size
    assert np.abs(shares - asked.strata).max() < 5 * math.sqrt(0.24 / came.stratum.size)
    assert abs((came.site == 0).mean() - 0.7) < 5 * math.sqrt(0.21 / came.site.size)
    assert (np.diff(came.day, axis=1) >= 0).all()
    assert 0 <= came.day.min() < came.day.max() < 50


@pytest.mark.parametrize("size", [2, 4, 6])
def test_whole_blocks_are_balanced_and_leave_nothing_open(size: int) -> None:
    """Twelve patients of one list in blocks of 2, 4 or 6."""
    played = play(one_list(12), blocks(size), 100, (1,))
    assert not played.overall.any()
    assert not played.unfinished.any()
    assert not played.inside.any()
    assert played.lists.tolist() == [1] * 100


def test_what_is_left_of_a_block_is_unfinished() -> None:
    """Ten patients in blocks of 4: one list, unfinished, two of the ten patients in it."""
    played = play(one_list(10), blocks(4), 400, (1,))
    assert played.unfinished.tolist() == [1] * 400
    assert played.inside.tolist() == pytest.approx([0.2] * 400)
    assert set(played.overall.tolist()) == {0, 2}
    assert near(played.overall, 2 / 3, 0)  # of the 6 orders of a block 2 begin with the same arm twice


def test_sizes_come_by_their_weight() -> None:
    """Blocks of 2 and 4, three to one: the second arm is that of the first in a third of a quarter of the lists."""
    played = play(one_list(2), Design("A", "site-stratum", ((2, 3), (4, 1))), 4_000, (1,))
    assert near(played.overall / 2, 1 / 12, 0)


def test_who_was_not_randomised_is_in_no_block() -> None:
    """Six envelopes for ten patients, blocks of 4: two of the six are in an unfinished block."""
    once = Resupply(batch=6, vary=0, reorder_at=0, delivery_days=1_000, piles=1, when="pile")
    played = play(one_list(10), blocks(4, resupply=once), 20, (1,))
    assert played.blocked.tolist() == [4] * 20
    assert played.inside.tolist() == pytest.approx([1 / 3] * 20)


def test_arms_do_not_follow_who_comes() -> None:
    """Two equal sites: were arms drawn from the numbers that send patients, each site would have an arm of its own."""
    two = Coming(40, 100, (0.5, 0.5), (), (1, 1))
    assert play(two, Design("H", "simple"), 200, (1,)).site.mean() < 8


def test_a_ratio_is_kept_by_whole_blocks() -> None:
    """1 : 2 in blocks of 3: four and eight of twelve; the difference counts each arm by its ratio."""
    assert not play(one_list(12, 1, 2), blocks(3), 100, (1,)).overall.any()
    assert play(one_list(12, 2, 1), blocks(3), 100, (1,)).overall.max() == 0
    assert difference(np.array([4, 8]), np.array((1, 2))) == 0
    assert difference(np.array([6, 6]), np.array((1, 2))) == pytest.approx(4.5)
    assert difference(np.array([9, 4]), np.array((1, 1))) == 5
    assert difference(np.array([9, 4, 6]), np.array((1, 1, 1))) == 5


def test_the_worst_group_of_each_trial_counts() -> None:
    """Two trials of four patients at two sites; one of them was not randomised."""
    site = np.array([[0, 0, 1, 1], [0, 1, 1, 1]])
    arms = np.array([0, 0, 0, 1, 1, 0, 0, -1])
    assert worst(site, arms, np.array((1, 1))).tolist() == [2, 2]
    assert worst(np.zeros_like(site), arms, np.array((1, 1))).tolist() == [2, 1]


# reference/randomisation.md 7.1; each with the unit of its last digit
KNOWN: list[tuple[Structure, tuple[int, ...], int, tuple[float, ...]]] = [
    ("site-stratum", (2, 4), 60, (3.9, 3.4, 3.1, 29, 24, 0.54, 0.633)),
    ("site-stratum", (2, 4, 6), 100, (4.8, 4.1, 3.8, 36, 30, 0.55, 0.633)),
    ("site-stratum", (2, 4), 200, (4.6, 3.9, 3.5, 43, 31, 0.25, 0.686)),
    ("stratum", (2, 4), 60, (1.8, 4.7, 1.3, 8, 5, 0.15, 0.541)),
]
UNITS = (0.1, 0.1, 0.1, 0.5, 0.5, 0.005, 0.002)


@pytest.mark.parametrize(("structure", "sizes", "patients", "known"), KNOWN)
def test_trials_come_out_as_in_an_earlier_simulation(
    structure: Structure, sizes: tuple[int, ...], patients: int, known: tuple[float, ...]
) -> None:
    """Six sites: written by somebody else, with other code, 3 000 replicates."""
    design = Design("A", structure, tuple((size, 1) for size in sizes))
    it = play(coming(patients), design, TRIALS, (1,))
    measured = (it.overall, it.site, it.stratum, it.lists, it.unfinished, it.inside, it.clinician)
    for values, value, unit in zip(measured, known, UNITS, strict=True):
        assert near(values, value, unit)


def test_many_lists_ended_at_random_follow_the_closed_form() -> None:
    """The variance of D is K (B + 1) / 6 (Hallstrom and Davis 1988): 48 equal lists in blocks of 4, 600 patients."""
    equal = Coming(600, 730, (1 / 6,) * 6, ((0.5, 0.5),) * 3, (1, 1))
    played = play(equal, blocks(4), TRIALS, (1,))
    variance = float((played.overall**2).mean())
    assert abs(variance - 48 * 5 / 6) < 5 * float((played.overall**2).std()) / math.sqrt(TRIALS)


def test_no_restriction_is_a_coin() -> None:
    """Mean |D| is that of the binomial, nobody guesses better than by chance, nothing is certain."""
    played = play(coming(60), Design("H", "simple"), TRIALS, (1,))
    exact = sum(math.comb(60, k) * abs(60 - 2 * k) for k in range(61)) / 2**60
    assert near(played.overall, exact, 0)
    assert played.informed.tolist() == pytest.approx([0.5] * TRIALS)
    assert near(played.observer, 0.5, 0)
    assert not played.certain.any()
    assert np.isnan(played.unfinished).all()


def test_minimisation_balances_better_than_no_restriction_and_is_guessed_more_often() -> None:
    """At site and in the whole trial; without a coin, nearly everything is known beforehand."""
    chance = play(coming(60), Design("H", "simple"), 400, (1,))
    coin = play(coming(60), Design("G", "minimisation", coin=0.8), 400, (1,))
    sure = play(coming(60), Design("G", "minimisation", coin=1.0), 400, (1,))
    assert sure.overall.mean() < coin.overall.mean() < chance.overall.mean() / 2
    assert sure.site.mean() < coin.site.mean() < chance.site.mean()
    assert 0.7 < coin.informed.mean() < 0.8
    assert 0.9 > sure.certain.mean() > 0.6
    assert not coin.certain.any()


def test_minimisation_follows_the_smallest_sum_of_ranges() -> None:
    """Without a coin each patient has the arm that is best by the plain sums; it was certain if no other is as good."""
    asked = Coming(25, 100, (0.5, 0.3, 0.2), ((0.4, 0.6), (0.5, 0.5)), (1, 2))
    came = arrivals(asked, 30, np.random.default_rng(1))
    given = minimised(came, asked, 1.0, np.random.default_rng(2))
    arms, certain = given.arms.reshape(30, 25), given.guesses.certain.reshape(30, 25)
    for trial, sites in enumerate(came.site.tolist()):
        levels = asked.levels[came.stratum[trial]].tolist()
        groups = [{("site", site), ("one", one), ("two", two)} for site, (one, two) in zip(sites, levels, strict=True)]
        for patient, mine in enumerate(groups):
            sums = []
            for arm in range(2):
                so_far = list(zip(groups, [*arms[trial, :patient].tolist(), arm], strict=False))
                counts = [[sum(one in group and a == b for group, a in so_far) for b in range(2)] for one in mine]
                sums.append(sum(abs(2 * first - second) for first, second in counts))
            assert sums[arms[trial, patient]] == min(sums)
            assert certain[trial, patient] == (sums[0] != sums[1])


def test_minimisation_of_one_group_is_a_biased_coin() -> None:
    """One site, no factor, coin 1: every second patient is certain, and the arms are never more than one apart."""
    played = play(one_list(9), Design("G", "minimisation"), 200, (1,))
    assert played.certain.tolist() == pytest.approx([4 / 9] * 200)
    assert played.overall.tolist() == [1] * 200


def test_the_biased_coin_keeps_the_ratio() -> None:
    """The preferred arm drawn by the ratio and the coin thrown, arms come in their ratio; the smallest has the coin."""
    ratio = np.array((1, 2, 3))
    likely = coin_after(0.8, ratio)
    assert likely.sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert likely[0, 0] == pytest.approx(0.8)
    assert (ratio / 6 @ likely).tolist() == pytest.approx((ratio / 6).tolist())
    assert coin_after(0.75, np.array((1, 1))).tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_minimisation_keeps_an_unequal_ratio() -> None:
    """1 : 2, 90 patients: the difference stays far below that of no restriction."""
    two = Coming(90, 730, (0.5, 0.5), ((0.5, 0.5),), (1, 2))
    assert play(two, Design("G", "minimisation", coin=0.9), 300, (1,)).overall.mean() < 2.5
    assert play(two, Design("H", "simple"), 300, (1,)).overall.mean() > 7
