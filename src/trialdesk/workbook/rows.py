"""Rows of a sheet as the XML an .xlsx holds.

openpyxl writes everything else of the file. It makes two objects and a tree of elements for every cell, also in its
write-only mode, which alone takes twice as long as a whole workbook may (docs/performance.md); a row is a line of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import isfinite
from xml.sax.saxutils import escape

from trialdesk.workbook.layout import HEADER_ROW, Placed, edges, placed
from trialdesk.workbook.looks import Look, Looks
from trialdesk.workbook.measures import LINE_HEIGHT, header_height, height, rooms
from trialdesk.workbook.tables import Box, Kind, Line, Link, SheetTable, Tone

_FORMATS: Mapping[Kind, str] = {
    "text": "@",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm",
    "number": "General",
    "percent": "0 %",
}
_DAY_0 = datetime(1899, 12, 30)  # for every day from March 1900 on
_MOST_TEXT = 32_767
# What XML can't hold: control characters, halves of a pair, and two that are no characters.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def text_of(text: str) -> str:
    """The text without what a file can't hold, and cut visibly where a cell can't hold more."""
    clean = _CONTROL.sub("�", text)
    return clean if len(clean) <= _MOST_TEXT else clean[: _MOST_TEXT - 12] + " […cut off]"


class RowWriter:
    """Writes the rows of sheets with the looks of one workbook."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._styles: dict[tuple[Tone, str, Kind, bool], str] = {}
        self._serials: dict[date, str] = {}

    def sheet(self, table: SheetTable, across: Sequence[float]) -> Iterator[str]:
        """Every row of the sheet from its title on; a table without lines has one that says so.

        Args:
            table: The sheet.
            across: The widths of its columns in characters.
        """
        yield self._single(1, table.title, Look("title"))
        yield self._single(2, table.about, Look("about"))
        for place in placed(table):
            yield from self._table(place, across, table.least_height)
        yield from self._drawing(table.boxes)

    def _table(self, place: Placed, across: Sequence[float], least: float) -> Iterator[str]:
        block = place.block
        if block.title:
            yield self._single(place.header - 1, block.title, Look("heading"))
        letters = _letters(len(block.columns))
        heads = (
            _cell(f"{letter}{place.header}", str(self._looks.number(Look("header", column.kind))), column.title)
            for letter, column in zip(letters, block.columns, strict=True)
        )
        yield _row(place.header, heads, header_height(block, across))
        kinds, room = [column.kind for column in block.columns], rooms(across)
        for number, line in enumerate(block.lines, place.header + 1):
            cells = self._cells(number, line, letters, kinds)
            yield _row(number, cells, max(height(line, room), least))
        if not block.lines:
            yield self._single(place.last, block.empty, Look("about"))

    def _drawing(self, boxes: tuple[Box, ...]) -> Iterator[str]:
        """The boxes as borders of cells, their texts in their left column; what a text needs beyond runs on."""
        cells: dict[int, dict[int, str]] = {}
        letters = _letters(max((box.column + box.wide for box in boxes), default=0))
        for row, column, sides, box in edges(boxes):
            line = row - box.row
            text, tone = box.texts[line] if line < len(box.texts) else ("", "plain")
            style = self._looks.number(Look(tone, edges=sides or "-"))
            shown = text if column == box.column else ""
            cells.setdefault(row, {})[column] = _cell(f"{letters[column]}{row + HEADER_ROW}", str(style), shown)
        for row, found in sorted(cells.items()):
            yield _row(row + HEADER_ROW, [found[column] for column in sorted(found)], LINE_HEIGHT)

    def _single(self, number: int, text: str, look: Look) -> str:
        return _row(number, [_cell(f"A{number}", str(self._looks.number(look)), text)])

    def _cells(self, number: int, line: Line, letters: Sequence[str], kinds: Sequence[Kind]) -> Iterator[str]:
        tones, tone = line.tones, line.tone
        for index, (letter, kind, value) in enumerate(zip(letters, kinds, line.values, strict=True)):
            shown = value.text if isinstance(value, Link) else value
            style = self._style(tones.get(index, tone), kind, shown, isinstance(value, Link))
            place = f"{letter}{number}"
            if shown is None:
                yield f'<c r="{place}" s="{style}"/>'
            elif isinstance(shown, str):
                yield _cell(place, style, shown)
            else:
                yield f'<c r="{place}" s="{style}" t="n"><v>{self._number(shown)}</v></c>'

    def _style(self, tone: Tone, kind: Kind, shown: str | float | date | None, link: bool) -> str:
        """The number of the look of a cell of this tone and kind that shows this value."""
        what = _what(shown)
        key = (tone, what, kind, link)
        if key not in self._styles:
            values: Kind = "date" if what == "date" else kind if kind != "text" else "number"
            number_format = _FORMATS[values] if what in ("date", "value") else "General"
            look = Look(tone, kind, number_format, what == "quoted", link=link)
            self._styles[key] = str(self._looks.number(look))
        return self._styles[key]

    def _number(self, value: float | date) -> str:
        if not isinstance(value, date):
            return str(value) if type(value) is int else f"{value:.16g}" if isfinite(value) else ""
        if value not in self._serials:
            self._serials[value] = f"{_serial(value):.16g}"
        return self._serials[value]


def links(table: SheetTable) -> Iterator[tuple[str, str]]:
    """The place of every cell that opens an address, and the address; "#Sheet" is a sheet of the same workbook."""
    for place in placed(table):
        letters = _letters(len(place.block.columns))
        for number, line in enumerate(place.block.lines, place.header + 1):
            for letter, value in zip(letters, line.values, strict=True):
                if isinstance(value, Link):
                    yield f"{letter}{number}", value.url


def _serial(value: date) -> float:
    """The day as Excel counts it, with the time as a fraction; a time zone is left away."""
    moment = value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time())
    return (moment - _DAY_0) / timedelta(days=1)


def _what(shown: str | float | date | None) -> str:
    if isinstance(shown, str):
        return "quoted" if shown.startswith(_FORMULA) else "text"
    return "" if shown is None else "date" if type(shown) is date else "value"


def _row(number: int, cells: Iterator[str] | Sequence[str], points: float = 0) -> str:
    high = f' ht="{points:g}" customHeight="1"' if points else ""
    return f'<row r="{number}"{high}>{"".join(cells)}</row>'


def _cell(place: str, style: str, text: str) -> str:
    """A cell of text, which is never a formula, whatever it starts with."""
    return f'<c r="{place}" s="{style}" t="inlineStr"{_inline(text)}'


@lru_cache(maxsize=4096)
def _inline(text: str) -> str:
    """The rest of a cell of this text: many texts stand in a sheet again and again."""
    shown = text_of(text)
    kept = ' xml:space="preserve"' if shown != shown.strip() else ""
    return f"><is><t{kept}>{escape(shown)}</t></is></c>" if shown else "/>"


def _letters(count: int) -> list[str]:
    from openpyxl.utils import get_column_letter

    return [get_column_letter(number) for number in range(1, count + 1)]
