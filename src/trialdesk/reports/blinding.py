"""Proof that an open report is blind: made without any treatment, it is the same.

Source: reference/trial-operations.md 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trialdesk.errors import ConcealmentBroken
from trialdesk.workbook import Block, SheetTable, Tone, Value, digest


def prove_blind(shown: Sequence[SheetTable], others: Iterable[Sequence[SheetTable]]) -> None:
    """The tables are the same in every other world (facts/worlds.py), to the last cell and tone.

    Args:
        shown: An open report.
        others: The same report made of the facts of every other world.

    Raises:
        ConcealmentBroken: a cell, a row or a heading differs; names sheet and column, never a value.
    """
    for other in others:
        if digest(shown) != digest(other):
            raise ConcealmentBroken(f"the report shows the treatment in {_leak(shown, other)}; nothing was written")


def _leak(shown: Sequence[SheetTable], other: Sequence[SheetTable]) -> str:
    for one, two in zip(shown, other, strict=False):
        if digest([one]) != digest([two]):
            return f"sheet {one.name}, {_column(one, two)}"
    return "the list of sheets"


def _column(one: SheetTable, two: SheetTable) -> str:
    """Where two sheets differ: the first of their tables that is another, and its column."""
    pairs = ((a, b) for a, b in zip(one.tables, two.tables, strict=False) if a != b)
    for first, second in pairs:
        return (f"{first.title}, " if first.title else "") + _place(first, second)
    return "its number of tables" if len(one.tables) != len(two.tables) else "its heading, charts or boxes"


def _place(one: Block, two: Block) -> str:
    if [column.title for column in one.columns] != [column.title for column in two.columns]:
        return "its columns"
    if len(one.lines) != len(two.lines):
        return "its number of rows"
    for index, column in enumerate(one.columns):
        if _cells(one, index) != _cells(two, index):
            return f"column {column.title}"
    return "its heading"


def _cells(table: Block, index: int) -> list[tuple[Value, Tone]]:
    return [(line.values[index], line.tones.get(index, line.tone)) for line in table.lines]
