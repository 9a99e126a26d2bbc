"""One pile as an insider sees it: every way its list can go on, with what each says of the parcels the pile is in.

Two arms 1:1, arm 1 counted +1 and arm 2 −1. Of a parcel a pile matters by its arm difference after batch − 1, batch and
batch + 1 of its next numbers: by the one at the size that was sent (sum), and by the other two beside it (kind).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Blocks = tuple[int, ...]


KINDS = ((0, 1, 2), (0, 0, 1), (-1, 0, 0), (-2, -1, 0), (-1, 0, 1), (-1, -1, 0), (0, 1, 1))
"""The sums of the three sizes beside the one that was sent, in order: all that can be."""
_KIND_OF = np.zeros(125, np.int64)
_KIND_OF[[25 * a + 5 * b + c + 62 for a, b, c in KINDS]] = np.arange(len(KINDS))


_FEW = 64
"""So many ways are gone on with as they are; more are put together where they say the same."""


class Window(NamedTuple):
    """A pile's part of a parcel: the number of its list before it, and how many more or fewer than a batch it got."""

    start: int
    step: int


@dataclass(frozen=True, slots=True)
class Ways:
    """Every way a list can go on, alike ones together.

    `likely` is ways × next arm (1, then 2), `sums` and `kinds` are ways × windows. `first`: the chance of arm 1 where
    the opened arms of this list are all one knows.
    """

    likely: Floats
    sums: Ints
    kinds: Ints

    @property
    def first(self) -> float:
        return float(self.likely[:, 0].sum() / self.likely.sum())


