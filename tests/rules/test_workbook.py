"""Workbooks: what goes in comes out, and nothing in them runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from io import BytesIO
from itertools import islice, pairwise
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from trialdesk.errors import OutputFailed
from trialdesk.workbook import (
    HEADER_ROW,
    Block,
    Box,
    Chart,
    Column,
    Line,
    Link,
    SheetTable,
    Tone,
    as_bytes,
    digest,
    save,
    writing,
)
from trialdesk.workbook.layout import placed
from trialdesk.workbook.pages import cuts
from trialdesk.workbook.rows import RowWriter

pytestmark = pytest.mark.requirement("REP-06")

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
    save(tmp_path / "a.xlsx", [table(Line(("a\x07b\ud83d", None, None)), Line(("x" * 40_000, None, None)))], "PVP-MM")
    sheet = load_workbook(tmp_path / "a.xlsx")["Calls"]
    assert sheet.cell(5, 1).value == "a�b�"
    assert str(sheet.cell(6, 1).value).endswith("[…cut off]")


def test_the_header_stays_in_view_and_filters(tmp_path: Path) -> None:
    """Frozen below the header and right of the key column; printed on one page's width."""
    save(tmp_path / "a.xlsx", [table(Line(("1", None, None)))], "PVP-MM & co")
    sheet = load_workbook(tmp_path / "a.xlsx")["Calls"]
    (listed,) = sheet.tables.values()
    assert (sheet.freeze_panes, listed.ref, listed.autoFilter and listed.autoFilter.ref) == ("B5", "A4:C5", "A4:C5")
    assert sheet.auto_filter.ref is None  # a second filter over the same cells, and Excel repairs the file
    assert [column.name for column in listed.tableColumns] == ["Record", "Target", "Tries"]
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth) == ("landscape", 1)


def test_print_set_up_widths_and_heights_are_in_the_file(tmp_path: Path) -> None:
    """The write-only mode of openpyxl loses without a word what is set after the first row."""
    columns = (Column("Record", width=12), Column("Why", width=20), Column("Outcome", choices=("Reached", "Died")))
    lines = (Line(("1", "too long for one line of twenty letters", None)), Line(("2", "short", None)))
    save(tmp_path / "a.xlsx", [SheetTable("Calls", "Calls", "About", columns, lines, 2)], "PVP-MM & co")
    sheet = load_workbook(tmp_path / "a.xlsx")["Calls"]
    assert [sheet.column_dimensions[letter].width for letter in "ABC"] == [12, 20, 10]
    assert [sheet.row_dimensions[number].height for number in (4, 5, 6)] == [18, 30, 15]
    assert (sheet.freeze_panes, sheet.print_title_rows, sheet.print_area) == ("C5", "$4:$4", "'Calls'!$A$1:$C$6")
    assert sheet.oddFooter is not None
    assert (sheet.oddFooter.left.text, sheet.oddFooter.right.text) == ("PVP-MM && co", "&P / &N")
    assert (sheet.page_setup.paperSize, sheet.page_setup.fitToHeight, sheet.page_margins.left) == (9, 1, 0.4)
    (rule,) = sheet.data_validations.dataValidation
    assert (str(rule.sqref), rule.formula1) == ("C5:C6", '"Reached,Died"')


@pytest.mark.parametrize(
    ("lines", "width", "paper"),
    [(0, 100, 1), (30, 100, 1), (37, 100, 1), (39, 100, 2), (37, 170, 1), (76, 170, 2), (400, 100, 11), (401, 100, 0)],
)
def test_a_sheet_is_printed_on_as_few_pages_as_nine_points_allow(lines: int, width: int, paper: int) -> None:
    """A row more than a page holds makes letters a little smaller and no page of its own; long sheets break freely."""
    long = SheetTable("Calls", "Calls", "About", (Column("Record", width=width),), (Line(("1",)),) * lines)
    sheet = load_workbook(BytesIO(as_bytes([long], "PVP-MM")))["Calls"]
    assert (sheet.page_setup.fitToHeight, sheet.page_setup.fitToWidth) == (paper, 1)


