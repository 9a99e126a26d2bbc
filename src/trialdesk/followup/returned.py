"""A call schedule that comes back with its white cells filled in, read as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from trialdesk.followup.columns import BACK, BLOCKS, CLOCK, KEY, OUTCOME, RECORD, numbered
from trialdesk.workbook import HEADER_ROW

SHEET = "Today"
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)(?:[:.][0-5]\d)?")
_DANISH = re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})")


class NoSchedule(Exception):
    """The file is no call schedule; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Typed:
    """One block of white cells, number 1 or 2: the outcome as it was chosen, and what was typed beside it."""

    number: int
    outcome: str
    clock: object
    back: object


@dataclass(frozen=True, slots=True)
class Returned:
    """One row of Today: its number in the sheet, record and key, and the blocks in which something stands."""

    row: int
    record: str
    key: str
    tries: tuple[Typed, ...]


def read_sheet(path: Path) -> tuple[Returned, ...]:
    """The rows of Today that have a key; those nobody wrote in too.

    Raises:
        NoSchedule: the file is no workbook, or has no sheet Today with its columns.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with path.open("rb") as file:
            book = load_workbook(file, read_only=False, data_only=True)
    except (OSError, BadZipFile, KeyError, InvalidFileException) as error:
        raise NoSchedule(
            f"can't be read as a workbook ({type(error).__name__}); save it as .xlsx, and close it"
        ) from None
    if SHEET not in book.sheetnames:
        raise NoSchedule(f"has no sheet {SHEET}; it is not what call_schedule.py writes")
    rows = book[SHEET].iter_rows(min_row=HEADER_ROW, values_only=True)
    titles = [str(title or "") for title in next(rows, ())]
    wanted = [RECORD.title, KEY.title, *(numbered(name, n) for n in _numbers() for name in (OUTCOME, CLOCK, BACK))]
    if lacking := [title for title in wanted if title not in titles]:
        raise NoSchedule(f"{SHEET} lacks the column {lacking[0]}; take a new call schedule and type it in there")
    return tuple(_rows(rows, titles))


def clock(value: object) -> time | None:
    """A time of day as people type it: 9:30, 09.30, or what Excel makes of it; None if it is none."""
    if isinstance(value, datetime):
        return value.time().replace(second=0, microsecond=0)
    if isinstance(value, time):
        return value.replace(second=0, microsecond=0)
    if isinstance(value, float) and 0 <= value < 1:
        return (datetime.min + timedelta(minutes=round(value * 24 * 60))).time()
    found = _CLOCK.fullmatch(str(value or "").strip())
    return time(int(found[1]), int(found[2])) if found else None


def moment(value: object, on: date) -> tuple[date, time | None] | None:
    """A day, with or without a time, as people type it; a time alone is of the day `on`. None if it is neither.

    Days are 2026-02-25, 25-02-2026, 25.2.2026 or 25/2/2026.
    """
    if isinstance(value, datetime):
        return value.date(), value.time().replace(second=0, microsecond=0) if value.time() != time.min else None
    if isinstance(value, date):
        return value, None
    if (at := clock(value)) is not None:
        return on, at
    first, _, rest = str(value or "").strip().partition(" ")
    day, at = _day(first), clock(rest.strip())
    return (day, at) if day and (at or not rest.strip()) else None


def _numbers() -> range:
    return range(1, BLOCKS + 1)


def _rows(rows: Iterator[tuple[Any, ...]], titles: list[str]) -> Iterator[Returned]:
    for number, values in enumerate(rows, HEADER_ROW + 1):
        cells = dict(zip(titles, values, strict=False))
        record, key = (str(cells.get(name) or "").strip() for name in (RECORD.title, KEY.title))
        tries = tuple(_typed(cells))
        if key or tries:
            yield Returned(number, record, key, tries)


def _typed(cells: Mapping[str, Any]) -> Iterator[Typed]:
    for number in _numbers():
        outcome, at, back = (cells.get(numbered(name, number)) for name in (OUTCOME, CLOCK, BACK))
        if any(value not in (None, "") for value in (outcome, at, back)):
            yield Typed(number, str(outcome or "").strip(), at, back)


def _day(text: str) -> date | None:
    try:
        if found := _DANISH.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(text)
    except ValueError:
        return None
