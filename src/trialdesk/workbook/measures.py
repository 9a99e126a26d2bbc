"""How wide columns and how high rows have to be: not every program works that out for itself."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest

from trialdesk.workbook.tables import Block, Line, Link, SheetTable, Value

LINE_HEIGHT = 15.0
"""Points of one line of text."""

_BOLD = 1.2


def widths(table: SheetTable) -> list[float]:
    """The width of every column in characters: as asked for, else from its content, 8 to 60.

    Where tables stand below one another, the widest column counts.
    """
    found = [[column.width or _width(block, n) for n, column in enumerate(block.columns)] for block in table.tables]
    return [max(column, default=0.0) for column in zip_longest(*found, fillvalue=0.0)]


def rooms(across: Sequence[float], stretch: float = 0.87) -> list[int]:
    """How many letters a line of each column holds: plain ones are narrower than the unit of width, bold ones wider."""
    return [max(int(width / stretch), 3) for width in across]


def height(line: Line, room: Sequence[int]) -> float:
    """The points a row takes in columns with room for so many letters; a sheet may have more columns than the row."""
    most = 1
    for cell, letters in zip(line.values, room, strict=False):
        value = cell.text if isinstance(cell, Link) else cell
        if isinstance(value, str) and (len(value) > letters or "\n" in value):
            most = max(most, _wrapped(value, letters))
    return LINE_HEIGHT * most


def header_height(table: Block, across: Sequence[float]) -> float:
    """The points the row of headings takes."""
    titles = Line(tuple(column.title for column in table.columns))
    return height(titles, rooms(across, _BOLD)) + 3


@lru_cache(maxsize=4096)
def _wrapped(text: str, room: int) -> int:
    return sum(max(len(textwrap.wrap(part, room)), 1) for part in text.splitlines())


def _width(table: Block, index: int) -> float:
    shown = [_shown(line.values[index]) for line in table.lines[:500] if line.values[index] is not None]
    words = max(map(len, table.columns[index].title.split()), default=0) + 3
    return float(min(60, max(8, words, *(len(text) + 2 for text in shown))) if shown else max(8, words))


def _shown(value: Value) -> str:
    return value.text if isinstance(value, Link) else str(value)
