"""Excel workbooks that people work from: tables as data in, one checked .xlsx out.

What goes wrong in generated workbooks is handled here once
(reference/trial-operations.md 4.8): text that starts like a formula
stays text, dates are dates, control characters and over-long text are cut visibly, sheet names are made valid, and the
file appears under its name only when it is whole and reads back.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from trialdesk.errors import OutputFailed
from trialdesk.private import place

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet


class Link(NamedTuple):
    """A text that opens an address."""

    text: str
    url: str


Value = str | int | float | date | datetime | Link | None
Tone = Literal["plain", "strong", "alarm", "warning", "good", "quiet", "entry"]
Kind = Literal["text", "date", "datetime", "number", "percent"]

HEADER_ROW = 4
_FACE = "Calibri"  # named everywhere: a nameless bold face is drawn as a serif by some programs
_LINE_HEIGHT = 15.0
_FORMATS: Mapping[Kind, str] = {
    "text": "@",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm",
    "number": "General",
    "percent": "0 %",
}
_ALIGN: Mapping[Kind, Literal["center", "right"]] = {
    "date": "center",
    "datetime": "center",
    "number": "center",
    "percent": "right",
}
# Okabe–Ito tints: told apart without red and green, and every tone is a word in the cell as well.
_FILLS: Mapping[Tone, str] = {"alarm": "F8D9C4", "warning": "FCF0C3", "good": "D3ECF9", "entry": "FFFDF0"}
_MOST_TEXT = 32_767
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORMULA = re.compile(r"^[=+\-@\t\r]")


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
class SheetTable:
    """One sheet: a title, a sentence about it, columns and rows.

    `keys` leading columns stay in view. `least_height` of a row in points: 24 where a pen has to fit.
    """

    name: str
    title: str
    about: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    keys: int = 1
    empty: str = "Nothing to report."
    least_height: float = 0


def worded(tables: Iterable[SheetTable], word: Callable[[str], str]) -> tuple[SheetTable, ...]:
    """The sheets with every text in their rows as `word` gives it; numbers, dates and addresses stay."""

    def of(value: Value) -> Value:
        if isinstance(value, Link):
            return Link(word(value.text), value.url)
        return word(value) if isinstance(value, str) else value

    return tuple(
        replace(table, lines=tuple(replace(line, values=tuple(map(of, line.values))) for line in table.lines))
        for table in tables
    )


def save(path: Path, tables: Sequence[SheetTable], footer: str) -> str:
    """The workbook is at `path`, whole, read back, and readable by its owner alone; returns the digest of its content.

    Args:
        path: Where the file will be; its folder is made. An older file is replaced at once.
        tables: The sheets in order; names are made unique and valid.
        footer: Printed at the foot of every page: trial, profile and data cut.

    Raises:
        OutputFailed: the file is no .xlsx, could not be written, or does not read back with the same rows.
    """
    if path.suffix != ".xlsx":
        raise OutputFailed(f"{path}: a workbook's name ends in .xlsx; give it that name with --out")
    place(path, as_bytes(tables, footer))
    return digest(tables)


def as_bytes(tables: Sequence[SheetTable], footer: str) -> bytes:
    """The workbook as the bytes of an .xlsx, read back; for what must not stand on a disk before it is sealed.

    Raises:
        OutputFailed: it does not read back with the same rows.
    """
    from openpyxl import Workbook, load_workbook

    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]  # a new Workbook has one sheet
    book.properties.creator = "trialdesk"
    styles = _Styles()
    for name, table in zip(_sheet_names(table.name for table in tables), tables, strict=True):
        _fill(book.create_sheet(name), table, footer, styles)
    made = BytesIO()
    book.save(made)
    found = load_workbook(made, read_only=True)
    counted = [max(sheet.max_row - HEADER_ROW, 0) for sheet in found.worksheets]
    found.close()
    if counted != [max(len(table.lines), 1) for table in tables]:
        raise OutputFailed("a workbook reads back with other rows than were written; nothing was replaced: run again")
    return made.getvalue()


def digest(tables: Sequence[SheetTable]) -> str:
    """SHA-256 of everything a reader sees; .xlsx files themselves carry the time of writing and never repeat."""
    seen = hashlib.sha256()
    for table in tables:
        head = (table.name, table.title, table.about, tuple(column.title for column in table.columns))
        seen.update(repr(head).encode())
        for line in table.lines:
            seen.update(repr((line.values, line.tone, sorted(line.tones.items()))).encode())
    return seen.hexdigest()


def _sheet_names(wanted: Iterable[str]) -> list[str]:
    names: list[str] = []
    for name in wanted:
        clean = re.sub(r"[\[\]:*?/\\']", " ", name).strip()[:31] or "Sheet"
        number, unique = 1, clean
        while unique.casefold() in {taken.casefold() for taken in names} | {"history"}:
            number += 1
            unique = f"{clean[:28]} {number}"
        names.append(unique)
    return names


def _fill(sheet: Worksheet, table: SheetTable, footer: str, styles: _Styles) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet["A1"], sheet["A2"] = _text(table.title), _text(table.about)
    sheet["A1"].font = Font(name=_FACE, bold=True, size=14)
    sheet["A2"].font = Font(name=_FACE, italic=True, color="555555")
    _header(sheet, table.columns)
    widths = [column.width or _width(table, index) for index, column in enumerate(table.columns)]
    for number, line in enumerate(table.lines, HEADER_ROW + 1):
        _row(sheet, number, (table.columns, styles), line)
        sheet.row_dimensions[number].height = max(_LINE_HEIGHT * _height(line, widths), table.least_height)
    if not table.lines:
        sheet.cell(HEADER_ROW + 1, 1, table.empty).font = Font(name=_FACE, italic=True, color="555555")
    last = HEADER_ROW + max(len(table.lines), 1)
    corner = get_column_letter(len(table.columns))
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{corner}{last}"
    sheet.freeze_panes = f"{get_column_letter(table.keys + 1)}{HEADER_ROW + 1}"
    heads = zip(table.columns, widths, strict=True)
    sheet.row_dimensions[HEADER_ROW].height = _LINE_HEIGHT * max(_lines(c.title, width, 1.2) for c, width in heads) + 3
    for index, column in enumerate(table.columns):
        sheet.column_dimensions[get_column_letter(index + 1)].width = widths[index]
        _drop_down(
            sheet, column, f"{get_column_letter(index + 1)}{HEADER_ROW + 1}:{get_column_letter(index + 1)}{last}"
        )
    _page(sheet, f"A1:{corner}{last}", footer)


def _header(sheet: Worksheet, columns: Sequence[Column]) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    for index, column in enumerate(columns, 1):
        cell = sheet.cell(HEADER_ROW, index, _text(column.title))
        cell.font = Font(name=_FACE, bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="1F4E79")
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal=_ALIGN.get(column.kind))
        cell.border = Border(bottom=Side(style="thin", color="1F4E79"))


class _Styles:
    """The looks of one workbook's cells, each made once: openpyxl takes a millisecond to look one up by its parts."""

    def __init__(self) -> None:
        self._made: dict[tuple[Tone, Kind, str, bool], Any] = {}

    def give(self, cell: Any, tone: Tone, kind: Kind, shown: tuple[str, bool]) -> None:
        """The cell looks as its tone and kind ask; `shown` are the number format and whether the text is quoted."""
        key = (tone, kind, *shown)
        if key not in self._made:
            self._dress(cell, tone, kind, shown)
            self._made[key] = cell._style
        cell._style = copy(self._made[key])

    @staticmethod
    def _dress(cell: Any, tone: Tone, kind: Kind, shown: tuple[str, bool]) -> None:
        from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

        if tone in _FILLS:
            cell.fill = PatternFill("solid", fgColor=_FILLS[tone])
        bold, colour = tone in ("strong", "alarm"), "777777" if tone == "quiet" else "000000"
        cell.font = Font(name=_FACE, bold=bold, color=colour)
        cell.alignment = Alignment(wrap_text=kind == "text", vertical="top", horizontal=_ALIGN.get(kind))
        cell.border = Border(bottom=Side(style="hair", color="BBBBBB"))
        cell.number_format, cell.quotePrefix = shown


