"""Whoever guesses the next arm: by a tally, or knowing the block sizes (reference/randomisation.md 4.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialdesk.designs.blocks import weights
from trialdesk.designs.lists import Lists
from trialdesk.designs.plan import Design, Flags, Floats, Ints

_ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Guesses:
    """How likely the guess of each patient's arm was right, a coin between equals, and whether the arm was certain."""

    right: Floats
    certain: Flags


def hits(best: Flags, arm: Ints) -> Floats:
    """How likely a guess is right that takes any of the best arms, each alike; guesses × arms."""
    right: Floats = best[np.arange(len(arm)), arm] / best.sum(axis=1)
    return right


def tally(lists: Lists, arms: Ints, ratio: Ints) -> Floats:
    """How likely each guess of the convergence strategy is right (Blackwell and Hodges 1957).

    The guess is the arm that has had fewest so far in the list for its ratio; of several, the one with the larger
    ratio; else a coin.
    """
    right = np.zeros(len(arms))
    given = np.zeros((len(lists), len(ratio)), dtype=np.int64)
    for turn in lists.turns():
        so_far = given[: len(turn)]
        share = so_far / ratio
        behind = share == share.min(axis=1, keepdims=True)
        worth = np.where(behind, ratio, 0)
        right[turn] = hits(worth == worth.max(axis=1, keepdims=True), arms[turn])
        so_far[np.arange(len(turn)), arms[turn]] += 1
    return right


def informed(lists: Lists, arms: Ints, design: Design, ratio: Ints) -> Guesses:
    """The guesses of one who knows sizes, weights and ratio, and has seen the list from its beginning.

    Forward recursion over the states (block size, place in the block): the belief in a state is its probability given
    the arms so far. A state says how many of each arm are left, because the last arms of the list are known; so it
    gives the chance of each next arm. After the last place of a block a new one begins by weight.
    """
    sizes, likely = weights(design)
    size = np.repeat(sizes, sizes)
    first = np.cumsum(sizes) - sizes
    place = np.arange(sizes.sum()) - np.repeat(first, sizes)
    belief = np.zeros((len(lists), len(size)))
    belief[:, first] = likely
    # recent[a, list, n]: how many of the last n of the list had arm a
    recent = np.zeros((len(ratio), len(lists), int(sizes.max())), dtype=np.int64)
    share = size // ratio.sum() * ratio[:, None]
    found = Guesses(np.zeros(len(arms)), np.zeros(len(arms), dtype=np.bool_))
    for turn in lists.turns():
        going, seen, arm = belief[: len(turn)], recent[:, : len(turn)], arms[turn]
        chances = (share[:, None, :] - seen[:, :, place]) / (size - place)
        next_arm = np.einsum("ls,als->la", going, chances)
        most = next_arm.max(axis=1)
        found.right[turn] = hits(next_arm >= most[:, None] - _ALIKE, arm)
        found.certain[turn] = most > 1 - _ALIKE
        after = going * chances[arm, np.arange(len(turn))] / next_arm[np.arange(len(turn)), arm][:, None]
        going[:, 1:] = after[:, :-1]
        going[:, first] = likely * after[:, first + sizes - 1].sum(axis=1, keepdims=True)
        seen[:, :, 1:] = seen[:, :, :-1] + (arm == np.arange(len(ratio))[:, None])[:, :, None]
    return found
