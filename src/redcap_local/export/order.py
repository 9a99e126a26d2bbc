"""The order of records (reference/redcap-api.md 5.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from redcap_local.storage.records import Record

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers inside names by size: 2 before 10, 20-2 before 20-10."""
    return [
        (0, int(part), part) if part.isdigit() and len(part) < 4000 else (1, 0, part)
        for part in _DIGITS.split(name)
        if part
    ]


def in_order(records: Iterable[Record]) -> list[Record]:
    """The records in natural order of their names."""
    return sorted(records, key=lambda record: natural_key(record.name))
