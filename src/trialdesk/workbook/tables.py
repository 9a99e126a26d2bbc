"""Tables as data: what a workbook is made from, what profiles and proofs read, and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal, NamedTuple


class Link(NamedTuple):
    """A text that opens an address."""

    text: str
    url: str


Value = str | int | float | date | datetime | Link | None
Tone = Literal["plain", "strong", "alarm", "warning", "good", "quiet", "entry"]
Kind = Literal["text", "date", "datetime", "number", "percent"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `width` in characters (0: from its content, 8 to 60). `choices` make a drop-down."""

    title: str
    kind: Kind = "text"
    width: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: a value for every column and a tone for the whole row, or for columns by number."""

    values: tuple[Value, ...]
    tone: Tone = "plain"
    tones: Mapping[int, Tone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """A further table of a sheet, below the others, under a title of its own."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    empty: str = "Nothing to report."


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart drawn by the reader's program from a table of its sheet: 0 is the first, 1 the first of `more`.

    `alt` says in words what it shows. `across` is the title of the column along the bottom, `series` are those drawn.
    Bars stand on one another when `stacked`. `sheet` is the name of another sheet whose table it is. Of the table are
    drawn all lines, or those from the first number of `lines` to before the second; `small` ones stand two abreast.
    """

    title: str
    alt: str
    across: str
    series: tuple[str, ...]
    table: int = 0
    kind: Literal["line", "bar"] = "line"
    stacked: bool = False
    sheet: str = ""
    lines: tuple[int, int] | None = None
    small: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A box drawn in cells: its upper left corner (row from 0, column from 0), its size in cells, and lines of text.

    An `arrow` is a character without a border: what leads from one box to the next.
    """

    row: int
    column: int
    high: int
    wide: int
    texts: tuple[tuple[str, Tone], ...]
    arrow: bool = False


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One sheet: a title, a sentence about it, columns and rows; below them boxes, further tables and charts.

    `keys` leading columns stay in view. `least_height` of a row in points: 24 where a pen has to fit. Of its columns
    the first `printed` are on paper, or all of them (0).
    """

    name: str
    title: str
    about: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    keys: int = 1
    empty: str = "Nothing to report."
    least_height: float = 0
    more: tuple[Block, ...] = ()
    charts: tuple[Chart, ...] = ()
    boxes: tuple[Box, ...] = ()
    printed: int = 0

    @property
    def drawn(self) -> bool:
        """Whether it is a page of boxes, or of charts of other sheets, without a table; columns are its grid then."""
        return bool(self.boxes) or any(chart.sheet for chart in self.charts)

    @property
    def tables(self) -> tuple[Block, ...]:
        """All tables of the sheet, its own first."""
        return (Block("", self.columns, self.lines, self.empty), *self.more)


def worded(tables: Iterable[SheetTable], word: Callable[[str], str]) -> tuple[SheetTable, ...]:
    """The sheets with every text in their rows as `word` gives it; numbers, dates and addresses stay."""

    def of(value: Value) -> Value:
        if isinstance(value, Link):
            return Link(word(value.text), value.url)
        return word(value) if isinstance(value, str) else value

    def lines(given: Iterable[Line]) -> tuple[Line, ...]:
        return tuple(changed(line, tuple(map(of, line.values))) for line in given)

    def changed(line: Line, values: tuple[Value, ...]) -> Line:
        return line if values == line.values else replace(line, values=values)

    return tuple(
        replace(
            table,
            lines=lines(table.lines),
            more=tuple(replace(block, lines=lines(block.lines)) for block in table.more),
        )
        for table in tables
    )


def digest(tables: Sequence[SheetTable]) -> str:
    """SHA-256 of everything a reader sees; .xlsx files themselves carry the time of writing and never repeat."""
    seen = hashlib.sha256()
    for table in tables:
        seen.update(repr((table.name, table.title, table.about)).encode())
        for block in table.tables:
            seen.update(repr((block.title, tuple(column.title for column in block.columns))).encode())
            for line in block.lines:
                seen.update(repr((line.values, line.tone, sorted(line.tones.items()))).encode())
        seen.update(repr((table.charts, table.boxes)).encode())
    return seen.hexdigest()
