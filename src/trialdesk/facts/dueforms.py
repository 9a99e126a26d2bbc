"""Which forms of the contacts that are over are there: expected, entered, complete, missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from redcap_rules.dictionary import Dictionary
from trialdesk.followup.schedule import Schedule
from trialdesk.model import ContactStatus
from trialdesk.redcap.cells import Cells, Shape
from trialdesk.redcap.snapshot import Snapshot

Due = tuple[str, str]
"""A record and an event whose forms are expected by now."""

_COMPLETE = "2"
_OVER: frozenset[ContactStatus] = frozenset({"done", "done early", "done late", "missed"})


class DueForm(NamedTuple):
    """One form of one record that is expected by now. `entered`: it holds data; `complete`: its status says so."""

    record: str
    event: str
    form: str
    entered: bool
    complete: bool


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
) -> tuple[DueForm, ...]:
    """Every form that is expected by now, with what the pull holds of it; sorted.

    A form counts as a whole, so fields hidden by branching are never missed.

    Args:
        snapshot: One pull.
        due: Records and the events that are over for them.
        mapping: Event to its forms.
        treatment: Columns that tell an arm: data in them does not make a form entered, or the report would tell it too.
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

    homes = {event: [(form, tables.home(event, form)) for form in forms] for event, forms in mapping.items()}
    found: list[DueForm] = []
    for record, event in sorted(set(due)):
        for form, home in homes.get(event, ()):
            row = home.get(record)
            cells = tables.cells(row) if row else None
            entered = cells is not None and holds(form, cells)
            complete = entered and cells is not None and cells.get(status[form]) == _COMPLETE
            found.append(DueForm(record, event, form, entered, complete))
    return tuple(found)


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


def count(forms: Iterable[DueForm], records: Collection[str], places: Iterable[tuple[str, str]]) -> Iterator[FormCount]:
    """The counts of the named records, one for each event and form of `places`, zeros too."""
    mine = [form for form in forms if form.record in records]
    kind = attrgetter("event", "form")
    expected = Counter(map(kind, mine))
    entered = Counter(map(kind, filter(attrgetter("entered"), mine)))
    complete = Counter(map(kind, filter(attrgetter("complete"), mine)))
    for place in places:
        yield FormCount(*place, expected[place], entered[place], complete[place])


def missing(forms: Iterable[DueForm], group_of: Mapping[str, str]) -> Counter[tuple[str, str, str]]:
    """Group, event and form to how many expected forms hold nothing; `group_of` is record to group."""
    return Counter(
        (group_of[one.record], one.event, one.form) for one in forms if not one.entered and one.record in group_of
    )


def _columns(dictionary: Dictionary, form: str) -> frozenset[str]:
    fields = (field for field in dictionary.form(form) if field.name != dictionary.record_id)
    return frozenset(column for field in fields for column in dictionary.columns_of(field))
