"""Guessers against closed forms and against every list there is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest

from designs import blocks, one_list
from trialdesk.designs.guessing import informed, tally
from trialdesk.designs.lists import Lists, lists_of
from trialdesk.designs.plan import Design, Ints
from trialdesk.designs.playing import play

pytestmark = pytest.mark.requirement("ENV-17")

TRIALS = 4_000


def chance(arms: tuple[int, ...], sizes: tuple[tuple[int, int], ...], ratio: tuple[int, ...]) -> Fraction:
    """How likely a list begins with these arms, by all ways to cut it into blocks."""

    @cache
    def beginning(rest: tuple[int, ...]) -> Fraction:
        if not rest:
            return Fraction(1)
        total = Fraction(0)
        for size, weight in sizes:
            part = rest[:size]
            bag = [size * share // sum(ratio) for share in ratio]
            ways = Fraction(1)
            for taken, arm in enumerate(part):
                ways *= Fraction(bag[arm], size - taken)
                bag[arm] -= 1
            total += ways * beginning(rest[size:]) * Fraction(weight, sum(one for _, one in sizes))
        return total

    return beginning(arms)


def by_enumeration(
    length: int, sizes: tuple[tuple[int, int], ...], ratio: tuple[int, ...] = (1, 1)
) -> tuple[float, float]:
    """The share of right guesses and of certain allocations of one who knows the blocks, over all lists."""
    right = certain = Fraction(0)
    for place in range(length):
        for before in product(range(len(ratio)), repeat=place):
            following = [chance((*before, arm), sizes, ratio) for arm in range(len(ratio))]
            right += max(following)
            certain += sum(following) if sum(one > 0 for one in following) == 1 else 0
    return float(right / length), float(certain / length)


def every_list(length: int, design: Design, ratio: tuple[int, ...] = (1, 1)) -> tuple[Lists, Ints]:
    """All sequences of a length, each as the only list of a trial; those that can't come about are in no list."""
    given = np.array(list(product(range(len(ratio)), repeat=length)), dtype=np.int64)
    possible = np.array([chance(tuple(one), design.blocks, ratio) > 0 for one in given])
    taken = np.repeat(possible[:, None], length, axis=1)
    return lists_of(np.zeros_like(given), taken), given.ravel()


def expected(values: Sequence[float], given: Ints, length: int, design: Design, ratio: tuple[int, ...]) -> float:
    """The mean of what the lists give, each by its probability."""
    weights = [float(chance(tuple(one), design.blocks, ratio)) for one in given.reshape(-1, length).tolist()]
    means = np.asarray(values, dtype=float).reshape(-1, length).mean(axis=1)
    assert math.fsum(weights) == pytest.approx(1)
    return float(np.dot(means, weights))


@pytest.mark.parametrize(
    ("sizes", "length"), [((2,), 6), ((4,), 8), ((2, 4), 4), ((2, 4), 8), ((2, 4, 6), 8), ((4, 6), 9), ((6,), 7)]
)
def test_the_one_who_knows_the_blocks_does_as_well_as_anybody_can(sizes: tuple[int, ...], length: int) -> None:
    """Over all lists, each with its probability: right guesses and certain arms are those of full enumeration."""
    design = blocks(*sizes)
    lists, given = every_list(length, design)
    found = informed(lists, given, design, np.array((1, 1)))
    right, certain = by_enumeration(length, design.blocks)
    assert expected(found.right.tolist(), given, length, design, (1, 1)) == pytest.approx(right, abs=1e-9)
    assert expected(found.certain.tolist(), given, length, design, (1, 1)) == pytest.approx(certain, abs=1e-9)


@pytest.mark.parametrize(
    ("sizes", "ratio", "length"),
    [(((3, 3), (6, 1)), (1, 2), 7), (((3, 1), (9, 20)), (1, 2), 9), (((3, 20), (9, 1)), (1, 2), 9)],
)
def test_weights_and_an_unequal_ratio_enter_what_is_known(
    sizes: tuple[tuple[int, int], ...], ratio: tuple[int, ...], length: int
) -> None:
    """Full enumeration again: after two of the larger arm, sizes 3 and 9 speak for different arms."""
    design = Design("A", "site-stratum", sizes)
    lists, given = every_list(length, design, ratio)
    found = informed(lists, given, design, np.array(ratio))
    right, certain = by_enumeration(length, design.blocks, ratio)
    assert expected(found.right.tolist(), given, length, design, ratio) == pytest.approx(right, abs=1e-9)
    assert expected(found.certain.tolist(), given, length, design, ratio) == pytest.approx(certain, abs=1e-9)


