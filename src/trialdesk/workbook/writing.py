"""An .xlsx from tables, whole and read back, or no file at all.

openpyxl makes the file: styles, panes, widths, print set-up, filters, drop-downs and charts. Rows (rows.py) and links
are put in their place as text (archive.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from trialdesk.errors import OutputFailed, SanityFailed
from trialdesk.private import place
from trialdesk.tripwire import prove_sheet
from trialdesk.workbook.charts import anchored, drawn
from trialdesk.workbook.layout import HEADER_ROW, Placed, bottom, charted, placed
from trialdesk.workbook.looks import Looks
from trialdesk.workbook.measures import widths
from trialdesk.workbook.pages import MARGINS, cuts, pages, printed
from trialdesk.workbook.rows import RowWriter, links, text_of
from trialdesk.workbook.tables import Column, SheetTable, digest

_MOST_LINKS = 65_530  # a sheet; Excel repairs a file with more


def save(path: Path, tables: Sequence[SheetTable], footer: str) -> str:
    """The workbook is at `path`, whole, read back, and readable by its owner alone; returns the digest of its content.

    Args:
        path: Where the file will be; its folder is made. An older file is replaced at once.
        tables: The sheets in order; names are made unique and valid.
        footer: Printed at the foot of every page: trial, profile and data cut.

    Raises:
        OutputFailed: the file is no .xlsx, could not be written, or does not read back with the same rows.
        SanityFailed: a cell looks like a civil registration number.
    """
    if path.suffix != ".xlsx":
        raise OutputFailed(f"{path}: a workbook's name ends in .xlsx; give it that name with --out")
    try:
        content = as_bytes(tables, footer)
    except SanityFailed as error:
        raise SanityFailed(f"{path.name}, {error}") from None
    place(path, content)
    return digest(tables)


def as_bytes(tables: Sequence[SheetTable], footer: str) -> bytes:
    """The workbook as the bytes of an .xlsx, read back; for what must not stand on a disk before it is sealed.

    Raises:
        OutputFailed: it does not read back with the same rows.
        SanityFailed: a cell looks like a civil registration number.
    """
    from openpyxl import Workbook

    from trialdesk.workbook.archive import Inside, written

    book = Workbook(write_only=True)
    book.properties.creator = "trialdesk"
    across = [widths(table) for table in tables]
    names = _sheet_names(table.name for table in tables)
    for name, table, wide in zip(names, tables, across, strict=True):
        _set_up(book.create_sheet(name), table, wide, footer)
    by_name = {table.name: (sheet, table) for sheet, table in zip(book.worksheets, tables, strict=True)}
    for sheet, table in zip(book.worksheets, tables, strict=True):
        _fill(sheet, table, by_name)
    writer = RowWriter(Looks(book))
    inside: dict[str, Inside] = {}
    for name, table, wide in zip(names, tables, across, strict=True):
        rows = "".join(writer.sheet(table, wide)).encode()
        prove_sheet(name, rows)
        inside[name] = Inside(rows, list(islice(links(table), _MOST_LINKS)), [chart.alt for chart in table.charts])
    made = written(book, inside)
    if _rows(made, len(names)) != [_expected(table) for table in tables]:
        raise OutputFailed("a workbook reads back with other rows than were written; nothing was replaced: run again")
    return made.getvalue()


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


def _expected(table: SheetTable) -> int:
    """The rows of a sheet: title and sentence, and of every table title, headings and lines; or those of its boxes."""
    drawing = {row for box in table.boxes for row in range(box.row, box.row + box.high)}
    return 2 + len(drawing) + sum(1 + bool(one.block.title) + one.last - one.header for one in placed(table))


def _set_up(sheet: Any, table: SheetTable, across: Sequence[float], footer: str) -> None:
    """Panes, widths and print set-up of a sheet."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.pagebreak import Break

    sheet.sheet_view.showGridLines = not table.drawn
    if not table.drawn:
        sheet.freeze_panes = f"{get_column_letter(table.keys + 1)}{HEADER_ROW + 1}"
    for index, width in enumerate(across, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    # where tables stand below one another, the headings of the first are not those of the next page
    repeated = HEADER_ROW if not (table.more or table.drawn) else 1
    last = get_column_letter(printed(table, across))
    _page(sheet, f"A1:{last}{bottom(table)}", repeated, footer)
    sheet.page_setup.fitToHeight = pages(table, across)
    if ends := cuts(table, across):
        sheet.page_setup.scale, sheet.sheet_properties.pageSetUpPr.fitToPage = ends.percent, False
        for row in ends.rows:
            sheet.row_breaks.append(Break(id=row))


def _fill(sheet: Any, table: SheetTable, by_name: Mapping[str, tuple[Any, SheetTable]]) -> None:
    """Tables, drop-downs and charts of a sheet."""
    for one in placed(table):
        _tabulate(sheet, one)
    for chart, row, column in charted(table):
        home, of = by_name[chart.sheet] if chart.sheet else (sheet, table)
        made = drawn(chart, placed(of)[chart.table], home)
        sheet.add_chart(made, anchored(row, column, _across(table) // (2 if chart.small else 1)))


def _across(table: SheetTable) -> int:
    """How many columns a sheet has: those of its widest table."""
    return max(len(block.columns) for block in table.tables)


def _tabulate(sheet: Any, here: Placed) -> None:
    """An Excel table with a filter; Excel repairs a file whose table has no row, or two headings that are the same."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.filters import AutoFilter
    from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

    titles = [text_of(column.title) for column in here.block.columns]
    twice = {title for title in titles if [t.casefold() for t in titles].count(title.casefold()) > 1}
    if twice:
        raise OutputFailed(f"two columns are headed {min(twice)!r}; please report this line")
    ref = f"A{here.header}:{get_column_letter(len(titles))}{here.last}"
    number = 1 + sum(len(other.tables) for other in sheet.parent.worksheets)
    made = Table(displayName=f"Table{number}", ref=ref)
    made.autoFilter = AutoFilter(ref=ref)
    made.tableColumns = [TableColumn(id=n, name=title) for n, title in enumerate(titles, 1)]
    made.tableStyleInfo = TableStyleInfo(showRowStripes=False)
    sheet.tables.add(made)  # add_table warns in write-only mode whatever columns the table has
    for index, column in enumerate(here.block.columns, 1):
        letter = get_column_letter(index)
        _drop_down(sheet, column, f"{letter}{here.header + 1}:{letter}{here.last}")


def _drop_down(sheet: Any, column: Column, cells: str) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    if column.choices:
        rule = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
        rule.add(cells)
        sheet.data_validations.append(rule)  # a write-only sheet has no add_data_validation


def _page(sheet: Any, area: str, repeated: int, footer: str) -> None:
    from openpyxl.worksheet.header_footer import HeaderFooterItem
    from openpyxl.worksheet.page import PageMargins
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.print_area = area
    sheet.print_title_rows = f"{repeated}:{repeated}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_margins = PageMargins(**MARGINS, header=0.3, footer=0.3)
    sheet.page_setup.fitToWidth = 1
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    foot = HeaderFooterItem()
    foot.left.text, foot.right.text = text_of(footer).replace("&", "&&"), "&P / &N"
    sheet.HeaderFooter.oddFooter = foot


def _rows(made: BytesIO, sheets: int) -> list[int]:
    """How many rows each sheet of the file holds; every part of it has been read as XML to its end.

    Raises:
        OutputFailed: a part is damaged.
    """
    try:
        with ZipFile(made) as archive:
            counted = {name: _read(archive.read(name)) for name in archive.namelist()}
    except (expat.ExpatError, BadZipFile):
        raise OutputFailed("a workbook can't be read back; nothing was replaced: please report this line") from None
    return [counted[f"xl/worksheets/sheet{number}.xml"] for number in range(1, sheets + 1)]


def _read(part: bytes) -> int:
    """The number of rows in a part of the file; in a text stands no such tag, there it is escaped."""
    expat.ParserCreate().Parse(part, True)
    return part.count(b"<row ")
