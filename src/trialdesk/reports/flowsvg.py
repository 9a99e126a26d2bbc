"""The drawing of the flow as SVG: the boxes of the sheet, so what was proved blind there is blind here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from trialdesk.workbook import Box, SheetTable

_CELL, _LINE, _EDGE, _TOP = 80, 20, 16, 64
_GREY, _BLACK = "#777777", "#000000"


def flow_svg(sheets: Sequence[SheetTable]) -> str:
    """The picture of the sheet that is drawn in boxes; it loads nothing from anywhere, and says in words what it is."""
    sheet = next(sheet for sheet in sheets if sheet.boxes)
    environment = Environment(
        loader=PackageLoader("trialdesk.reports", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    rows = max(box.row + box.high for box in sheet.boxes)
    return environment.get_template("flow.svg.j2").render(
        title=sheet.title,
        about=sheet.about,
        width=2 * _EDGE + len(sheet.columns) * _CELL,
        height=_TOP + rows * _LINE + _EDGE,
        boxes=[_box(box) for box in sheet.boxes],
    )


def _box(box: Box) -> Mapping[str, object]:
    x, y = _EDGE + box.column * _CELL, _TOP + box.row * _LINE
    lines = [
        {
            "x": x + 6,
            "y": y + number * _LINE + 15,
            "text": text,
            "bold": tone == "strong",
            "colour": _GREY if tone == "quiet" else _BLACK,
        }
        for number, (text, tone) in enumerate(box.texts)
    ]
    return {
        "x": x, "y": y, "width": box.wide * _CELL, "height": box.high * _LINE, "arrow": box.arrow, "lines": lines,
    }  # fmt: skip
