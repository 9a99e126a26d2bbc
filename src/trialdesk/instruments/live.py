"""What the live project holds now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redcap_rules.dictionary import DictionaryError
from trialdesk.errors import InstrumentError, NotAllowed, RedcapRefused, RedcapUnreachable
from trialdesk.instruments.design import Arm, Design, Event, Repeat, Role, Slot
from trialdesk.instruments.roles import FORM_RIGHTS, LABEL, role_of
from trialdesk.redcap.answers import Rows
from trialdesk.redcap.gateway import Gateway

# A classic project keeps its data in one event that the API does not show; REDCap makes it with every project.
HIDDEN_EVENT = Event("event_1_arm_1", "Event 1")

# What decides which changes the project takes, and what is asked next (reference/redcap-api.md 13.2).
_INFO = ("project_id", "in_production", "is_longitudinal", "has_repeating_instruments_or_events")


@dataclass(frozen=True)
class Live:
    """A live project: its design, what decides which changes it takes, and in `notes` what it did not show."""

    project_id: str
    title: str
    in_production: bool
    design: Design
    notes: tuple[str, ...] = ()


def live_project(gateway: Gateway, *, groups: bool, roles: bool, filled: bool = False) -> Live:
    """The project as the server shows it now; data access groups and roles only where asked for.

    A project in use has events with forms in them (`filled`); a new one has none yet.

    Raises:
        InstrumentError: the server's dictionary can't be read.
        RedcapUnreachable: the server left out what decides the plan.
    """
    (info,) = _whole("project", [dict(gateway.project())], *_INFO)
    try:
        dictionary = gateway.dictionary()
    except DictionaryError as error:
        first, *more = str(error).splitlines()
        rest = f" (and {len(more)} more)" if more else ""
        raise InstrumentError(f"the live dictionary can't be read: {first}{rest}") from None
    longitudinal = info["is_longitudinal"] == "1"
    repeats = info["has_repeating_instruments_or_events"] == "1"
    shown, notes = _roles(gateway, dictionary.forms) if roles else (None, ())
    design = Design(
        dictionary,
        _arms(gateway.arms()) if longitudinal else (Arm("1", "Arm 1"),),
        _events(gateway.events(filled=filled)) if longitudinal else (HIDDEN_EVENT,),
        _mapping(gateway.mapping(filled=filled)) if longitudinal else (),
        _repeating(gateway.repeating()) if repeats else (),
        _groups(gateway.groups()) if groups else None,
        shown,
    )
    return Live(info["project_id"], info.get("project_title", ""), info["in_production"] == "1", design, notes)


def live_design(gateway: Gateway, *, groups: bool = True, roles: bool = True, filled: bool = False) -> Design:
    """The design of the live project."""
    return live_project(gateway, groups=groups, roles=roles, filled=filled).design


def _roles(gateway: Gateway, forms: Sequence[str]) -> tuple[tuple[Role, ...] | None, tuple[str, ...]]:
    """The roles, or None with the reason: what a missing right answers is not known of every version."""
    try:
        return tuple(role_of(row, forms) for row in _whole("userRole", gateway.roles(), LABEL, *FORM_RIGHTS)), ()
    except (NotAllowed, RedcapRefused) as error:
        return None, (f"Roles not shown, so not compared: the token lacks the right User Rights ({error}).",)


def _whole(content: str, rows: Rows, *columns: str) -> Rows:
    """The rows without outer blanks, when none lacks a column: what is left out must not be taken for blank.

    REDCap keeps blanks around a label; the files have none, so they are no difference.
    """
    for column in columns:
        if any(column not in row for row in rows):
            raise RedcapUnreachable(
                f"REDCap's answer to `{content}` lacks {column}; nothing was used; try again, or ask its administrator"
            )
    return [{column: text.strip() for column, text in row.items()} for row in rows]


def _arms(rows: Rows) -> tuple[Arm, ...]:
    return tuple(Arm(row["arm_num"], row["name"]) for row in _whole("arm", rows, "arm_num", "name"))


def _mapping(rows: Rows) -> tuple[Slot, ...]:
    whole = _whole("formEventMapping", rows, "unique_event_name", "form")
    return tuple(Slot(row["unique_event_name"], row["form"]) for row in whole)


def _groups(rows: Rows) -> tuple[str, ...]:
    return tuple(row["data_access_group_name"] for row in _whole("dag", rows, "data_access_group_name"))


def _events(rows: Rows) -> tuple[Event, ...]:
    return tuple(
        Event(
            row["unique_event_name"],
            row["event_name"],
            row["arm_num"],
            # REDCap shows offsets only where scheduling is on, and has two spellings (reference/redcap-api.md 10)
            row.get("day_offset", row.get("days_offset", "")),
            row.get("offset_min", ""),
            row.get("offset_max", ""),
            row.get("custom_event_label", ""),
        )
        for row in _whole("event", rows, "unique_event_name", "event_name", "arm_num")
    )


def _repeating(rows: Rows) -> tuple[Repeat, ...]:
    whole = _whole("repeatingFormsEvents", rows, "form_name")
    return tuple(Repeat(row.get("event_name", ""), row["form_name"], row.get("custom_form_label", "")) for row in whole)
