"""On how many pages of paper a sheet is printed: as few as letters of nine points allow."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from trialdesk.workbook.layout import HEADER_ROW, bottom, placed
from trialdesk.workbook.measures import LINE_HEIGHT, header_height, height, rooms
from trialdesk.workbook.tables import SheetTable

MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
"""Inches between the edge of the paper and what is printed."""

_INCH = 72.0
_WIDE, _HIGH = 841.9, 595.3  # points: A4 landscape
_CHARACTER = 5.25  # points a unit of column width takes in Calibri 11
_SMALLEST = 0.82  # at which eleven points are nine
_EMPTY = 8.4  # characters: the width of a column nothing is said of
_LETTER, _BOLD = 0.87, 1.3  # characters a letter of the sentence and of the title takes
_TITLE = 4.0  # points by which the title's row is higher
_MOST_LINES = 400  # of a longer sheet one page less is no gain


def printed(table: SheetTable, across: Sequence[float]) -> int:
    """How many columns are on paper: those of the tables, and empty ones that the sentence above runs on over.

    Args:
        table: The sheet.
        across: The widths of its columns in characters.
    """
    if table.printed:
        return table.printed
    wanted = max(len(table.about) * _LETTER, len(table.title) * _BOLD)
    return len(across) + max(ceil((wanted - sum(across)) / _EMPTY), 0)


def pages(table: SheetTable, across: Sequence[float]) -> int:
    """How many pages high a sheet is printed; 0 leaves it to the program that prints.

    A program fits a sheet to the width of a page and then breaks it where the page ends, so five rows may stand on a
    page of their own. Told the number of pages, it makes the letters smaller until they are enough. A picture is never
    broken.

    Args:
        table: The sheet.
        across: The widths of its columns in characters.
    """
    if sum(len(block.lines) for block in table.tables) > _MOST_LINES:
        return 0
    if table.drawn:
        return 1
    columns = printed(table, across)
    wide = _CHARACTER * (sum(across[:columns]) + _EMPTY * max(columns - len(across), 0))
    scale = min(_SMALLEST, _room(_WIDE, "left", "right") / wide)
    page = _room(_HIGH, "top", "bottom") / scale
    repeated = LINE_HEIGHT if table.more else header_height(table.tables[0], across)
    rest = _points(table, across) - page
    # a row is never broken: at the foot of a page stays up to a line free
    return 1 + max(ceil(rest / (page - repeated - LINE_HEIGHT)), 0)


def _room(paper: float, *edges: str) -> float:
    return paper - _INCH * sum(MARGINS[edge] for edge in edges)


def _points(table: SheetTable, across: Sequence[float]) -> float:
    """The height of all rows that are printed."""
    room = rooms(across)
    tall = LINE_HEIGHT * (HEADER_ROW - 1) + _TITLE
    for place in placed(table):
        tall += header_height(place.block, across)
        tall += sum(max(height(line, room), table.least_height) for line in place.block.lines) or LINE_HEIGHT
    between = 2 * LINE_HEIGHT * len(table.more)
    charts = LINE_HEIGHT * (bottom(table) - placed(table)[-1].last)
    return tall + between + charts
