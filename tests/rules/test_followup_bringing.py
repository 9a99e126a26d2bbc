"""Tries that come back from the sheet: each is new, there already, or left to a person with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from followup_records import made, record
from trialdesk.config import Config
from trialdesk.followup.attempts import Attempt
from trialdesk.followup.bringing import Brought, Stood, sort_out
from trialdesk.followup.columns import Desk, choices
from trialdesk.followup.keys import Keys
from trialdesk.followup.returned import NoSchedule, clock, moment, read_sheet
from trialdesk.followup.sheets import tables
from trialdesk.workbook import save

pytestmark = pytest.mark.requirement("CAL-08")

OWN = Keys(b"k" * 32)
PRINTED = datetime(2026, 2, 23, 4, 30)
EVENING = datetime(2026, 2, 23, 18, 0)
FIRST = ("Outcome", "Clock time", "Call back at")
SECOND = ("Outcome 2", "Clock time 2", "Call back at 2")


def printed_sheet(config: Config, path: Path) -> Path:
    """Today of two patients who are due for week 3, as it is printed."""
    plan = made(config, "2026-02-23", ODE_1=record(), ODE_2=record())
    shown = Desk(config, lambda *_: "", lambda *whose: OWN.row(PRINTED, *whose), config.contacts)
    save(path, tables(plan, shown, PRINTED), "calls")
    return path


def typed(path: Path, cells: Mapping[str, object], row: int = 5) -> Path:
    """The same file with these cells of a row filled in, by heading."""
    book = load_workbook(path)
    page = book["Today"]
    titles = {page.cell(4, n).value: n for n in range(1, page.max_column + 1)}
    for title, value in cells.items():
        page.cell(row, titles[title]).value = value  # type: ignore[assignment]
    book.save(path)
    return path


def brought(
    config: Config,
    path: Path,
    stood: Stood | None = None,
    now: datetime = EVENING,
    known: Sequence[str] = ("ODE-1", "ODE-2"),
) -> Brought:
    return sort_out(read_sheet(path), {name: stood or Stood() for name in known}, config, OWN, now)


def test_what_is_typed_into_the_two_blocks_becomes_two_tries(frozen: Config, tmp_path: Path) -> None:
    """The contact is the row's; the second try asks for a call on Wednesday."""
    path = printed_sheet(frozen, tmp_path / "calls.xlsx")
    typed(path, dict(zip(FIRST, ("No answer", "9:10", None), strict=True)))
    typed(path, dict(zip(SECOND, ("Asks to be called later", "13.05", "2026-02-25 10:30"), strict=True)))
    found = brought(frozen, path)
    assert [str(one) for one in found.new] == [
        "ODE-1 W03 2026-02-23 09:10 no answer",
        "ODE-1 W03 2026-02-23 13:05 asks to be called later, call back 2026-02-25 10:30",
    ]
    assert (found.known, found.open) == (0, ())
    again = brought(frozen, path, Stood(keys=frozenset(one.key for one in found.new)))
    assert (again.new, again.known, again.open) == ((), 2, ())
    assert len({one.key for one in found.new}) == 2


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (("", "9:10", ""), "it has no outcome"),
        (("Reached", "9:10", ""), "the outcome is 'Reached'"),
        (("No answer", "", ""), "it has no clock time"),
        (("No answer", "25:10", ""), "it has no clock time"),
        (("No answer", "9:10", "2026-02-25"), "no answer goes with no call back"),
        (("Asks to be called later", "9:10", "soon"), "is no day or time"),
        (("Asks to be called later", "9:10", "2026-02-22"), "lies before the try"),
        (("No answer", "23:50", ""), "2026-02-23 23:50 has not come yet"),
    ],
)
def test_what_is_not_clear_is_left_to_a_person_with_the_reason(
    frozen: Config, tmp_path: Path, cells: Sequence[str], why: str
) -> None:
    """Nothing is guessed, and the row is named."""
    path = typed(printed_sheet(frozen, tmp_path / "calls.xlsx"), dict(zip(FIRST, cells, strict=True)))
    found = brought(frozen, path)
    assert found.new == ()
    assert found.open[0].startswith("row 5, ODE-1, try 1: ")
    assert why in found.open[0]


TRIED = {"Outcome": "No answer", "Clock time": "9:10"}


@pytest.mark.parametrize(
    ("stood", "why"),
    [
        (Stood(reached_on=date(2026, 2, 24)), "the patient was reached on 2026-02-24"),
        (Stood((Attempt("W03", date(2026, 2, 23), time(9, 10), "voicemail"),)), "holds a try of then or later"),
        (Stood((Attempt("W04", date(2026, 3, 2), time(8, 0), "no_answer"),)), "2026-03-02 08:00 W04 no answer"),
    ],
)
def test_what_came_later_is_never_overtaken(frozen: Config, tmp_path: Path, stood: Stood, why: str) -> None:
    """A person looks in REDCap first."""
    path = typed(printed_sheet(frozen, tmp_path / "calls.xlsx"), TRIED)
    found = brought(frozen, path, stood)
    assert found.new == ()
    assert why in found.open[0]