@pytest.mark.parametrize(
    ("lines", "ends"), [(37, 0), (38, 1), (46, 1), (60, 0), (76, 0), (79, 2), (120, 3), (400, 10), (401, 0)]
)
def test_a_list_leaves_no_few_rows_for_its_last_page(lines: int, ends: int) -> None:
    """Then all its pages hold about as much, and nothing is fitted; else the program breaks where the paper ends."""
    long = SheetTable("Calls", "Calls", "About", (Column("Record", width=150),), (Line(("1",)),) * lines)
    sheet = load_workbook(BytesIO(as_bytes([long], "PVP-MM")))["Calls"]
    last = [one.id for one in sheet.row_breaks.brk]
    rows = [later - before for before, later in pairwise((0, *last, lines + 4))]
    assert (len(last), max(rows) - min(rows) <= 8 or not ends) == (ends, True)
    fitted = sheet.sheet_properties.pageSetUpPr
    assert fitted is not None
    assert (fitted.fitToPage, sheet.page_setup.scale) == ((False, 82) if ends else (True, None))


@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.integers(20, 175))
def test_a_heading_stays_with_what_is_below_it_and_no_page_is_too_full(counts: list[int], width: int) -> None:
    """Of however many tables, wherever their pages are told to end."""
    columns = (Column("Record", width=width),)
    first, *more = (Block(f"Table {n}", columns, (Line(("1",)),) * count) for n, count in enumerate(counts))
    sheet = SheetTable("Calls", "Calls", "About", columns, first.lines, more=tuple(more))
    found = cuts(sheet, [width])
    heads = {row for place in placed(sheet) for row in (place.header - 1, place.header)}
    ends = found.rows if found else ()
    assert heads.isdisjoint(ends)
    assert all(later - before <= 42 for before, later in pairwise((0, *ends, placed(sheet)[-1].last)) if ends)
    assert list(ends) == sorted(set(ends))


def test_the_sentence_above_a_narrow_table_is_printed_to_its_end() -> None:
    """It runs on over empty columns, which are on the paper as well."""
    told = SheetTable("Arms", "Arms", "word " * 20, (Column("Arm", width=20), Column("n", width=10)), ())
    sheet = load_workbook(BytesIO(as_bytes([told, replace(told, about="Short")], "PVP-MM")))
    assert [one.print_area for one in sheet] == ["'Arms'!$A$1:$I$5", "'Arms 2'!$A$1:$B$5"]


def test_a_link_opens_its_address_where_it_stands(tmp_path: Path) -> None:
    """Rows without one before it, and a text that looks like a formula."""
    lines = [Line(("1", None, None)), Line((Link("=open", "https://a/?id=2"), None, 3)), Line(("3", None, None))]
    save(tmp_path / "a.xlsx", [table(*lines)], "PVP-MM")
    sheet = load_workbook(tmp_path / "a.xlsx")["Calls"]
    found = {cell.coordinate: cell.hyperlink.target for row in sheet.iter_rows() for cell in row if cell.hyperlink}
    assert found == {"A6": "https://a/?id=2"}
    assert [cell.value for cell in sheet[6]] == ["=open", None, 3]


def test_a_sheet_holds_no_more_links_than_excel_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 65 530 Excel repairs the file; the text of the others still stands."""
    monkeypatch.setattr(writing, "_MOST_LINKS", 2)
    made = as_bytes([table(*(Line((Link("open", f"https://a/{n}"), None, n)) for n in range(4)))], "PVP-MM")
    sheet = load_workbook(BytesIO(made))["Calls"]
    assert [bool(sheet.cell(row, 1).hyperlink) for row in range(5, 9)] == [True, True, False, False]
    assert [sheet.cell(row, 1).value for row in range(5, 9)] == ["open"] * 4


def test_every_look_is_made_once() -> None:
    """A thousand rows need no more styles than ten."""

    def styles(rows: int) -> int:
        made = as_bytes([table(*(Line((f"={n}", date(2026, 1, 1), n)) for n in range(rows)))], "PVP-MM")
        with ZipFile(BytesIO(made)) as archive:
            return archive.read("xl/styles.xml").count(b"<xf ")

    assert styles(1000) == styles(10)


def test_a_file_that_lacks_a_row_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is counted in the file itself."""
    written: Callable[..., Iterator[str]] = RowWriter.sheet
    monkeypatch.setattr(RowWriter, "sheet", lambda *given: islice(written(*given), 4))
    with pytest.raises(OutputFailed, match="other rows"):
        as_bytes([table(*(Line((str(n), None, n)) for n in range(4)))], "PVP-MM")


