"""What tells a patient's arm, and why: one answer for check, proof, findings, dataset and the monitor's sheets.

Most is derived from configuration and dictionary; what only a person can know stands in `treatment_values`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.logic import Expression, LogicError, parse, references
from trialdesk.config import Config
from trialdesk.config.fitting import Setting

SHOWN_FACTS = ("site", "screened_on", "not_enrolled_reason", "consented_on", "opened_on", "died_on", "left_on")
DELIVERY = frozenset({"procedure_done", "arm_changed"})
"""The states only the nurse, the coordinator, a site of its own patients and the closed report read."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What tells an arm: `fields` and their export `columns` wherever they stand, everything in some `events`.

    `codes` are the answers that only one arm can have, by column of a form that every arm has.
    """

    fields: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    codes: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)

    def place(self, event: str, column: str) -> bool:
        """Whether anything that may stand in this place tells the arm."""
        return column in self.columns or event in self.events

    def silent(self, values: Mapping[str, str]) -> bool:
        """Whether a row of an event that tells nothing holds no column that tells the arm, or may by its answer."""
        return self.columns.isdisjoint(values) and self.codes.keys().isdisjoint(values)

    def answer(self, column: str, value: str) -> bool:
        """Whether this answer tells the arm though others in the same place do not."""
        return value in self.codes.get(column, ())


def telling(dictionary: Dictionary, config: Config) -> Telling:
    """What tells an arm in this trial."""
    why = reasons(dictionary, config)
    columns = {c for name in why for c in (dictionary.get(name).columns if name in dictionary else (name,))}
    codes: dict[str, frozenset[str]] = {}
    for value in config.treatment_values:
        ticks = value.field in dictionary and dictionary.get(value.field).kind == "checkbox"
        if ticks:
            columns |= {checkbox_column(value.field, code) for code in value.codes}
        elif value.codes:
            codes[value.field] = frozenset(value.codes) | codes.get(value.field, frozenset())
    fields = frozenset(why) | {value.field for value in config.treatment_values}
    return Telling(fields, frozenset(columns), treatment_events(config), codes)


def reasons(dictionary: Dictionary, config: Config) -> Mapping[str, str]:
    """Every field, and status field of a form, that differs between arms by the way treatment is delivered, with why.

    These are: the arm; the call plan, which names contacts after a treatment; every field of the forms that hold the
    procedure, the change of arm and the anchors not every arm has, and of contacts that count from these; and whatever
    is calculated from one of these or shown only because of one (a question for one arm alone tells the arm by being
    answered). To these the configuration adds the fields of `treatment_values`; of one with codes only what
    depends on it.
    """
    found = {config.facts.arm.field: "it is the arm"}
    found |= {
        reference.field: "the call plan names contacts of one treatment" for _, reference in config.call_plan or ()
    }
    for form, why in _forms(dictionary, config).items():
        names = [*(field.name for field in dictionary.form(form)), dictionary.status_field(form)]
        found |= {name: why for name in names if name not in found}
    found |= {one.field: "treatment_values lists it" for one in config.treatment_values if not one.codes}
    partly = {one.field: "treatment_values lists codes of it" for one in config.treatment_values if one.codes}
    found.pop(dictionary.record_id, None)
    sources = {field.name: tuple(_sources(field)) for field in dictionary.fields}
    size = 0
    while size < len(found):
        size = len(found)
        for name, used in sources.items():
            told = next((one for one in used if one in found or one in partly), None)
            if name not in found and told:
                found[name] = f"it depends on {told}, and {found.get(told) or partly[told]}"
    return found


def treatment_events(config: Config) -> frozenset[str]:
    """The events in which something stands only because of a treatment: a procedure, or a contact of one arm."""
    after = {rule.event for rule in config.contacts if config.tells_arm(rule)}
    return frozenset(after | {ref.event for ref in config.delivered().values()})


def shown_openly(dictionary: Dictionary, config: Config) -> Iterator[tuple[Setting, str]]:
    """Settings by which an open sheet would tell the arm, with why: the static twin of the blinding proof.

    Open sheets show the steps of recruitment, the states but those of treatment, some dates, and how complete the forms
    of contacts are that every arm has.
    """
    why, events = reasons(dictionary, config), treatment_events(config)
    for place, event, field in _open_settings(config):
        if field in why:
            yield place, f"[{field}] tells the arm: {why[field]}"
        elif event in events:
            yield place, f"[{field}] tells the arm: {event} takes place only because of a treatment"
    for number, rule in enumerate(config.contacts):
        form = config.contact_forms[rule.form].instrument
        status = dictionary.status_field(form)
        if rule.event not in events and form in dictionary.forms and status in why:
            yield ("contacts", number, "form"), f"{form} tells the arm: {why[status]}"


def shown_choices(config: Config) -> Iterator[tuple[Setting, str]]:
    """Every setting whose field open sheets show by the words of its choices, with the field."""
    if reason := config.facts.not_enrolled_reason:
        yield ("facts", "not_enrolled_reason"), reason.field
    for log, names in (("events", ("category", "severity", "outcome")), ("deviations", ("code", "grade"))):
        block = getattr(config.logs, log)
        for name in names if block else ():
            if field := getattr(block, name):
                yield ("logs", log, name), field


def undeclared(dictionary: Dictionary, config: Config) -> Iterator[tuple[Setting, str]]:
    """The settings by which an open sheet shows a choice list that nobody has said to be free of the arm, with why."""
    known = {*config.arm_free, *(one.field for one in config.treatment_values)}
    for place, field in shown_choices(config):
        if field in dictionary and field not in known:
            yield place, f"a monitor is shown the choices of {field}, which may tell an arm"


def _open_settings(config: Config) -> Iterator[tuple[Setting, str, str]]:
    """Place, event and field of every setting that open sheets show by value or by number, each once."""
    logic: dict[Setting, Expression] = {("funnel", n, "logic"): step.logic for n, step in enumerate(config.funnel)}
    logic |= {("criteria", n, "unmet"): criterion.unmet for n, criterion in enumerate(config.criteria)}
    states = config.states.known.items()
    logic |= {("states", state): expression for state, expression in states if state not in DELIVERY}
    for place, expression in logic.items():
        yield from dict.fromkeys((place, one.event, one.field) for one in references(expression))
    for fact in SHOWN_FACTS:
        if (shown := getattr(config.facts, fact)) is not None:
            yield ("facts", fact), shown.event, shown.field
    for log, block in (("events", config.logs.events), ("deviations", config.logs.deviations)):
        for name, used in block or ():
            if isinstance(used, Expression):
                yield from ((("logs", log, name), one.event, one.field) for one in references(used))
            elif isinstance(used, str):
                yield ("logs", log, name), "", used


def _forms(dictionary: Dictionary, config: Config) -> Mapping[str, str]:
    """The forms that stand there only because of a treatment, with why."""
    found: dict[str, str] = {}
    changes = config.facts.arm_change_on
    for name, ref in {**config.delivered(), **({"change of arm": changes} if changes else {})}.items():
        if ref.field in dictionary:
            form = dictionary.form_of(ref.field)
            found.setdefault(form, f"{form} holds the date of the {name}")
    for rule in config.contacts:
        form = config.contact_forms[rule.form].instrument
        if rule.anchor in config.delivered() and form in dictionary.forms:
            found.setdefault(form, f"{form} is the form of {rule.code}, which counts from the {rule.anchor}")
    return found


def _sources(field: Field) -> Iterator[str]:
    """The fields that a field's calculation or branching refers to; what can't be read refers to nothing."""
    for text in (field.branching, field.choices if field.kind == "calc" else ""):
        try:
            yield from (reference.field for reference in references(parse(text))) if text.strip() else ()
        except LogicError:
            continue  # push_instruments check reports it with its place
