"""Which forms of which records form display logic disables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from redcap_local.display_logic import Condition, DisplayLogic, display_logic
from redcap_local.pages.standing import Place
from redcap_local.pages.visit import Visit
from redcap_local.project import Event, Project
from redcap_local.storage import records
from redcap_local.storage.records import Record
from redcap_local.view import cells, record_view
from redcap_rules.choices import checkbox_column
from redcap_rules.logic import LogicError, evaluate, is_true, parse, references
from redcap_rules.record import RecordView


def disabled(visit: Visit, several: Sequence[Record]) -> dict[int, frozenset[Place]]:
    """The disabled forms of each record, by record id; of one that is not there yet under 0."""
    project, rules = visit.project, display_logic(visit.project)
    if not rules.conditions:
        return {0: frozenset(), **{record.id: frozenset() for record in several}}
    ids = [record.id for record in several]
    rows: dict[int, list[tuple[int, int, str, str]]] = {0: [], **{record: [] for record in ids}}
    for record, event, instance, column, value in records.values(visit.call.connection, ids, _columns(project, rules)):
        rows[record].append((event, instance, column, value))
    names = {record.id: record.name for record in several}
    found: dict[int, frozenset[Place]] = {}
    for record, stored in rows.items():
        view = record_view(project, names.get(record, ""), cells(project, stored))
        held = _held(project, stored) if rules.keeps_data else frozenset()
        found[record] = frozenset(_disabled(visit, rules.conditions, view)) - held
    return found


def _columns(project: Project, rules: DisplayLogic) -> list[str]:
    """The columns that the conditions ask for, and those that tell that a row or a form is there."""
    asked = [reference for rule in rules.conditions for reference in references(parse(rule.condition))]
    named = [checkbox_column(one.field, one.code) if one.code else one.field for one in asked]
    return [project.dictionary.record_id, *map(project.dictionary.status_field, project.dictionary.forms), *named]


def _disabled(visit: Visit, conditions: Iterable[Condition], view: RecordView) -> Iterator[Place]:
    for rule in conditions:
        for event in visit.project.shown_events:
            meant = rule.form in visit.project.forms_of(event) and rule.event in {"", event.name}
            if meant and not _holds(visit, rule.condition, view, event):
                yield event.id, rule.form


def _holds(visit: Visit, condition: str, view: RecordView, event: Event) -> bool:
    now = visit.call.now
    place = visit.project.rule_event(event)
    try:
        return is_true(evaluate(parse(condition), view, event=place, today=now.date(), now=now))
    except LogicError:
        return True  # a condition that the dictionary no longer bears disables nothing


def _held(project: Project, stored: Iterable[tuple[int, int, str, str]]) -> frozenset[Place]:
    statuses = {project.dictionary.status_field(form): form for form in project.dictionary.forms}
    return frozenset((event, statuses[column]) for event, _, column, _ in stored if column in statuses)
