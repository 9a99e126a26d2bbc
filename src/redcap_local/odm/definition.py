"""A project's definition read from ODM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from redcap_local.odm.vocabulary import ATTRIBUTES, FIELD_TYPES, ODM, REDCAP, SETTINGS, VALIDATIONS, attribute
from redcap_rules.names import status_field

_CODED = frozenset({"radio", "dropdown", "sql"})
_RIGHT_BY_FORM = re.compile(r"\[([a-z0-9_]+),(\d+)\]")


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """An event with its forms."""

    name: str
    label: str
    arm: int
    arm_name: str
    custom_label: str
    offsets: tuple[float, float, float]
    forms: tuple[str, ...]
    repeats: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """What an ODM document says a project is made of."""

    settings: dict[str, str]
    metadata: list[dict[str, str]]
    form_labels: dict[str, str]
    surveys: frozenset[str]
    events: list[EventDefinition]
    repeating: list[tuple[str, str, str]]
    groups: list[str]
    roles: list[dict[str, str]]
    reports: list[dict[str, str]]
    randomizations: list[dict[str, str]]
    quality_rules: list[dict[str, str]]


def read(root: Element) -> Definition:
    """The definition in a parsed document; parts it does not have are empty."""
    globals_ = root.find(f"{ODM}Study/{ODM}GlobalVariables")
    version = root.find(f"{ODM}Study/{ODM}MetaDataVersion")
    events = list(_events(version)) if version is not None else []
    settings = dict(_settings(globals_)) if globals_ is not None else {}
    if events:
        settings["is_longitudinal"] = "1"
    forms = [] if version is None else version.findall(f"{ODM}FormDef")
    return Definition(
        settings=settings,
        metadata=list(_metadata(version)) if version is not None else [],
        form_labels={attribute(form, "FormName"): form.get("Name", "") for form in forms},
        surveys=frozenset(row["form_name"] for row in _group(globals_, "Surveys")),
        events=events,
        repeating=list(_repeating(globals_, events)),
        groups=[row["group_name"] for row in _group(globals_, "DataAccessGroups")],
        roles=_group(globals_, "UserRoles"),
        reports=_group(globals_, "Reports"),
        randomizations=_group(globals_, "Randomization"),
        quality_rules=_group(globals_, "DataQualityRules"),
    )


def _settings(globals_: Element) -> Iterator[tuple[str, str]]:
    for setting, name in SETTINGS.items():
        found = globals_.find(f"{REDCAP}{name}")
        if found is not None:
            yield setting, found.text or ""


def _elements(globals_: Element | None, name: str) -> list[Element]:
    if globals_ is None:
        return []
    return [found for group in globals_ for found in group if found.tag == f"{REDCAP}{name}"]


def _group(globals_: Element | None, name: str) -> list[dict[str, str]]:
    return [dict(found.attrib) for found in _elements(globals_, name)]


def _events(version: Element) -> Iterator[EventDefinition]:
    for found in version.findall(f"{ODM}StudyEventDef"):
        yield EventDefinition(
            name=attribute(found, "UniqueEventName"),
            label=attribute(found, "EventName"),
            arm=int(attribute(found, "ArmNum") or 1),
            arm_name=attribute(found, "ArmName") or "Arm 1",
            custom_label=attribute(found, "CustomEventLabel"),
            offsets=(
                float(attribute(found, "DayOffset") or 0),
                float(attribute(found, "OffsetMin") or 0),
                float(attribute(found, "OffsetMax") or 0),
            ),
            forms=tuple(attribute(ref, "FormName") for ref in found.findall(f"{ODM}FormRef")),
            repeats=found.get("Repeating") == "Yes",
        )


def _repeating(globals_: Element | None, events: list[EventDefinition]) -> Iterator[tuple[str, str, str]]:
    """Unique event name ('' in a classic project), form and custom label of what repeats."""
    found = [] if globals_ is None else globals_.iter(f"{REDCAP}RepeatingInstrument")
    for form in found:
        yield (
            attribute(form, "UniqueEventName"), attribute(form, "RepeatInstrument"), attribute(form, "CustomLabel"),
        )  # fmt: skip
    named = set() if globals_ is None else {
        attribute(event, "UniqueEventName") for event in globals_.iter(f"{REDCAP}RepeatingEvent")
    }  # fmt: skip
    for event in events:
        if event.name in named:
            yield event.name, "", ""


def _metadata(version: Element) -> Iterator[dict[str, str]]:
    groups = {group.get("OID"): group for group in version.findall(f"{ODM}ItemGroupDef")}
    items = {item.get("OID"): item for item in version.findall(f"{ODM}ItemDef")}
    codes = {codes.get("OID"): codes for codes in version.findall(f"{ODM}CodeList")}
    seen: set[str] = set()
    for form in version.findall(f"{ODM}FormDef"):
        name = attribute(form, "FormName")
        for reference in form.findall(f"{ODM}ItemGroupRef"):
            group = groups.get(reference.get("ItemGroupOID"))
            for item_reference in () if group is None else group.findall(f"{ODM}ItemRef"):
                item = items.get(item_reference.get("ItemOID"))
                variable = attribute(item_reference, "Variable")
                if item is None or variable in seen or not _is_field(item, name):
                    continue
                seen.add(variable)
                yield _metadata_row(item, name, codes)


def _is_field(item: Element, form: str) -> bool:
    # Group, survey identifier and time stamps have no field type; the form status has.
    return bool(attribute(item, "FieldType")) and attribute(item, "Variable") != status_field(form)


def _metadata_row(item: Element, form: str, codes: dict[str | None, Element]) -> dict[str, str]:
    kind = attribute(item, "FieldType")
    kind = FIELD_TYPES.get(kind, kind)
    question = f"{ODM}Question/"
    formatted = item.findtext(f"{question}{REDCAP}FormattedTranslatedText", "")
    validation = attribute(item, "TextValidationType")
    limits = {
        check.get("Comparator"): check.findtext(f"{ODM}CheckValue", "") for check in item.findall(f"{ODM}RangeCheck")
    }
    return {
        "field_name": attribute(item, "Variable"),
        "form_name": form,
        "field_type": kind,
        "field_label": formatted or item.findtext(f"{question}{ODM}TranslatedText", ""),
        "select_choices_or_calculations": _choices(item, kind, codes),
        "text_validation_type_or_show_slider_number": VALIDATIONS.get(validation, validation),
        "text_validation_min": limits.get("GE", ""),
        "text_validation_max": limits.get("LE", ""),
        **{column: attribute(item, name) for column, name in ATTRIBUTES.items()},
    }


def _choices(item: Element, kind: str, codes: dict[str | None, Element]) -> str:
    reference = item.find(f"{ODM}CodeListRef")
    listed = codes.get(reference.get("CodeListOID")) if reference is not None else None
    if kind == "checkbox" and listed is not None:
        return " | ".join(part.strip() for part in attribute(listed, "CheckboxChoices").split("|"))
    if kind in _CODED and listed is not None:
        return " | ".join(
            f"{choice.get('CodedValue')}, {choice.findtext(f'{ODM}Decode/{ODM}TranslatedText', '')}"
            for choice in listed.findall(f"{ODM}CodeListItem")
        )
    return attribute(item, "Calculation") or attribute(item, "SliderLabels")


def rights_by_form(text: str) -> dict[str, int]:
    """A role's rights by form: `[form_1,1][form_2,0]`."""
    return {form: int(code) for form, code in _RIGHT_BY_FORM.findall(text)}
