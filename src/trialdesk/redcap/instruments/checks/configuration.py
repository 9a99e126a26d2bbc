"""The configuration against the instruments: every field it names is there, and its codes are those of REDCap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redcap_rules.logic import Expression, to_text
from trialdesk.config import Config, FieldRef
from trialdesk.redcap.instruments.checks.formulas import troubles
from trialdesk.redcap.instruments.checks.subject import Subject
from trialdesk.redcap.instruments.fault import Fault

FILE = "config.yaml"


def configuration(subject: Subject) -> Iterator[Fault]:
    """Logic and fields of the configuration that the instruments do not carry."""
    config = subject.config
    if config is None:
        return
    for where, expression in _logic(config):
        for trouble in troubles(subject, to_text(expression), None):
            yield Fault(FILE, 1, where, "configuration", trouble.what, trouble.way_out, trouble.severity)
    for where, ref in _fields(config):
        for trouble in troubles(subject, f"[{ref.event}][{ref.field}]", None):
            yield Fault(FILE, 1, where, "configuration", trouble.what, trouble.way_out, trouble.severity)
    yield from _contacts(subject, config)


def codes(subject: Subject) -> Iterator[Fault]:
    """Sites, arms and levels whose codes the fields do not have, and answers the configuration does not know."""
    config = subject.config
    if config is None:
        return
    facts = config.facts
    yield from _same(subject, "sites", facts.site, [site.code for site in config.sites])
    yield from _same(subject, "arms", facts.arm, [arm.code for arm in config.arms])
    for factor in config.strata:
        yield from _same(subject, f"strata: {factor.name}", factor.field, [level.value for level in factor.levels])


def _same(subject: Subject, where: str, ref: FieldRef, wanted: Sequence[str]) -> Iterator[Fault]:
    if ref.field not in subject.dictionary:
        return  # said by `configuration`
    field = subject.dictionary.get(ref.field)
    offered = [option.code for option in field.options]
    missing, surplus = sorted(set(wanted) - set(offered)), sorted(set(offered) - set(wanted))
    if missing:
        what = f"{where} of {FILE} {', '.join(missing)} can't be chosen"
        yield subject.at(field, "choices", what, "add the codes", rule="codes")
    if surplus:
        what = f"{', '.join(surplus)} is not among the {where} of {FILE}"
        yield subject.at(field, "choices", what, "remove the codes, or add them to the configuration", rule="codes")


def _logic(config: Config) -> Iterator[tuple[str, Expression]]:
    for number, requirement in enumerate(config.release, start=1):
        yield f"release {number}", requirement.require
    for name in type(config.states).model_fields:
        yield f"states.{name}", getattr(config.states, name)
    for sign in config.death_signs:
        yield f"death_signs: {sign.label}", sign.logic
    for step in config.funnel:
        yield f"funnel: {step.code}", step.logic


def _fields(config: Config) -> Iterator[tuple[str, FieldRef]]:
    for name in type(config.facts).model_fields:
        yield f"facts.{name}", getattr(config.facts, name)
    for factor in config.strata:
        yield f"strata: {factor.name}", factor.field


def _contacts(subject: Subject, config: Config) -> Iterator[Fault]:
    for name, form in sorted(config.contact_forms.items()):
        where = f"contact_forms.{name}"
        if form.instrument not in subject.dictionary.forms:
            yield Fault(FILE, 1, where, "configuration", f"there is no form {form.instrument}", "correct it")
            continue
        for field in form.fields:
            if field not in subject.dictionary or subject.dictionary.get(field).form != form.instrument:
                what = f"{form.instrument} has no field {field}"
                yield Fault(FILE, 1, where, "configuration", what, "correct it")
        for contact in config.contacts:
            if contact.form == name and contact.event not in subject.events_of[form.instrument]:
                what = f"{contact.code}: {contact.event} does not hold {form.instrument}"
                yield Fault(FILE, 1, "contacts", "configuration", what, "correct the event or the mapping")
