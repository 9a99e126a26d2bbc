"""Workbooks: what goes in comes out, and nothing in them runs."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from trialdesk.errors import OutputFailed
from trialdesk.workbook import HEADER_ROW, Column, Line, SheetTable, digest, save

COLUMNS = (Column("Record"), Column("Target", "date"), Column("Tries", "number"))


def table(*lines: Line, name: str = "Calls") -> SheetTable:
    return SheetTable(name, "Call schedule", "As of 2026-11-23", COLUMNS, lines)


def test_dates_numbers_and_text_come_back_as_such(tmp_path: Path) -> None:
    """A date sorts as a date, a record id keeps its zeros."""
    save(tmp_path / "a.xlsx", [table(Line(("0012", date(2026, 4, 2), 3)))], "PVP-MM")
    sheet = load_workbook(tmp_path / "a.xlsx")["Calls"]
    assert [cell.value for cell in sheet[HEADER_ROW + 1]] == ["0012", datetime(2026, 4, 2), 3]
    assert sheet["B5"].number_format == "yyyy-mm-dd"


@pytest.mark.parametrize("text", ["=1+1", "+45 12", "-x", "@SUM(A1)", "\tx", '=HYPERLINK("http://x")'])
def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path, text: str) -> None:
    """Nothing a site types can run on a monitor's computer."""
    save(tmp_path / "a.xlsx", [table(Line((text, None, None)))], "PVP-MM")
    cell = load_workbook(tmp_path / "a.xlsx")["Calls"].cell(HEADER_ROW + 1, 1)
    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", text, True)


def test_control_characters_and_endless_text_do_not_break_the_file(tmp_path: Path) -> None:
    """Both are shown as cut or replaced, never silently lost."""
    save(tmp_path / "a.xlsx", [table(Line(("a\x07b", None, None)), Line(("x" * 40_000, None, None)))], "PVP-MM")
    sheet = load_workbook(tmp_path / "a.xlsx")["Calls"]
    assert sheet.cell(5, 1).value == "a�b"
    assert str(sheet.cell(6, 1).value).endswith("[…cut off]")


def test_the_header_stays_in_view_and_filters(tmp_path: Path) -> None:
    """Frozen below the header and right of the key column; printed on one page's width."""
    save(tmp_path / "a.xlsx", [table(Line(("1", None, None)))], "PVP-MM & co")
    sheet = load_workbook(tmp_path / "a.xlsx")["Calls"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B5", "A4:C5")
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth) == ("landscape", 1)


def test_an_empty_table_says_so(tmp_path: Path) -> None:
    """Nothing to report is printed, not left to guess."""
    save(tmp_path / "a.xlsx", [table()], "PVP-MM")
    assert load_workbook(tmp_path / "a.xlsx")["Calls"].cell(HEADER_ROW + 1, 1).value == "Nothing to report."


def test_sheet_names_are_made_valid_and_unique(tmp_path: Path) -> None:
    """Excel allows 31 characters, no slashes, and no two alike in any case."""
    names = ["Calls/ODE", "calls ode", "x" * 40, "History"]
    save(tmp_path / "a.xlsx", [table(name=name) for name in names], "PVP-MM")
    assert load_workbook(tmp_path / "a.xlsx").sheetnames == ["Calls ODE", "calls ode 2", "x" * 31, "History 2"]


def test_the_digest_follows_what_a_reader_sees() -> None:
    """Same content, same digest; one changed cell changes it."""
    one = [table(Line(("1", date(2026, 1, 1), None)))]
    assert digest(one) == digest([table(Line(("1", date(2026, 1, 1), None)))])
    assert digest(one) != digest([table(Line(("1", date(2026, 1, 2), None)))])


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """The new file is made beside the old one and put in its place when it is whole."""
    (tmp_path / "none").touch()
    path = tmp_path / "none" / "a.xlsx"
    with pytest.raises(OutputFailed, match=r"a\.xlsx: can't be written"):
        save(path, [table()], "PVP-MM")
    assert not path.exists()
