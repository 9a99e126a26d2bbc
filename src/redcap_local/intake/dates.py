"""Dates of an import in the order the client writes them (reference/redcap-api.md 6.1)."""

from __future__ import annotations

import re

from redcap_rules.dictionary import Field

_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})( .*)?")
ORDERS = ("YMD", "MDY", "DMY")


def stored_date(field: Field | None, value: str, order: str) -> str:
    """The value as it is stored: Y-M-D for a date field sent as M/D/Y or D/M/Y; any other value unchanged."""
    if order == "YMD" or field is None or not field.validation.startswith("date"):
        return value
    found = _SLASHED.fullmatch(value.strip())
    if found is None:
        return value
    first, second, year, time = found.groups()
    month, day = (first, second) if order == "MDY" else (second, first)
    return f"{year}-{month:0>2}-{day:0>2}{time or ''}"
