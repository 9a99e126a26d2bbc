"""Columns of values: coded, as positions in a short list of values, or dense, as numbers with NaN for blank."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Union

import numpy as np
from numpy.typing import NDArray

from redcap_rules.logic.casting import Numbers, numbers_of
from redcap_rules.logic.packing import Codes, combine, distinct, factorize, is_varied
from redcap_rules.logic.values import BLANK, Value, is_true, number

if TYPE_CHECKING:
    import pandas as pd

Truths = NDArray[np.bool_]
# Where a column of texts shows itself as such.
_GLANCE = 10


class Coded:
    """A column given by positions in a list of values; what is asked of it is worked out once per value.

    A single position stands for the same value in every row: numpy stretches it to any length.
    """

    def __init__(self, codes: Codes, values: Sequence[Value]) -> None:
        self.codes = codes
        self.values = values

    @cached_property
    def numbers(self) -> Numbers:
        """The column's numbers, NaN where a value is none."""
        return self._numbers[self.codes]

    @cached_property
    def truths(self) -> Truths:
        """Whether the column's values hold as conditions."""
        holds: Truths = np.array([is_true(value) for value in self.values], dtype=np.bool_)[self.codes]
        return holds

    @cached_property
    def is_plain(self) -> bool:
        """Whether every value is a number or blank, so that NaN can stand for what is no number."""
        begin = all(value == BLANK or number(value) is not None for value in self.values[:_GLANCE])
        return begin and int(np.isnan(self._numbers).sum()) == self.values.count(BLANK)

    @cached_property
    def blanks(self) -> Truths:
        """Where the column is blank."""
        return np.array([value == BLANK for value in self.values], dtype=np.bool_)[self.codes]

    @cached_property
    def is_pure(self) -> bool:
        """Whether every value is a float or blank, so that no spelling is lost with the value."""
        return all(isinstance(value, float) or value == BLANK for value in self.values)

    @cached_property
    def _numbers(self) -> Numbers:
        return numbers_of(self.values)


class Dense:
    """A column of numbers, NaN where blank."""

    is_plain = is_pure = True

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers

    @cached_property
    def truths(self) -> Truths:
        """Whether the column's values hold as conditions."""
        holds: Truths = (self.numbers != 0) & ~np.isnan(self.numbers)
        return holds


Column = Coded | Dense
Texts = Union[Sequence[str], NDArray[np.object_], NDArray[np.str_], "pd.Categorical", "pd.Series[str]"]
Table = Mapping[str, Texts]


def single(value: Value) -> Coded:
    """The column that has one value in every row."""
    return Coded(np.zeros(1, dtype=np.intp), [value])


def encode(column: Texts) -> Coded:
    """The column of stored texts; what is missing in an array counts as blank."""
    if isinstance(column, Sequence):
        return Coded(*factorize(column))
    import pandas as pd  # a third of a second, and what is no list is of pandas

    cells = column.array if isinstance(column, pd.Series) else column
    if isinstance(cells, pd.Categorical):
        values = [*map(str, cells.categories), BLANK]
        return Coded(np.where(cells.codes < 0, len(values) - 1, cells.codes).astype(np.intp), values)
    return Coded(*factorize(np.where(pd.isna(cells), BLANK, np.asarray(cells, dtype=object)).tolist()))


def reduced(columns: Sequence[Coded]) -> tuple[Codes, list[Coded]]:
    """Positions in the list of combinations of values that occur, and the columns of that list."""
    codes, rows = combine([column.codes for column in columns])
    return codes, [Coded(np.broadcast_to(one.codes, codes.shape)[rows], one.values) for one in columns]


def decode(column: Column, rows: int) -> list[Value]:
    """The values of a column, row by row."""
    if isinstance(column, Dense) and not is_varied([column.numbers.view(np.intp)]):
        column = coded(column)
    if isinstance(column, Coded):
        values = np.fromiter(column.values, dtype=object, count=len(column.values))[column.codes]
    else:
        values = column.numbers.astype(object)
        values[np.isnan(column.numbers)] = BLANK
    stretched: list[Value] = np.broadcast_to(values, rows).tolist()
    return stretched


def coded(column: Column) -> Coded:
    """The column as positions in a list of values."""
    if isinstance(column, Coded):
        return column
    codes, bits = distinct(column.numbers.view(np.intp))
    return Coded(codes, [value if math.isfinite(value) else BLANK for value in bits.view(np.float64).tolist()])
