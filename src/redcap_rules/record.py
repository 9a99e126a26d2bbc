"""The rows of one record and the lookup of a value among them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Dictionary


@dataclass(frozen=True, slots=True)
class Row:
    """One export row: `event` '' in classic projects, `instrument` '' and `instance` 0 unless repeating."""

    record: str
    event: str
    instrument: str
    instance: int
    values: Mapping[str, str]


@lru_cache(maxsize=2**12)
def _spot(event: str, instrument: str, instance: int) -> tuple[str, str, int]:
    """A place in a record, kept once for all records: thousands of patients have the same few."""
    return event, instrument, instance


class RecordView:
    """One record seen by rules: its rows by event, repeating instrument and instance."""

    __slots__ = ("_repeating", "_rows", "dictionary", "events", "rows")

    def __init__(self, rows: Iterable[Row], dictionary: Dictionary, event_order: Sequence[str] = ()) -> None:
        self.rows = tuple(rows)
        self.dictionary = dictionary
        self.events = tuple(event_order) or tuple(dict.fromkeys(row.event for row in self.rows))
        self._rows = {_spot(row.event, row.instrument, row.instance): row.values for row in self.rows}
        self._repeating = frozenset((row.event, row.instrument) for row in self.rows if row.instance)

    @property
    def record(self) -> str:
        """The record id; '' for a record without rows."""
        return self.rows[0].record if self.rows else ""

    def value(self, field: str, event: str, *, code: str = "", instrument: str = "", instance: int = 0) -> str:
        """The stored text of a field, '' when blank, '0' for an unticked option on a row that exists.

        Args:
            field: A field name or `<form>_complete`.
            event: The unique event name; '' in classic projects.
            code: The checkbox option asked for.
            instrument: The repeating instrument of the row; '' lets the field's own form decide.
            instance: The instance; 0 means the row that does not repeat, and the first instance of a form
                or event that does.
        """
        values = self.values(instrument or self.dictionary.form_of(field), event, instance)
        if values is None:
            return ""
        if code:
            return values.get(checkbox_column(field, code), "") or "0"
        return values.get(field, "")

    def values(self, form: str, event: str, instance: int = 0) -> Mapping[str, str] | None:
        """The values of the row that holds a form's fields in an event and instance; None without one."""
        if (event, form) in self._repeating:
            return self._rows.get((event, form, instance or 1))
        if (event, "") in self._repeating:
            return self._rows.get((event, "", instance or 1))
        # Naming instance 1 of something that does not repeat means the one row there is.
        return self._rows.get((event, "", 0)) if instance <= 1 else None

    def instances(self, event: str, form: str) -> tuple[int, ...]:
        """The instances of a repeating form, or of the repeating event it stands in, in rising order."""
        instrument = form if (event, form) in self._repeating else ""
        rows = (row for row in self.rows if (row.event, row.instrument) == (event, instrument))
        return tuple(sorted(row.instance for row in rows if row.instance))
