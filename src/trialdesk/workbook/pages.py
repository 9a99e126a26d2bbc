"""On how many pages of paper a sheet is printed, and where they end: as few as letters of nine points allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from trialdesk.workbook.layout import HEADER_ROW, bottom, breaks, placed
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
_FEW = 0.25  # of a page: less than that is not left for the last one
_CHARTS = 92  # percent, of a drawing of many
_WIDEST = 5.55  # points of that unit in LibreOffice: where nothing is fitted, no column may be left over


class Cuts(NamedTuple):
    """The rows after which a page ends, and the percent it is printed at: told where to end, nothing is fitted."""

    rows: tuple[int, ...]
    percent: int


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
    page, repeated = _page(table, across)
    rest = _points(table, across) - page
    # a row is never broken: at the foot of a page stays up to a line free
    return 1 + max(ceil(rest / (page - repeated - LINE_HEIGHT)), 0)


def cuts(table: SheetTable, across: Sequence[float]) -> Cuts | None:
    """Where the pages of a sheet end, if they must not end where the paper does; None leaves it to the program.

    Between the charts of a long drawing; and of a sheet that would leave a few rows for its last page: between its
    tables if that takes no page more, else so that all pages hold about as much. A heading stays with what is below it.

    Args:
        table: The sheet.
        across: The widths of its columns in characters.
    """
    if charts := breaks(table):
        return Cuts(charts, _CHARTS)
    if pages(table, across) < 2 or table.charts:
        return None
    rows, (page, repeated) = list(_rows(table, across)), _page(table, across)
    full = _filled(rows, page, repeated)
    left = sum(points for number, points, _ in rows if number > full[-1]) if full else page
    if left > _FEW * page:
        return None
    percent = int(100 * _scale(table, across, _WIDEST))
    titles = {place.header - 2 for place in placed(table) if place.block.title}
    apart = _filled([(number, points, number in titles) for number, points, _ in rows], page, repeated)
    if len(apart) == len(full) and _highest(rows, apart) <= page:
        return Cuts(apart, percent)
    even = (sum(points for _, points, _ in rows) + repeated * len(full)) / (len(full) + 1)
    return Cuts(_filled(rows, even + LINE_HEIGHT, repeated), percent)


def _highest(rows: Sequence[tuple[int, float, bool]], ends: Sequence[int]) -> float:
    """The points of the fullest page, without the row that is repeated."""
    pairs = pairwise((0, *ends, rows[-1][0]))
    return max(sum(points for number, points, _ in rows if after < number <= end) for after, end in pairs)


def _filled(rows: Sequence[tuple[int, float, bool]], room: float, repeated: float) -> tuple[int, ...]:
    """The rows after which a page ends that is filled with so many points at most."""
    ends: list[int] = []
    used = since = 0.0
    end = 0
    for number, points, may_end in rows:
        if used + points > room and end:
            ends.append(end)
            used, since, end = repeated + since, 0.0, 0
        used, since = used + points, since + points
        if may_end:
            end, since = number, 0.0
    return tuple(ends)


def _rows(table: SheetTable, across: Sequence[float]) -> Iterator[tuple[int, float, bool]]:
    """Every row with its points, and whether a page may end behind it."""
    room = rooms(across)
    yield HEADER_ROW - 1, LINE_HEIGHT * (HEADER_ROW - 1) + _TITLE, False
    for place in placed(table):
        if place.block.title:
            yield place.header - 2, LINE_HEIGHT, True
            yield place.header - 1, LINE_HEIGHT, False
        yield place.header, header_height(place.block, across), False
        for number, line in enumerate(place.block.lines, place.header + 1):
            yield number, max(height(line, room), table.least_height), number < place.last or not table.more
        if not place.block.lines:
            yield place.last, LINE_HEIGHT, False


def _page(table: SheetTable, across: Sequence[float]) -> tuple[float, float]:
    """The points of the rows a page has room for, and of those that are repeated on every page but the first."""
    repeated = LINE_HEIGHT if table.more else header_height(table.tables[0], across)
    return _room(_HIGH, "top", "bottom") / _scale(table, across), repeated


def _scale(table: SheetTable, across: Sequence[float], character: float = _CHARACTER) -> float:
    """How much smaller than it is a sheet has to be printed, if a unit of width takes so many points."""
    columns = printed(table, across)
    wide = character * (sum(across[:columns]) + _EMPTY * max(columns - len(across), 0))
    return min(_SMALLEST, _room(_WIDE, "left", "right") / wide)


def _room(paper: float, *edges: str) -> float:
    return paper - _INCH * sum(MARGINS[edge] for edge in edges)


def _points(table: SheetTable, across: Sequence[float]) -> float:
    """The height of all rows that are printed."""
    charts = LINE_HEIGHT * (bottom(table) - placed(table)[-1].last)
    return sum(points for _, points, _ in _rows(table, across)) + charts
