"""Columns of values: coded, as positions in a short list of values, or dense, as numbers with NaN for blank."""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from redcap_rules.logic.values import BLANK, Value, is_true, number

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Codes = NDArray[np.intp]


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
        found = (number(value) for value in self.values)
        return np.array([np.nan if one is None else one for one in found], dtype=np.float64)[self.codes]

    @cached_property
    def truths(self) -> Truths:
        """Whether the column's values hold as conditions."""
        holds: Truths = np.array([is_true(value) for value in self.values], dtype=np.bool_)[self.codes]
        return holds

    @cached_property
    def is_plain(self) -> bool:
        """Whether every value is a number or blank, so that NaN can stand for what is no number."""
        return all(value == BLANK or number(value) is not None for value in self.values)

    @cached_property
    def is_pure(self) -> bool:
        """Whether every value is a float or blank, so that no spelling is lost with the value."""
        return all(isinstance(value, float) or value == BLANK for value in self.values)


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


def single(value: Value) -> Coded:
    """The column that has one value in every row."""
    return Coded(np.zeros(1, dtype=np.intp), [value])


def encode(texts: Sequence[str]) -> Coded:
    """The column of stored texts."""
    codes, found = pd.factorize(np.asarray(texts, dtype=object))
    return Coded(codes, [str(value) for value in found])


def decode(column: Column, rows: int) -> list[Value]:
    """The values of a column, row by row."""
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
    found, codes = np.unique(column.numbers, return_inverse=True)
    return Coded(codes, [value if math.isfinite(value) else BLANK for value in found.tolist()])
