"""The steps of a formula run over whole columns.

What touches few different values is done value by value with the very functions `evaluate` uses, and so is
every operation without a kernel: only speed depends on the way taken, never the answer.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from redcap_rules.logic.columns import Coded, Column, Table, coded, decode, encode, reduced, single
from redcap_rules.logic.errors import LogicError
from redcap_rules.logic.kernels import KERNELS
from redcap_rules.logic.packing import is_varied
from redcap_rules.logic.steps import Lookup, Program, Step
from redcap_rules.logic.syntax import Reference
from redcap_rules.logic.values import Value

# One function call takes about as long as a kernel takes for a hundred rows.
_GAIN = 100


def run(program: Program, table: Table, given: Mapping[Lookup, str]) -> list[Value]:
    """The values of a formula's program, row by row; LogicError if a column is missing."""
    rows = len(next(iter(table.values()), ()))
    columns = [_read(lookup, table, given) for lookup in program.lookups]
    varying = [column.codes for column in columns if len(column.codes) > 1]
    if len(varying) < 2 or is_varied(varying):
        return decode(_result(program, columns), rows)
    codes, shorter = reduced(columns)
    combinations = len(shorter[0].codes)
    return decode(Coded(codes, decode(_result(program, shorter), combinations)), rows)


def _result(program: Program, columns: Sequence[Coded]) -> Column:
    slots = [*map(single, program.constants), *columns]
    stack: list[Column] = []
    # Overflows and divisions by zero become blank, so numpy need not warn of them.
    with np.errstate(all="ignore"):
        for step in program.steps:
            if step.arity:
                stack[-step.arity :] = [_apply(step, stack[-step.arity :])]
            else:
                stack.append(slots[step.slot])
    return stack[0]


def _read(lookup: Lookup, table: Table, given: Mapping[Lookup, str]) -> Coded:
    if lookup in given:
        return single(given[lookup])
    name = lookup.column if isinstance(lookup, Reference) else f"[{lookup.name}]"
    if name not in table:
        message = f"the table has no column {name}"
        raise LogicError(message, lookup.span.line, lookup.span.column)
    return encode(table[name])


def _apply(step: Step, columns: Sequence[Column]) -> Column:
    leading = _leading(columns)
    kernel = KERNELS.get(step.name)
    if leading is not None and (kernel is None or len(leading.values) * _GAIN <= max(len(leading.codes), _GAIN)):
        return _by_value(step, columns, leading)
    result = kernel(*columns) if kernel else None
    if result is not None:
        return result
    return _by_combination(step, columns) if leading is None else _by_value(step, columns, leading)


def _leading(columns: Sequence[Column]) -> Coded | None:
    """The column whose positions all others share, apart from those with one value; None if there is none."""
    lists = [column for column in columns if isinstance(column, Coded)]
    if len(lists) < len(columns):
        return None
    leading = max(lists, key=lambda column: len(column.codes))
    alike = all(column.codes is leading.codes or len(column.codes) == 1 for column in lists)
    return leading if alike else None


def _by_value(step: Step, columns: Sequence[Column], leading: Coded) -> Coded:
    """The result of any operation, computed once per value of the leading column."""
    count = len(leading.values)
    lists = [coded(column) for column in columns]
    stretched = (one.values if one.codes is leading.codes else [one.values[0]] * count for one in lists)
    return Coded(leading.codes, list(map(step.work, *stretched)))


def _by_combination(step: Step, columns: Sequence[Column]) -> Coded:
    """The result of any operation, computed once per combination of values that occurs."""
    codes, shorter = reduced([coded(column) for column in columns])
    values = (decode(column, len(column.codes)) for column in shorter)
    return Coded(codes, list(map(step.work, *values)))
