"""What the live project holds now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redcap_rules.dictionary import DictionaryError
from trialdesk.errors import InstrumentError, NotAllowed, RedcapRefused
from trialdesk.redcap.gateway import Gateway, Rows
from trialdesk.redcap.instruments.design import Arm, Design, Event, Repeat, Role, Slot
from trialdesk.redcap.instruments.roles import role_of

# A classic project keeps its data in one event that the API does not show; REDCap makes it with every project.
HIDDEN_EVENT = Event("event_1_arm_1", "Event 1")


@dataclass(frozen=True)
class Live:
    """A live project: its design, what decides which changes it takes, and in `notes` what it did not show."""

    project_id: str
    title: str
    in_production: bool
    design: Design
    notes: tuple[str, ...] = ()


def live_project(gateway: Gateway, *, groups: bool, roles: bool) -> Live:
    """The project as the server shows it now; data access groups and roles only where asked for.

    Raises:
        InstrumentError: the server's dictionary can't be read.
    """
    info = gateway.project()
    try:
        dictionary = gateway.dictionary()
    except DictionaryError as error:
        raise InstrumentError(f"the live dictionary can't be read:\n{error}") from None
    longitudinal = info.get("is_longitudinal") == "1"
    repeats = info.get("has_repeating_instruments_or_events") == "1"
    shown, notes = _roles(gateway, dictionary.forms) if roles else (None, ())
    design = Design(
        dictionary,
        tuple(Arm(row["arm_num"], row["name"]) for row in gateway.arms()) if longitudinal else (Arm("1", "Arm 1"),),
        _events(gateway.events()) if longitudinal else (HIDDEN_EVENT,),
        tuple(Slot(row["unique_event_name"], row["form"]) for row in gateway.mapping()) if longitudinal else (),
        _repeating(gateway.repeating()) if repeats else (),
        tuple(row["data_access_group_name"] for row in gateway.groups()) if groups else None,
        shown,
    )
    in_production = info.get("in_production") == "1"
    return Live(info.get("project_id", ""), info.get("project_title", ""), in_production, design, notes)


def live_design(gateway: Gateway, *, groups: bool = True, roles: bool = True) -> Design:
    """The design of the live project."""
    return live_project(gateway, groups=groups, roles=roles).design


def _roles(gateway: Gateway, forms: Sequence[str]) -> tuple[tuple[Role, ...] | None, tuple[str, ...]]:
    """The roles, or None with the reason: what a missing right answers is not known of every version."""
    try:
        return tuple(role_of(row, forms) for row in gateway.roles()), ()
    except (NotAllowed, RedcapRefused) as error:
        return None, (f"Roles not shown, so not compared: the token lacks the right User Rights ({error}).",)


def _events(rows: Rows) -> tuple[Event, ...]:
    return tuple(
        Event(
            row["unique_event_name"],
            row["event_name"],
            row["arm_num"],
            # REDCap shows offsets only where scheduling is on, and has two spellings (redcap-api.md 10)
            row.get("day_offset", row.get("days_offset", "")),
            row.get("offset_min", ""),
            row.get("offset_max", ""),
            row.get("custom_event_label", ""),
        )
        for row in rows
    )


def _repeating(rows: Rows) -> tuple[Repeat, ...]:
    return tuple(Repeat(row.get("event_name", ""), row["form_name"], row.get("custom_form_label", "")) for row in rows)
