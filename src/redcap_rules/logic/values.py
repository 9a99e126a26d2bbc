"""What formulas compute with: numbers, texts and blanks, and the operators on them.

Every operation gives a value for all values: what has no answer (a part is blank or not a number, a division
by zero, a root of a negative number) is blank, as in REDCap.
"""

import math
import operator
import re
from collections.abc import Callable
from functools import lru_cache

Value = float | str
BLANK = ""

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)


def number(value: Value) -> float | None:
    """The value as a number, None when it is blank or not a number."""
    return _parsed(value) if isinstance(value, str) else value


@lru_cache(maxsize=65536)
def _parsed(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def known(value: float) -> Value:
    """The number itself, blank if it is infinite or not a number."""
    return value if math.isfinite(value) else BLANK


def number_text(value: Value) -> str:
    """The text REDCap stores for a value: 3.0 is `3`, other numbers have their shortest exact form.

    >>> number_text(0.1 + 0.2), number_text(3.0), number_text("")
    ('0.30000000000000004', '3', '')
    """
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def is_true(value: Value) -> bool:
    """Whether a condition holds: blank and zero do not, any other value does."""
    if isinstance(value, str):
        here = _parsed(value)
        return bool(value) if here is None else here != 0.0
    return value != 0.0


def equal(left: Value, right: Value) -> Value:
    """1 when both are the same number, or else the same text, capitals counting; a blank equals only a blank."""
    a, b = number(left), number(right)
    if a is None or b is None:
        return float(a is None and b is None and left == right)
    return float(a == b)


def unequal(left: Value, right: Value) -> Value:
    """1 when the two are not equal."""
    return 1.0 - float(equal(left, right))


def _order(holds: Callable[[float | str, float | str], bool]) -> Callable[[Value, Value], Value]:
    def ordered(left: Value, right: Value) -> Value:
        # A blank counts as 0 beside a number (reference/instruments.md 6): that is why rules test <> '' first.
        a = 0.0 if left == BLANK else number(left)
        b = 0.0 if right == BLANK else number(right)
        if a is None or b is None:
            return float(holds(number_text(left), number_text(right)))
        return float(holds(a, b))

    return ordered


def _arithmetic(work: Callable[[float, float], float]) -> Callable[[Value, Value], Value]:
    def computed(left: Value, right: Value) -> Value:
        a, b = number(left), number(right)
        if a is None or b is None:
            return BLANK
        try:
            return known(work(a, b))
        except (ArithmeticError, ValueError):
            return BLANK

    return computed


def negative(value: Value) -> Value:
    """The number with the other sign; blank stays blank."""
    here = number(value)
    return BLANK if here is None else -here


BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "or": lambda a, b: float(is_true(a) or is_true(b)),
    "and": lambda a, b: float(is_true(a) and is_true(b)),
    "=": equal,
    "<>": unequal,
    "<": _order(operator.lt),
    "<=": _order(operator.le),
    ">": _order(operator.gt),
    ">=": _order(operator.ge),
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _arithmetic(operator.truediv),
    "%": _arithmetic(math.fmod),
    "^": _arithmetic(math.pow),
}
UNARY: dict[str, Callable[[Value], Value]] = {
    "not": lambda value: float(not is_true(value)),
    "-": negative,
}
