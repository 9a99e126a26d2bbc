"""Which fields the checks between records read; the code knows none of their names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialdesk.config.parts import Part
from trialdesk.config.values import Checkbox, Logic, Name, Reference


class LoggedEvents(Part):
    """The log of adverse events: when one began, whether it was fatal, whether the procedure may have caused it."""

    instrument: Name
    started: Name
    fatal: Logic | None = None
    related: Logic | None = None


class LoggedTreatments(Part):
    """The log of other treatment."""

    instrument: Name
    started: Name


class Complications(Part):
    """What happened during or soon after the procedure; `none` is the choice that says nothing did."""

    field: Checkbox
    none: str
    within_days: Annotated[int, Field(ge=0)] = 30


class Asked(Part):
    """What a contact brings up: the wish to change arm, a new event, a new treatment."""

    instrument: Name
    date: Name
    wish: Logic | None = None
    new_event: Logic | None = None
    new_treatment: Logic | None = None


class Crosschecks(Part):
    """The block `crosschecks` of the configuration; a check whose fields are left out is not made."""

    same_person: Annotated[tuple[Reference, ...], Field(min_length=2)] | None = None
    planned_levels: Checkbox | None = None
    treated_levels: tuple[Reference, ...] = ()
    complications: Complications | None = None
    events: LoggedEvents | None = None
    treatments: LoggedTreatments | None = None
    contact: Asked | None = None
    change_requested: Reference | None = None
    control_late_days: Annotated[int, Field(gt=0)] = 112
    form_dates: tuple[Name, ...] = ()
