"""How cells look: every look is made once a workbook and known by its number from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from trialdesk.workbook.tables import Kind, Tone

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

Part = Literal["title", "about", "header", "heading"]

_FACE = "Calibri"  # named everywhere: a nameless bold face is drawn as a serif by some programs
_ALIGN: Mapping[Kind, Literal["center", "right"]] = {
    "date": "center",
    "datetime": "center",
    "number": "center",
    "percent": "right",
}
# Okabe–Ito tints: told apart without red and green, and every tone is a word in the cell as well.
_FILLS: Mapping[Tone, str] = {"alarm": "F8D9C4", "warning": "FCF0C3", "good": "D3ECF9", "entry": "FFFDF0"}
_DARK, _LINK = "1F4E79", "0563C1"


class Look(NamedTuple):
    """What a cell looks like: its tone, or the part of a sheet it is; its kind; its number format; quoted or not.

    A quoted text is one that begins like a formula: Excel shows it and never takes it for one. `edges` are the sides of
    a cell of a drawing that are borders (t, b, l, r); "-" stands for none of them. A `link` looks like one.
    """

    tone: Tone | Part
    kind: Kind = "text"
    number_format: str = "General"
    quoted: bool = False
    edges: str = ""
    link: bool = False


class Looks:
    """The looks of one workbook: openpyxl takes a millisecond to make one, and a cell a number of one at no cost."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[Look, int] = {}

    def number(self, look: Look) -> int:
        """The number under which the workbook's styles hold the look; made when it is first asked for."""
        if look not in self._made:
            from openpyxl.cell import WriteOnlyCell

            cell: Any = WriteOnlyCell(self._book.worksheets[0])
            _dress(cell, look)
            self._made[look] = cell.style_id
        return self._made[look]


def _dress(cell: Any, look: Look) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    if look.tone == "title":
        cell.font = Font(name=_FACE, bold=True, size=14)
    elif look.tone == "heading":
        cell.font = Font(name=_FACE, bold=True, size=12)
    elif look.tone == "about":
        cell.font = Font(name=_FACE, italic=True, color="555555")
    elif look.tone == "header":
        cell.font = Font(name=_FACE, bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor=_DARK)
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal=_ALIGN.get(look.kind))
        cell.border = Border(bottom=Side(style="thin", color=_DARK))
    else:
        if look.tone in _FILLS:
            cell.fill = PatternFill("solid", fgColor=_FILLS[look.tone])
        bold, colour = look.tone in ("strong", "alarm"), "777777" if look.tone == "quiet" else "000000"
        cell.font = Font(name=_FACE, bold=bold, color=_LINK if look.link else colour, u="single" if look.link else None)
        cell.alignment = Alignment(
            wrap_text=look.kind == "text" and not look.edges, vertical="top", horizontal=_ALIGN.get(look.kind)
        )
        cell.border = _border(look.edges) if look.edges else Border(bottom=Side(style="hair", color="BBBBBB"))
        cell.number_format, cell.quotePrefix = look.number_format, look.quoted


def _border(edges: str) -> Any:
    from openpyxl.styles import Border, Side

    line, none = Side(style="thin", color=_DARK), Side()
    top, bottom, left, right = (line if side in edges else none for side in "tblr")
    return Border(top=top, bottom=bottom, left=left, right=right)
