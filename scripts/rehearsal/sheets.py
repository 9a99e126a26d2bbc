"""A filled-in form, and the rows it is sent as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from redcap_rules.names import EVENT, INSTANCE, INSTRUMENT, status_field

INCOMPLETE, UNVERIFIED, COMPLETE = "0", "1", "2"

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One form of one event as it was filled in on a day; `instance` is 0 unless the form repeats."""

    on: date
    event: str
    form: str
    values: Values
    status: str = COMPLETE
    instance: int = 0


def rows(record: str, sheets: Iterable[Sheet], record_id: str) -> list[dict[str, str]]:
    """The import rows of one record: one an event, and one an instance of a repeating form."""
    found: dict[tuple[str, str, int], dict[str, str]] = {}
    for sheet in sheets:
        instrument = sheet.form if sheet.instance else ""
        head = {
            record_id: record,
            EVENT: sheet.event,
            INSTRUMENT: instrument,
            INSTANCE: str(sheet.instance or ""),
        }
        row = found.setdefault((sheet.event, instrument, sheet.instance), head)
        row.update(sheet.values)
        row[status_field(sheet.form)] = sheet.status
    return list(found.values())
