"""Branching, calculations and rules: read, and every reference looked up (reference/instruments.md 2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redcap_rules.calculation import CalculationCycle, calculation_order
from redcap_rules.dictionary import Field
from redcap_rules.formulas import formula_of
from redcap_rules.logic import Expression, LogicError, Reference, parse, references
from redcap_rules.logic.syntax import Call, Clock, Node, Number, Operator, Text
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault, Severity
from trialdesk.instruments.folder import CLASSES, DISPLAY, EVENTS, QUALITY
from trialdesk.instruments.rules import double_ids, read_classes

UNITS = ("y", "M", "d", "h", "m", "s")
_COMPARISONS = frozenset({"=", "<>"})
_RANGED = frozenset({"radio", "dropdown", "yesno", "truefalse"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a formula, and the way out."""

    what: str
    way_out: str
    severity: Severity = "error"


def branching(subject: Subject) -> Iterator[Fault]:
    """Branching logic that REDCap can't read or that never gets an answer."""
    for field in subject.dictionary.fields:
        if not field.branching:
            continue
        for trouble in troubles(subject, field.branching, field):
            yield subject.at(
                field, "branching", trouble.what, trouble.way_out, rule="branching", severity=trouble.severity
            )
        if f"[{field.name}]" in field.branching.replace(" ", ""):
            what = "the field is shown by its own answer"
            yield subject.at(field, "branching", what, "name another field", rule="branching", severity="warning")


def calculations(subject: Subject) -> Iterator[Fault]:
    """Calculations that REDCap can't read, that never get a value, or that run in a ring."""
    for field in subject.dictionary.fields:
        attribute = "choices" if field.kind == "calc" else "annotation"
        try:
            formula = formula_of(field)
        except LogicError as error:
            yield subject.at(field, attribute, str(error), "correct the formula there", rule="calculation")
            continue
        for expression in formula.expressions if formula else ():
            for trouble in _looked_up(subject, expression, field):
                yield subject.at(
                    field, attribute, trouble.what, trouble.way_out, rule="calculation", severity=trouble.severity
                )
            if any(isinstance(node, Clock) for node in expression.nodes):
                what = "a stored result that depends on today changes with every save"
                way_out = "use a date the record holds"
                yield subject.at(field, attribute, what, way_out, rule="calculation", severity="warning")
    yield from _ring(subject)


def _ring(subject: Subject) -> Iterator[Fault]:
    try:
        calculation_order(subject.dictionary)
    except CalculationCycle as cycle:
        what = f"calculations need each other's results: {' → '.join((*cycle.fields, cycle.fields[0]))}"
        first = subject.dictionary.get(cycle.fields[0])
        yield subject.at(first, "choices", what, "break the ring in one of them", rule="cycle")
    except LogicError:
        return  # already said, at its field


def rules(subject: Subject) -> Iterator[Fault]:
    """Data-quality rules and form display logic that REDCap can't read, and classes that the desk can't."""
    unread: list[Fault] = []
    read_classes(subject.folder.tables[CLASSES], unread, {})
    yield from (*unread, *double_ids(subject.folder.tables[QUALITY]))
    for file, column in ((QUALITY, "rule_logic"), (DISPLAY, "control_condition")):
        for number, row in subject.folder.tables[file]:
            name = row.get("rule_name") or row.get("form_name", "")
            found = (*troubles(subject, row[column], None), *_hidden(subject, row[column]))
            for trouble in found:
                what = f"{name.split(' ')[0]}: {trouble.what}"
                yield Fault(file, number, column, "rule", what, trouble.way_out, trouble.severity)


def troubles(subject: Subject, text: str, home: Field | None) -> tuple[Trouble, ...]:
    """What is wrong with a formula; `home` is the field it belongs to, None for a rule of the whole record."""
    try:
        expression = parse(text)
    except LogicError as error:
        return (Trouble(str(error), "correct the formula there"),)
    return tuple(_looked_up(subject, expression, home))


def _hidden(subject: Subject, text: str) -> Iterator[Trouble]:
    try:
        found = references(parse(text))
    except LogicError:
        return
    for name in dict.fromkeys(ref.field for ref in found):
        if name in subject.dictionary and subject.dictionary.get(name).identifier:
            what = f"[{name}] is an identifier, which is never pulled, so the rule can't be evaluated outside REDCap"
            yield Trouble(what, "test another field", "warning")


def _looked_up(subject: Subject, expression: Expression, home: Field | None) -> Iterator[Trouble]:
    yield from _units(expression.nodes)
    found = references(expression)
    known = []
    for reference in found:
        trouble = _field(subject, reference)
        if trouble:
            yield trouble
        elif subject.folder.whole:
            known.append(reference)
            yield from _event(subject, reference, home)
    if home is None:
        yield from _together(subject, known)
    yield from _codes(subject, expression.nodes)


def _place(reference: Reference) -> str:
    return f"line {reference.span.line}, column {reference.span.column}: {reference}"


