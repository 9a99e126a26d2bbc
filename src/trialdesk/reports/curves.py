"""The sheets Outcome curves and Outcome means: small charts of the same make, one for each outcome, arms as lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from trialdesk.workbook import Chart, Column, Line, SheetTable

CURVES, MEANS = "Outcome curves", "Outcome means"


def curves(table: SheetTable) -> tuple[SheetTable, ...]:
    """What the sheet Outcomes by arm tells as means, drawn; one point is no curve, and nothing measured is no sheet.

    Args:
        table: The sheet Outcomes by arm: outcome, time point and arm of every line, with its mean.
    """
    if not table.lines:
        return ()
    arms = tuple(dict.fromkeys(str(line.values[2]) for line in table.lines))
    mean = [column.title for column in table.columns].index("Mean")
    columns = (
        Column("Outcome", width=44), Column("Time point", width=26), *(Column(arm, "number", 26) for arm in arms),
    )  # fmt: skip
    lines: list[Line] = []
    charts: list[Chart] = []
    for outcome, points in groupby(_points(table, mean), key=lambda line: line.values[0]):
        mine = list(points)
        if len(mine) > 1:
            charts.append(_chart(str(outcome), arms, (len(lines), len(lines) + len(mine))))
        lines += mine
    about = "The means of Outcomes by arm side by side; a blank is a time point without a value. Confidential."
    grid = tuple(Column(str(number), width=11) for number in range(12))
    drawn = SheetTable(
        CURVES, "Means of outcomes by arm and time point", f"As randomised. The numbers stand in {MEANS}.", grid, (),
        charts=tuple(charts),
    )  # fmt: skip
    means = SheetTable(MEANS, "Means of outcomes by arm", about, columns, tuple(lines), keys=2)
    return (drawn, means) if charts else (means,)


def _points(table: SheetTable, mean: int) -> Iterator[Line]:
    """A line for each outcome and time point, with the mean of each arm."""
    for head, lines in groupby(table.lines, key=lambda line: line.values[:2]):
        yield Line((*head, *(line.values[mean] for line in lines)))


def _chart(outcome: str, arms: tuple[str, ...], lines: tuple[int, int]) -> Chart:
    alt = f"Lines, one for each of {', '.join(arms)}: the mean of {outcome} at each time point; numbers in {MEANS}"
    return Chart(outcome, alt, "Time point", arms, sheet=MEANS, lines=lines, small=True)
