"""What answers of REDCap's are made into: rows without blanks, and what an export or its log said. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redcap_rules.names import EVENT, GROUP, INSTANCE, INSTRUMENT
from redcap_rules.record import Row

Rows = list[dict[str, str]]
SYSTEM_COLUMNS = (EVENT, INSTRUMENT, INSTANCE, GROUP)


@dataclass(frozen=True, slots=True)
class Export:
    """What one export returned: rows without blanks, the columns that came, and record → data access group.

    `vanished` are records that were there when the export began and were not when it ended.
    """

    rows: tuple[Row, ...]
    columns: frozenset[str]
    groups: Mapping[str, str]
    vanished: tuple[str, ...] = ()

    @property
    def has_groups(self) -> bool:
        """Whether REDCap named the data access groups; it does not to a user who sits in one.

        Source: reference/redcap-api.md 5.1.
        """
        return GROUP in self.columns or not self.rows


@dataclass(frozen=True, slots=True)
class Removals:
    """What REDCap's log says of deleted records since a moment, and the newest moment it knows.

    `records` is record to when and by whom; what the log holds beside that never leaves the gateway.
    """

    stamp: str
    records: Mapping[str, str]


def is_whole(rows: Rows, record_id: str, part: Sequence[str]) -> bool:
    """Whether rows are about exactly these records, and no place of a record stands there twice."""
    places = [tuple(row.get(name, "") for name in (record_id, EVENT, INSTRUMENT, INSTANCE)) for row in rows]
    return {*part} == {row.get(record_id, "") for row in rows} and len({*places}) == len(places)


def removal(row: Mapping[str, str]) -> tuple[str, str]:
    """A deleted record, and when and by whom; its id stands in its own column or at the end of the action."""
    record = row.get("record", "") or row.get("action", "").rpartition(" ")[2]
    return record, f"{row.get('timestamp', '')} by {row.get('username', '')}"


def texts(row: Mapping[str, Any]) -> dict[str, str]:
    """Every value of a row as text."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{_text(part)}" for name, part in value.items())
    # PHP writes an empty map as an empty list
    return "" if value is None or value == [] else str(value)


def row_of(raw: Mapping[str, str], record_id: str) -> Row:
    """A row as the desk has it: without blanks, its place apart."""
    skipped = (record_id, *SYSTEM_COLUMNS)
    values = {name: value for name, value in raw.items() if value != "" and name not in skipped}
    return Row(raw[record_id], raw.get(EVENT, ""), raw.get(INSTRUMENT, ""), int(raw.get(INSTANCE) or 0), values)


def flat(row: Row, record_id: str) -> dict[str, str]:
    """A row as REDCap takes it."""
    system = {EVENT: row.event, INSTRUMENT: row.instrument, INSTANCE: str(row.instance or "")}
    return {record_id: row.record, **{name: value for name, value in system.items() if value}, **row.values}
