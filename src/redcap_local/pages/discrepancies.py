"""The rows of records for which data quality rules hold (reference/redcap-validation-facts.md 5, C.4.18.0300, 1300)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from redcap_local.pages import smart
from redcap_local.pages.answers import Spot
from redcap_local.pages.visit import Visit
from redcap_local.places import visible
from redcap_local.project import Project
from redcap_local.storage import quality, records
from redcap_local.storage.quality import QualityRule
from redcap_local.storage.records import Record, StoredValue
from redcap_local.view import Cells, RowByRow, RowPlace, cells, record_view
from redcap_rules.logic import Expression, LogicError, Reference, evaluate, is_true, parse, references
from redcap_rules.record import RecordView

NO_ACCESS = "It asks for a form that you have no access to."


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A row of a record for which a rule holds, with what its fields hold there, and the form that shows it."""

    record: str
    event: str
    instance: int
    values: str
    address: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What executing a rule gave; `barred` says why it was not executed."""

    barred: str = ""
    found: tuple[Discrepancy, ...] = ()


@dataclass(frozen=True)
class Seen:
    """A record as the rules see it, row by row."""

    visit: Visit
    record: Record
    rows: Cells
    view: RecordView
    smart: dict[str, str]

    @cached_property
    def miscalculated(self) -> dict[RowPlace, frozenset[str]]:
        """The calculated fields that do not hold what they should, by row."""
        project, now = self.visit.project, self.visit.call.now
        whole = record_view(project, self.record.name, self.rows)
        wrong = project.calculations.recalculate(whole, today=now.date(), now=now)
        named = {(row.event, row.instrument, row.instance): frozenset(row.values) for row in wrong}
        events = {place: project.rule_event(project.events_by_id[place[0]]) for place in self.rows}
        return {place: named.get((events[place], *place[1:]), frozenset()) for place in self.rows}

    def discrepancy(self, place: RowPlace, form: str, values: str) -> Discrepancy:
        """What is told of the row at that place, where the form shows it."""
        event, _, instance = place
        project, name = self.visit.project, self.record.name
        label = project.events_by_id[event].label if project.longitudinal else ""
        return Discrepancy(name, label, instance, values, self.visit.addresses.form(name, event, form, instance or 1))

    def holds(self, logic: Expression, place: RowPlace) -> bool:
        """Whether the rule holds for the row at that place."""
        event, instrument, instance = place
        named = self.visit.project.rule_event(self.visit.project.events_by_id[event])
        now = self.visit.call.now
        value = evaluate(
            logic, self.view, event=named, instrument=instrument, instance=instance,
            today=now.date(), now=now, smart=self.smart,
        )  # fmt: skip
        return is_true(value)


def readable(project: Project, text: str) -> Expression:
    """The logic of a rule.

    Raises:
        LogicError: It cannot be read, or asks for a field that is not there.
    """
    logic = parse(text)
    for one in references(logic):
        if one.field not in project.dictionary and one.field not in project.columns:
            message = f"there is no field {one.field!r}"
            raise LogicError(message, one.span.line, one.span.column)
    return logic


def execute(visit: Visit, rule: QualityRule) -> Outcome:
    """The rows of the records the user sees for which the rule holds.

    A rule about a form that the user has no access to is not executed: its answer would tell what stands there.
    """
    try:
        logic = readable(visit.project, rule.logic)
    except LogicError as fault:
        return Outcome(f"Its logic cannot be read: {fault.message}.")
    if not _may_know(visit, logic):
        return Outcome(NO_ACCESS)
    found = (
        _discrepancy(seen, logic, place)
        for seen in every_record(visit)
        for place in seen.rows
        if seen.holds(logic, place)
    )
    return Outcome(found=tuple(found))


def violated(visit: Visit, saved: Spot) -> list[str]:
    """The names of the live rules that hold for the row of a form that was saved."""
    connection, project = visit.call.connection, visit.project
    live = [rule for rule in quality.rules(connection, project.id) if rule.live]
    found = records.records(connection, project.id, [saved.name]) if live else []
    kind = project.row_instrument(saved.event.id, saved.form)
    place = (saved.event.id, kind or "", 0 if kind is None else saved.instance)
    return [
        rule.name
        for record in found
        for seen in [_seen(visit, record, records.values(connection, [record.id]))]
        for rule in live
        if _holds_at(seen, rule, place)
    ]


def _holds_at(seen: Seen, rule: QualityRule, place: RowPlace) -> bool:
    try:
        logic = readable(seen.visit.project, rule.logic)
    except LogicError:
        return False  # the page of the rules says what is wrong with it
    return _may_know(seen.visit, logic) and seen.holds(logic, place)


def _may_know(visit: Visit, logic: Expression) -> bool:
    forms = {visit.project.dictionary.form_of(one.field) for one in references(logic)}
    return all(map(visit.user.rights.views, forms))


def every_record(visit: Visit) -> Iterator[Seen]:
    """The records that the user sees."""
    connection, project = visit.call.connection, visit.project
    mine = visible(records.records(connection, project.id), visit.user.group)
    stored: dict[int, list[StoredValue]] = {record.id: [] for record in mine}
    for value in records.values(connection, list(stored)):
        stored[value[0]].append(value)
    for record in mine:
        yield _seen(visit, record, stored[record.id])


def _seen(visit: Visit, record: Record, stored: Iterable[StoredValue]) -> Seen:
    rows = cells(visit.project, (value[1:] for value in stored))
    view = record_view(visit.project, record.name, rows, RowByRow)
    group = visit.project.groups_by_id.get(record.group or 0)
    return Seen(visit, record, rows, view, {**smart.of_user(visit), **smart.of_group("record", group)})


def _discrepancy(seen: Seen, logic: Expression, place: RowPlace) -> Discrepancy:
    _, instrument, _ = place
    project, asked = seen.visit.project, list(references(logic))
    here = [one for one in asked if not one.event and not one.instance]
    form = instrument or next((project.dictionary.form_of(one.field) for one in asked), project.dictionary.forms[0])
    return seen.discrepancy(place, form, ", ".join(dict.fromkeys(_told(seen, one, place) for one in here)))


def _told(seen: Seen, one: Reference, place: RowPlace) -> str:
    """A field of the rule and what it holds for the row."""
    event, instrument, instance = place
    project = seen.visit.project
    own = project.row_instrument(event, project.dictionary.form_of(one.field)) == instrument
    named = project.rule_event(project.events_by_id[event])
    value = seen.view.value(one.field, named, code=one.code, instance=instance if own else 0)
    return f"{one.field}({one.code}) = {value!r}" if one.code else f"{one.field} = {value!r}"
