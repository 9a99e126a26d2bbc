"""The configuration against the instruments: every field it names is there, and its codes are those of REDCap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from redcap_rules.logic import Expression, to_text
from trialdesk.config import CheckboxRef, Config, FieldRef, Part
from trialdesk.config.fitting import Setting
from trialdesk.instruments.checks.formulas import troubles
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault


def configuration(subject: Subject) -> Iterator[Fault]:
    """Logic and fields of the configuration that the instruments do not carry."""
    config = subject.config
    if config is None:
        return
    for place, named in _named(config, ()):
        for trouble in troubles(subject, _text(subject, named), None):
            yield subject.in_settings(place, "configuration", trouble.what, trouble.way_out, trouble.severity)
    yield from _contacts(subject, config)
    yield from _call_log(subject, config)


def _text(subject: Subject, named: Expression | FieldRef) -> str:
    if isinstance(named, Expression):
        return to_text(named)
    options = subject.dictionary.get(named.field).options if named.field in subject.dictionary else ()
    code = f"({options[0].code})" if isinstance(named, CheckboxRef) and options else ""
    return f"[{named.event}][{named.field}{code}]"


def codes(subject: Subject, *, surplus: bool = True) -> Iterator[Fault]:
    """Sites, arms and levels whose codes the fields do not have, and answers the configuration does not know.

    A live project may have more answers than the configuration uses (`surplus=False`).
    """
    config = subject.config
    if config is None:
        return
    facts = config.facts
    named = [("sites", facts.site, [site.code for site in config.sites])]
    named.append(("arms", facts.arm, [arm.code for arm in config.arms]))
    for factor in config.strata:
        named.append((f"strata: {factor.name}", factor.field, [level.value for level in factor.levels]))
    for where, ref, wanted in named:
        yield from (fault for fault in _same(subject, where, ref, wanted) if surplus or "can't be" in fault.what)


def swapped(subject: Subject) -> Iterator[Fault]:
    """Arms whose code is labelled in REDCap as another arm is in the configuration: sites would tick the wrong one."""
    config = subject.config
    if config is None or config.facts.arm.field not in subject.dictionary:
        return
    field = subject.dictionary.get(config.facts.arm.field)
    labels = {option.code: option.label.strip().casefold() for option in field.options}
    for arm in config.arms:
        others = {word.casefold() for other in config.arms if other is not arm for word in (other.label, other.name)}
        if labels.get(arm.code, "") in others - {arm.label.casefold(), arm.name.casefold()}:
            what = f"code {arm.code} is labelled as another arm than in the configuration"
            yield subject.at(field, "choices", what, "put the labels right before anybody is randomised", rule="codes")


def _same(subject: Subject, where: str, ref: FieldRef, wanted: Sequence[str]) -> Iterator[Fault]:
    if ref.field not in subject.dictionary:
        return  # said by `configuration`
    field = subject.dictionary.get(ref.field)
    offered = [option.code for option in field.options]
    missing, more = sorted(set(wanted) - set(offered)), sorted(set(offered) - set(wanted))
    if missing:
        what = f"{where} of {subject.settings} {', '.join(missing)} can't be chosen"
        yield subject.at(field, "choices", what, "add the codes", rule="codes")
    if more:
        what = f"{', '.join(more)} is not among the {where} of {subject.settings}"
        yield subject.at(field, "choices", what, "remove the codes, or add them to the configuration", rule="codes")


def _named(value: object, place: Setting) -> Iterator[tuple[Setting, Expression | FieldRef]]:
    """Every reference and logic in a block of the configuration, with its place."""
    if isinstance(value, Expression | FieldRef):
        yield place, value
    elif isinstance(value, Part):
        for name in type(value).model_fields:
            yield from _named(getattr(value, name), (*place, name))
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _named(one, (*place, name))
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _named(one, (*place, number))


def _contacts(subject: Subject, config: Config) -> Iterator[Fault]:
    for name, form in sorted(config.contact_forms.items()):
        place = ("contact_forms", name)
        if form.instrument not in subject.dictionary.forms:
            yield subject.in_settings(place, "configuration", f"there is no form {form.instrument}", "correct it")
            continue
        for field in form.fields:
            if field not in subject.dictionary or subject.dictionary.get(field).form != form.instrument:
                what = f"{form.instrument} has no field {field}"
                yield subject.in_settings(place, "configuration", what, "correct it")
        for number, contact in enumerate(config.contacts):
            if contact.form == name and contact.event not in subject.events_of[form.instrument]:
                what = f"{contact.code}: {contact.event} does not hold {form.instrument}"
                yield subject.in_settings(
                    ("contacts", number, "event"), "configuration", what, "correct the event or the mapping"
                )


def _call_log(subject: Subject, config: Config) -> Iterator[Fault]:
    """The log repeats, so that a second try does not write over the first, and offers every contact and outcome."""
    log = config.call_log
    if log is None or any(ref.field not in subject.dictionary for ref in log.fields.values()):
        return  # a field that is not there is said by `configuration`
    form = subject.dictionary.form_of(log.outcome.field)
    if form not in subject.repeating:
        what = f"{form} does not repeat, so each attempt would write over the one before"
        yield subject.in_settings(("call_log",), "configuration", what, "add it to repeating.csv")
    named = (
        ("contacts", log.contact, [rule.code for rule in config.contacts]),
        ("outcomes", log.outcome, log.outcomes),
    )
    for where, ref, wanted in named:
        yield from _same(subject, where, ref, [*wanted])
