"""What an insider knows of the next arm of a pile who sees how every parcel of the clinic was cut.

The better a cut divides a parcel the likelier it is, so it ties its piles together: the posterior of one pile is a sum
over every way all of them can go on. The sums of the parcels are convolved exactly, pile after pile. How likely a
cut was drawn depends besides on how many other vectors are as good; that is sampled: piles are drawn backwards from
their exact distribution given sums near 0, and weighted by likelihood over proposal. The two arms are sampled apart
and their exact masses kept (Rao and Blackwell), so what noise is left comes from that count alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

import numpy as np

from insider.piles import KINDS, Flags, Floats, Ints, Ways

PROPOSED = np.array([1e-4, 1e-3, 1e-2, 0.1, 1.0, 0.1, 1e-2, 1e-3, 1e-4])
"""How a parcel's sum −4 … 4 is proposed; what is farther off is not drawn by the cut."""
MOST = 4
WIDE = 64
"""Sums of one parcel stay within ± 31."""

UPWARDS = frozenset(at for at, kind in enumerate(KINDS) if min(kind) >= 0)
DOWNWARDS = frozenset(at for at, kind in enumerate(KINDS) if max(kind) <= 0)
ANY: frozenset[int] = frozenset(range(len(KINDS)))
REST: frozenset[int] = frozenset()
WORLDS = (UPWARDS, DOWNWARDS, REST)
"""A parcel with an odd number of envelopes was taken because hardly any vector divides it: its piles go all upwards or
all downwards, which few samples would be. So these worlds are weighed apart, beside the rest."""


@dataclass(frozen=True, slots=True)
class Parcels:
    """The parcels that still tell something: whether each has an odd number of envelopes, and the draws of a cut."""

    odd: tuple[bool, ...]
    draws: int


@dataclass(frozen=True)
class Member:
    """A pile: its ways, and which of the parcels (columns) each of its windows belongs to."""

    ways: Ways
    parcels: tuple[int, ...]

    @cached_property
    def codes(self) -> Ints:
        """The sums of each way as one number: parcels as digits that may be negative."""
        place = np.array([WIDE**parcel for parcel in self.parcels], dtype=np.int64)
        codes: Ints = self.ways.sums @ place
        return codes

    @cached_property
    def order(self) -> Ints:
        """The ways by their codes."""
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def summed(self) -> tuple[Ints, Floats]:
        """Every code with what its ways weigh together."""
        return _summed(self.codes, self.ways.likely.sum(axis=1))


@lru_cache(maxsize=200_000)
def _chance(total: int, counted: int, draws: int) -> float:
    """How likely a vector with this sum was taken, times the number of vectors (tests/insider/chances.py).

    `counted` has as hexadecimal digits how many piles are of each kind.
    """
    counts = np.ones(1)
    centre = 0
    for at, kind in enumerate(KINDS):
        for _ in range(counted >> 4 * at & 15):
            counts = np.convolve(counts, np.bincount([2 + step for step in kind], minlength=5))
            centre += 2
    off = np.abs(np.arange(len(counts)) - centre + total)
    every = counts.sum()
    equal = counts[off == abs(total)].sum()
    not_better = every - counts[off < abs(total)].sum()
    worse = not_better - equal
    return float(((not_better / every) ** draws - (worse / every) ** draws) / (equal / every))


def next_arm(
    others: Sequence[Member], own: Member, parcels: Parcels, samples: int, chance: np.random.Generator
) -> tuple[float, float]:
    """The chance of arm 1, by each half of the samples.

    Args:
        others: The other piles that are in a parcel that still tells something.
        own: The pile whose next arm is asked for.
        parcels: The parcels that still tell something.
        samples: How many ways are drawn for each arm, in each world.
        chance: The random numbers.
    """
    masses = np.zeros((2, 2))
    for world in product(*(WORLDS if odd else (ANY,) for odd in parcels.odd)):
        inside = [_inside(member, world) for member in (*others, own)]
        if all(len(member.ways.likely) for member in inside):
            masses += _masses(inside[:-1], inside[-1], parcels, world, chance.random((len(inside), samples)))
    one, other = masses[0] / masses.sum(axis=0)
    return float(one), float(other)