@pytest.mark.parametrize(
    ("sizes", "length", "right", "certain"),
    [
        ((2, 4), 4, 0.7083, None),
        ((2, 4), 8, 0.7135, 0.0938),
        ((2, 4), 12, 0.7161, None),
        ((2, 4, 6), 8, 0.6862, 0.0296),
        ((4, 6), 8, 0.6677, 0.0594),
        ((4, 6), 12, 0.6795, None),
    ],
)
def test_simulated_lists_give_the_values_that_are_known(
    sizes: tuple[int, ...], length: int, right: float, certain: float | None
) -> None:
    """The table of reference/randomisation.md 4.3, within four standard errors."""
    played = play(one_list(length), blocks(*sizes), TRIALS, (1,))
    assert abs(played.informed.mean() - right) < 4 * played.informed.std() / math.sqrt(TRIALS) + 5e-5
    if certain is not None:
        assert abs(played.certain.mean() - certain) < 4 * played.certain.std() / math.sqrt(TRIALS) + 5e-5


@pytest.mark.parametrize("sizes", [(2, 4), (4, 6), (2, 6, 8)])
def test_of_two_equal_arms_a_tally_guesses_as_well_as_who_knows_the_sizes(sizes: tuple[int, ...]) -> None:
    """Every finished block is level: whatever the sizes, the arm that is behind in the list is behind in its block."""
    played = play(one_list(30), blocks(*sizes), 200, (1,))
    assert played.observer.tolist() == pytest.approx(played.informed.tolist())
    assert played.certain.mean() > 0


def test_in_blocks_of_two_a_tally_is_right_three_times_of_four() -> None:
    """The first of a block is a coin, the second certain: exact in every list of whole blocks."""
    played = play(one_list(20), blocks(2), 50, (1,))
    assert played.clinician.tolist() == pytest.approx([0.75] * 50)
    assert played.certain.tolist() == pytest.approx([0.5] * 50)


@pytest.mark.parametrize(("size", "right"), [(4, Fraction(17, 24)), (6, Fraction(41, 60))])
def test_the_convergence_strategy_in_blocks_of_one_size(size: int, right: Fraction) -> None:
    """17/24 and 41/60, over all orders of a block."""
    lists, given = every_list(size, blocks(size))
    guessed = tally(lists, given, np.array((1, 1)))
    assert expected(guessed.tolist(), given, size, blocks(size), (1, 1)) == pytest.approx(float(right))


def test_a_tally_regards_the_ratio() -> None:
    """Ratio 1 : 2: at first the larger arm is guessed, then the arm that is behind its share."""
    one = lists_of(np.zeros((1, 3), dtype=np.int64), np.ones((1, 3), dtype=np.bool_))
    assert tally(one, np.array([1, 0, 1]), np.array((1, 2))).tolist() == [1, 1, 1]
    assert tally(one, np.array([0, 1, 1]), np.array((1, 2))).tolist() == [0, 1, 1]
    four = lists_of(np.zeros((1, 4), dtype=np.int64), np.ones((1, 4), dtype=np.bool_))
    assert tally(four, np.array([1, 0, 1, 1]), np.array((1, 2))).tolist() == [1, 1, 1, 1]  # one and two are level


def test_a_clinician_sees_only_the_own_part_of_a_central_list() -> None:
    """One stratum, two sites: who sees both sites guesses blocks of 2 at 3/4, a clinician clearly less."""
    two = one_list(40)
    both = type(two)(40, 100, (0.5, 0.5), (), (1, 1))
    played = play(both, Design("C", "stratum", ((2, 1),)), 500, (1,))
    assert played.observer.tolist() == pytest.approx([0.75] * 500)
    assert 0.5 < played.clinician.mean() < 0.70
