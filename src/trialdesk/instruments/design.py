"""What a REDCap project holds besides its records: the same facts for the files and for the live project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from redcap_rules.dictionary import Dictionary
from trialdesk.instruments.labels import Labels

Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Arm:
    """One REDCap arm; a blank name leaves whatever name the project gives it."""

    number: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One event by its unique name; `day`, `before` and `after` are days and blank where scheduling is off."""

    name: str
    label: str
    arm: str = "1"
    day: str = ""
    before: str = ""
    after: str = ""
    custom_label: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One form in one event."""

    event: str
    form: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """A form that repeats in an event, or with a blank form the event itself; `event` is blank in a classic project."""

    event: str
    form: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """One user role by its label, in REDCap's codes: what it may do, and for `forms` and `forms_export` every form."""

    label: str
    switches: Mapping[str, str]
    by_form: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Design:
    """Instruments and structure of a project.

    `groups` are labels. Groups and roles are None where they are not ours to manage, and roles also where the token is
    not shown them. `quality` names the file of data-quality rules, with its digest;
    `labels` say what people call instruments and events. `language` is that of a translation, "" for the files' own
    words, and `unapproved` how many of its texts the trial team has not approved.
    """

    dictionary: Dictionary
    arms: tuple[Arm, ...] = ()
    events: tuple[Event, ...] = ()
    mapping: tuple[Slot, ...] = ()
    repeating: tuple[Repeat, ...] = ()
    groups: tuple[str, ...] | None = None
    roles: tuple[Role, ...] | None = None
    quality: str = ""
    labels: Labels = field(default_factory=Labels)
    language: str = ""
    unapproved: int = 0

    @property
    def longitudinal(self) -> bool:
        """REDCap calls a project longitudinal only with two events or more (reference/redcap-api.md 10)."""
        return len(self.events) > 1

    @property
    def arm_of(self) -> dict[str, str]:
        """Event to the number of its arm."""
        return {event.name: event.arm for event in self.events}


def arm_rows(arms: tuple[Arm, ...]) -> Rows:
    """Arms as the API takes them; an arm must have a name."""
    return [{"arm_num": arm.number, "name": arm.name or f"Arm {arm.number}"} for arm in arms]


def event_rows(events: tuple[Event, ...], *, new: bool = False) -> Rows:
    """Events as the API takes them; a `new` one leaves its unique name to REDCap (reference/redcap-api.md 10)."""
    return [
        {
            "event_name": event.label,
            "arm_num": event.arm,
            "day_offset": event.day,
            "offset_min": event.before,
            "offset_max": event.after,
            "unique_event_name": "" if new else event.name,
            "custom_event_label": event.custom_label,
        }
        for event in events
    ]


def mapping_rows(design: Design) -> Rows:
    """The whole mapping as the API takes it; an event that is not there has no arm, and REDCap refuses it."""
    arm_of = design.arm_of
    return [{"arm_num": arm_of.get(s.event, ""), "unique_event_name": s.event, "form": s.form} for s in design.mapping]


def repeating_rows(design: Design) -> Rows:
    """The whole list of what repeats as the API takes it."""
    named = design.longitudinal
    return [
        {**({"event_name": r.event} if named else {}), "form_name": r.form, "custom_form_label": r.label}
        for r in design.repeating
    ]


def group_rows(labels: tuple[str, ...]) -> Rows:
    """New data access groups as the API takes them."""
    return [{"data_access_group_name": label, "unique_group_name": ""} for label in labels]
