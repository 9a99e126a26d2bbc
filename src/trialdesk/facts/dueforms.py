"""Which forms of the contacts that are over are there: expected, entered, complete, missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from redcap_rules.dictionary import Dictionary
from redcap_rules.record import Row
from trialdesk.followup.schedule import Schedule
from trialdesk.model import ContactStatus
from trialdesk.redcap.cells import Cells, Shape
from trialdesk.redcap.snapshot import Snapshot

Due = tuple[str, str]
"""A record and an event whose forms are expected by now."""

_COMPLETE = "2"
_SAID = ((False, False), (True, False), (True, True))
_OVER: frozenset[ContactStatus] = frozenset({"done", "done early", "done late", "missed"})


class DueForm(NamedTuple):
    """A form of an event that is expected by now. `entered`: it holds data; `complete`: its status says so."""

    event: str
    form: str
    entered: bool
    complete: bool


DueForms = Mapping[DueForm, Sequence[str]]
"""The forms that are expected by now, each with its records: a large trial has hundreds of thousands, of few kinds."""


@dataclass(frozen=True, slots=True)
class FormCount:
    """The expected forms of one kind in one event; `missing` are those that hold nothing."""

    event: str
    form: str
    expected: int
    entered: int
    complete: int

    @property
    def missing(self) -> int:
        """Expected and empty."""
        return self.expected - self.entered


def over(plan: Schedule) -> list[Due]:
    """Record and event of every contact that is made, or whose time is over, by the day of the schedule.

    What is dated later has not happened: neither an opening nor a contact.
    """
    return [
        (entry.contact.record, entry.contact.rule.event)
        for entry in plan.entries
        if entry.status in _OVER and max(entry.contact.enrolled_on, entry.contact.said.on or date.min) <= plan.today
    ]


def gone_through(snapshot: Snapshot, randomised: Iterable[str], enrolment: str, telling: frozenset[str]) -> list[Due]:
    """Every randomised record with each event up to the enrolment's, which all of them have gone through.

    Args:
        snapshot: One pull.
        randomised: The records.
        enrolment: The event of the enrolment.
        telling: Events that tell an arm.
    """
    until = snapshot.events.index(enrolment) + 1 if enrolment in snapshot.events else 0
    events = [event for event in snapshot.events[:until] if event not in telling]
    return [(record, event) for record in randomised for event in events]


def due_forms(
    snapshot: Snapshot, due: Iterable[Due], mapping: Mapping[str, Sequence[str]], treatment: frozenset[str]
) -> DueForms:
    """Every form that is expected by now by what the pull holds of it, with its records, sorted.

    A form counts as a whole, so fields hidden by branching are never missed.

    Args:
        snapshot: One pull.
        due: Records and the events that are over for them.
        mapping: Event to its forms.
        treatment: Columns that tell an arm, be it by some answers: data in them does not make a form entered, or the
            report would tell it too.
    """
    dictionary, tables = snapshot.dictionary, snapshot.tables
    columns = {form: _columns(dictionary, form) - treatment for form in dictionary.forms}
    status = {form: dictionary.status_field(form) for form in dictionary.forms}
    known: dict[tuple[str, Shape], bool] = {}

    def holds(form: str, cells: Cells) -> bool:
        key = form, cells.shape
        if key not in known:
            known[key] = not cells.shape.columns.isdisjoint(columns[form])
        return known[key]

    def said(form: str, row: Row | None) -> tuple[bool, bool]:
        cells = tables.cells(row) if row else None
        entered = cells is not None and holds(form, cells)
        return entered, entered and cells is not None and cells.get(status[form]) == _COMPLETE

    by_event: dict[str, list[str]] = {}
    for record, event in sorted(set(due)):
        by_event.setdefault(event, []).append(record)
    found: dict[DueForm, list[str]] = {}
    for event, records in by_event.items():
        for form in mapping.get(event, ()):
            home, own = tables.home(event, form), dict[tuple[bool, bool], list[str]]()
            for record in records:
                own.setdefault(said(form, home.get(record)), []).append(record)
            found |= {DueForm(event, form, *kind): of for kind, of in own.items()}
    return found


def countable(dictionary: Dictionary, form: str, telling: frozenset[str]) -> bool:
    """Whether a form holds anything that tells no arm, by which it can be counted as entered."""
    return bool(_columns(dictionary, form) - telling)


def forms_by_event(mapping: Iterable[Mapping[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """Event to its forms, of REDCap's mapping rows (`unique_event_name`, `form`), in the order of the rows."""
    forms: dict[str, tuple[str, ...]] = {}
    for row in mapping:
        event = row["unique_event_name"]
        forms[event] = (*forms.get(event, ()), row["form"])
    return forms


def count(forms: DueForms, records: Collection[str], places: Iterable[tuple[str, str]]) -> Iterator[FormCount]:
    """The counts of the named records, one for each event and form of `places`, zeros too."""
    mine = {form: sum(map(records.__contains__, of)) for form, of in forms.items()}
    for place in places:
        empty, entered, complete = (mine.get(DueForm(*place, *said), 0) for said in _SAID)
        yield FormCount(*place, empty + entered + complete, entered + complete, complete)


def missing(forms: DueForms, group_of: Mapping[str, str]) -> Counter[tuple[str, str, str]]:
    """Group, event and form to how many expected forms hold nothing; `group_of` is record to group."""
    found: Counter[tuple[str, str, str]] = Counter()
    for one, records in forms.items():
        if not one.entered:
            found.update((group_of[record], one.event, one.form) for record in records if record in group_of)
    return found


def _columns(dictionary: Dictionary, form: str) -> frozenset[str]:
    fields = (field for field in dictionary.form(form) if field.name != dictionary.record_id)
    return frozenset(column for field in fields for column in dictionary.columns_of(field))
