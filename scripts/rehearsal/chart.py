"""A patient's chart: all that is entered so far, with what REDCap calculates from it."""

from __future__ import annotations

from typing import NamedTuple

from redcap_rules.calculation import Calculations
from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import Expression, Value, evaluate, is_true
from redcap_rules.record import RecordView, Row


class Page(NamedTuple):
    """Where a form stands: its event, and instrument and instance where it repeats."""

    event: str
    instrument: str = ""
    instance: int = 0


class Chart:
    """The rows of one record while it is being filled in."""

    def __init__(self, record: str, dictionary: Dictionary, calculations: Calculations) -> None:
        self.record = record
        self._dictionary = dictionary
        self._calculations = calculations
        self._rows: dict[Page, dict[str, str]] = {}
        self._changed: set[str] = set()

    def copy(self) -> Chart:
        """The same chart, to try something on."""
        other = Chart(self.record, self._dictionary, self._calculations)
        other._rows = {place: dict(row) for place, row in self._rows.items()}
        return other

    def write(self, place: Page, values: dict[str, str]) -> None:
        """The values stand in their place."""
        self._rows.setdefault(place, {}).update(values)
        self._changed |= values.keys()

    def value(self, field: str, event: str) -> str:
        """The text of a field, calculated ones too; of a repeating form the first instance."""
        return self._view().value(field, event)

    def columns(self, field: str, event: str) -> dict[str, str]:
        """What stands in every export column of a field."""
        row = self._rows.get(Page(event), {})
        return {column: row.get(column, "") for column in self._dictionary.get(field).columns}

    def count(self, event: str, form: str) -> int:
        """How many instances of a repeating form there are."""
        return sum(place[:2] == (event, form) for place in self._rows)

    def holds(self, logic: Expression, place: Page) -> bool:
        """Whether a condition is true in a place."""
        return is_true(self.result(logic, place))

    def result(self, formula: Expression, place: Page) -> Value:
        """What a formula gives in a place."""
        self._rows.setdefault(place, {})
        event, instrument, instance = place
        return evaluate(formula, self._view(), event=event, instrument=instrument, instance=instance)

    def _view(self) -> RecordView:
        view = RecordView((Row(self.record, *place, row) for place, row in self._rows.items()), self._dictionary)
        if self._changed:
            for row in self._calculations.recalculate(view, changed=self._changed):
                self._rows[Page(row.event, row.instrument, row.instance)].update(row.values)
            self._changed.clear()
        return view
