"""Dates and times in formulas: read, taken apart, subtracted."""

import re
from datetime import date, datetime
from functools import lru_cache

from redcap_rules.logic.values import BLANK, Value, known

# REDCap's own year is 365.2425 days and its month 30.44 days; units are case-sensitive (reference/instruments.md 2.2).
SECONDS: dict[str, float] = {
    "y": 365.2425 * 86400,
    "M": 30.44 * 86400,
    "d": 86400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
}
_ORDERS: dict[str, tuple[int, int, int]] = {"ymd": (1, 2, 3), "mdy": (3, 1, 2), "dmy": (3, 2, 1)}
_TIME = r"(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?"
_YEAR_FIRST = re.compile(rf"\s*(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}\s*", re.ASCII)
_YEAR_LAST = re.compile(rf"\s*(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_TIME}\s*", re.ASCII)
_TIME_ONLY = re.compile(r"\s*(\d{1,2}):(\d{2})(?::(\d{2}))?\s*", re.ASCII)


@lru_cache(maxsize=65536)
def seconds(text: str, order: str = "ymd") -> float | None:
    """Seconds from a fixed origin to a date, date and time, or time of day; None if the text is none of them.

    Stored values are Y-M-D whatever the format argument says; the order matters for typed-in dates only.
    """
    clock = _TIME_ONLY.fullmatch(text)
    if clock:
        return _time(clock.groups())
    moment = read_moment(text, order)
    return None if moment is None else moment.toordinal() * 86400.0 + _time((moment.hour, moment.minute, moment.second))


@lru_cache(maxsize=65536)
def read_moment(text: str, order: str = "ymd") -> datetime | None:
    """The date and time a text holds, midnight for a date alone; None if it holds none."""
    found, places = _YEAR_FIRST.fullmatch(text), _ORDERS["ymd"]
    if found is None:
        found, places = _YEAR_LAST.fullmatch(text), _ORDERS[order]
    if found is None:
        return None
    try:
        at = date(*(int(found[place]) for place in places))
        hours, minutes, rest = (int(part or 0) for part in found.groups()[3:])
        return datetime(at.year, at.month, at.day, hours, minutes, rest)
    except ValueError:
        return None


def difference(first: Value, second: Value, unit: Value, *options: Value) -> Value:
    """Second minus first in the unit, without its sign unless an option is true.

    Options are a date format (`ymd`, `mdy`, `dmy`) and whether the sign is kept, in any order, as REDCap
    allows both `datediff(a,b,'d',true)` and `datediff(a,b,'d','dmy',true)`.
    """
    size, order, signed = SECONDS.get(str(unit)), date_order(options), is_signed(options)
    begin, end = seconds(str(first), order), seconds(str(second), order)
    if size is None or begin is None or end is None:
        return BLANK
    span = (end - begin) / size
    return known(span if signed else abs(span))


def date_order(options: tuple[Value, ...]) -> str:
    """The date format among the options of datediff; `ymd` without one."""
    return next((str(option).lower() for option in options if str(option).lower() in _ORDERS), "ymd")


def is_signed(options: tuple[Value, ...]) -> bool:
    """Whether an option of datediff asks for the sign."""
    return any(option == 1.0 or str(option).lower() in {"true", "1"} for option in options)


def year(value: Value) -> Value:
    """The year of a date; blank if it is none."""
    moment = read_moment(str(value), "ymd")
    return BLANK if moment is None else float(moment.year)


def month(value: Value) -> Value:
    """The month of a date, 1 to 12; blank if it is none."""
    moment = read_moment(str(value), "ymd")
    return BLANK if moment is None else float(moment.month)


def day(value: Value) -> Value:
    """The day of the month; blank if the value is no date."""
    moment = read_moment(str(value), "ymd")
    return BLANK if moment is None else float(moment.day)


def _time(parts: tuple[str | int | None, ...]) -> float:
    hours, minutes, rest = (int(part or 0) for part in parts)
    return hours * 3600.0 + minutes * 60.0 + rest
