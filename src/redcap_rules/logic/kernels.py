"""The everyday operations on whole columns of numbers; the same answers as the functions in `values`."""

from collections.abc import Callable

import numpy as np

from redcap_rules.logic.casting import Numbers, seconds_of
from redcap_rules.logic.columns import Coded, Column, Dense, Truths, coded
from redcap_rules.logic.moments import SECONDS, date_order, is_signed
from redcap_rules.logic.numbers import EXACT, NOISE, places_of
from redcap_rules.logic.values import BLANK

# A kernel may decline operands it cannot do exactly.
Kernel = Callable[..., Column | None]


def _known(numbers: Numbers) -> Dense:
    return Dense(np.where(np.isfinite(numbers), numbers, np.nan))


def _arithmetic(work: Callable[[Numbers, Numbers], Numbers]) -> Kernel:
    return lambda left, right: _known(work(left.numbers, right.numbers))


def _minus(left: Column, right: Column | None = None) -> Dense:
    return Dense(-left.numbers) if right is None else _known(left.numbers - right.numbers)


def _condition(truths: Truths) -> Dense:
    return Dense(truths.astype(np.float64))


def _ordered(work: Callable[[Numbers, Numbers], Truths]) -> Kernel:
    def kernel(left: Column, right: Column) -> Dense | None:
        if not (left.is_plain and right.is_plain):
            return None
        return _condition(work(np.nan_to_num(left.numbers), np.nan_to_num(right.numbers)))

    return kernel


def _equal(left: Column, right: Column) -> Truths | None:
    if left.is_plain and right.is_plain:
        same: Truths = (left.numbers == right.numbers) | (np.isnan(left.numbers) & np.isnan(right.numbers))
        return same
    return left.blanks if isinstance(left, Coded) and isinstance(right, Coded) and right.values == [BLANK] else None


def _same(left: Column, right: Column) -> Dense | None:
    equal = _equal(left, right)
    return None if equal is None else _condition(equal)


def _other(left: Column, right: Column) -> Dense | None:
    equal = _equal(left, right)
    return None if equal is None else _condition(~equal)


def _choose(condition: Column, then: Column, otherwise: Column) -> Column:
    if then.is_pure and otherwise.is_pure:
        return Dense(np.where(condition.truths, then.numbers, otherwise.numbers))
    first, second = coded(then), coded(otherwise)
    codes = np.where(condition.truths, first.codes, second.codes + len(first.values))
    return Coded(codes, [*first.values, *second.values])


def _sum(*columns: Column) -> Numbers:
    total: Numbers = np.zeros(1)
    for column in columns:
        total = total + np.where(np.isnan(column.numbers), 0.0, column.numbers)
    return total


def _total(*columns: Column) -> Dense:
    return _known(_sum(*columns))


def _mean(*columns: Column) -> Dense:
    count: Numbers = np.zeros(1)
    for column in columns:
        count = count + ~np.isnan(column.numbers)
    return _known(_sum(*columns) / count)


def _extreme(work: Callable[[Numbers, Numbers], Numbers]) -> Kernel:
    def kernel(*columns: Column) -> Dense:
        best = columns[0].numbers
        for column in columns[1:]:
            best = work(best, column.numbers)
        return Dense(best)

    return kernel


def _rounded(column: Column, places: Column | None = None) -> Dense | None:
    if places is not None and (isinstance(places, Dense) or len(places.values) != 1):
        return None
    count = 0 if places is None else places_of(places.values[0])
    if count is None:
        return None
    here, factor = column.numbers, 10.0 ** abs(count)
    size = np.abs(here) * factor if count >= 0 else np.abs(here) / factor
    whole = np.floor(size + 0.5 + size * NOISE)
    result = np.copysign(whole / factor if count >= 0 else whole * factor, here)
    return _known(np.where(size >= EXACT, here, result))


def _difference(first: Column, second: Column, *given: Column) -> Dense | None:
    settings = [column.values[0] for column in given if isinstance(column, Coded) and len(column.values) == 1]
    if len(settings) < len(given) or str(settings[0]) not in SECONDS:
        return None
    options = tuple(settings[1:])
    order = date_order(options)
    span = (_seconds(second, order) - _seconds(first, order)) / SECONDS[str(settings[0])]
    return Dense(span if is_signed(options) else np.abs(span))


def _seconds(column: Column, order: str) -> Numbers:
    dates = coded(column)
    return seconds_of(dates.values, order)[dates.codes]


KERNELS: dict[str, Kernel] = {
    "+": _arithmetic(np.add),
    "-": _minus,
    "*": _arithmetic(np.multiply),
    "/": _arithmetic(np.divide),
    "=": _same,
    "<>": _other,
    "<": _ordered(np.less),
    "<=": _ordered(np.less_equal),
    ">": _ordered(np.greater),
    ">=": _ordered(np.greater_equal),
    "and": lambda left, right: _condition(left.truths & right.truths),
    "or": lambda left, right: _condition(left.truths | right.truths),
    "not": lambda column: _condition(~column.truths),
    "if": _choose,
    "sum": _total,
    "mean": _mean,
    "min": _extreme(np.fmin),
    "max": _extreme(np.fmax),
    "round": _rounded,
    "datediff": _difference,
}