@lru_cache
def _steps(blocks: Blocks) -> tuple[Floats, Floats, Floats]:
    """The beginning of a block, and for each arm how likely each state goes on to each: states × states."""
    states = [
        (size, ones, twos)
        for size in blocks
        for ones in range(size // 2 + 1)
        for twos in range(size // 2 + 1)
        if ones + twos < size
    ]
    place = {state: at for at, state in enumerate(states)}
    fresh = np.zeros(len(states))
    for size in blocks:
        fresh[place[size, 0, 0]] = 1 / len(blocks)
    arms = np.zeros((2, len(states), len(states)))
    for (size, ones, twos), at in place.items():
        left = size - ones - twos
        for arm, (given, more) in enumerate(((ones, (1, 0)), (twos, (0, 1)))):
            chance = (size // 2 - given) / left
            if chance and left == 1:
                arms[arm, at] += chance * fresh
            elif chance:
                arms[arm, at, place[size, ones + more[0], twos + more[1]]] += chance
    return fresh, arms[0], arms[1]


@lru_cache(maxsize=100_000)
def belief(blocks: Blocks, opened: bytes) -> Floats:
    """How likely each state is after the opened arms (1 and 2 as bytes)."""
    fresh, *arms = _steps(blocks)
    if not opened:
        return fresh
    after: Floats = belief(blocks, opened[:-1]) @ arms[opened[-1] - 1]
    after /= after.sum()
    return after


@lru_cache(maxsize=4_000)
def ways(blocks: Blocks, opened: bytes, windows: tuple[Window, ...], batch: int) -> Ways:
    """Every way a list can go on until the last of the windows is told whole, one number at least."""
    known = [0, *(int(total) for total in np.cumsum([3 - 2 * arm for arm in opened]))]
    ends = {at: window.start + batch + 1 for at, window in enumerate(windows)}
    going = _Going(np.zeros(1, np.int64), np.zeros((1, 2 * len(windows)), np.int64), belief(blocks, opened)[None])
    going.total += known[-1]
    marks = dict(enumerate(known))
    for at, end in ends.items():
        if end <= len(opened):
            going.told[:, [2 * at, 2 * at + 1]] = _window(windows[at], marks, batch, 1)
    for number in range(len(opened) + 1, max([len(opened) + 1, *ends.values()]) + 1):
        later = {place for place in going.marks if any(place >= windows[at].start for at in ends if ends[at] >= number)}
        going = _longer(going, _steps(blocks), later)
        going.marks[number] = going.total
        for at in [at for at, end in ends.items() if end == number]:
            told = _window(windows[at], {**marks, **going.marks}, batch, len(going.total))
            going.told[:, [2 * at, 2 * at + 1]] = told
    first = going.first if going.first is not None else np.zeros(1, np.int64)
    return _together(going.states.sum(axis=1), first, going.told[:, 0::2], going.told[:, 1::2])


@dataclass(slots=True)
class _Going:
    """The ways so far, alike ones together: arm difference, what is told of windows, belief, marks and first arm.

    `marks` are the differences at earlier numbers that a window still needs.
    """

    total: Ints
    told: Ints
    states: Floats
    marks: dict[int, Ints] = field(default_factory=dict)
    first: Ints | None = None


def _longer(going: _Going, steps: tuple[Floats, Floats, Floats], later: set[int]) -> _Going:
    """One number more: each way goes on with either arm, and ways that will say the same are one."""
    _, *arms = steps
    count = len(going.total)
    sign = np.repeat([1, -1], count)
    first = sign if going.first is None else np.tile(going.first, 2)
    total = np.tile(going.total, 2) + sign
    told = np.tile(going.told, (2, 1))
    marks = {place: np.tile(values, 2) for place, values in going.marks.items() if place in later}
    states = np.concatenate([going.states @ arms[0], going.states @ arms[1]])
    if count < _FEW:
        return _Going(total, told, states, marks, first)
    keys = np.ascontiguousarray(np.column_stack([first, total, told, *marks.values()]).astype(np.int8))
    _, place, of = np.unique(keys.view(np.dtype((np.void, keys.shape[1]))), return_index=True, return_inverse=True)
    summed = np.zeros((len(place), states.shape[1]))
    np.add.at(summed, of.reshape(-1), states)
    kept = {name: values[place] for name, values in marks.items()}
    return _Going(total[place], told[place], summed, kept, first[place])


def _window(window: Window, totals: Mapping[int, Ints | int], batch: int, count: int) -> Ints:
    """Sum and kind of a window in each way, from the arm differences at its numbers."""
    start = np.broadcast_to(totals[window.start], count)
    three = np.stack(
        [np.broadcast_to(totals[window.start + batch + step], count) - start for step in (-1, 0, 1)], axis=1
    )
    beside = three - three[:, [1 + window.step]]
    kind = _KIND_OF[np.sort(beside, axis=1) @ (25, 5, 1) + 62]
    return np.stack([three[:, 1 + window.step], kind], axis=1)


def _together(likely: Floats, first: Ints, sums: Ints, kinds: Ints) -> Ways:
    """Ways that say the same are one."""
    told, of = np.unique(np.concatenate([sums, kinds], axis=1), axis=0, return_inverse=True)
    of = of.reshape(-1)
    both = [np.bincount(of, likely * (first == arm), len(told)) for arm in (1, -1)]
    windows = sums.shape[1]
    return Ways(np.stack(both, axis=1), told[:, :windows], told[:, windows:])


def alone(blocks: Blocks, opened: bytes) -> float:
    """The chance of arm 1 to one who knows the block set and the opened arms of this list, and no more."""
    return float((belief(blocks, opened) @ _steps(blocks)[1]).sum())


@lru_cache(maxsize=100_000)
def whole(blocks: Blocks, opened: bytes, sent: int, batch: int) -> float:
    """The same to one who knows that a shipment of so many numbers is the next whole blocks that reach a batch.

    Args:
        blocks: The block set.
        opened: The opened arms of this shipment; it begins where a block begins.
        sent: How many numbers it has.
        batch: What the blocks had to reach.
    """
    fresh, *arms = _steps(blocks)
    ends = [arm.sum(axis=1) * (arm @ _at_start(blocks) > 0) for arm in arms]
    inside = [np.where((ends[at] > 0)[:, None], 0, arm) for at, arm in enumerate(arms)]

    def ended(number: int, after: Floats) -> float:
        """What it is worth that a block ends after this number."""
        return float(number == sent) if number >= batch else float(fresh @ after)

    after = np.zeros(len(fresh))
    for number in range(sent, len(opened) + 1, -1):
        value = ended(number, after)
        after = sum((inside[arm] @ after + ends[arm] * value for arm in (0, 1)), np.zeros(len(fresh)))
    states = fresh
    for number, arm in enumerate(opened, 1):
        closing = float(states @ ends[arm - 1]) if number < batch else 0.0
        states = states @ inside[arm - 1] + closing * fresh
    value = ended(len(opened) + 1, after)
    one, two = (float(states @ (inside[arm] @ after + ends[arm] * value)) for arm in (0, 1))
    return one / (one + two)


def _at_start(blocks: Blocks) -> Floats:
    """1 for the states in which a block begins."""
    return (_steps(blocks)[0] > 0).astype(float)
