"""An .xlsx as openpyxl writes it, part by part, with the rows, links and chart descriptions of each sheet put in.

openpyxl writes every sheet into a file of its own in the system's folder for temporary ones, element by element, and
makes two objects and two trees for every link. Here a sheet is made in memory, and its rows (rows.py) and links are
text. It loads openpyxl: import it where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.packaging.relationship import RelationshipList
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter
from openpyxl.xml.constants import REL_NS, SHEET_MAIN_NS
from openpyxl.xml.functions import Element, SubElement, tostring


class Inside(NamedTuple):
    """What openpyxl is not told of a sheet: its rows as XML, the address each place opens, the words of its charts."""

    rows: bytes
    links: Sequence[tuple[str, str]]
    alts: Sequence[str]


def written(book: Any, inside: Mapping[str, Inside]) -> BytesIO:
    """The file.

    Args:
        book: A workbook of openpyxl in its write-only mode, without rows.
        inside: The name of each of its sheets to what it holds.
    """
    made = BytesIO()
    book.properties.modified = datetime.now(UTC).replace(tzinfo=None)
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        _Book(book, archive, inside).write_data()
    return made


class _Book(ExcelWriter):
    def __init__(self, book: Any, archive: ZipFile, inside: Mapping[str, Inside]) -> None:
        super().__init__(book, archive)
        self._into, self._inside = archive, inside

    def write_worksheet(self, ws: Any) -> None:
        sheet = _Sheet(ws, self._inside[ws.title])
        sheet.write()
        ws._rels, ws._drawing = sheet._rels, _Drawing(ws._charts, sheet.inside.alts)
        self._into.writestr(ws.path[1:], sheet.made.getvalue())
        self.manifest.append(ws)


class _Sheet(WorksheetWriter):
    def __init__(self, ws: Any, inside: Inside) -> None:
        self.inside, self.made = inside, BytesIO()
        super().__init__(ws, self.made)
        self._rels = _Relations()

    def get_stream(self) -> Any:
        self.made.write(f'<worksheet xmlns="{SHEET_MAIN_NS}">'.encode())
        try:
            while True:
                element = yield
                if element is not None:
                    self.made.write(tostring(element))
        except GeneratorExit:
            self.made.write(b"</worksheet>")

    def write_rows(self) -> None:
        for piece in (b"<sheetData>", self.inside.rows, b"</sheetData>"):
            self.made.write(piece)

    def write_hyperlinks(self) -> None:
        found = Element("hyperlinks")
        for cell, url in self.inside.links:
            if url.startswith("#"):
                SubElement(found, "hyperlink", {"ref": cell, "location": f"'{url[1:]}'!A1"})
            else:
                SubElement(found, "hyperlink", {"ref": cell, f"{{{REL_NS}}}id": self._rels.outside(url)})
        if len(found):
            self.xf.send(found)


class _Relations(RelationshipList):
    """What a sheet points to: parts of the file as openpyxl knows them, and addresses, which it is not told of."""

    def __init__(self) -> None:
        super().__init__()
        self._addresses: list[str] = []

    def outside(self, url: str) -> str:
        """The address is one more that the sheet points to; returns the name it is known by."""
        self._addresses.append(url)
        return f"link{len(self._addresses)}"

    def to_tree(self) -> Any:
        tree = super().to_tree()
        for number, url in enumerate(self._addresses, 1):
            told = {"Type": f"{REL_NS}/hyperlink", "Target": url, "TargetMode": "External", "Id": f"link{number}"}
            SubElement(tree, "Relationship", told)
        return tree


class _Drawing(SpreadsheetDrawing):
    """The charts of a sheet, each with its words, which openpyxl leaves out."""

    __elements__ = SpreadsheetDrawing.__elements__

    def __init__(self, charts: Sequence[Any], alts: Sequence[str]) -> None:
        super().__init__()
        self.charts, self._alts = charts, alts

    def _chart_frame(self, idx: int) -> Any:
        frame: Any = super()._chart_frame(idx)  # type: ignore[misc]  # no stub has it
        frame.nvGraphicFramePr.cNvPr.descr = self._alts[idx - 1]
        return frame
