"""Sheets of labels: where each label lies on the page, in millimetres."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from trialdesk.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of labels: `across` × `down` of them, `width` × `height` each, from `left` and `top` on, with gaps."""

    page_width: float
    page_height: float
    width: float
    height: float
    across: int
    down: int
    left: float
    top: float
    gap_x: float = 0
    gap_y: float = 0

    def told(self) -> dict[str, float]:
        """The sheet as a template is given it."""
        return asdict(self)


# Avery's own measures of the two sheets; `single` is a label printer, one label a page.
SHEETS: Mapping[str, Sheet] = {
    "L7160": Sheet(210, 297, 63.5, 38.1, 3, 7, 7.2, 15.15, 2.5),
    "L7163": Sheet(210, 297, 99.1, 38.1, 2, 7, 4.65, 15.15, 2.5),
    "single": Sheet(99.1, 57, 99.1, 57, 1, 1, 0, 0),
}
_MM = r"(\d+(?:\.\d+)?)"
_CUSTOM = re.compile(rf"{_MM}x{_MM}:(\d+)x(\d+):{_MM},{_MM}(?::{_MM},{_MM})?")


def sheet_of(name: str) -> Sheet:
    """The sheet of a name, or one of A4 described as `63.5x38.1:3x7:15.15,7.2:2.5,0`.

    That is width x height : across x down : top, left : gaps, in millimetres.

    Raises:
        ConfigError: it is neither, or its labels do not fit on the page.
    """
    if name in SHEETS:
        return SHEETS[name]
    found = _CUSTOM.fullmatch(name.replace(" ", ""))
    if not found:
        raise ConfigError(
            f"--sheet {name}: no such sheet; there are {', '.join(SHEETS)}, or in millimetres "
            "WIDTHxHEIGHT:ACROSSxDOWN:TOP,LEFT:GAP,GAP"
        )
    width, height, across, down, top, left, gap_x, gap_y = (float(part or 0) for part in found.groups())
    made = Sheet(210, 297, width, height, int(across), int(down), left, top, gap_x, gap_y)
    right = left + across * width + (across - 1) * gap_x
    bottom = top + down * height + (down - 1) * gap_y
    if right > made.page_width + 0.5 or bottom > made.page_height + 0.5 or width < 50 or height < 25:
        raise ConfigError(f"--sheet {name}: its labels do not fit on A4, or are smaller than 50 × 25 mm")
    return made
