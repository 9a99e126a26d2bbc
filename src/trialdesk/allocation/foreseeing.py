"""What one knows of the next arm who knows the scheme and the arms before (reference/randomisation.md 4.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from trialdesk.allocation.scheme import Scheme

Given = tuple[int, ...]
Belief = Mapping[tuple[int, Given], float]
"""How likely each state of the current block is: its size, and how many of each arm it has given."""


def foreseen(scheme: Scheme, arms: Sequence[str]) -> Iterator[Mapping[str, float]]:
    """Before each number of a list, and once after the last: arm code to its chance.

    Forward recursion over the states of the block. An arm that the scheme can't give there makes the list foreign to
    it: from then on the ratio is all there is to know.

    Args:
        scheme: Arms with ratios, block sizes with weights.
        arms: The arms of the list from its beginning.
    """
    codes = [code for code, _ in scheme.arms]
    belief = _fresh(scheme)
    for arm in (*arms, None):
        chances = {code: 0.0 for code in codes}
        for (size, given), likely in belief.items():
            for place, code in enumerate(codes):
                chances[code] += likely * _left(scheme, size, given, place) / (size - sum(given))
        yield chances
        if arm is None:
            return
        belief = _after(scheme, belief, codes.index(arm)) if arm in codes else {}
        belief = belief or _fresh(scheme)


def counted(scheme: Scheme, arm: str, numbers: int) -> list[float]:
    """How likely 0, 1, … of the first `numbers` of a list are of an arm; `numbers` + 1 chances."""
    place = [code for code, _ in scheme.arms].index(arm)
    states: dict[tuple[int, int, int], list[float]] = {
        (size, 0, 0): [likely, *[0.0] * numbers] for (size, _), likely in _fresh(scheme).items()
    }
    for _ in range(numbers):
        states = _counted_on(scheme, place, states)
    return [sum(chance) for chance in zip(*states.values(), strict=True)]


def _counted_on(
    scheme: Scheme, place: int, states: Mapping[tuple[int, int, int], list[float]]
) -> dict[tuple[int, int, int], list[float]]:
    """One number on: size of the block, how many it has given, and how many of them are of the arm."""
    new: dict[tuple[int, int, int], list[float]] = {}
    for (size, done, own), chances in states.items():
        of_arm = (_share(scheme, size, place) - own) / (size - done)
        moved = [0.0, *chances[:-1]]
        for step, likely, shifted in ((1, of_arm, moved), (0, 1 - of_arm, chances)):
            for begun, weight in _onwards(scheme, (size, done + 1, own + step)):
                held = new.setdefault(begun, [0.0] * len(chances))
                new[begun] = [a + likely * weight * b for a, b in zip(held, shifted, strict=True)]
    return new


def _onwards(scheme: Scheme, state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
    """The state itself, or the beginnings of the next block where this one is whole."""
    if state[1] < state[0]:
        return [(state, 1.0)]
    return [((size, 0, 0), likely) for (size, _), likely in _fresh(scheme).items()]


def _fresh(scheme: Scheme) -> dict[tuple[int, Given], float]:
    """At the beginning of a block: only its size is open."""
    every = sum(weight for _, weight in scheme.blocks)
    none = (0,) * len(scheme.arms)
    sizes: dict[tuple[int, Given], float] = defaultdict(float)
    for size, weight in scheme.blocks:
        sizes[size, none] += weight / every
    return sizes


def _after(scheme: Scheme, belief: Belief, place: int) -> dict[tuple[int, Given], float]:
    """The belief once an arm has been seen; {} if no state could give it."""
    new: dict[tuple[int, Given], float] = defaultdict(float)
    for (size, given), likely in belief.items():
        chance = likely * _left(scheme, size, given, place) / (size - sum(given))
        if not chance:
            continue
        now = (*given[:place], given[place] + 1, *given[place + 1 :])
        if sum(now) < size:
            new[size, now] += chance
            continue
        for begun, weight in _fresh(scheme).items():
            new[begun] += chance * weight
    every = sum(new.values())
    return {state: chance / every for state, chance in new.items()}


def _left(scheme: Scheme, size: int, given: Given, place: int) -> int:
    return _share(scheme, size, place) - given[place]


def _share(scheme: Scheme, size: int, place: int) -> int:
    """How many of an arm a block of this size holds."""
    return size * scheme.arms[place][1] // sum(ratio for _, ratio in scheme.arms)
