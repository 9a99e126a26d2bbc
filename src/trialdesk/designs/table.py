"""The comparison on a terminal, and the measures in the order in which they are read; no block size is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trialdesk.designs.summary import Figure, Row

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the comparison: the name in `playing.Measures`, a heading, how it is written, and what it says."""

    name: str
    heading: str
    written: Literal["range", "share", "count", "one decimal"]
    says: str


BALANCE = (
    Measure("overall", "Difference of the arms", "range", "patients by which the arms of the whole trial differ"),
    Measure("site", "Worst site", "range", "the same at the site where it is largest"),
    Measure("stratum", "Worst stratum", "range", "the same in the stratum where it is largest"),
    Measure("unfinished", "Unfinished blocks", "one decimal", "lists that ended before their block was used up"),
    Measure("inside", "Patients in them", "share", "share of all patients who are in such a block"),
)
GUESSING = (
    Measure("clinician", "Own tally", "share", "a clinician who counts the arms of the own site"),
    Measure("observer", "Whole list", "share", "one who counts all arms of the list, such as coordinator or monitor"),
    Measure("informed", "Knows the method", "share", "one who sees the whole list and knows how it was made"),
    Measure("certain", "Certain", "share", "share of allocations that this last one knows beforehand"),
)
SENDING = (
    Measure("made", "Envelopes made", "count", "in the whole trial"),
    Measure("unused", "Not opened", "count", "made, and left over at the end"),
    Measure("parcels", "Parcels sent", "count", "the first one to each site included"),
    Measure("blocked", "Patients blocked", "one decimal", "found an empty pile, and were not randomised"),
)
MEASURES = (*BALANCE, *GUESSING, *SENDING)


def written(figure: Figure | None, how: str) -> str:
    """A figure as it is read; – where a design has none.

    >>> written(Figure(4.26, 10, 0.01), "range"), written(Figure(0.6333, 1, 0.01), "share")
    ('4.3 (10)', '63 %')
    """
    match how, figure:
        case _, None:
            return "–"
        case "range", Figure(mean, high):
            return f"{mean:.1f} ({high:.0f})"
        case "share", Figure(mean):
            return "< 1 %" if 0 < mean < 0.005 else f"{100 * mean:.0f} %"
        case "count", Figure(mean):
            return f"{mean:.0f}"
        case _, Figure(mean):
            return f"{mean:.1f}"


def comparison(rows: Sequence[Row]) -> Table:
    """The measures line by line, one column a design."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1), caption="Means; in brackets what 95 % of trials don't exceed")
    table.add_column("", no_wrap=True)
    for row in rows:
        table.add_column(row.letter, justify="right")
    for part in (BALANCE, GUESSING, SENDING):
        for measure in part:
            cells = [written(row.figures.get(measure.name), measure.written) for row in rows]
            table.add_row(measure.heading, *cells, end_section=measure is part[-1])
    return table
