"""Dates moved in a de-identified export of a page (reference/redcap-validation-facts.md 6, B.2.6.0300)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from redcap_local.call import Call
from redcap_local.columns import Column
from redcap_local.rights import ExportRight
from redcap_local.storage import people
from redcap_local.storage.records import StoredValue

MOST_DAYS = 364


@dataclass(frozen=True, slots=True)
class Shift:
    """The columns whose dates are moved back, every record by a number of days that nobody else can tell."""

    secret: bytes
    columns: frozenset[str]

    def values(self, stored: list[StoredValue]) -> list[StoredValue]:
        """What is stored for records, with their dates moved; intervals within a record stay."""
        return [self._moved(value) if value[3] in self.columns else value for value in stored]

    def _moved(self, value: StoredValue) -> StoredValue:
        record, event, instance, column, text = value
        try:
            day = date.fromisoformat(text[:10]) - timedelta(days=self._days(record))
        except (ValueError, OverflowError):
            return value  # a missing-data code, or what an import without checks has left
        return record, event, instance, column, f"{day}{text[10:]}"

    def _days(self, record: int) -> int:
        drawn = hmac.digest(self.secret, f"dates\0{record}".encode(), hashlib.sha256)
        return 1 + int.from_bytes(drawn, "big") % MOST_DAYS


def shift_of(call: Call, columns: Iterable[Column]) -> Shift | None:
    """What moves the dates of an export; None when its user may see them as they are."""
    moved = frozenset(
        column.name
        for column in columns
        if call.user.rights.exports(column.form) == ExportRight.SHIFTED and _is_date(column)
    )
    secret = (people.server_value(call.connection, "secret") or "").encode()
    return Shift(secret, moved) if moved else None


def _is_date(column: Column) -> bool:
    return column.field is not None and column.field.kind == "text" and column.field.validation.startswith("date")
