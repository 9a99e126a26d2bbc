"""What the monitor's sheets list from logs, and what in it tells an arm: declared, and declared of what is there."""

from __future__ import annotations

from collections.abc import Iterator

from redcap_rules.dictionary import Field
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.treatment import reasons, undeclared


def logs(subject: Subject) -> Iterator[Fault]:
    """Logs that are no forms, and fields that do not stand on them."""
    for name, log in subject.config.logs if subject.config else ():
        if log is None:
            continue
        if log.instrument not in subject.dictionary.forms:
            what = f"there is no form {log.instrument}"
            yield subject.in_settings(("logs", name, "instrument"), "configuration", what, "correct it")
            continue
        for setting, field in log:
            if setting == "instrument" or not isinstance(field, str):
                continue
            if field not in subject.dictionary or subject.dictionary.get(field).form != log.instrument:
                what = f"{log.instrument} has no field {field}"
                yield subject.in_settings(("logs", name, setting), "configuration", what, "correct it")


def treatment_values(subject: Subject) -> Iterator[Fault]:
    """Fields and codes that tell an arm and that are not there: what they were meant for would be shown."""
    for number, value in enumerate(subject.config.treatment_values if subject.config else ()):
        place = ("treatment_values", number)
        if value.field not in subject.dictionary:
            yield subject.in_settings((*place, "field"), "blinding", f"there is no field {value.field}", "correct it")
            continue
        offered = {option.code for option in subject.dictionary.get(value.field).options}
        if wrong := sorted(set(value.codes) - offered):
            what = f"{value.field} has no code {', '.join(wrong)}"
            yield subject.in_settings((*place, "codes"), "blinding", what, "correct it")


def arm_free(subject: Subject) -> Iterator[Fault]:
    """Fields declared free of the arm that are not there or tell it, and choice lists nobody has declared."""
    config = subject.config
    if config is None:
        return
    why = reasons(subject.dictionary, config)
    for number, name in enumerate(config.arm_free):
        place = ("arm_free", number)
        if name not in subject.dictionary:
            yield subject.in_settings(place, "blinding", f"there is no field {name}", "correct it")
        elif name in why:
            what = f"{name} is declared free of the arm, and tells it: {why[name]}"
            yield subject.in_settings(place, "blinding", what, "take it out of the list")
    for setting, what in undeclared(subject.dictionary, config):
        way_out = "list its telling codes under treatment_values, or the field under arm_free"
        yield subject.in_settings(setting, "blinding", what, way_out, "warning")


def outcomes(subject: Subject) -> Iterator[Fault]:
    """Outcomes of the closed report that are not there, or hold no number: it would say that nobody was measured."""
    for number, name in enumerate(subject.config.outcomes if subject.config else ()):
        what = ""
        if name not in subject.dictionary:
            what = f"there is no field {name}"
        elif not _counts(subject.dictionary.get(name)):
            what = f"{name} holds no number"
        if what:
            yield subject.in_settings(("outcomes", number), "configuration", what, "name a number or a calculation")


def baseline(subject: Subject) -> Iterator[Fault]:
    """Characteristics that have neither answers nor a number: nothing could be counted or described."""
    for number, ref in enumerate(subject.config.baseline if subject.config else ()):
        if ref.field in subject.dictionary:
            field = subject.dictionary.get(ref.field)
            if not field.options and not _counts(field):
                what = f"{ref.field} has no answers and holds no number"
                way_out = "name a choice list, a number or a calculation"
                yield subject.in_settings(("baseline", number), "configuration", what, way_out)


def _counts(field: Field) -> bool:
    """Whether what a field holds is a number with a decimal point."""
    pointed = field.validation.startswith(("integer", "number")) and "comma" not in field.validation
    return field.kind in {"calc", "slider"} or (field.kind == "text" and pointed)
