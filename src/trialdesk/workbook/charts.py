"""Charts that the reader's program draws from the tables of a sheet, each with words for who can't see it."""

from __future__ import annotations

from typing import Any

from trialdesk.workbook.layout import CHART_ROWS, Placed
from trialdesk.workbook.tables import Chart

# Okabe and Ito: told apart by everybody; lines differ by dash as well, bars by their order in the legend.
_COLOURS = ("0072B2", "E69F00", "009E73", "CC79A7", "56B4E9", "D55E00", "F0E442", "999999", "000000")
_DASHES = ("solid", "dash", "sysDash", "sysDot", "lgDash", "dashDot")
_SMALL_TITLE = 1100  # hundredths of a point
_MOST_LABELS = 15  # along the bottom, so that none is set upright


def drawn(chart: Chart, placed: Placed, sheet: Any) -> Any:
    """The chart as openpyxl writes it, of a table of the sheet."""
    from openpyxl.chart import BarChart, LineChart, Reference, Series
    from openpyxl.chart.data_source import StrRef
    from openpyxl.chart.series import SeriesLabel
    from openpyxl.chart.shapes import GraphicalProperties
    from openpyxl.drawing.text import CharacterProperties, ParagraphProperties

    titles = [column.title for column in placed.block.columns]
    made: Any = LineChart() if chart.kind == "line" else BarChart()
    made.title = chart.title
    if chart.small:
        made.title.tx.rich.p[0].pPr = ParagraphProperties(defRPr=CharacterProperties(sz=_SMALL_TITLE, b=True))
    made.legend.position, made.legend.overlay = "b", False
    made.x_axis.delete = made.y_axis.delete = False  # newer Excel hides axes that nothing is said of
    made.y_axis.majorGridlines.spPr = GraphicalProperties(ln=_line("D9D9D9", "solid", 0.5))
    first, last = chart.lines or (0, len(placed.block.lines))
    shown = [line.values[titles.index(name)] for line in placed.block.lines[first:last] for name in chart.series]
    made.y_axis.scaling.min = None if any(isinstance(v, (int, float)) and v < 0 for v in shown) else 0
    if chart.stacked:
        made.grouping, made.overlap = "stacked", 100
    top, bottom = placed.header + 1 + first, placed.header + max(last, 1)
    for name in chart.series:
        column = titles.index(name) + 1
        series = Series(Reference(sheet, min_col=column, min_row=top, max_row=bottom))
        heading = Reference(sheet, min_col=column, min_row=placed.header)
        series.tx = SeriesLabel(strRef=StrRef(str(heading)))
        made.series.append(series)
    across = titles.index(chart.across) + 1
    made.set_categories(Reference(sheet, min_col=across, min_row=top, max_row=bottom))
    made.x_axis.tickLblSkip = max(1, -(-(last - first) // _MOST_LABELS))
    for number, series in enumerate(made.series):
        _dress(series, number, chart.kind)
    return made


def _dress(series: Any, number: int, kind: str) -> None:
    colour = _COLOURS[number % len(_COLOURS)]
    if kind == "line":
        series.graphicalProperties.line = _line(colour, _DASHES[number % len(_DASHES)], 2.0)
        series.marker.symbol = "none"
        series.smooth = False
    else:
        series.graphicalProperties.solidFill = colour


def _line(colour: str, dash: Any, points: float) -> Any:
    from openpyxl.drawing.line import LineProperties

    return LineProperties(solidFill=colour, prstDash=dash, w=int(points * 12_700))


def anchored(row: int, column: int, wide: int) -> Any:
    """Where a chart stands: over so many columns, whatever their width is to a program, and never off the page."""
    from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor

    first, last = AnchorMarker(column, 0, row - 1, 0), AnchorMarker(column + wide, 0, row + CHART_ROWS - 2, 0)
    return TwoCellAnchor(_from=first, to=last)
