"""Where things stand in the plots of the page; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialdesk.designs.summary import Row

WIDTH, HEIGHT = 640, 340
_DOT = 11
_BESIDE = ((14, 0), (0, -15), (-14, 0), (0, 15), (26, 0), (-26, 0), (0, -27), (0, 27))


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight scale from `low` to `high` over so many units of the drawing, with round numbers marked."""

    low: float
    high: float
    length: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value stands, from the beginning of the axis."""
        return round((value - self.low) / (self.high - self.low) * self.length, 1)


@dataclass(frozen=True, slots=True)
class Spot:
    """A design in the plane: its dot, and where its letter stands."""

    letter: str
    name: str
    x: float
    y: float
    label: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plane:
    """Balance against guessing: the nearer to the lower left corner, the better."""

    across: Axis
    up: Axis
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One design in rows of marks or bars: its figures in units of the drawing."""

    row: Row
    marks: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """One line a design below each other, over one axis."""

    across: Axis
    lines: tuple[Line, ...]


def axis(low: float, high: float, length: float, step: float = 0.0) -> Axis:
    """An axis that holds both values and begins and ends at a round number.

    >>> axis(0, 11.3, 600).ticks
    (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0)
    """
    step = step or _round_step((high - low) / 6)
    first, last = math.floor(low / step + 1e-9), max(math.ceil(high / step - 1e-9), math.floor(low / step) + 1)
    ticks = tuple(round(tick * step, 6) for tick in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], length, ticks)


def _round_step(rough: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 … (or 0.1, 0.2 …) that is not less than `rough`."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * (1 - 1e-9))


def plane(rows: Sequence[Row], least: float) -> Plane:
    """Every design by the mean difference of the arms and the share of right guesses of one who knows the method.

    Args:
        rows: The designs.
        least: The share of right guesses that nobody can be kept from.
    """
    means = [(row, row.figures["overall"].mean, row.figures["informed"].mean * 100) for row in rows]
    across = axis(0, max(1, *(x for _, x, _ in means)), WIDTH)
    guessed = [y for _, _, y in means]
    up = axis(min(least * 100, *guessed), max(least * 100 + 5, *guessed), HEIGHT, 5)
    dots = [(row, across.at(x), HEIGHT - up.at(y)) for row, x, y in means]
    return Plane(across, up, tuple(_spots(dots)))


def _spots(dots: Sequence[tuple[Row, float, float]]) -> Iterator[Spot]:
    """Letters beside their dots: right, above, left or below, where nothing stands yet."""
    taken = [(x, y) for _, x, y in dots]
    for row, x, y in dots:
        places = [(x + right, y + down) for right, down in _BESIDE]
        free = (at for at in places if all(math.dist(at, other) > _DOT for other in taken))
        label = next(free, places[0])
        taken.append(label)
        yield Spot(row.letter, row.name, x, y, (round(label[0], 1), round(label[1], 1)))


def intervals(rows: Sequence[Row]) -> Rows:
    """Mean and 95 % limit of the difference: in the trial, at the worst site, in the worst stratum."""
    names = ("overall", "site", "stratum")
    across = axis(0, max(1, *(row.figures[name].high for row in rows for name in names)), WIDTH)
    return Rows(
        across,
        tuple(
            Line(row, tuple((n, across.at(row.figures[n].mean), across.at(row.figures[n].high)) for n in names))
            for row in rows
        ),
    )


def stacks(rows: Sequence[Row]) -> Rows | None:
    """Envelopes opened and left over, of the designs whose envelopes are sent; None if there are none."""
    sent = [row for row in rows if "made" in row.figures]
    if not sent:
        return None
    across = axis(0, max(row.figures["made"].mean for row in sent), WIDTH)

    def marks(row: Row) -> tuple[tuple[str, float, float], ...]:
        made, unused = row.figures["made"].mean, row.figures["unused"].mean
        return (("opened", 0.0, across.at(made - unused)), ("unused", across.at(made - unused), across.at(made)))

    return Rows(across, tuple(Line(row, marks(row)) for row in sent))
