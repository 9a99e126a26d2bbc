"""Permuted blocks of random size, drawn for many lists at once (reference/design.md 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialdesk.designs.lists import Lists
from trialdesk.designs.plan import Design, Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Drawn:
    """The arms of lists, and how each list ended.

    Attributes:
        arms: The arm of every patient of all trials; -1 where there is none.
        unfinished: Whether the last block of a list has numbers left.
        inside: How many patients of a list are in its unfinished block.
    """

    arms: Ints
    unfinished: Flags
    inside: Ints


def weights(design: Design) -> tuple[Ints, Floats]:
    """The block sizes, and how likely each is."""
    sizes, weight = np.array(design.blocks, dtype=np.int64).T
    return sizes, weight / weight.sum()


def draw(lists: Lists, patients: int, design: Design, ratio: Ints, chance: np.random.Generator) -> Drawn:
    """The arms of all lists.

    A block has a size by its weight and the arms in their ratio, every order equally likely: the next arm is drawn
    from what is left of the block, each card alike.

    Args:
        lists: Who is on which list.
        patients: The number of all patients of all trials.
        design: The blocks.
        ratio: The ratio of each arm.
        chance: The random numbers.
    """
    sizes, likely = weights(design)
    arms = np.full(patients, -1, dtype=np.int64)
    left = np.zeros((len(lists), len(ratio)), dtype=np.int64)
    size = np.zeros(len(lists), dtype=np.int64)
    for turn in lists.turns():
        going = left[: len(turn)]
        ended = np.flatnonzero(going.sum(axis=1) == 0)
        size[ended] = chance.choice(sizes, size=len(ended), p=likely)
        going[ended] = size[ended, None] // ratio.sum() * ratio
        card = chance.integers(going.sum(axis=1))
        arms[turn] = (card[:, None] >= going.cumsum(axis=1)).sum(axis=1)
        going[np.arange(len(turn)), arms[turn]] -= 1
    remaining = left.sum(axis=1)
    return Drawn(arms, remaining > 0, np.where(remaining > 0, size - remaining, 0))
