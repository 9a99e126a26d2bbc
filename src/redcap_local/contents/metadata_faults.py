"""Faults of a data dictionary in REDCap's own sentences, with spreadsheet cells (reference/redcap-api.md 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from redcap_local import messages
from redcap_local.columns import time_stamp
from redcap_local.intake.columns import SYSTEM
from redcap_local.messages import Message
from redcap_local.wire.data import DataRow
from redcap_rules.dictionary import FIELD_TYPES
from redcap_rules.names import status_field


def sentences(rows: Sequence[DataRow]) -> list[str]:
    """What REDCap says of the rows of a metadata import; [] when it has nothing to say."""
    found: list[tuple[Message, list[str]]] = [
        (messages.DUPLICATE_FIELDS, _duplicates(rows)),
        (messages.MISSING_FORM, [f"B{line}" for line, row in _lines(rows) if not row.get("form_name", "").strip()]),
        (messages.FORM_ORDER, list(_returning_forms(rows))),
        (messages.BAD_FIELD_NAME, [f"A{line}" for line in _bad_names(rows)]),
        (
            messages.BAD_FIELD_TYPE,
            [f"D{line}" for line, row in _lines(rows) if row.get("field_type") not in FIELD_TYPES],
        ),
    ]
    return [message.text.format(", ".join(cells)) for message, cells in found if cells]


def _lines(rows: Sequence[DataRow]) -> Iterator[tuple[int, DataRow]]:
    """The rows with their line in the spreadsheet, whose first line is the header."""
    return enumerate(rows, start=2)


def _duplicates(rows: Sequence[DataRow]) -> list[str]:
    names = Counter(row.get("field_name", "") for row in rows)
    return [name for name, times in names.items() if times > 1]


def _bad_names(rows: Sequence[DataRow]) -> Iterator[int]:
    """Lines whose field would be taken for a checkbox option, a form status or a system column of an export."""
    forms = {row.get("form_name", "").strip() for row in rows}
    taken = SYSTEM | {status_field(form) for form in forms} | set(map(time_stamp, forms))
    for line, row in _lines(rows):
        name = row.get("field_name", "")
        if "__" in name or name.endswith("_") or name in taken:
            yield line


def _returning_forms(rows: Sequence[DataRow]) -> Iterator[str]:
    ended: set[str] = set()
    last = ""
    for line, row in _lines(rows):
        form = row.get("form_name", "").strip()
        if form != last:
            if form in ended:
                yield f"B{line}"
            ended.add(last)
            last = form
