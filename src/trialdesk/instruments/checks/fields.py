"""Each field by itself: name, type, choices, validation and limits (reference/instruments.md 2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Field
from redcap_rules.validation import TYPES
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault, Severity

LONGEST = 26
RESERVED = frozenset({
    "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group",
    "redcap_survey_identifier", "redcap_survey_timestamp",
})  # fmt: skip
_NO_CHOICES = frozenset({"text", "notes", "yesno", "truefalse", "file", "descriptive"})
_NOT_REQUIRED = {"calc": "a calculation is never typed", "descriptive": ""}
# Validation words that are not types of text (reference/redcap-api.md 9).
_SEARCHABLE = ("", "autocomplete")
_OTHER_VALIDATIONS = {
    "slider": ("", "number"), "dropdown": _SEARCHABLE, "sql": _SEARCHABLE, "file": ("", "signature"),
}  # fmt: skip
_LIMITED = frozenset({
    "date", "datetime", "datetime_seconds", "integer", "number", "number_fixeddp", "number_comma_decimal", "time",
})  # fmt: skip
_CODE = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_PERSONAL = re.compile(
    r"\b(surname|first name|last name|full name|patient name|cpr|social security|street|address|telephone|phone"
    r"|e-?mail|date of birth|birth date|navn|adresse|telefon|fødselsdato|personnummer)\b",
    re.IGNORECASE,
)
_TIMES = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%d %H:%M", "datetime_seconds": "%Y-%m-%d %H:%M:%S", "time": "%H:%M"}


def names(subject: Subject) -> Iterator[Fault]:
    """Names REDCap changes, takes for something else, or cuts in exports."""
    statuses = {subject.dictionary.status_field(form) for form in subject.dictionary.forms}
    columns: dict[str, str] = {}
    for field in subject.dictionary.fields:
        if field.name in RESERVED or field.name in statuses:
            yield subject.at(field, "name", "REDCap uses this name itself", "give it another name", rule="name")
        if "__" in field.name or field.name.endswith("_"):
            what = "REDCap refuses double and trailing underscores"
            yield subject.at(field, "name", what, "use single underscores inside the name", rule="name")
        if len(field.name) > LONGEST:
            what = f"the name has {len(field.name)} characters; statistics programs cut at {LONGEST}"
            yield subject.at(field, "name", what, "shorten it before go-live", rule="name", severity="warning")
        for column in field.columns:
            if column in columns:
                what = f"the export column {column} is also that of {columns[column]}"
                yield subject.at(field, "name", what, "rename the field or the code", rule="column")
            columns[column] = field.name


def types(subject: Subject) -> Iterator[Fault]:
    """What does not fit the type of the field."""
    for field in subject.dictionary.fields:
        if field.kind == "sql":
            what = "only administrators can add sql fields"
            yield subject.at(field, "kind", what, "use another type", rule="type", severity="warning")
        if field.kind in _NO_CHOICES and field.choices.strip():
            what = f"a {field.kind} field has no choices of its own"
            yield subject.at(field, "choices", what, "leave the cell blank", rule="choices")
        if field.kind == "calc" and not field.choices.strip():
            yield subject.at(field, "choices", "there is no formula", "write the calculation here", rule="choices")
        if field.kind == "slider" and field.choices.count("|") > 2:
            what = "a slider has three labels"
            yield subject.at(field, "choices", what, "write left | middle | right", rule="choices")
        if field.required and field.kind in _NOT_REQUIRED:
            what = _NOT_REQUIRED[field.kind] or "text on the form can't be answered"
            yield subject.at(field, "required", what, "leave the cell blank", rule="required")
        if field.required and field.kind == "checkbox":
            what, way_out = "a required checkbox has no effect: no tick is an answer too", "offer 'none of these'"
            yield subject.at(field, "required", what, way_out, rule="required", severity="warning")
        if not field.label.strip() and field.kind != "descriptive":
            what, way_out = "there is no label", "write what is asked"
            yield subject.at(field, "label", what, way_out, rule="label", severity="warning")


def choices(subject: Subject) -> Iterator[Fault]:
    """Codes that exports or logic can't carry."""
    for field in subject.dictionary.fields:
        for option in field.options:
            if not _CODE.fullmatch(option.code):
                what = f"the code {option.code!r} has characters logic and exports can't carry"
                yield subject.at(field, "choices", what, "use letters and digits", rule="choices")
            elif field.kind == "checkbox" and "-" in option.code[1:]:
                what = f"the column of the code {option.code!r} is {checkbox_column(field.name, option.code)}"
                way_out = "write that name in logic and imports, or use a code without hyphen"
                yield subject.at(field, "choices", what, way_out, rule="choices", severity="warning")


