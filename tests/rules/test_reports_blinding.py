"""The proof that a report is blind: whatever differs between two worlds stops it, and is named by sheet and column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trialdesk.errors import ConcealmentBroken
from trialdesk.reports.blinding import prove_blind
from trialdesk.workbook import Block, Chart, Column, Line, SheetTable

pytestmark = pytest.mark.requirement("REP-02")

COLUMNS = (Column("Record"), Column("Answer"))
LINES = (Line(("A", 1)), Line(("B", 2)))
BLOCK = Block("By week", COLUMNS, LINES)
SHEET = SheetTable("Flow", "Flow of patients", "All sites", COLUMNS, LINES, more=(BLOCK,))
FIRST = SheetTable("Front", "Front", "", (Column("What"),), (Line(("x",)),))


def leak(*other: SheetTable, shown: tuple[SheetTable, ...] = (FIRST, SHEET)) -> str:
    """Where the proof says that the treatment shows."""
    with pytest.raises(ConcealmentBroken) as caught:
        prove_blind(shown, [shown, other])
    return str(caught.value)


def below(**change: object) -> SheetTable:
    """The sheet with another second table."""
    return replace(SHEET, more=(replace(BLOCK, **change),))  # type: ignore[arg-type]


def test_reports_that_are_the_same_in_every_world_pass() -> None:
    """To the last cell; widths are no content."""
    wide = replace(SHEET, columns=(Column("Record", width=9), Column("Answer")))
    prove_blind((FIRST, SHEET), [(FIRST, SHEET), (FIRST, wide)])
    prove_blind((FIRST, SHEET), [])


@pytest.mark.parametrize(
    ("lines", "column"),
    [
        ((Line(("A", 1)), Line(("B", 3))), "Answer"),
        ((Line(("C", 1)), Line(("B", 2))), "Record"),
        ((Line(("A", 1), "alarm"), Line(("B", 2))), "Record"),
        ((Line(("A", 1), tones={1: "alarm"}), Line(("B", 2))), "Answer"),
        ((Line(("B", 2)), Line(("A", 1))), "Record"),
    ],
)
def test_a_cell_or_a_tone_is_named_by_its_column(lines: tuple[Line, ...], column: str) -> None:
    """Of the first table or of one below it, by its title; never with a value."""
    said = leak(FIRST, replace(SHEET, lines=lines))
    assert f"sheet Flow, column {column};" in said
    assert f"sheet Flow, By week, column {column};" in leak(FIRST, below(lines=lines))


def test_the_first_difference_is_told() -> None:
    """Of several sheets, tables and columns."""
    other = replace(SHEET, lines=(Line(("C", 3)), LINES[1]), more=(replace(BLOCK, lines=()),))
    assert "sheet Flow, column Record;" in leak(FIRST, other)
    assert "sheet Front, column What;" in leak(replace(FIRST, lines=(Line(("y",)),)), other)


def test_rows_and_columns_more_or_less_are_told_as_such() -> None:
    """Not as the cells they move."""
    assert "sheet Flow, its number of rows;" in leak(FIRST, replace(SHEET, lines=LINES[:1]))
    assert "sheet Flow, By week, its number of rows;" in leak(FIRST, below(lines=(*LINES, LINES[0])))
    turned = (Column("Record"), Column("Arm"))
    assert "sheet Flow, its columns;" in leak(FIRST, replace(SHEET, columns=turned))


def test_what_stands_around_tables_is_told_too() -> None:
    """Titles, sentences, charts, the number of tables and of sheets."""
    assert "sheet Flow, its heading, charts or boxes;" in leak(FIRST, replace(SHEET, about="Other"))
    chart = Chart("C", "c", "Record", ("Answer",))
    assert "sheet Flow, its heading, charts or boxes;" in leak(FIRST, replace(SHEET, charts=(chart,)))
    assert "sheet Flow, its number of tables;" in leak(FIRST, replace(SHEET, more=()))
    assert "sheet Flow, By week, its heading;" in leak(FIRST, below(title="By day"))
    assert "the list of sheets;" in leak(FIRST)
