"""A filled-in form, the pen that fills it, and the rows it is sent as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Dictionary
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


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes values a field accepts: codes come from the dictionary, chance from the dice."""

    dictionary: Dictionary
    dice: Random

    def pick(self, *fields: str) -> dict[str, str]:
        """One of each field's own choices, all equally likely."""
        return {name: self.dice.choice(self.dictionary.get(name).options).code for name in fields}

    def ticks(self, field: str, *codes: str) -> dict[str, str]:
        """A checkbox with these options ticked; like a saved form it also sends the others, as not ticked.

        REDCap computes what depends on imported fields only
        (reference/redcap-api.md 6.2): a checkbox left out of the import would leave its count blank instead of 0.
        """
        return {
            checkbox_column(field, option.code): str(int(option.code in codes))
            for option in self.dictionary.get(field).options
        }

    def one_of(self, *values: str) -> str:
        """One of the values; a value given twice is twice as likely."""
        return self.dice.choice(values)

    def happens(self, percent: int) -> bool:
        """True in that many of a hundred throws."""
        return self.dice.randrange(100) < percent

    def between(self, low: float, high: float, places: int = 0) -> str:
        """A number of that range as text, with at most so many decimals."""
        return f"{self.dice.uniform(low, high):.{places}f}"


def same(value: str, *fields: str) -> dict[str, str]:
    """The same value in several fields."""
    return dict.fromkeys(fields, value)


def numbered(sheets: Iterable[Sheet]) -> tuple[Sheet, ...]:
    """The sheets of one repeating form as instances 1, 2 … in order of their day."""
    ordered = sorted(sheets, key=lambda sheet: sheet.on)
    return tuple(replace(sheet, instance=place) for place, sheet in enumerate(ordered, start=1))


def rows(record: str, sheets: Iterable[Sheet], record_id: str = "record_id") -> list[dict[str, str]]:
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
