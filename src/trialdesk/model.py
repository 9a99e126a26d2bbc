"""The frozen facts everything else is computed from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from redcap_rules.names import group_name

EnvelopeStatus = Literal["made", "packed", "dispatched", "received", "released", "opened", "void", "lost", "returned"]
ENVELOPE_STATUSES: tuple[EnvelopeStatus, ...] = (
    "made",
    "packed",
    "dispatched",
    "received",
    "released",
    "opened",
    "void",
    "lost",
    "returned",
)

ContactStatus = Literal[
    "done",
    "done early",
    "done late",
    "not applicable",
    "missed",
    "stopped",
    "withdrawn",
    "paused",
    "overdue",
    "due",
    "open",
    "upcoming",
]

Outcome = Literal[
    "not_reached",
    "later",
    "no_answer",
    "voicemail",
    "wrong_number",
    "relative",
    "in_hospital",
    "declines",
    "declines_all",
    "died",
]
"""How a try ended that did not reach the patient."""

Withdrawal = Literal["", "treatment", "contact", "data"]
Severity = Literal["error", "warning"]


FORGOTTEN = "forgotten"
"""What an envelope has for a record that the desk has forgotten: opened it stays, for whom is not held."""


@dataclass(frozen=True, slots=True, order=True)
class Pile:
    """One list of envelopes: those of one site and one stratum."""

    site: str
    stratum: str

    def __str__(self) -> str:
        return f"{self.site}-{self.stratum}"


@dataclass(frozen=True, slots=True, order=True)
class Envelope:
    """What the register shows of an envelope: never its arm or card code; `domain` where it was asked for."""

    pile: Pile
    number: int
    id: str
    batch: int
    status: EnvelopeStatus
    commitment: str
    packed_on: date | None = None
    dispatched_on: date | None = None
    received_on: date | None = None
    released_at: datetime | None = None
    record: str = ""
    opened_on: date | None = None
    note: str = field(default="", repr=False)
    domain: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, order=True)
class Card:
    """What is printed inside an envelope; `repr` shows the envelope's number alone."""

    envelope: str
    arm: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Patient:
    """One record of the trial as of one pull; dates are days in the trial's time zone.

    `reached` holds the codes of the recruitment steps that are true, in the configured order. `stratum` is the
    stratum code, or "" while a stratum field is blank. `site` is what the site field says, `group` the data access
    group REDCap keeps the record in (unique name). `anchors` are the dates of the trial's own that contacts count from.
    Arm and card code never show in `repr`.
    """

    record: str
    site: str
    group: str
    reached: tuple[str, ...] = ()
    states: frozenset[str] = frozenset()
    screened_on: date | None = None
    not_enrolled_reason: str = ""
    consented_on: date | None = None
    stratum: str = ""
    released_envelope: str = ""
    released_at: datetime | None = None
    envelope: str = ""
    opened_on: date | None = None
    opened_time: str = ""
    arm: str = field(default="", repr=False)
    card_code: str = field(default="", repr=False)
    procedure_on: date | None = None
    arm_change_on: date | None = None
    anchors: tuple[tuple[str, date], ...] = ()
    died_on: date | None = None
    left_on: date | None = None
    death_signs: tuple[str, ...] = ()
    withdrawal: Withdrawal = ""

    @property
    def randomised(self) -> bool:
        """Whether the envelope has been opened: enrolment, day 0."""
        return self.opened_on is not None

    @property
    def opened(self) -> bool:
        """Whether an envelope was opened: any of number, arm, code, date or time of opening is typed in."""
        return is_opened(self.envelope, self.arm, self.card_code, self.opened_time) or self.opened_on is not None

    @property
    def release_open(self) -> bool:
        """Whether an envelope is released for this record and not yet opened."""
        return bool(self.released_envelope) and not self.opened

    @property
    def dead(self) -> bool:
        """Whether the end-of-study form says the patient died."""
        return "dead" in self.states

    def belongs_to(self, site: str) -> bool:
        """Whether site field and data access group agree on that site code: its people may be shown the record.

        A record in no group goes by its site field. One whose field and group disagree belongs to no site.
        """
        return self.site == site and self.group in ("", group_name(site))


def is_opened(*typed: str) -> bool:
    """Whether any of what a site types in when it opens an envelope is there."""
    return any(text.strip() for text in typed)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something a person has to look at; `text` names no arm and no card code.

    `site` is the site code or "" for the whole trial; `where` is the event (and instance) the rule fired in. `field`,
    `envelope` and `other` (a record or envelope) say what it is about; `evidence` is what it rests on, never shown.
    """

    rule: str
    site: str
    record: str
    where: str
    severity: Severity
    text: str
    field: str = ""
    envelope: str = ""
    other: str = ""
    evidence: str = dataclasses.field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a pull counted: the yardstick for the next one."""

    project: str
    records: int
    randomised: int
    by_group: Mapping[str, int] = field(default_factory=dict)