def test_a_file_that_is_no_xml_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part is read to its end."""
    monkeypatch.setattr(RowWriter, "sheet", lambda *_: ['<row r="1"><c></row>'] * 4)
    with pytest.raises(OutputFailed, match="can't be read back"):
        as_bytes([table()], "PVP-MM")


def test_nothing_of_a_workbook_lies_in_a_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever kills a run, no sheet of it is left where nobody looks for it."""
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    link = Link("open", "https://redcap.example.org/?id=1&page=2")
    assert load_workbook(BytesIO(as_bytes([table(Line((link, None, 1)))], "PVP-MM")))["Calls"]["A5"].hyperlink


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


MONTHS = (Column("Month"), Column("Planned", "number"), Column("Randomised", "number"))
CURVE = Chart("Accrual", 'Two lines: "planned" & randomised', "Month", ("Planned", "Randomised"))


def several() -> SheetTable:
    """Two tables below one another, a chart of the second, one of the first."""
    first = (Line(("2026-01", 1, 2)), Line(("2026-02", 3, 2)))
    more = Block("By site", (Column("Site"), Column("Why", width=30)), (Line(("ODE", Link("open", "https://a"))),))
    bars = Chart("Sites", "Bars: one a site", "Site", ("Why",), table=1, kind="bar", stacked=True)
    return SheetTable("Accrual", "Accrual", "About", MONTHS, first, more=(more,), charts=(CURVE, bars))


def test_tables_stand_below_one_another_each_with_its_own_filter() -> None:
    """The wider column counts; headings of the first table are not repeated over the second."""
    sheet = load_workbook(BytesIO(as_bytes([several(), several()], "PVP-MM")))["Accrual"]
    assert [one.ref for one in sheet.tables.values()] == ["A4:C6", "A9:B10"]
    assert [sheet["A8"].value, sheet["A9"].value, sheet["B10"].value] == ["By site", "Site", "open"]
    assert sheet["B10"].hyperlink is not None
    assert sheet.column_dimensions["B"].width == 30
    assert (sheet.print_title_rows, sheet.print_area) == ("$1:$1", "'Accrual'!$A$1:$C$33")


def test_a_chart_draws_its_columns_and_says_in_words_what_it_shows() -> None:
    """The words are in the drawing, where a screen reader finds them; openpyxl would leave them out."""
    made = as_bytes([table(), several()], "PVP-MM")
    with ZipFile(BytesIO(made)) as archive:
        drawing = ElementTree.fromstring(archive.read("xl/drawings/drawing1.xml"))  # noqa: S314  (our own file)
        chart = archive.read("xl/charts/chart1.xml").decode()
    told = [one.get("descr") for one in drawing.iter() if one.tag.endswith("cNvPr")]
    assert told == ['Two lines: "planned" & randomised', "Bars: one a site"]
    ends = [[int(part.text or "") for part in one[:4]] for one in drawing.iter() if one.tag.endswith("}to")]
    assert [end[0] for end in ends] == [3, 3]  # as wide as the sheet, and not beyond the edge of the paper
    assert "'Accrual'!$B$5:$B$6" in chart


