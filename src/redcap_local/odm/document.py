"""A whole project written as ODM, in pieces that can be streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from redcap_local.columns import STATUS_LABELS, plain
from redcap_local.odm.sections import STATUS_TITLE, Section, sections
from redcap_local.odm.vocabulary import (
    ATTRIBUTES,
    FIELD_TYPES,
    RICH_TEXT,
    SETTINGS,
    attribute_text,
    closed,
    element,
    opened,
)
from redcap_local.project import Event, Project
from redcap_local.wire.text import XML_PROLOG
from redcap_rules.dictionary import Field, to_api

_FIELD_TYPES = {ours: theirs for theirs, ours in FIELD_TYPES.items()}
_VALIDATIONS = {"number": "float", "integer": "int"}
_TICK = (("1", "Checked"), ("0", "Unchecked"))
_DATA_TYPES = {"date": "date", "datetime": "datetime", "time": "time", "number": "float", "integer": "integer"}
_BOOLEAN = frozenset({"checkbox", "yesno", "truefalse"})
_KINDS = {**dict.fromkeys(_BOOLEAN, "boolean"), "calc": "float", "slider": "integer"}


def head(project: Project, version: str, now: datetime) -> str:
    """Everything up to the study."""
    title = project.settings["project_title"]
    return f"{XML_PROLOG}\n" + opened(
        "ODM",
        **{
            "xmlns": "http://www.cdisc.org/ns/odm/v1.3",
            "xmlns:redcap": "https://projectredcap.org",
            "ODMVersion": "1.3.1",
            "FileOID": "000-00-0000",
            "FileType": "Snapshot",
            "Description": title,
            "AsOfDateTime": now.isoformat(timespec="seconds"),
            "CreationDateTime": now.isoformat(timespec="seconds"),
            "SourceSystem": "REDCap",
            "SourceSystemVersion": version,
        },
    )


def data_head(project: Project) -> str:
    """The start of the data."""
    name = _study(project)
    return opened("ClinicalData", StudyOID=f"Project.{name}", MetaDataVersionOID=f"Metadata.{name}")


def _study(project: Project) -> str:
    return "".join(c for c in project.settings["project_title"].title() if c.isalnum())


def study(project: Project, global_parts: str) -> Iterator[str]:
    """The definition of the project; `global_parts` are the groups of GlobalVariables that come from elsewhere."""
    title = project.settings["project_title"]
    yield opened("Study", OID=f"Project.{_study(project)}")
    yield "<GlobalVariables>" + element("StudyName", title) + element("StudyDescription", title)
    yield element("ProtocolName", title)
    for setting, name in SETTINGS.items():
        yield element(f"redcap:{name}", project.settings.get(setting, ""))
    yield from _repeating(project)
    yield global_parts + "</GlobalVariables>\n"
    yield opened(
        "MetaDataVersion",
        OID=f"Metadata.{_study(project)}",
        Name=title,
        redcap_RecordIdField=project.dictionary.record_id,
    )
    yield from _events(project)
    yield from _forms(project)
    yield from _items(project)
    yield "</MetaDataVersion></Study>\n"


def _repeating(project: Project) -> Iterator[str]:
    if not project.repeating:
        return
    instruments, events = [], []
    for (event_id, form), label in project.repeating.items():
        name = project.events_by_id[event_id].name
        if form:
            instruments.append(
                closed(
                    "redcap:RepeatingInstrument",
                    redcap_UniqueEventName=name,
                    redcap_RepeatInstrument=form,
                    redcap_CustomLabel=label,
                )
            )
        else:
            events.append(closed("redcap:RepeatingEvent", redcap_UniqueEventName=name))
    yield "<redcap:RepeatingInstrumentsAndEvents>"
    yield f"<redcap:RepeatingInstruments>{''.join(sorted(instruments))}</redcap:RepeatingInstruments>"
    yield f"{''.join(sorted(events))}</redcap:RepeatingInstrumentsAndEvents>"


def _events(project: Project) -> Iterator[str]:
    if not project.longitudinal:
        return
    names = dict(project.arms)
    yield "<Protocol>"
    for place, event in enumerate(project.events, start=1):
        yield closed("StudyEventRef", StudyEventOID=f"Event.{event.name}", OrderNumber=str(place), Mandatory="No")
    yield "</Protocol>\n"
    for event in project.events:
        yield _event(project, event, names[event.arm])
        for place, form in enumerate(f for f in project.dictionary.forms if f in project.forms_of(event)):
            yield closed(
                "FormRef", FormOID=f"Form.{form}", OrderNumber=str(place + 1), Mandatory="No", redcap_FormName=form
            )
        yield "</StudyEventDef>\n"


def _event(project: Project, event: Event, arm: str) -> str:
    return opened(
        "StudyEventDef",
        OID=f"Event.{event.name}",
        Name=event.label,
        Type="Common",
        Repeating="Yes" if project.repeats_as_event(event) else "No",
        redcap_EventName=event.label,
        redcap_CustomEventLabel=event.custom_label or "",
        redcap_UniqueEventName=event.name,
        redcap_ArmNum=str(event.arm),
        redcap_ArmName=arm,
        redcap_DayOffset=f"{event.day_offset:g}",
        redcap_OffsetMin=f"{event.offset_min:g}",
        redcap_OffsetMax=f"{event.offset_max:g}",
    )


def _forms(project: Project) -> Iterator[str]:
    groups: list[str] = []
    for form in project.dictionary.forms:
        yield opened("FormDef", OID=f"Form.{form}", Name=project.form_label(form), Repeating="No", redcap_FormName=form)
        for section in sections(project, form):
            yield f'<ItemGroupRef ItemGroupOID={attribute_text(section.oid)} Mandatory="No"/>'
            groups.append(opened("ItemGroupDef", OID=section.oid, Name=section.title, Repeating="No"))
            groups.extend(_references(project, form, section))
            groups.append("</ItemGroupDef>\n")
        yield "</FormDef>\n"
    yield "".join(groups)


def _references(project: Project, form: str, section: Section) -> Iterator[str]:
    if not section.fields:
        status = project.dictionary.status_field(form)
        yield closed("ItemRef", ItemOID=status, Mandatory="No", redcap_Variable=status)
    for field in section.fields:
        for name in field.columns or (field.name,):
            yield closed("ItemRef", ItemOID=name, Mandatory="No", redcap_Variable=field.name)


def _items(project: Project) -> Iterator[str]:
    lists: list[str] = []
    metadata = {row["field_name"]: row for row in to_api(project.dictionary)}
    for form in project.dictionary.forms:
        for field in project.dictionary.form(form):
            for name in field.columns or (field.name,):
                yield from _item(field, name, metadata[field.name], lists)
        yield from _status(project.dictionary.status_field(form), lists)
    yield "".join(lists)


def _status(name: str, lists: list[str]) -> Iterator[str]:
    yield opened(
        "ItemDef",
        OID=name,
        Name=name,
        DataType="text",
        Length="1",
        redcap_Variable=name,
        redcap_FieldType="select",
        redcap_SectionHeader=STATUS_TITLE,
    )
    yield f"<Question>{element('TranslatedText', 'Complete?')}</Question>"
    yield f'<CodeListRef CodeListOID="{name}.choices"/></ItemDef>\n'
    start = opened("CodeList", OID=f"{name}.choices", Name=name, DataType="text", redcap_Variable=name)
    lists.append(f"{start}{_code_items(STATUS_LABELS.items())}</CodeList>\n")


def _item(field: Field, name: str, row: dict[str, str], lists: list[str]) -> Iterator[str]:
    attributes = {f"redcap_{theirs}": row[ours] for ours, theirs in ATTRIBUTES.items()}
    extra = {"calc": "redcap_Calculation", "slider": "redcap_SliderLabels"}.get(field.kind)
    if extra:
        attributes[extra] = field.choices
    yield opened(
        "ItemDef",
        OID=name,
        Name=name,
        DataType=_KINDS.get(field.kind) or _DATA_TYPES.get(field.validation.partition("_")[0], "text"),
        Length=_length(field),
        redcap_Variable=field.name,
        redcap_FieldType=_FIELD_TYPES.get(field.kind, field.kind),
        redcap_TextValidationType=_validation(field),
        **attributes,
    )
    yield f"<Question>{_question(field.label)}</Question>"
    if field.options:
        yield f'<CodeListRef CodeListOID="{name}.choices"/>'
        lists.append(_code_list(field, name))
    for comparator, limit in (("GE", field.minimum), ("LE", field.maximum)):
        if limit:
            yield f'<RangeCheck Comparator="{comparator}" SoftHard="Soft">{element("CheckValue", limit)}</RangeCheck>'
    yield "</ItemDef>\n"


def _question(label: str) -> str:
    """The label; one with formatting stands there without tags, and as it is in an element of REDCap's own."""
    if not label.startswith(RICH_TEXT):
        return element("TranslatedText", label)
    return element("TranslatedText", plain(label)) + element("redcap:FormattedTranslatedText", label)


def _length(field: Field) -> str:
    """How long a value can be: one character for what is ticked or not, the longest code, or no limit."""
    if field.kind in _BOOLEAN:
        return "1"
    return str(max((len(option.code) for option in field.options), default=999))


def _validation(field: Field) -> str:
    # A slider that shows its number says so in the word of the dictionary (reference/redcap-validation-facts.md 1).
    return field.validation if field.kind == "slider" else _VALIDATIONS.get(field.validation, field.validation)


def _code_list(field: Field, name: str) -> str:
    checkbox = field.kind == "checkbox"
    choices = _TICK if checkbox else tuple((option.code, option.label) for option in field.options)
    start = opened(
        "CodeList",
        OID=f"{name}.choices",
        Name=name,
        DataType="text",
        redcap_Variable=field.name,
        redcap_CheckboxChoices="|".join(f"{o.code}, {o.label}" for o in field.options) if checkbox else "",
    )
    return f"{start}{_code_items(choices)}</CodeList>\n"


def _code_items(choices: Iterable[tuple[str, str]]) -> str:
    return "".join(
        opened("CodeListItem", CodedValue=code) + f"<Decode>{element('TranslatedText', label)}</Decode></CodeListItem>"
        for code, label in choices
    )
