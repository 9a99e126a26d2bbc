"""The empty project of docs/validation/site-check.xml, and why another one is not touched. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

TITLE = "TRIALDESK SITE CHECK"
PREFIX = "TDSC-"
"""Of every record that is made there."""
START, LATER = "start_arm_1", "later_arm_1"

Table = Sequence[Mapping[str, object]]

FIELDS = (
    ("record_id", "entry", "text", "", ""),
    ("letters", "entry", "text", "", ""),
    ("code", "entry", "text", "", ""),
    ("first_number", "entry", "text", "", "integer"),
    ("second_number", "entry", "text", "", "integer"),
    ("total", "entry", "calc", "[first_number]+[second_number]", ""),
    ("hidden_word", "hidden", "text", "", ""),
    ("readonly_word", "readonly", "text", "", ""),
)
_FIELD_COLUMNS = (
    "field_name",
    "form_name",
    "field_type",
    "select_choices_or_calculations",
    "text_validation_type_or_show_slider_number",
)
_EVENTS = ((START,), (LATER,))
_PLACES = ((START, "entry"), (START, "hidden"), (LATER, "entry"), (LATER, "readonly"))
_REPEATING = ((LATER, "readonly"),)


@dataclass(frozen=True, slots=True)
class Design:
    """What REDCap tells of a project's fields, events, places of forms, and what repeats."""

    fields: Table
    events: Table
    places: Table
    repeating: Table


def strange(seen: Mapping[str, Mapping[str, object]], others: Collection[str]) -> tuple[str, ...]:
    """Why what the tokens of A and B are of is not the project to be looked at; one sentence each, none if it is.

    Args:
        seen: User to project information.
        others: Numbers of the projects in the configuration.
    """
    a, b = seen["A"], seen["B"]
    number = str(a.get("project_id", ""))
    reasons = {
        "the tokens of A and B are of two projects": number != str(b.get("project_id", "")),
        f"the project is not titled {TITLE}": any(one.get("project_title") != TITLE for one in (a, b)),
        "the project is not in development": any(str(one.get("in_production", "")) != "0" for one in (a, b)),
        "it is a project of the configuration": number in others,
        "REDCap tells no number of the project": not number,
    }
    return tuple(why for why, holds in reasons.items() if holds)


def redesigned(design: Design) -> tuple[str, ...]:
    """In what a project is other than the document makes it; one sentence each."""
    parts = (
        ("fields", design.fields, _FIELD_COLUMNS, FIELDS),
        ("events", design.events, ("unique_event_name",), _EVENTS),
        ("forms in events", design.places, ("unique_event_name", "form"), _PLACES),
        ("repeating forms", design.repeating, ("event_name", "form_name"), _REPEATING),
    )
    return tuple(
        f"its {what} are not those of site-check.xml"
        for what, table, columns, wanted in parts
        if tuple(tuple(str(row.get(name, "")) for name in columns) for row in table) != wanted
    )


def foreign(records: Collection[str]) -> tuple[str, ...]:
    """The records that were not made here."""
    return tuple(record for record in records if not record.startswith(PREFIX))
