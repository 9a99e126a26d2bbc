"""Fields by what the configuration takes them for: dates are dates, none is an identifier, none open tells an arm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from redcap_rules.dictionary import Field
from trialdesk.config import Config, FieldRef
from trialdesk.config.fitting import Setting
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.treatment import shown_openly

WORKDAYS = frozenset("12345")


def _is_date(field: Field) -> bool:
    return field.kind == "text" and field.validation.startswith(("date_", "datetime_"))


def _is_moment(field: Field) -> bool:
    return field.kind == "text" and field.validation.startswith("datetime_")


def _is_time(field: Field) -> bool:
    return field.kind == "text" and field.validation.startswith("time")


def _is_number(field: Field) -> bool:
    return field.kind == "calc" or (field.kind == "text" and field.validation.startswith(("integer", "number")))


def _is_weekday(field: Field) -> bool:
    codes = {option.code for option in field.options}
    return bool(codes) and codes <= WORKDAYS


def _has_choices(field: Field) -> bool:
    return bool(field.options)


# What a field has to be, in words, and the question.
Kind = tuple[str, Callable[[Field], bool]]
DATE: Kind = ("a text field validated as a date", _is_date)
MOMENT: Kind = ("a text field validated as a date with a time", _is_moment)
TIME: Kind = ("a text field validated as a time", _is_time)
NUMBER: Kind = ("a number or a calculation", _is_number)
WEEKDAY: Kind = ("a choice among 1 Monday … 5 Friday", _is_weekday)
CHOICE: Kind = ("a choice", _has_choices)

FACTS: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("screened_on", "consented_on", "opened_on", "procedure_on", "arm_change_on", "died_on", "left_on"), DATE
    ),
    "released_at": MOMENT,
    "opened_time": TIME,
    "site": CHOICE,
    "arm": CHOICE,
}
CONTACT: Mapping[str, Kind] = {
    "date": DATE,
    "callback_date": DATE,
    "callback_time": TIME,
    "attempts": NUMBER,
    "preferred_weekday": WEEKDAY,
    "preferred_time": CHOICE,
    "pause_from": DATE,
    "pause_until": DATE,
}
LOG: Mapping[str, Kind] = {
    "contact": CHOICE,
    "date": DATE,
    "time": TIME,
    "outcome": CHOICE,
    "callback_date": DATE,
    "callback_time": TIME,
}
PLAN: Mapping[str, Kind] = dict.fromkeys(("target", "opens", "closes", "planned"), DATE)
PROGRAM_ONLY = ("released_envelope", "released_at")


def kinds(subject: Subject) -> Iterator[Fault]:
    """Fields that can't be what the configuration takes them for."""
    for place, name, (what, fits) in _meant(subject.config) if subject.config else ():
        if name in subject.dictionary and not fits(subject.dictionary.get(name)):
            field = subject.dictionary.get(name)
            said = f"{name} is {field.validation or field.kind}; it has to be {what}"
            yield subject.in_settings(place, "meaning", said, "name another field, or correct its type or validation")


def identifiers(subject: Subject) -> Iterator[Fault]:
    """Identifiers the configuration reads: they are never requested from REDCap, so they would always be blank."""
    for place, name in _read(subject.config) if subject.config else ():
        if name in subject.dictionary and subject.dictionary.get(name).identifier:
            what = f"{name} is an identifier, which is never pulled, so it would always be blank"
            yield subject.in_settings(place, "meaning", what, "name another field, or take the identifier mark away")


def program_only(subject: Subject) -> Iterator[Fault]:
    """Fields that only a program writes and that people could change."""
    config = subject.config
    if config is None:
        return
    written: list[tuple[Setting, FieldRef]] = [(("facts", name), getattr(config.facts, name)) for name in PROGRAM_ONLY]
    written += [(("call_plan", name), ref) for name, ref in config.call_plan or ()]
    for place, ref in written:
        if ref.field in subject.dictionary and "@READONLY" not in subject.dictionary.get(ref.field).annotation:
            what = f"only a program writes {ref.field}, and people can change it in the form"
            yield subject.in_settings(place, "meaning", what, "give the field the action tag @READONLY")


def openness(subject: Subject) -> Iterator[Fault]:
    """Settings by which an open report would tell the arm; every night would end with exit code 42."""
    if subject.config is not None:
        for place, why in shown_openly(subject.dictionary, subject.config):
            yield subject.in_settings(place, "blinding", why, "open reports show this: name a field every arm has")


def _meant(config: Config) -> Iterator[tuple[Setting, str, Kind]]:
    for name, kind in FACTS.items():
        if (ref := getattr(config.facts, name)) is not None:
            yield ("facts", name), ref.field, kind
    for name, anchor in config.anchors.items():
        yield ("anchors", name, "date"), anchor.date.field, DATE
    yield from _meant_of_calls(config)
    for number, factor in enumerate(config.strata):
        yield ("strata", number, "field"), factor.field.field, CHOICE
    checks = config.crosschecks
    for number, field in enumerate(checks.form_dates if checks else ()):
        yield ("crosschecks", "form_dates", number), field, DATE


def _meant_of_calls(config: Config) -> Iterator[tuple[Setting, str, Kind]]:
    for name, form in config.contact_forms.items():
        for setting, kind in CONTACT.items():
            if field := getattr(form, setting):
                yield ("contact_forms", name, setting), field, kind
    for name, kind in PLAN.items() if config.call_plan else ():
        yield ("call_plan", name), getattr(config.call_plan, name).field, kind
    for name, ref in (config.call_log.fields if config.call_log else {}).items():
        yield ("call_log", name), ref.field, LOG[name]


def _read(config: Config) -> Iterator[tuple[Setting, str]]:
    for name in type(config.facts).model_fields:
        if (ref := getattr(config.facts, name)) is not None:
            yield ("facts", name), ref.field
    for number, factor in enumerate(config.strata):
        yield ("strata", number, "field"), factor.field.field
    for name, anchor in config.anchors.items():
        yield ("anchors", name, "date"), anchor.date.field
    for name, form in config.contact_forms.items():
        yield from ((("contact_forms", name), field) for field in form.fields)
    for name, ref in (config.call_log.fields if config.call_log else {}).items():
        yield ("call_log", name), ref.field
    if config.call_log and config.call_log.key:
        yield ("call_log", "key"), config.call_log.key.field
    yield from ((("outcomes", number), name) for number, name in enumerate(config.outcomes))
    yield from ((("baseline", number), ref.field) for number, ref in enumerate(config.baseline))