def test_boxes_are_borders_of_cells_and_print_without_a_grid() -> None:
    """Corner, side and arrow; nothing is merged."""
    texts: tuple[tuple[str, Tone], ...] = (("Assessed", "strong"), ("(n = 12)", "plain"))
    boxes = (Box(0, 0, 3, 2, texts), Box(3, 0, 1, 1, (("↓", "plain"),), arrow=True))
    drawn = SheetTable("Flow", "Flow", "About", tuple(Column(str(n), width=14) for n in range(3)), (), boxes=boxes)
    sheet = load_workbook(BytesIO(as_bytes([drawn], "PVP-MM")))["Flow"]
    assert [sheet[cell].value for cell in ("A4", "A5", "A7", "B4")] == ["Assessed", "(n = 12)", "↓", None]
    corner, middle, arrow = sheet["A4"].border, sheet["B5"].border, sheet["A7"].border
    assert [side.style for side in (corner.top, corner.left, corner.right, corner.bottom)] == [
        "thin",
        "thin",
        None,
        None,
    ]
    assert [side.style for side in (middle.top, middle.left, middle.right)] == [None, None, "thin"]
    assert [arrow.top.style, arrow.left.style] == [None, None]
    assert (sheet.merged_cells.ranges, sheet.sheet_view.showGridLines, sheet.tables) == (set(), False, {})


def test_two_columns_of_one_name_are_no_table() -> None:
    """Excel repairs such a file, and renames what a person looks for."""
    twice = SheetTable("Calls", "Calls", "About", (Column("Site"), Column("site")), ())
    with pytest.raises(OutputFailed, match="two columns are headed"):
        as_bytes([twice], "PVP-MM")


def test_the_digest_follows_further_tables_charts_and_boxes() -> None:
    """A leak in any of them has to be noticed by the proof."""
    one = several()
    other = (Block("By site", one.more[0].columns, ()),)
    changed = [
        SheetTable(one.name, one.title, one.about, one.columns, one.lines, more=other, charts=one.charts),
        SheetTable(one.name, one.title, one.about, one.columns, one.lines, more=one.more, charts=(CURVE,)),
        SheetTable(one.name, one.title, one.about, one.columns, one.lines, more=one.more, boxes=(Box(0, 0, 1, 1, ()),)),
    ]
    assert len({digest([each]) for each in (one, *changed)}) == 4


def test_small_charts_stand_two_abreast_each_of_its_own_lines() -> None:
    """The third stands below the first; a chart draws the lines it names, and goes below zero where they do."""
    lines = tuple(Line((f"2026-{n:02}", n - 2, n)) for n in range(1, 7))
    charts = tuple(replace(CURVE, lines=(at, at + 2), small=True, sheet="Numbers") for at in (0, 2, 4))
    numbers = SheetTable("Numbers", "Numbers", "About", MONTHS, lines)
    grid = tuple(Column(str(n), width=14) for n in range(12))
    drawn = SheetTable("Curves", "Curves", "About", grid, (), charts=charts)
    with ZipFile(BytesIO(as_bytes([drawn, numbers], "PVP-MM"))) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
        parts = [archive.read(f"xl/charts/chart{n}.xml").decode() for n in (1, 2, 3)]
    places = re.findall(r"<(?:\w+:)?from>.*?col>(\d+)<.*?row>(\d+)<", drawing)
    assert places == [("0", "3"), ("6", "3"), ("0", "14")]
    for at, part in zip((5, 7, 9), parts, strict=True):
        assert f"'Numbers'!$B${at}:$B${at + 1}" in part
        assert f"'Numbers'!$A${at}:$A${at + 1}" in part
        assert "'Numbers'!$B$4" in part
    assert ["<min val" in part for part in parts] == [False, True, True]


def test_where_a_page_must_end_it_ends_between_two_tables() -> None:
    """If that takes no page more; the wider a sheet, the smaller its letters, for nothing is fitted then."""
    columns = (Column("Record", width=174),)
    below = tuple(Block(f"Table {n}", columns, (Line(("1",)),) * count) for n, count in enumerate((4, 12)))
    sheet = SheetTable("Calls", "Calls", "About", columns, (Line(("1",)),) * 20, more=below)
    *_, last = placed(sheet)
    assert cuts(sheet, [174]) == ((last.header - 2,), 81)
    assert cuts(replace(sheet, columns=(Column("Record", width=150),)), [150]) == ((last.header - 2,), 82)
