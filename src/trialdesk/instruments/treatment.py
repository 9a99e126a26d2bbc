"""Which columns tell a patient's arm: derived from the configuration and the dictionary, never listed by hand."""

from __future__ import annotations

from collections.abc import Iterator

from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.logic import LogicError, parse, references
from trialdesk.config import Config
from trialdesk.config.parts import ENROLMENT


def treatment_fields(dictionary: Dictionary, config: Config) -> frozenset[str]:
    """Every field, and status field of a form, that differs between arms by the way treatment is delivered.

    These are: the arm; the call plan, which names contacts after the procedure; every field of the forms that hold
    the procedure, the change of arm and the trial's own anchors, and of contacts that count from these; and whatever is
    calculated from one of these or shown only because of one (a question for one arm alone tells the arm by being
    answered).
    """
    facts = config.facts
    delivered = {rule.form for rule in config.contacts if rule.anchor != ENROLMENT}
    forms = {config.contact_forms[form].instrument for form in delivered}
    named = (facts.procedure_on, facts.arm_change_on, *config.anchors.values())
    forms |= {dictionary.form_of(ref.field) for ref in named if ref and ref.field in dictionary}
    found = {facts.arm.field, *(reference.field for _, reference in config.call_plan or ())}
    for form in forms & set(dictionary.forms):
        found |= {field.name for field in dictionary.form(form)} | {dictionary.status_field(form)}
    found.discard(dictionary.record_id)
    sources = {field.name: frozenset(_sources(field)) for field in dictionary.fields}
    size = 0
    while size < len(found):
        size = len(found)
        found |= {name for name, used in sources.items() if used & found}
    return frozenset(found)


def treatment_events(config: Config) -> frozenset[str]:
    """The events in which something stands only because of a treatment: a procedure, or a contact of one arm."""
    after = {rule.event for rule in config.contacts if rule.tells_arm}
    delivered = (config.facts.procedure_on, *config.anchors.values())
    return frozenset(after | {ref.event for ref in delivered if ref})


def treatment_columns(dictionary: Dictionary, config: Config) -> frozenset[str]:
    """The export columns of `treatment_fields`."""
    fields = treatment_fields(dictionary, config)
    return frozenset(
        column for name in fields for column in (dictionary.get(name).columns if name in dictionary else (name,))
    )


def _sources(field: Field) -> Iterator[str]:
    """The fields that a field's calculation or branching refers to; what can't be read refers to nothing."""
    for text in (field.branching, field.choices if field.kind == "calc" else ""):
        try:
            yield from (reference.field for reference in references(parse(text))) if text.strip() else ()
        except LogicError:
            continue  # push_instruments check reports it with its place