def _row(sheet: Worksheet, number: int, table: tuple[Sequence[Column], _Styles], line: Line) -> None:
    columns, styles = table
    for index, (column, value) in enumerate(zip(columns, line.values, strict=True)):
        cell = sheet.cell(number, index + 1)
        shown = _put(cell, value, column.kind)
        styles.give(cell, line.tones.get(index, line.tone), column.kind, shown)


def _put(cell: Cell | Any, value: Value, kind: Kind) -> tuple[str, bool]:
    """The cell holds the value; returns its number format and whether it is a text that looks like a formula."""
    if isinstance(value, Link):
        cell.hyperlink = value.url
        value = value.text
    if isinstance(value, str):
        text = _text(value)
        cell.value = text
        cell.data_type = "s"  # text is never a formula, whatever it starts with
        return "General", bool(_FORMULA.match(text))
    cell.value = value.replace(tzinfo=None) if isinstance(value, datetime) else value
    if value is None:
        return "General", False
    return _FORMATS["date" if type(value) is date else kind if kind != "text" else "number"], False


def _text(text: str) -> str:
    clean = _CONTROL.sub("�", text)
    return clean if len(clean) <= _MOST_TEXT else clean[: _MOST_TEXT - 12] + " […cut off]"


def _width(table: SheetTable, index: int) -> float:
    shown = [_shown(line.values[index]) for line in table.lines[:500] if line.values[index] is not None]
    words = max(map(len, table.columns[index].title.split()), default=0) + 3
    return float(min(60, max(8, words, *(len(text) + 2 for text in shown))) if shown else max(8, words))


def _shown(value: Value) -> str:
    return value.text if isinstance(value, Link) else str(value)


def _height(line: Line, widths: Sequence[float]) -> int:
    """How many lines of text the row takes; not every program works that out for itself."""
    texts = ((value, width) for value, width in zip(line.values, widths, strict=True) if isinstance(value, str))
    return max((_lines(value, width) for value, width in texts), default=1)


def _lines(text: str, width: float, stretch: float = 0.87) -> int:
    """How many lines a text takes: plain letters are narrower than the unit of column width, bold ones wider."""
    room = max(int(width / stretch), 3)
    return (
        1
        if len(text) <= room and "\n" not in text
        else sum(max(len(textwrap.wrap(part, room)), 1) for part in text.splitlines())
    )


def _drop_down(sheet: Worksheet, column: Column, cells: str) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    if column.choices:
        rule = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
        sheet.add_data_validation(rule)
        rule.add(cells)


def _page(sheet: Worksheet, area: str, footer: str) -> None:
    from openpyxl.worksheet.header_footer import HeaderFooterItem
    from openpyxl.worksheet.page import PageMargins
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.print_area = area
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.5, bottom=0.6, header=0.3, footer=0.3)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    foot = HeaderFooterItem()
    foot.left.text, foot.right.text = _text(footer).replace("&", "&&"), "&P / &N"
    sheet.oddFooter = foot
