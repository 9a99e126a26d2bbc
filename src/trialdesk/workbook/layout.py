"""Where on a sheet everything stands: tables below one another, then charts; or a drawing in cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from trialdesk.workbook.tables import Block, Box, Chart, SheetTable

HEADER_ROW = 4
CHART_ROWS, ON_A_PAGE = 11, 3
"""Rows of ordinary height that a chart covers, and how many charts stand below one another on a page."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A table of a sheet with the row of its headings and its last row; one without lines has a row that says so."""

    block: Block
    header: int

    @property
    def last(self) -> int:
        """The last row."""
        return self.header + max(len(self.block.lines), 1)


def placed(table: SheetTable) -> tuple[Placed, ...]:
    """The tables of a sheet; none where it is a drawing. A title and a blank row stand between two of them."""
    found: list[Placed] = []
    for block in () if table.drawn else table.tables:
        found.append(Placed(block, found[-1].last + 3 if found else HEADER_ROW))
    return tuple(found)


def charted(table: SheetTable) -> Iterator[tuple[Chart, int, int]]:
    """The charts of a sheet, each with the row its upper edge stands in, and its first column (from 0)."""
    row, column = HEADER_ROW if table.drawn else placed(table)[-1].last + 2, 0
    for chart, after in zip_longest(table.charts, table.charts[1:]):
        yield chart, row, column
        beside = chart.small and not column and after is not None and after.small
        row, column = (row, len(table.columns) // 2) if beside else (row + CHART_ROWS, 0)


def breaks(table: SheetTable) -> tuple[int, ...]:
    """The rows after which a new page begins: no chart of a long drawing stands on two pages."""
    rows = sorted({row for _, row, _ in charted(table)}) if any(chart.small for chart in table.charts) else []
    return tuple(row - 1 for row in rows[ON_A_PAGE::ON_A_PAGE])


def bottom(table: SheetTable) -> int:
    """The last row that is printed."""
    charts = [row + CHART_ROWS - 1 for _, row, _ in charted(table)]
    boxes = [HEADER_ROW + box.row + box.high - 1 for box in table.boxes]
    return max([one.last for one in placed(table)] + boxes + charts)


def edges(boxes: tuple[Box, ...]) -> Iterator[tuple[int, int, str, Box]]:
    """Row and column (from 0) of every cell of the boxes, with the sides of it that are borders: t, b, l, r."""
    for box in boxes:
        for row in range(box.row, box.row + box.high):
            for column in range(box.column, box.column + box.wide):
                sides = {
                    "t": row == box.row,
                    "b": row == box.row + box.high - 1,
                    "l": column == box.column,
                    "r": column == box.column + box.wide - 1,
                }
                yield row, column, "" if box.arrow else "".join(side for side, on in sides.items() if on), box
