"""How long it took until what happened on a day stood in REDCap, by the night that first saw it.

Source: reference/trial-operations.md 2.2, sheet 08 (entry delay). No token of the desk reads REDCap's log, which holds
identifiers; the memory keeps on what day a run first saw each form, so a delay is right to the time between runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil
from statistics import median

from trialdesk.facts.deriving import Facts
from trialdesk.facts.dueforms import DueForm
from trialdesk.redcap.observing import first_day
from trialdesk.redcap.patients import day

LATE = 10
"""Days after which a form was entered late."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One form that is entered: days from the day it is about to the day on which a run first saw it."""

    record: str
    event: str
    form: str
    delay: int


@dataclass(frozen=True, slots=True)
class Delays:
    """How many forms with a known day, the median of their days, the days nine of ten took at most, how many late."""

    forms: int
    median: float | None
    nine_of_ten: int | None
    late: int


def entries(facts: Facts) -> Iterator[Entry]:
    """Every entered form with a day it is about, whose first day a run has seen; none of an event that tells an arm.

    That day is the one the form says it was completed on (`form_dates`), else that of its event: a contact, or a step
    of recruitment.
    """
    night, renamed, today = facts.common.past.remembered.night, facts.common.past.moves.renamed, facts.common.day
    if night is None or night.records is None:
        return
    of_event, completed, hidden = _about(facts), _completed(facts), facts.common.telling.events
    tonight = str(today)
    for one, records in facts.forms.items():
        if not one.entered or one.event in hidden:
            continue
        place = f"{one.event} {one.form}"
        for record in records:
            seen = day(first_day(place, night.records.get(renamed.get(record, record)), tonight))
            on = seen and (completed(one, record) or of_event.get((record, one.event)))
            if seen and on:
                yield Entry(record, one.event, one.form, max(0, (seen - on).days))


def delays(found: Iterable[Entry]) -> Delays:
    """The delays together.

    >>> delays(Entry("", "", "", days) for days in (0, 1, 2, 30))
    Delays(forms=4, median=1.5, nine_of_ten=30, late=1)
    """
    days = sorted(one.delay for one in found)
    if not days:
        return Delays(0, None, None, 0)
    return Delays(len(days), median(days), days[ceil(0.9 * len(days)) - 1], sum(day > LATE for day in days))


def _completed(facts: Facts) -> Callable[[DueForm, str], date | None]:
    """What a form says of the day it was completed on, if it has a field for that and no arm can be told by it."""
    checks, dictionary, tables = facts.config.crosschecks, facts.snapshot.dictionary, facts.snapshot.tables
    dated = {
        dictionary.form_of(name): name
        for name in (checks.form_dates if checks else ())
        if name in dictionary and name not in facts.common.telling.columns
    }

    def on(form: DueForm, record: str) -> date | None:
        row = tables.home(form.event, form.form).get(record) if form.form in dated else None
        return day(row.values.get(dated[form.form], "")) if row else None

    return on


def _about(facts: Facts) -> Mapping[tuple[str, str], date]:
    """Record and event to the day they are about: the last one a step of recruitment dates there, or of the contact."""
    told, found = facts.config.facts, dict[tuple[str, str], date]()
    for one in facts.patients:
        steps = ((told.screened_on, one.screened_on), (told.consented_on, one.consented_on),
                 (told.opened_on, one.opened_on))  # fmt: skip
        for ref, on in steps:
            if on:
                place = one.record, ref.event
                found[place] = max(on, found.get(place, on))
    for entry in facts.schedule.entries:
        if entry.contact.said.done and entry.contact.said.on:
            found[entry.contact.record, entry.contact.rule.event] = entry.contact.said.on
    return found
