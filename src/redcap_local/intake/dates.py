"""Dates of an import in the order the client writes them (reference/redcap-api.md 6.1)."""

from __future__ import annotations

import re
from datetime import date

from redcap_rules.dictionary import Field

_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.ASCII)
ORDERS = ("YMD", "MDY", "DMY")


def stored_date(field: Field | None, value: str, order: str, today: date) -> str:
    """The value as it is stored: Y-M-D for a date field sent as M/D/Y or D/M/Y; any other value unchanged.

    A spreadsheet leaves out leading zeros, the century and seconds (reference/redcap-validation-facts.md 3). A year of
    two digits is the latest that is not after this year.
    """
    if order == "YMD" or field is None or not field.validation.startswith("date"):
        return value
    found = _SLASHED.fullmatch(value.strip())
    if found is None:
        return value
    first, second, year, hour, minute, seconds = found.groups()
    month, day = (first, second) if order == "MDY" else (second, first)
    time = ""
    if hour:
        wanted = seconds or ("00" if field.validation.startswith("datetime_seconds") else "")
        time = f" {hour:0>2}:{minute}" + (f":{wanted}" if wanted else "")
    return f"{_whole(year, today)}-{month:0>2}-{day:0>2}{time}"


def _whole(year: str, today: date) -> str:
    if len(year) == 4:
        return year
    century = today.year // 100 * 100
    return str(century + int(year) - (100 if century + int(year) > today.year else 0))