def test_what_came_before_and_on_the_same_day_is_no_hindrance(frozen: Config, tmp_path: Path) -> None:
    """Tried in the morning, tried again by another nurse at eight, reached in the afternoon."""
    path = typed(printed_sheet(frozen, tmp_path / "calls.xlsx"), TRIED)
    earlier = Attempt("W03", date(2026, 2, 23), time(8, 0), "no_answer")
    assert len(brought(frozen, path, Stood((earlier,), reached_on=date(2026, 2, 23))).new) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Key": "20260223T0430-000000000000000000000000"}, "its key was changed"),
        ({"Key": ""}, "its key was changed"),
        ({"Record": "ODE-2"}, "is of another record"),
    ],
)
def test_a_key_that_does_not_fit_its_row_is_left(
    frozen: Config, tmp_path: Path, change: Mapping[str, str], why: str
) -> None:
    """A row that was sorted away from its key, or typed by hand."""
    path = typed(typed(printed_sheet(frozen, tmp_path / "calls.xlsx"), TRIED), change)
    found = brought(frozen, path)
    assert (found.new, why in found.open[0]) == ((), True)


@pytest.mark.parametrize(("day", "new"), [(date(2026, 3, 2), 1), (date(2026, 3, 3), 0)])
def test_a_sheet_of_more_than_seven_days_ago_is_left(frozen: Config, tmp_path: Path, day: date, new: int) -> None:
    """Too much may have happened since."""
    path = typed(printed_sheet(frozen, tmp_path / "calls.xlsx"), TRIED)
    found = brought(frozen, path, now=datetime.combine(day, time(8)))
    assert (len(found.new), len(found.open)) == (new, 1 - new)


def test_a_record_this_token_does_not_see_is_left(frozen: Config, tmp_path: Path) -> None:
    """It may be of another site, or deleted."""
    path = typed(printed_sheet(frozen, tmp_path / "calls.xlsx"), TRIED)
    assert "no such record" in brought(frozen, path, known=("ODE-2",)).open[0]


def test_every_outcome_the_sheet_offers_can_be_brought(frozen: Config, tmp_path: Path) -> None:
    """And being reached is none of them: that is the contact's own form."""
    assert "Reached" not in choices(frozen)
    for number, word in enumerate(choices(frozen)):
        path = typed(printed_sheet(frozen, tmp_path / f"{number}.xlsx"), {**TRIED, "Outcome": word})
        (one,) = brought(frozen, path).new
        assert frozen.call_log is not None
        assert frozen.call_log.outcomes[one.code] == one.attempt.outcome == choices(frozen)[word]


def test_a_file_that_is_no_call_schedule_says_so(frozen: Config, tmp_path: Path) -> None:
    """Text, another workbook, and a sheet whose columns were deleted."""
    (tmp_path / "text.xlsx").write_text("calls", encoding="utf-8")
    other = printed_sheet(frozen, tmp_path / "other.xlsx")
    book = load_workbook(other)
    book["Today"].delete_cols(1, 8)
    book.save(other)
    for name, why in (
        ("text.xlsx", "can't be read"),
        ("absent.xlsx", "can't be read"),
        ("other.xlsx", "lacks the column"),
    ):
        with pytest.raises(NoSchedule, match=why):
            read_sheet(tmp_path / name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("9:30", time(9, 30)), ("09.30", time(9, 30)), ("23:59:10", time(23, 59)), (time(9, 30, 5), time(9, 30)),
     (0.3958333333, time(9, 30)), (datetime(1900, 1, 1, 9, 30), time(9, 30)), ("24:00", None), ("half nine", None),
     (None, None), (1.5, None)],
)  # fmt: skip
def test_a_clock_time_is_read_as_people_and_excel_write_it(value: object, expected: time | None) -> None:
    """Nothing else is one."""
    assert clock(value) == expected


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)))
def test_a_day_and_time_is_read_in_each_of_its_ways(when: datetime) -> None:
    """ISO and Danish order; a time alone is of that day; a day in American order is none."""
    at = when.time().replace(second=0, microsecond=0)
    for text in (f"{when:%Y-%m-%d %H:%M}", f"{when:%d-%m-%Y %H.%M}", f"{when.day}/{when.month}/{when.year} {at:%H:%M}"):
        assert moment(text, date(2026, 1, 1)) == (when.date(), at)
    assert moment(f"{at:%H:%M}", when.date()) == (when.date(), at)
    assert moment(when.date(), date(2026, 1, 1)) == (when.date(), None)
    assert moment("12/31/2026", date(2026, 1, 1)) is None
