"""One project's structure, read once and kept until it changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from redcap_local import messages
from redcap_local.columns import Column, all_columns
from redcap_local.messages import ApiError
from redcap_local.storage import people, structure
from redcap_rules.calculation import Calculations
from redcap_rules.choices import missing_codes
from redcap_rules.dictionary import Dictionary

# Settings that project_settings can change, with the values of a new project (reference/redcap-api.md 13.3).
EDITABLE_SETTINGS: Mapping[str, str] = {
    "project_title": "",
    "project_language": "English",
    "purpose": "0",
    "purpose_other": "",
    "project_notes": "",
    "custom_record_label": "",
    "secondary_unique_field": "",
    "is_longitudinal": "0",
    "surveys_enabled": "0",
    "scheduling_enabled": "0",
    "record_autonumbering_enabled": "1",
    "randomization_enabled": "0",
    "project_irb_number": "",
    "project_grant_number": "",
    "project_pi_firstname": "",
    "project_pi_lastname": "",
    "project_pi_email": "",
    "display_today_now_button": "1",
    "bypass_branching_erase_field_prompt": "0",
}
# Settings of the pages, which only an administrator changes here: nothing is known of their names in REDCap's API.
PAGE_SETTINGS = frozenset({"require_change_reason", "branching_keeps_values"})
FLAGS = PAGE_SETTINGS | frozenset(
    name for name in EDITABLE_SETTINGS if name.endswith("_enabled") or name in {
        "is_longitudinal", "display_today_now_button", "bypass_branching_erase_field_prompt",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `name` is the unique name, `position` its place in the order of the project."""

    id: int
    arm: int
    label: str
    name: str
    custom_label: str | None
    day_offset: float
    offset_min: float
    offset_max: float
    position: int


@dataclass(frozen=True, slots=True)
class Group:
    """One data access group."""

    id: int
    name: str
    label: str


