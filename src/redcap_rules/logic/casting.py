"""Many texts cast to numbers or dates at once; the same answers as the functions for one."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from redcap_rules.logic.moments import seconds
from redcap_rules.logic.values import Value, number

Numbers = NDArray[np.float64]

# Of texts in these characters alone Python's float takes those that `number` takes.
_FIGURES = re.compile(r"[0-9.eE+-]*")
_ZEROED = str.maketrans("123456789", "000000000")
_STAMPS = {"", "0000-00-00", "0000-00-00 00:00", "0000-00-00 00:00:00"}
_EARLIEST = np.datetime64("0001-01-01", "s")


def numbers_of(values: Sequence[Value]) -> Numbers:
    """The values as numbers, NaN where one is blank or none."""
    try:
        if _FIGURES.fullmatch("".join(values)):  # type: ignore[arg-type]  # a number among the texts is an error below
            found = np.fromiter((float(text or "nan") for text in values), dtype=np.float64, count=len(values))
            return np.where(np.isfinite(found), found, np.nan)
    except (TypeError, ValueError):
        pass
    each = map(number, values)
    return np.array([np.nan if one is None else one for one in each], dtype=np.float64)


def seconds_of(values: Sequence[Value], order: str) -> Numbers:
    """The values as seconds from a fixed origin, NaN where one is no date; the order is that of typed-in dates."""
    texts = [str(value) for value in values]
    try:
        stamps = "\n".join(texts).translate(_ZEROED).split("\n")
        if len(stamps) == len(texts) and _STAMPS.issuperset(stamps):
            found = np.array([text or "NaT" for text in texts], dtype="datetime64[s]")
            if not (found < _EARLIEST).any():
                # `seconds` counts the first day as day one.
                since = (found - _EARLIEST).astype(np.float64) + 86400.0
                return np.where(np.isnat(found), np.nan, since)
    except ValueError:
        pass
    each = (seconds(text, order) for text in texts)
    return np.array([np.nan if one is None else one for one in each], dtype=np.float64)
