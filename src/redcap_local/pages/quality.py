"""Data quality rules: written, executed over the records a user sees, and told row by row (C.4.18.1300)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from redcap_local.messages import ApiError, Confidence, Message
from redcap_local.pages import smart
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Shown, Visit
from redcap_local.places import visible
from redcap_local.project import Project
from redcap_local.storage import quality, records
from redcap_local.storage.quality import QualityRule
from redcap_local.storage.records import Record, StoredValue
from redcap_local.view import RowByRow, RowPlace, cells, record_view
from redcap_rules.logic import Expression, LogicError, evaluate, is_true, parse, references
from redcap_rules.record import RecordView

PLACE = "DataQuality/index.php"
UNREADABLE = "The logic cannot be read: {}."


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

    rule: QualityRule
    barred: str = ""
    found: tuple[Discrepancy, ...] = ()


def show(visit: Visit, faults: tuple[str, ...] = ()) -> Shown:
    """The rules of the project."""
    return _page(quality.rules(visit.call.connection, visit.project.id), {}, faults)


def change(visit: Visit) -> Answer:
    """A rule is added or deleted, or the rules are executed."""
    connection, project, rules = visit.call.connection, visit.project, quality.rules
    match visit.text("action"):
        case "add":
            visit.needs("data_quality_create")
            quality.insert(connection, project.id, _new_rule(visit))
        case "delete":
            visit.needs("data_quality_create")
            quality.delete(connection, project.id, visit.number("rule", 0))
        case "execute":
            visit.needs("data_quality_execute")
            there = rules(connection, project.id)
            wanted = [rule for rule in there if visit.text("rule") in {"", str(rule.id)}]
            return _page(there, {rule.id: execute(visit, rule) for rule in wanted}, ())
        case other:
            raise NoSuchPlace(f"there is no action {other[:40]!r}")
    return Moved(visit.addresses.room(PLACE))


def refused(visit: Visit, fault: ApiError) -> Shown:
    """The page again, with the reason."""
    return replace(show(visit, tuple(fault.text.splitlines())), status=fault.status)


def execute(visit: Visit, rule: QualityRule) -> Outcome:
    """The rows of the records the user sees for which the rule holds.

    A rule about a form that the user has no access to is not executed: its answer would tell what stands there.
    """
    try:
        logic = _checked(visit.project, rule.logic)
    except LogicError as fault:
        return Outcome(rule, UNREADABLE.format(fault.message))
    forms = {visit.project.dictionary.form_of(one.field) for one in references(logic)}
    if not all(map(visit.user.rights.views, forms)):
        return Outcome(rule, "It asks for a form that you have no access to.")
    return Outcome(rule, found=tuple(_found(visit, logic)))


def _page(rules: list[QualityRule], outcomes: dict[int, Outcome], faults: tuple[str, ...]) -> Shown:
    return Shown("quality.html.j2", {"rules": rules, "outcomes": outcomes, "faults": faults})


def _new_rule(visit: Visit) -> QualityRule:
    name, logic = visit.text("name"), visit.text("logic")
    if not name:
        raise ApiError(Message("A rule needs a name.", Confidence.UNKNOWN, 400))
    try:
        _checked(visit.project, logic)
    except LogicError as fault:
        raise ApiError(Message(UNREADABLE.format(fault.message), Confidence.UNKNOWN, 400)) from None
    return QualityRule(0, name, logic, live=bool(visit.text("live")))


def _checked(project: Project, text: str) -> Expression:
    """The logic, read; LogicError when it asks for a field that is not there."""
    logic = parse(text)
    for one in references(logic):
        if one.field not in project.dictionary and one.field not in project.columns:
            message = f"there is no field {one.field!r}"
            raise LogicError(message, one.span.line, one.span.column)
    return logic


def _found(visit: Visit, logic: Expression) -> Iterator[Discrepancy]:
    connection, project = visit.call.connection, visit.project
    seen = visible(records.records(connection, project.id), visit.user.group)
    stored: dict[int, list[StoredValue]] = {record.id: [] for record in seen}
    for value in records.values(connection, list(stored)):
        stored[value[0]].append(value)
    for record in seen:
        rows = cells(project, (value[1:] for value in stored[record.id]))
        view = record_view(project, record.name, rows, RowByRow)
        known = {**smart.of_user(visit), **smart.of_group("record", project.groups_by_id.get(record.group or 0))}
        for place in rows:
            if _holds(visit, logic, view, place, known):
                yield _discrepancy(visit, record, logic, view, place)


def _holds(visit: Visit, logic: Expression, view: RecordView, place: RowPlace, known: dict[str, str]) -> bool:
    event, instrument, instance = place
    now = visit.call.now
    named = visit.project.rule_event(visit.project.events_by_id[event])
    return is_true(
        evaluate(
            logic, view, event=named, instrument=instrument, instance=instance, today=now.date(), now=now, smart=known
        )
    )


def _discrepancy(visit: Visit, record: Record, logic: Expression, view: RecordView, place: RowPlace) -> Discrepancy:
    event, instrument, instance = place
    project = visit.project
    at = project.events_by_id[event]
    named = list(dict.fromkeys(one.field for one in references(logic)))
    own = {name: instance if _is_own(project, name, place) else 0 for name in named}
    values = [(name, view.value(name, project.rule_event(at), instance=number)) for name, number in own.items()]
    form = instrument or next((project.dictionary.form_of(name) for name in named), project.dictionary.forms[0])
    return Discrepancy(
        record.name,
        at.label if project.longitudinal else "",
        instance,
        ", ".join(f"{name} = {value!r}" for name, value in values),
        visit.addresses.form(record.name, event, form, instance or 1),
    )


def _is_own(project: Project, name: str, place: RowPlace) -> bool:
    """Whether the row at that place holds the field."""
    event, instrument, _ = place
    return project.row_instrument(event, project.dictionary.form_of(name)) == instrument