def _field(subject: Subject, reference: Reference) -> Trouble | None:
    dictionary = subject.dictionary
    if reference.field in dictionary:
        fault = _misread(dictionary.get(reference.field), reference)
    elif reference.field in map(dictionary.status_field, dictionary.forms) or not subject.folder.whole:
        fault = None  # without the whole folder, the field may stand in a file that can't be read
    else:
        fault = ("there is no such field", "correct the name")
    return Trouble(f"{_place(reference)}: {fault[0]}", fault[1]) if fault else None


def _misread(field: Field, reference: Reference) -> tuple[str, str] | None:
    """What is wrong with reading this field so, and the way out."""
    codes = [option.code for option in field.options]
    if field.kind in ("descriptive", "file"):
        return f"a {field.kind} field has no value", "test another field"
    if field.kind == "checkbox":
        if not reference.code:
            return "a checkbox needs a code", f"write [{field.name}({codes[0]})]"
        if reference.code not in codes:
            return f"there is no choice {reference.code}", f"codes are {', '.join(codes)}"
    elif reference.code:
        return f"a {field.kind} field has no codes in parentheses", f"write [{field.name}]"
    return None


def _event(subject: Subject, reference: Reference, home: Field | None) -> Iterator[Trouble]:
    design, form = subject.design, subject.dictionary.form_of(reference.field)
    if not design.longitudinal:
        if reference.event and "-" not in reference.event:
            yield Trouble(f"{_place(reference)}: a classic project has no events", "write [field] alone")
        return
    holding = subject.events_of[form]
    if reference.event and "-" not in reference.event:  # smart variables such as first-event-name depend on the record
        if reference.event not in subject.event_names:
            yield Trouble(f"{_place(reference)}: there is no such event", f"events are in {EVENTS}")
        elif reference.event not in holding:
            events = ", ".join(sorted(holding)) or "no event"
            what = f"{_place(reference)}: the event does not hold the form {form}"
            yield Trouble(what, f"{form} stands in {events}")
    elif not reference.event and home is not None and form != home.form:
        missing = sorted(subject.events_of[home.form] - holding)
        if missing:
            what = f"{_place(reference)}: {form} does not stand in {', '.join(missing)}, where {home.form} does"
            yield Trouble(what, "name the event before the field")
    if home is not None and form in subject.repeating and form != home.form and not reference.instance:
        what = f"{_place(reference)}: {form} repeats, and only its first instance is read"
        yield Trouble(what, "name the instance, or keep totals in a form that does not repeat", "warning")


def _together(subject: Subject, found: Sequence[Reference]) -> Iterator[Trouble]:
    """A rule without events is tried event by event, so some event must hold all its fields."""
    if not subject.design.longitudinal:
        return
    forms = sorted({subject.dictionary.form_of(ref.field) for ref in found if not ref.event})
    common = set(subject.event_names).intersection(*(subject.events_of[form] for form in forms))
    if forms and not common:
        yield Trouble(f"no event holds {' and '.join(forms)}, so the rule never fires", "name the events")


def _units(nodes: Sequence[Node]) -> Iterator[Trouble]:
    """Units datediff does not have: its result is blank for ever; upper and lower case differ.

    Source: reference/instruments.md 2.2.
    """
    starts: list[Node] = []  # for each value so far the last node it ends with
    for node in nodes:
        count = node.arity if isinstance(node, Operator) else node.count if isinstance(node, Call) else 0
        values = starts[len(starts) - count :]
        del starts[len(starts) - count :]
        starts.append(node)
        if isinstance(node, Call) and node.name == "datediff":
            unit = values[2]
            if isinstance(unit, Text) and unit.value not in UNITS:
                what = f"line {unit.span.line}, column {unit.span.column}: datediff has no unit {unit.value!r}"
                yield Trouble(what, f"units are {', '.join(UNITS)}")


def _codes(subject: Subject, nodes: Sequence[Node]) -> Iterator[Trouble]:
    """Choices compared with a code they do not have; operands stand just before their operator."""
    for left, right, node in zip(nodes, nodes[1:], nodes[2:], strict=False):
        if not (isinstance(node, Operator) and node.symbol in _COMPARISONS):
            continue
        for reference, other in ((left, right), (right, left)):
            if isinstance(reference, Reference) and isinstance(other, Text | Number):
                yield from _compared(subject, reference, other)


def _compared(subject: Subject, reference: Reference, other: Text | Number) -> Iterator[Trouble]:
    written = other.value if isinstance(other, Text) else other.spelling
    field = subject.dictionary.get(reference.field) if reference.field in subject.dictionary else None
    if field is None or not written or reference.shown == "label":
        return
    codes = ("0", "1") if field.kind == "checkbox" else tuple(option.code for option in field.options)
    if (field.kind in _RANGED or (field.kind == "checkbox" and reference.code)) and written not in codes:
        what = f"{_place(reference)} is never {written!r}"
        yield Trouble(what, f"its codes are {', '.join(codes)}")
