"""The tripwire: what looks like a number of a person stops a file, whatever it stands in, and is not quoted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frozen import FROZEN
from trialdesk.config import load
from trialdesk.errors import SanityFailed
from trialdesk.nightly.pack import _put
from trialdesk.reports.dataset import Table
from trialdesk.reports.tables import write
from trialdesk.tripwire import proved, tripped
from trialdesk.workbook import Block, Column, Line, SheetTable, save

pytestmark = pytest.mark.requirement("SEC-01")

NUMBER = "150384-1234"  # a made-up one; its last digit is not even right


@given(day=st.dates(), serial=st.integers(0, 9999), dash=st.sampled_from(["", "-"]))
def test_every_day_of_birth_trips_it(day: object, serial: int, dash: str) -> None:
    """With and without the dash, between words and marks."""
    number = f"{day:%d%m%y}{dash}{serial:04}"
    for text in (number, f"({number})", f"call {number}, please", f"<t>{number}</t>", f"a\n{number}\n", f"æ{number}ø"):
        assert tripped(text.encode()) is not None, text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23_043000", "20261123T043000Z", "a1503841234b", "15038412345", "91503841234", "0.1503841234",
        "321384-1234", "151384-1234", "000184-1234", "300284-1234", "150384-123", "150384–1234", "+451503841234",
        "ODE-K2F-003-X", "7B3D-150384-1234", "15.03.84 1234", "",
    ],
)  # fmt: skip
def test_what_is_part_of_something_longer_or_no_day_does_not(text: str) -> None:
    """Times, digests, amounts, telephone numbers abroad and envelopes are not taken for a person."""
    assert tripped(text.encode()) is None


def table(*values: object) -> SheetTable:
    columns = (Column("Record"), Column("Note", "number" if isinstance(values[-1], int) else "text"))
    return SheetTable("Calls", "Calls", "About", columns, (Line(("1", "x")), Line(("2", *values))))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [NUMBER, f"her number is {NUMBER}", 1503841234])
def test_no_workbook_is_written_and_the_old_one_stands(tmp_path: Path, value: object) -> None:
    """Typed as text or as a number; sheet and cell are named, and nothing of what stands there."""
    path = tmp_path / "calls.xlsx"
    save(path, [table("x")], "PVP-MM")
    before = path.read_bytes()
    with pytest.raises(SanityFailed, match=r"^calls\.xlsx, sheet Calls, cell B6: a text looks like") as told:
        save(path, [SheetTable("First", "First", "About", (Column("A"),), ()), table(value)], "PVP-MM")
    assert (told.value.exit_code, "1503" in str(told.value)) == (40, False)
    assert path.read_bytes() == before


def test_titles_and_further_tables_are_looked_at_too(tmp_path: Path) -> None:
    """A title is a cell; so is a row of the second table."""
    title = SheetTable("Calls", NUMBER, "About", (Column("A"),), ())
    more = Block("B", (Column("C"),), (Line((NUMBER,)),))
    below = SheetTable("Calls", "Calls", "About", (Column("A"),), (), more=(more,))
    for sheet, cell in ((title, "A1"), (below, "A9")):
        with pytest.raises(SanityFailed, match=f"cell {cell}:"):
            save(tmp_path / "a.xlsx", [sheet], "PVP-MM")


def test_pages_calendars_and_tables_of_the_dataset_are_looked_at(tmp_path: Path) -> None:
    """The line is named; no file is left."""
    with pytest.raises(SanityFailed, match=r"^calls/calendar\.ics, line 2: "):
        _put(tmp_path, "calls/calendar.ics", lambda: [b"BEGIN\n", b"", f"SUMMARY:{NUMBER}\n".encode()])
    fine = Table("consent", "Consent", ("record",), (("ODE-1",),))
    told = Table("adverse_event", "Adverse events", ("record", "ae_desc"), (("ODE-1", "fine"), ("ODE-2", NUMBER)))
    with pytest.raises(SanityFailed, match=r"^adverse_event\.csv, line 3: "):
        write(tmp_path / "out", (fine, told), load(FROZEN / "config.yaml"), parquet=False)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert [*proved("a.csv", [b"2026-11-23;", b"12;\n"])] == [b"2026-11-23;", b"12;\n"]


def test_a_letter_before_it_is_a_word_but_the_end_of_a_line_in_a_calendar_is_not() -> None:
    """Two letters, one, and a backslash."""
    assert [tripped(f"{word}{NUMBER}".encode()) for word in ("xn", "n", "\\n", "\\x")] == [None, None, 2, None]
