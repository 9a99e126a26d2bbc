"""Days and dice of the rehearsal: the same key always gives the same throw."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

_CLOSED = frozenset({(1, 1), (12, 24), (12, 25), (12, 26), (12, 31)})  # month, day
_SATURDAY = 5


def dice(*key: object) -> Random:
    """Throws that depend on the key alone."""
    return Random(":".join(map(str, key)))  # noqa: S311 - made-up patients; no allocation is drawn here


def open_day(day: date, step: int = 1) -> date:
    """`day` itself, or the nearest day in the direction of `step` (1 or -1) on which a department is open."""
    while day.weekday() >= _SATURDAY or (day.month, day.day) in _CLOSED:
        day += timedelta(days=step)
    return day
