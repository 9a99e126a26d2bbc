"""The words of REDCap's ODM and how they stand for those of the data dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from redcap_local import messages
from redcap_local.messages import ApiError
from redcap_local.wire.replies import xml_escaped

ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
REDCAP = "{https://projectredcap.org}"

# Field types and validation types that have another name in ODM.
FIELD_TYPES: Mapping[str, str] = {"textarea": "notes", "select": "dropdown"}
# What a label with formatting begins with.
RICH_TEXT = '<div class="rich-text-field-label">'
VALIDATIONS: Mapping[str, str] = {
    "float": "number",
    "int": "integer",
    "date": "date_ymd",
    "datetime": "datetime_ymd",
    "datetime_seconds": "datetime_seconds_ymd",
}
# Dictionary column -> attribute of ItemDef, for those that are plain attributes.
ATTRIBUTES: Mapping[str, str] = {
    "section_header": "SectionHeader",
    "field_note": "FieldNote",
    "identifier": "Identifier",
    "branching_logic": "BranchingLogic",
    "required_field": "RequiredField",
    "custom_alignment": "CustomAlignment",
    "question_number": "QuestionNumber",
    "matrix_group_name": "MatrixGroupName",
    "matrix_ranking": "MatrixRanking",
    "field_annotation": "FieldAnnotation",
}
# Setting -> element of GlobalVariables.
SETTINGS: Mapping[str, str] = {
    "record_autonumbering_enabled": "RecordAutonumberingEnabled",
    "custom_record_label": "CustomRecordLabel",
    "secondary_unique_field": "SecondaryUniqueField",
    "scheduling_enabled": "SchedulingEnabled",
    "surveys_enabled": "SurveysEnabled",
    "randomization_enabled": "RandomizationEnabled",
    "display_today_now_button": "DisplayTodayNowButton",
    "bypass_branching_erase_field_prompt": "PreventBranchingEraseValues",
    "purpose": "Purpose",
    "purpose_other": "PurposeOther",
    "project_notes": "ProjectNotes",
    "missing_data_codes": "MissingDataCodes",
}
# Right -> attribute of a role, where they differ.
ROLE_RIGHTS: Mapping[str, str] = {
    "lock_records": "lock_record",
    "lock_records_all_forms": "lock_record_multiform",
    "lock_records_customization": "lock_record_customize",
    "data_import_tool": "data_import_tool",
    "logging": "data_logging",
    "stats_and_charts": "graphical",
    "manage_survey_participants": "participants",
    "data_quality_create": "data_quality_design",
}


# The fields of a report, and by how many columns it can be sorted.
FIELDS, MOST_SORTED = "redcap_reports_fields", 3
# The trigger option of a randomization that is not by hand alone (reference/redcap-validation-facts.md 1).
TRIGGERED_BY_RIGHT, TRIGGERED_BY_EVERYBODY = "1", "2"
# A CDATA section, which is left alone, or a quoted attribute value.
_VALUE = re.compile(r'(<!\[CDATA\[.*?\]\]>)|(="[^"<]*\n[^"<]*")', re.DOTALL)


def parsed(text: str) -> ElementTree.Element:
    """The root of an ODM document.

    Raises:
        ApiError: It is not XML, declares a document type, or is not ODM.
    """
    # XML makes blanks of the line breaks that real files have inside attribute values.
    text = _VALUE.sub(lambda found: found[1] or found[2].replace("\r\n", "\n").replace("\n", "&#10;"), text)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ApiError(messages.BAD_DATA, "ODM must not declare a document type")
    try:
        root = ElementTree.fromstring(text.strip().encode("utf-8", "replace"))  # noqa: S314 - no DTD, no entities
    except (ElementTree.ParseError, LookupError, ValueError) as fault:
        raise ApiError(messages.BAD_DATA, f"ODM, {fault}") from None
    if root.tag != f"{ODM}ODM":
        raise ApiError(messages.BAD_DATA, "the document is not ODM 1.3")
    return root


def attribute(element: ElementTree.Element, name: str) -> str:
    """An attribute, whether or not it carries REDCap's namespace; '' when absent."""
    return element.get(f"{REDCAP}{name}") or element.get(name) or ""


def element(name: str, text: str) -> str:
    """An element that holds a text."""
    return f"<{name}>{xml_escaped(text)}</{name}>"


def opened(name: str, **attributes: str) -> str:
    """A start tag; `redcap_X` stands for the attribute redcap:X, blank REDCap attributes are left out."""
    words = [
        f"{key.replace('redcap_', 'redcap:', 1)}={attribute_text(value)}"
        for key, value in attributes.items()
        if value or not key.startswith("redcap_")
    ]
    return f"<{' '.join([name, *words])}>"


def closed(name: str, **attributes: str) -> str:
    """An element without content, with the attributes of `opened`."""
    return f"{opened(name, **attributes)[:-1]}/>"


def attribute_text(value: str) -> str:
    """A quoted attribute value; line breaks survive as character references."""
    kept = "".join(c for c in value if c in "\t\n\r" or c >= " ")
    return quoteattr(kept, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