def _inside(member: Member, world: Sequence[frozenset[int]]) -> Member:
    """The ways of a pile that belong to a world."""
    kept = np.ones(len(member.ways.likely), np.bool_)
    for at, parcel in enumerate(member.parcels):
        if world[parcel] in (UPWARDS, DOWNWARDS):
            kept &= np.isin(member.ways.kinds[:, at], list(world[parcel]))
    told = member.ways
    return Member(Ways(told.likely[kept], told.sums[kept], told.kinds[kept]), member.parcels)


def _masses(
    others: Sequence[Member], own: Member, parcels: Parcels, world: Sequence[frozenset[int]], dice: Floats
) -> Floats:
    """How much one world weighs for each arm, by each half of the samples.

    The same random numbers serve both arms: what they have in common cancels.
    """
    tables = [(np.zeros(1, np.int64), np.ones(1))]
    number, samples = len(parcels.odd), dice.shape[1]
    for member, far in zip(others, _reach(others, own, number), strict=True):
        tables.append(_convolved(tables[-1], member.summed, far))
    masses = np.zeros((2, 2))
    for arm in (0, 1):
        drawn = _drawn(tables, others, own, arm, number, dice)
        if drawn is None:
            continue
        whole, sums, kinds = drawn
        weight = np.full(samples, whole)
        for at in range(number):
            weight *= _likely(sums[:, at], kinds[:, at], parcels.draws) / PROPOSED[sums[:, at] + MOST]
            if world[at] == REST:
                weight *= ~(_all_in(kinds[:, at], UPWARDS) | _all_in(kinds[:, at], DOWNWARDS))
        masses[arm] = weight[: samples // 2].mean(), weight[samples // 2 :].mean()
    return masses


def _all_in(kinds: Ints, some: frozenset[int]) -> Flags:
    """Whether all piles of the parcel are of these kinds, in each sample."""
    return np.asarray((np.isin(kinds, list(some)) | (kinds < 0)).all(axis=1))


def _drawn(
    tables: Sequence[tuple[Ints, Floats]],
    others: Sequence[Member],
    own: Member,
    arm: int,
    parcels: int,
    dice: Floats,
) -> tuple[float, Ints, Ints] | None:
    """The arm's mass under the proposal; of each sample the parcels' sums, and their piles' kinds (−1: not in it)."""
    codes, likely = _summed(own.codes, own.ways.likely[:, arm])
    held, mass = tables[-1]
    ends = held[None] + codes[:, None]
    proposal = np.ones(ends.shape)
    for parcel in range(parcels):
        total = _digit(ends, parcel, parcels)
        proposal *= np.where(np.abs(total) <= MOST, PROPOSED[np.clip(total, -MOST, MOST) + MOST], 0)
    weight = (likely[:, None] * mass[None] * proposal).ravel()
    whole = weight.sum()
    if not whole:
        return None
    picked, dice_left = _picked(weight[None], np.zeros(dice.shape[1], np.int64), dice[-1])
    told, rest = np.divmod(picked, len(held))
    end = ends[told, rest]
    way = _way(own, own.ways.likely[:, arm], codes[told], dice_left)
    kinds = np.full((dice.shape[1], parcels, len(others) + 1), -1, np.int64)
    kinds[:, list(own.parcels), len(others)] = own.ways.kinds[way]
    left = held[rest]
    for at in range(len(others) - 1, -1, -1):
        way = _backwards(others[at], left, tables[at], dice[at])
        kinds[:, list(others[at].parcels), at] = others[at].ways.kinds[way]
        left = left - others[at].codes[way]
    return float(whole), _digits(end, parcels), kinds


def _backwards(member: Member, left: Ints, table: tuple[Ints, Floats], dice: Floats) -> Ints:
    """A way of a pile for each sample, given the sum of it and those before it."""
    rows, of = np.unique(left, return_inverse=True)
    own, own_mass = member.summed
    wanted = rows[:, None] - own[None]
    codes, mass = table
    place = np.searchsorted(codes, wanted).clip(0, len(codes) - 1)
    weight = np.where(codes[place] == wanted, mass[place], 0) * own_mass[None]
    told, dice_left = _picked(weight, of, dice)
    return _way(member, member.ways.likely.sum(axis=1), own[told], dice_left)


def _picked(weight: Floats, of: Ints, dice: Floats) -> tuple[Ints, Floats]:
    """A column for each sample, by the weights of its row; and what is left of its number, again between 0 and 1."""
    steps = weight.cumsum(axis=1)
    drawn = dice * steps[of, -1]
    if len(weight) == 1:
        column: Ints = np.searchsorted(steps[0], drawn, side="right")
    else:
        column = (steps[of] <= drawn[:, None]).sum(axis=1)
    column = column.clip(0, weight.shape[1] - 1)
    over: Floats = 1 - (steps[of, column] - drawn) / weight[of, column]
    return column, over.clip(0, 1)


def _way(member: Member, likely: Floats, codes: Ints, dice: Floats) -> Ints:
    """A way of a pile for each sample, among those with its sums."""
    steps = np.concatenate([np.zeros(1), likely[member.order].cumsum()])
    own = member.codes[member.order]
    first, last = (np.searchsorted(own, codes, side=side) for side in ("left", "right"))
    drawn = steps[first] + dice * (steps[last] - steps[first])
    way: Ints = member.order[(np.searchsorted(steps, drawn, side="right") - 1).clip(first, last - 1)]
    return way


def _reach(others: Sequence[Member], own: Member, parcels: int) -> Ints:
    """After each of the others: how far the sum of each parcel may be off, so that what follows can bring it back."""
    farthest = np.zeros((len(others) + 1, parcels), np.int64)
    for at, member in enumerate((*others, own)):
        farthest[at, list(member.parcels)] = np.abs(member.ways.sums).max(axis=0, initial=0)
    after: Ints = farthest[::-1].cumsum(axis=0)[::-1][1:] + MOST
    return after


def _digit(codes: Ints, parcel: int, parcels: int) -> Ints:
    half = sum(WIDE // 2 * WIDE**place for place in range(parcels))
    digit: Ints = (codes + half) // WIDE**parcel % WIDE - WIDE // 2
    return digit


def _convolved(one: tuple[Ints, Floats], other: tuple[Ints, Floats], far: Ints) -> tuple[Ints, Floats]:
    """The sums of two tables of sums and their mass, where each parcel is off by `far` at most.

    The first is laid out as an array with an axis for each parcel, the last parcel first, so that its cells are in the
    order of their codes; every row of the second adds it, moved.
    """
    sums, steps = (_digits(codes, len(far))[:, ::-1] for codes in (one[0], other[0]))
    far = far[::-1]
    reach = np.abs(sums).max(axis=0, initial=0)
    bound = np.minimum(reach + np.abs(steps).max(axis=0, initial=0), far)
    old, new = np.zeros(2 * reach + 1), np.zeros(2 * bound + 1)
    old[tuple((sums + reach).T)] = one[1]
    for step, likely in zip(steps, other[1], strict=True):
        first = np.maximum(0, reach - step - bound)
        last = np.minimum(2 * reach, reach - step + bound) + 1
        there = first - reach + step + bound
        if (last > first).all():
            to = tuple(slice(at, at + size) for at, size in zip(there, last - first, strict=True))
            new[to] += likely * old[tuple(slice(*ends) for ends in zip(first, last, strict=True))]
    found = np.nonzero(new)
    places = np.array([WIDE**at for at in reversed(range(len(far)))], dtype=np.int64)
    codes: Ints = (np.stack(found, axis=1) - bound) @ places
    return codes, new[found]


def _digits(codes: Ints, parcels: int) -> Ints:
    """The sum of every parcel in each code; codes × parcels."""
    return np.stack([_digit(codes, parcel, parcels) for parcel in range(parcels)], axis=1)


def _summed(codes: Ints, mass: Floats) -> tuple[Ints, Floats]:
    every, of = np.unique(codes, return_inverse=True)
    summed: Floats = np.bincount(of, mass, len(every)).astype(np.float64)
    return every, summed


def _likely(total: Ints, kinds: Ints, draws: int) -> Floats:
    """The likelihood of the cut of one parcel in each sample; samples × piles of kinds."""
    counted = np.where(kinds >= 0, 1 << 4 * kinds.clip(0), 0).sum(axis=1)
    told, of = np.unique((total + MOST) << 40 | counted, return_inverse=True)
    values = [_chance(int(one >> 40) - MOST, int(one & (1 << 40) - 1), draws) for one in told]
    found: Floats = np.array(values)[of]
    return found