@dataclass(frozen=True)
class Project:
    """What a project is made of at one revision."""

    id: int
    settings: Mapping[str, str]
    dictionary: Dictionary
    arms: tuple[tuple[int, str], ...]
    events: tuple[Event, ...]
    designated: Mapping[int, frozenset[str]]
    repeating: Mapping[tuple[int, str], str]
    groups: tuple[Group, ...]
    own_forms: Mapping[str, tuple[str, bool]]

    @cached_property
    def longitudinal(self) -> bool:
        """True only with the flag on and events beyond one in one arm (reference/redcap-api.md 10)."""
        several = len(self.events) > 1 or (len(self.arms) > 1 and bool(self.events))
        return self.settings["is_longitudinal"] == "1" and several

    def event_named(self, name: str) -> Event:
        """The event of that unique name; the first where a classic project, or a row without one, names none."""
        return self.events_by_name.get(name, self.first_event)

    @cached_property
    def shown_events(self) -> tuple[Event, ...]:
        """The events people see: all of them, or the first alone while longitudinal is off (B.4.27.0300)."""
        return self.events if self.longitudinal else self.events[:1]

    @cached_property
    def shown_event_ids(self) -> frozenset[int]:
        """Their ids."""
        return frozenset(event.id for event in self.shown_events)

    @property
    def in_production(self) -> bool:
        """True once the project has been moved to production."""
        return self.settings.get("in_production", "0") == "1"

    @property
    def first_event(self) -> Event:
        """The first event, where a row without one goes; refused while the project has none at all."""
        if not self.events:
            raise ApiError(messages.NO_EVENTS)
        return self.events[0]

    @cached_property
    def events_by_id(self) -> dict[int, Event]:
        """The events by the server's id."""
        return {event.id: event for event in self.events}

    @cached_property
    def events_by_name(self) -> dict[str, Event]:
        """The events by unique name."""
        return {event.name: event for event in self.events}

    @cached_property
    def groups_by_id(self) -> dict[int, Group]:
        """The data access groups by the server's id."""
        return {group.id: group for group in self.groups}

    @cached_property
    def groups_by_name(self) -> dict[str, Group]:
        """The data access groups by unique name."""
        return {group.name: group for group in self.groups}

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns of data by name, in the order of export."""
        return {column.name: column for column in all_columns(self.dictionary)}

    @cached_property
    def calculations(self) -> Calculations:
        """The calculated fields, ready to follow changes."""
        forms: dict[str, set[str]] = {form: set() for form in self.dictionary.forms}
        for event in self.events:
            for form in self.forms_of(event):
                forms[form].add(self.rule_event(event))
        repeating = {(self.rule_event(self.events_by_id[event]), form) for event, form in self.repeating}
        return Calculations(self.dictionary, forms, repeating)

    @cached_property
    def form_position(self) -> dict[str, int]:
        """The place of each form in the dictionary, from 1; '' (no repeating form) is 0."""
        return {"": 0, **{form: place for place, form in enumerate(self.dictionary.forms, start=1)}}

    def forms_of(self, event: Event) -> frozenset[str]:
        """The forms designated for an event; all forms in a classic project."""
        return self.designated.get(event.id, frozenset()) if self.longitudinal else self._all_forms

    @cached_property
    def _all_forms(self) -> frozenset[str]:
        return frozenset(self.dictionary.forms)

    def form_label(self, form: str) -> str:
        """The label of a form; made of its name when the dictionary brought it."""
        own = self.own_forms.get(form)
        return own[0] if own else form.replace("_", " ").title()

    def is_survey(self, form: str) -> bool:
        """True when the form can be filled in by a participant."""
        own = self.own_forms.get(form)
        return self.settings["surveys_enabled"] == "1" and own is not None and own[1]

    def repeats_as_event(self, event: Event) -> bool:
        """True when the event as a whole repeats."""
        return (event.id, "") in self.repeating

    def row_instrument(self, event: int, form: str) -> str | None:
        """Where a form's values stand in an event: the form when it repeats, '' in a repeating event, else None."""
        if (event, form) in self.repeating:
            return form
        return "" if (event, "") in self.repeating else None

    def rule_event(self, event: Event) -> str:
        """The event's name as the rules want it: '' in a classic project."""
        return event.name if self.longitudinal else ""


def load(connection: sqlite3.Connection, project: int) -> Project:
    """The project as it stands in the database."""
    from redcap_rules.dictionary import from_api

    designated: dict[int, set[str]] = {}
    for event, form in structure.designations(connection, project):
        designated.setdefault(event, set()).add(form)
    rows = structure.events(connection, project)
    settings = structure.settings(connection, project)
    dictionary = from_api(structure.metadata(connection, project))
    return Project(
        id=project,
        settings=settings,
        dictionary=replace(dictionary, missing_codes=missing_codes(settings.get("missing_data_codes", ""))),
        arms=tuple(structure.arms(connection, project)),
        events=tuple(_event(row, place) for place, row in enumerate(rows)),
        designated={event: frozenset(forms) for event, forms in designated.items()},
        repeating={(event, form): label for event, form, label in structure.repeating(connection, project)},
        groups=tuple(Group(*row) for row in people.groups(connection, project)),
        own_forms=structure.forms(connection, project),
    )


def _event(row: sqlite3.Row, position: int) -> Event:
    return Event(
        id=row["id"],
        arm=row["arm"],
        label=row["label"],
        name=row["name"],
        custom_label=row["custom_label"],
        day_offset=row["day_offset"],
        offset_min=row["offset_min"],
        offset_max=row["offset_max"],
        position=position,
    )


class ProjectCache:
    """The structure of every project at its latest revision."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, Project]] = {}

    def get(self, connection: sqlite3.Connection, project: int) -> Project:
        """The project as this transaction sees it; read anew only when its revision has changed."""
        revision = structure.revision(connection, project)
        kept = self._kept.get(project)
        if kept is None or kept[0] != revision:
            kept = (revision or 0, load(connection, project))
            self._kept[project] = kept
        return kept[1]
