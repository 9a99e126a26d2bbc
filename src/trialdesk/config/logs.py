"""Which logs the sheets Safety and Deviations list, and what in a form tells an arm though every arm has the form."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from trialdesk.config.parts import Part
from trialdesk.config.values import Logic, Name


class TreatmentValue(Part):
    """A field that tells an arm by any value, or with `codes` by these alone: what only one arm can have."""

    field: Name
    codes: tuple[Annotated[str, BeforeValidator(str)], ...] = ()


class EventLog(Part):
    """The log of adverse events; dates count days, free text is never listed.

    `reported` is the day of the report to the sponsor of an event the site knew of since `aware`, due in `days`.
    """

    instrument: Name
    started: Name
    category: Name
    severity: Name | None = None
    serious: Logic | None = None
    aware: Name | None = None
    reported: Name | None = None
    days: int = 1
    outcome: Name | None = None


class DeviationLog(Part):
    """The log of deviations that sites report; free text is never listed."""

    instrument: Name
    on: Name
    code: Name
    grade: Name | None = None
    found: Name | None = None


class Logs(Part):
    """The logs whose rows a monitor's sheets list."""

    events: EventLog | None = None
    deviations: DeviationLog | None = None
