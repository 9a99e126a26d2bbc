"""How much more the insider knows: shares of certain knowledge and of right guesses, with their 95 % upper bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from insider.course import SURE, Event, Game, play
from insider.piles import Floats

NORMAL = 1.6449
"""The normal deviate that one in twenty exceeds."""
CERTAIN_BOUND, RIGHT_BOUND = 0.5, 1.0
"""Points that the insider may gain at most (the issue Envelopes, B)."""


class Gain(NamedTuple):
    """Points gained over who knows the block set alone: mean over trials and 95 % upper bound."""

    mean: float
    upper: float


class Score(NamedTuple):
    """What many trials came to; `plain` are the shares (certain, right) of who knows the block set alone.

    Who takes the better of two chances as they were estimated is too sure of himself, by an amount that falls as one
    over the number of samples. `right` is what all samples give, less what they give more with half of them (the
    jackknife of Quenouille, 1956); `fair` guesses by one half and is paid by the other, so it is too small.
    """

    plain: tuple[float, float]
    certain: Gain
    right: Gain
    fair: Gain
    divided: tuple[float, float]
    openings: int

    @property
    def within(self) -> bool:
        """Whether both upper bounds are within what is allowed."""
        return self.certain.upper <= CERTAIN_BOUND and self.right.upper <= RIGHT_BOUND


def score(game: Game, patients: int, trials: int) -> Score:
    """So many trials of so many patients."""
    played = [play(game, patients) for _ in range(trials)]
    rows = np.array([_one(events) for events, _, _ in played])
    first = [one for _, own, _ in played for one in own]
    later = [one for _, _, own in played for one in own]
    plain = rows[:, :2].mean(axis=0)
    return Score(
        (float(plain[0]), float(plain[1])),
        _gain(rows[:, 2] - rows[:, 0]),
        _gain(rows[:, 3] - rows[:, 1]),
        _gain(rows[:, 4] - rows[:, 1]),
        (float(np.mean(first)), float(np.mean(later or [False]))),
        sum(len(events) for events, _, _ in played),
    )


def _one(events: Sequence[Event]) -> tuple[float, ...]:
    """Of one trial, in percent: certain and right of the plain, certain, right and fair of the insider."""
    plain = np.array([event.plain for event in events])
    halves = np.array([event.knowing for event in events])
    both, apart = halves.mean(axis=1), _best(halves).mean()
    guesses = halves[:, ::-1] > 0.5
    fair = np.where(guesses, halves, 1 - halves).mean(axis=1)
    sure, knows = np.mean(_best(plain) >= SURE), np.mean(_best(both) >= SURE)
    right = 2 * _best(both).mean() - apart
    return tuple(100 * float(one) for one in (sure, _best(plain).mean(), knows, right, fair.mean()))


def _best(chance: Floats) -> Floats:
    best: Floats = np.maximum(chance, 1 - chance)
    return best


def _gain(differences: Floats) -> Gain:
    mean, free = float(differences.mean()), len(differences) - 1
    student = NORMAL + (NORMAL**3 + NORMAL) / (4 * free)  # of few trials (Cornish and Fisher, first term)
    return Gain(mean, mean + student * float(differences.std(ddof=1)) / float(np.sqrt(len(differences))))
