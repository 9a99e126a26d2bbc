"""A person's number in any file of a run stops it, and is not repeated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trialdesk.errors import SanityFailed
from trialdesk.nightly.tripwire import prove_unnumbered
from trialdesk.workbook import HEADER_ROW, Block, Column, Line, Link, SheetTable

pytestmark = pytest.mark.requirement("SEC-01")
CPR = "010203-4567"
HARMLESS = (
    "2026-11-23", "2026-11-23_043000-2", "20261123T0430-0102034567ab", "450203-4567", "011303-4567", "ODE-K2F-003-X",
    "a0102034567", "01020345678", "45671234", "https://redcap.example.org/redcap_v15.0.12/index.php?pid=16",
)  # fmt: skip


def sheets(*values: object, name: str = "To do", about: str = "") -> tuple[SheetTable, ...]:
    lines = (Line(("ODE-1", 1)), Line(("ODE-7", *values)))  # type: ignore[arg-type]
    columns = (Column("Record"), Column("Why"))
    return (SheetTable(name, "What is to be done", about, columns, lines),)


@pytest.mark.parametrize("text", [CPR, "0102034567", "010203 4567", f"was {CPR}, by telephone", f"{CPR}\n"])
@pytest.mark.parametrize("where", ["cell", "link", "address", "block", "about", "page", "calendar", "name"])
def test_a_number_stops_the_run_by_its_place(tmp_path: Path, text: str, where: str) -> None:
    """Of cells the sheet, the heading and the row are said."""
    books = {"coordinator/coordinator.xlsx": sheets("")}
    if where in ("cell", "link", "address"):
        value = {"cell": text, "link": Link(text, ""), "address": Link("", f"https://x.example.org/?id={text}")}[where]
        books = {"coordinator/coordinator.xlsx": sheets(value)}
    if where == "block":
        (sheet,) = sheets("")
        more = Block("Below", sheet.columns, (Line(("", text)),))
        books = {"a.xlsx": (SheetTable("A", "", "", sheet.columns, (), more=(more,)),)}
    if where == "about":
        books = {"a.xlsx": sheets("", about=text)}
    if where == "page":
        (tmp_path / "index.html").write_text(f"<p>{text}</p>", encoding="utf-8")
    if where == "calendar":
        (tmp_path / "calendar.ics").write_bytes(f"SUMMARY:Call {text[:4]}\r\n {text[4:]}\r\n".encode())
    if where == "name":
        (tmp_path / f"{text.strip()}.xlsx").write_bytes(b"")
    with pytest.raises(SanityFailed) as stopped:
        prove_unnumbered("DK", tmp_path, books)
    assert "4567" not in str(stopped.value)
    if where == "cell":
        row = HEADER_ROW + 2
        place = f"coordinator/coordinator.xlsx, sheet To do, column Why, row {row}, record ODE-7;"
        assert place in str(stopped.value)


def test_a_record_that_goes_by_the_number_is_not_named(tmp_path: Path) -> None:
    """Its row is enough."""
    (sheet,) = sheets("x")
    with pytest.raises(SanityFailed, match=r"column Record, row [0-9]+; a\.xlsx") as stopped:
        prove_unnumbered("DK", tmp_path, {"a.xlsx": [replace(sheet, lines=(Line((CPR, f"of {CPR}")),))]})
    assert "4567" not in str(stopped.value)


def test_what_is_no_number_stops_nothing(tmp_path: Path) -> None:
    """Days that do not exist, longer numbers, keys and addresses; and nothing at all in a country without a pattern."""
    (tmp_path / "calls.json").write_text("\n".join(HARMLESS), encoding="utf-8")
    prove_unnumbered("DK", tmp_path, {"a.xlsx": sheets(" ".join(HARMLESS))})
    prove_unnumbered("ZZ", tmp_path, {"a.xlsx": sheets(CPR)})
    (tmp_path / "server.txt").write_text(CPR, encoding="utf-8")  # REDCap's own words, the coordinator's alone
    prove_unnumbered("DK", tmp_path, {})
