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
    fatal: Logic
    related: Logic


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
    wish: Logic
    new_event: Logic
    new_treatment: Logic


class Crosschecks(Part):
    """The block `crosschecks` of the configuration."""

    same_person: Annotated[tuple[Reference, ...], Field(min_length=2)]
    planned_levels: Checkbox
    treated_levels: Annotated[tuple[Reference, ...], Field(min_length=1)]
    complications: Complications
    events: LoggedEvents
    treatments: LoggedTreatments
    contact: Asked
    change_requested: Reference
    control_late_days: Annotated[int, Field(gt=0)] = 112
    form_dates: Annotated[tuple[Name, ...], Field(min_length=1)]
