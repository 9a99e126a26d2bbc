"""One record as the checks see it, and what they are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from redcap_rules.choices import checkbox_column
from redcap_rules.logic import Expression
from redcap_rules.record import RecordView, Row
from trialdesk.config import Crosschecks, FieldRef
from trialdesk.followup.schedule import Schedule
from trialdesk.model import Patient
from trialdesk.redcap.patients import day
from trialdesk.redcap.tables import Tables


@dataclass(frozen=True)
class Given:
    """What the checks need beside the patients; `telling` are the codes of contacts that tell the treatment."""

    meanings: Crosschecks
    schedule: Schedule
    telling: frozenset[str] = frozenset()
    treatment_events: frozenset[str] = frozenset()

    @property
    def today(self) -> date:
        """The day of the pull."""
        return self.schedule.today


@dataclass(frozen=True)
class Case:
    """A patient with the rows of the record, and the pull they are of."""

    patient: Patient
    view: RecordView
    tables: Tables

    def text(self, ref: FieldRef) -> str:
        """The stored text of a field."""
        return self.view.value(ref.field, ref.event)

    def ticked(self, ref: FieldRef) -> frozenset[str]:
        """The codes ticked in a checkbox."""
        options = self.view.dictionary.get(ref.field).options
        values = self.view.values(self.view.dictionary.form_of(ref.field), ref.event) or {}
        return frozenset(o.code for o in options if values.get(checkbox_column(ref.field, o.code)) == "1")

    def rows(self, instrument: str, dated: str) -> list[tuple[date, Row]]:
        """The rows of a form with their dates, in order of time; rows without a date are left out."""
        found = [
            (when, row)
            for row in self.view.rows
            if row.instrument in ("", instrument) and (when := day(row.values.get(dated, "")))
        ]
        return sorted(found, key=lambda pair: (pair[0], pair[1].event, pair[1].instance))

    def holds(self, logic: Expression, row: Row) -> bool:
        """Whether a condition is true in a row."""
        return self.tables.holds_in(logic, row)