def validation(subject: Subject) -> Iterator[Fault]:
    """Validation types REDCap does not have, and limits that limit nothing."""
    for field in subject.dictionary.fields:
        allowed = ("", *TYPES) if field.kind == "text" else _OTHER_VALIDATIONS.get(field.kind, ("",))
        if field.validation not in allowed:
            what = f"{field.validation!r} is no validation of a {field.kind} field"
            way_out = "use a type of REDCap's list, such as date_dmy, integer or number"
            yield subject.at(field, "validation", what, way_out, rule="validation")
            continue
        yield from _limits(subject, field)


def _limits(subject: Subject, field: Field) -> Iterator[Fault]:
    kind = TYPES[field.validation].data_type if field.validation in TYPES else "integer"
    if not field.minimum and not field.maximum:
        return
    if field.kind != "slider" and (field.kind != "text" or kind not in _LIMITED or not field.validation):
        what = "limits work for dates, times and numbers only"
        attribute = "minimum" if field.minimum else "maximum"
        yield subject.at(field, attribute, what, "delete them or give a validation type", rule="limit")
        return
    values = {}
    for attribute in ("minimum", "maximum"):
        text = getattr(field, attribute)
        if not text or text in ("today", "now") or text.startswith("["):
            continue
        try:
            values[attribute] = _comparable(text, kind)
        except ValueError:
            way_out = "dates are written Y-M-D whatever the display, numbers with a point"
            what = f"{text!r} is not a {kind} value"
            # REDCap's upload takes a date as a spreadsheet writes it (its own test B.6.7.0100).
            severity: Severity = "warning" if kind in _TIMES and "/" in text else "error"
            yield subject.at(field, attribute, what, way_out, rule="limit", severity=severity)
    if len(values) == 2 and values["minimum"] > values["maximum"]:
        what = f"the minimum {field.minimum} is above the maximum {field.maximum}"
        yield subject.at(field, "minimum", what, "exchange the two", rule="limit")


def _comparable(text: str, kind: str) -> float:
    if kind in _TIMES:
        # only compared with its like, so the missing zone does not matter
        moment = datetime.strptime(text, _TIMES[kind])
        return (moment - datetime(1900, 1, 1)).total_seconds()
    return float(text.replace(",", "."))


def identifiers(subject: Subject) -> Iterator[Fault]:
    """Fields that look personal and are not marked; marked ones that hold something else."""
    for field in subject.dictionary.fields:
        typed = field.kind in ("text", "notes", "file")
        looks = field.validation in ("email", "phone", "ssn", "mrn_10d", "mrn_generic") or _PERSONAL.search(field.label)
        if typed and looks and not field.identifier:
            what = "looks personal and is not marked as identifier"
            yield subject.at(
                field, "identifier", what, "write y, or ask for something else", rule="identifier", severity="warning"
            )
        if field.identifier and field.name == subject.dictionary.record_id and subject.folder.whole:
            what = "the record id is marked as identifier, so exports without identifiers hide which record is which"
            yield subject.at(field, "identifier", what, "use a number that says nothing", rule="identifier")
