"""The functions on numbers. Sums and averages skip blanks (reference/instruments.md 2.2)."""

import math
from collections.abc import Iterable

from redcap_rules.logic.values import BLANK, Value, known, number

# Beyond this a double holds no fraction worth rounding.
EXACT = 1e15
# A product such as 122.5 * 0.1 misses its half by an ulp or two; REDCap's rounding looks at 15 digits.
NOISE = 1e-15


def added(numbers: Iterable[float]) -> float:
    """The sum from left to right in plain binary floating point, as PHP adds; 0.0 of nothing.

    The built-in `sum` gives other last digits from Python 3.12 on: it makes up for what rounding loses.
    """
    total = 0.0
    for one in numbers:
        total += one
    return total


def _numbers(values: tuple[Value, ...]) -> list[float]:
    return [here for here in map(number, values) if here is not None]


def total(*values: Value) -> Value:
    """The sum of the values that are numbers; 0 if none is."""
    return known(added(_numbers(values)))


def mean(*values: Value) -> Value:
    """The mean of the values that are numbers; blank if none is."""
    here = _numbers(values)
    return known(added(here) / len(here)) if here else BLANK


def median(*values: Value) -> Value:
    """The median of the values that are numbers; blank if none is."""
    here = sorted(_numbers(values))
    if not here:
        return BLANK
    half = len(here) // 2
    return known(here[half] if len(here) % 2 else (here[half - 1] + here[half]) / 2)


def stdev(*values: Value) -> Value:
    """The sample standard deviation of the values that are numbers; blank for fewer than two."""
    here = _numbers(values)
    if len(here) < 2:
        return BLANK
    centre = added(here) / len(here)
    # Multiplied, not raised: a power that overflows is an error, a product is infinite and so blank.
    return known(math.sqrt(added((one - centre) * (one - centre) for one in here) / (len(here) - 1)))


def least(*values: Value) -> Value:
    """The smallest of the values that are numbers; blank if none is."""
    return min(_numbers(values), default=BLANK)


def greatest(*values: Value) -> Value:
    """The largest of the values that are numbers; blank if none is."""
    return max(_numbers(values), default=BLANK)


def places_of(value: Value) -> int | None:
    """The decimal places a rounding asks for; None if they are not a number."""
    here = number(value)
    return None if here is None else int(max(-300.0, min(300.0, here)))


def rounded(value: Value, places: Value = 0.0) -> Value:
    """The number rounded, halves away from zero: 12.25 to one place is 12.3 (reference/instruments.md 7.6, A10)."""
    here, count = number(value), places_of(places)
    if here is None or count is None:
        return BLANK
    size = abs(here) * 10.0**count if count >= 0 else abs(here) / 10.0**-count
    if size >= EXACT:
        return here
    whole = float(math.floor(size + 0.5 + size * NOISE))
    return known(math.copysign(whole / 10.0**count if count >= 0 else whole * 10.0**-count, here))


def rounded_up(value: Value, places: Value = 0.0) -> Value:
    """The number rounded to the next larger step."""
    return _stepped(value, places, up=True)


def rounded_down(value: Value, places: Value = 0.0) -> Value:
    """The number rounded to the next smaller step."""
    return _stepped(value, places, up=False)


def _stepped(value: Value, places: Value, *, up: bool) -> Value:
    here, count = number(value), places_of(places)
    if here is None or count is None:
        return BLANK
    size = here * 10.0**count if count >= 0 else here / 10.0**-count
    if abs(size) >= EXACT:
        return here
    slack = abs(size) * NOISE
    whole = float(math.ceil(size - slack) if up else math.floor(size + slack))
    return known(whole / 10.0**count if count >= 0 else whole * 10.0**-count)


def root(value: Value) -> Value:
    """The square root; blank of a negative number."""
    here = number(value)
    return BLANK if here is None or here < 0 else math.sqrt(here)


def absolute(value: Value) -> Value:
    """The number without its sign."""
    here = number(value)
    return BLANK if here is None else abs(here)


def logarithm(value: Value, base: Value = math.e) -> Value:
    """The logarithm to a base, the natural one without; blank where there is none."""
    here, foot = number(value), number(base)
    if here is None or foot is None or here <= 0 or foot <= 0 or foot == 1:
        return BLANK
    return known(math.log(here) / math.log(foot))


def is_number(value: Value) -> Value:
    """1 for a number, else 0."""
    return float(number(value) is not None)


def is_integer(value: Value) -> Value:
    """1 for a whole number, else 0."""
    here = number(value)
    return float(here is not None and here.is_integer())
