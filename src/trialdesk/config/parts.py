"""The blocks of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from redcap_rules.logic import Expression
from trialdesk.config.values import (
    AgeRecipient,
    ApiUrl,
    Code,
    Email,
    FieldRef,
    Logic,
    MonthDay,
    Name,
    NightlyTime,
    PostgresUrl,
    ProfileName,
    Reference,
    TimeZone,
    Window,
)
from trialdesk.model import Outcome

CLOSED = "closed"
COORDINATOR = "coordinator"
"""The profile of the report that shows patients by arm."""

ENROLMENT, PROCEDURE = "enrolment", "procedure"
"""The anchors every trial may have: the opening of the envelope, and the procedure of `facts`."""


ProjectNumber = Annotated[str, BeforeValidator(str), Field(pattern=r"^[0-9]*$")]


class Part(BaseModel):
    """One block of the configuration: unknown words are refused and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, arbitrary_types_allowed=True)


class Trial(Part):
    """What the trial is called, how large it is and which calendar it follows."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    title: str
    target: Annotated[int, Field(gt=0)]
    starts: date
    ends: date
    time_zone: TimeZone
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    closed_days: tuple[MonthDay, ...] = ()
    language: Literal["da", "en"]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which a day begins."""
        return ZoneInfo(self.time_zone)


class Projects(Part):
    """The numbers REDCap gave the two projects: a token of another one is refused; "" for one not known yet."""

    trial: ProjectNumber = ""
    envelopes: ProjectNumber = ""


class Redcap(Part):
    """Where REDCap is, which projects are meant, and how patiently it is asked.

    `projects` is written by push_instruments. `web` is the address in the browser where that isn't the API's without
    `api/`.
    """

    url: ApiUrl
    web: str | None = None
    projects: Projects = Projects()
    tokens_file: Path | None = None
    connect_seconds: Annotated[float, Field(gt=0)] = 10
    read_seconds: Annotated[float, Field(gt=0)] = 120
    batch: Annotated[int, Field(gt=0)] = 100


class Folders(Part):
    """Where instruments (trial/ and register/), sealed tables and reports are, from the configuration's folder.

    `state` holds the desk's memory and its lock, on a local disk; without it they are among the reports.
    """

    instruments: Path
    tables: Path
    reports: Path
    state: Path | None = None


class Worded(Part):
    """What has a label, and perhaps others for paper: language to label."""

    label: str
    labels: Mapping[str, str] = Field(default_factory=dict)

    def label_in(self, language: str) -> str:
        """The label in a language; the plain one where there is none."""
        return self.labels.get(language, self.label)


class Arm(Worded):
    """One arm; `code` is what REDCap stores. `may_change_from_day` counts from the opening of the envelope."""

    code: str
    name: str
    ratio: Annotated[int, Field(gt=0)] = 1
    may_change_from_day: Annotated[int, Field(ge=0)] | None = None


class Level(Worded):
    """One level of a factor: its letter in the stratum code and the value REDCap stores."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9]$")]
    value: str


class Factor(Part):
    """One stratification factor and the field that holds it."""

    name: str
    field: Reference
    levels: Annotated[tuple[Level, ...], Field(min_length=2)]


class Site(Part):
    """One haematology department; its code is also the label of its data access group."""

    code: Code
    name: str
    target: Annotated[int, Field(ge=0)]
    opens: date
    closes: date | None = None


class Envelopes(Part):
    """How envelopes are made, sent and released."""

    domain: Literal["dev", "prod"]
    batch: Annotated[int, Field(gt=0)]
    reorder_at: Annotated[int, Field(ge=0)] = 1
    scope: Literal["trial", "site"] = "trial"
    recipients: tuple[AgeRecipient, ...] = ()
    blocks_file: Path


class Requirement(Part):
    """What must be true before a release, and what to say otherwise."""

    require: Logic
    otherwise: str


class Facts(Part):
    """Which field holds which fact; a fact that a trial does not record is left out."""

    site: Reference
    screened_on: Reference
    not_enrolled_reason: Reference | None = None
    consented_on: Reference
    released_envelope: Reference
    released_at: Reference
    envelope: Reference
    opened_on: Reference
    opened_time: Reference
    arm: Reference
    card_code: Reference
    procedure_on: Reference | None = None
    arm_change_on: Reference | None = None
    died_on: Reference | None = None
    left_on: Reference | None = None


class States(Part):
    """What is true of a patient, in REDCap logic over the whole record; a state that is left out is never true."""

    declined: Logic | None = None
    not_eligible: Logic | None = None
    not_invited: Logic | None = None
    not_randomised: Logic | None = None
    procedure_done: Logic | None = None
    arm_changed: Logic | None = None
    completed: Logic | None = None
    lost: Logic | None = None
    dead: Logic | None = None
    withdrawn_from_treatment: Logic | None = None
    withdrawn_from_contact: Logic | None = None
    withdrawn_from_data: Logic | None = None

    @property
    def known(self) -> Mapping[str, Expression]:
        """The states this trial has, with their logic."""
        logic = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: expression for name, expression in logic if expression is not None}


class DeathSign(Part):
    """Another form in which a death may be seen first; the logic is read in each of its rows."""

    instrument: Name
    logic: Logic
    label: str


class Step(Part):
    """One step of recruitment."""

    code: Name
    label: str
    logic: Logic


class Criterion(Part):
    """What keeps a patient out of the trial, in words, and when."""

    label: str
    unmet: Logic


class CallPlan(Part):
    """Which fields show a patient's next contact in REDCap; only the nightly run writes them."""

    next: Reference
    target: Reference
    opens: Reference
    closes: Reference
    planned: Reference
    version: Reference


class CallLog(Part):
    """Where tries that did not reach the patient stand: one instance a try, all fields of one repeating form.

    `outcomes` says what every code of the field `outcome` means. The day to call back is, for `in_hospital`, the day
    from which the patient can be called again. `key` holds what an entry is known by that a script wrote, `note` where
    it is from.
    """

    contact: Reference
    date: Reference
    time: Reference
    outcome: Reference
    callback_date: Reference
    callback_time: Reference
    key: Reference | None = None
    note: Reference | None = None
    outcomes: Annotated[dict[str, Outcome], Field(min_length=1)]

    @property
    def fields(self) -> Mapping[str, FieldRef]:
        """Setting to field."""
        names = ("contact", "date", "time", "outcome", "callback_date", "callback_time")
        return {name: getattr(self, name) for name in names}

    @model_validator(mode="after")
    def _one_event(self) -> Self:
        if len({ref.event for ref in (*self.fields.values(), self.key, self.note) if ref}) > 1:
            msg = "the fields of the call log stand in one event"
            raise ValueError(msg)
        return self


class ContactForm(Part):
    """How a contact is read from its form, in the contact's own event."""

    instrument: Name
    done: Logic
    date: Name
    refused: Logic | None = None
    attempts: Name | None = None
    callback_date: Name | None = None
    callback_time: Name | None = None
    preferred_weekday: Name | None = None
    preferred_time: Name | None = None
    pause_from: Name | None = None
    pause_until: Name | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The named fields of this form that are set, in the order above."""
        named = (self.date, self.attempts, self.callback_date, self.callback_time)
        wished = (self.preferred_weekday, self.preferred_time, self.pause_from, self.pause_until)
        return tuple(name for name in (*named, *wished) if name)


class Anchor(Part):
    """A date of the trial's own that contacts count from.

    With `every_arm` patients have it whatever their arm; without, having it is taken to tell the treatment.
    """

    date: Reference
    every_arm: bool = False


class ContactRule(Part):
    """One contact of the follow-up: target = anchor + days or calendar months; window in days around the target.

    `anchor` is enrolment, procedure, or a name under `anchors`. `arms` are the codes of the arms that have the contact;
    without any, all have. Forms of a `primary` contact are chased first; a `key` contact that is missed is a deviation.
    """

    code: Code
    label: str
    event: Name
    form: Name
    anchor: Name
    arms: tuple[str, ...] = ()
    days: Annotated[int, Field(ge=0)] | None = None
    months: Annotated[int, Field(ge=0)] | None = None
    window: Window
    grace: Annotated[int, Field(ge=0)] = 0
    primary: bool = False
    key: bool = False

    @model_validator(mode="after")
    def _one_distance(self) -> Self:
        if (self.days is None) == (self.months is None):
            msg = f"{self.code}: give either days or months"
            raise ValueError(msg)
        return self


class Leave(Part):
    """Days on which nobody calls, the first and the last included: of everybody, or at one site."""

    first: date
    last: date
    why: str
    site: Code | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            msg = f"{self.why}: it ends on {self.last}, before it begins on {self.first}"
            raise ValueError(msg)
        return self


class Calls(Part):
    """How many calls one day holds before the planner levels, on which days nobody calls, and the calls' key.

    `key` is a file outside the folder of reports that only its owner can read; it is made where there is none.
    """

    a_day: Annotated[int, Field(gt=0)] = 12
    leave: tuple[Leave, ...] = ()
    key: Path = Path("calls.key")


class Dataset(Part):
    """How the tables of the dataset are written: Excel in Danish splits at a semicolon."""

    delimiter: Literal[",", ";", "\t"] = ";"


class Closed(Part):
    """How the closed report names the arms: by their labels, or where it is `masked` by secret letters."""

    masked: bool = False


class Calendars(Part):
    """What the calendars hold: contacts that only one arm has stay out unless `treatment` says otherwise."""

    treatment: bool = False


class Nightly(Part):
    """When the long-running form of the nightly run starts, in the trial's time zone, and how many minutes it has."""

    at: NightlyTime = "04:30"
    budget: Annotated[int, Field(ge=1, le=600)] = 45


class Retention(Part):
    """How long what a night makes is kept, and for whom snapshots are sealed (age public keys; none, none is kept).

    Every run for `runs_days`, the newest of each week for `weekly_weeks`; kept snapshots for `snapshots_days`, the last
    of each month for ever; accounts of stopped runs for `accounts_days`.
    """

    sealed_for: tuple[AgeRecipient, ...] = ()
    runs_days: Annotated[int, Field(ge=1)] = 30
    weekly_weeks: Annotated[int, Field(ge=0)] = 26
    snapshots_days: Annotated[int, Field(ge=1)] = 90
    accounts_days: Annotated[int, Field(ge=1)] = 365


class Mail(Part):
    """The mail server, and who sends: nothing goes out but over TLS with a verified certificate.

    `digest` is the weekday of the weekly message, Monday is 1. `files` is where readers find the folder `latest` of the
    reports, as they see it; `ca_file` holds the certificates of an authority of one's own.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "from the start"] = "starttls"
    sender: Email
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    files: str = ""
    digest: Annotated[int, Field(ge=1, le=7)] = 1


class Machines(Part):
    """The PostgreSQL server that keeps two machines from being at work on one trial at once.

    The password is not in `dsn`: it comes from TRIALDESK_POSTGRES_PASSWORD or from `password_file` (mode 0600).
    """

    dsn: PostgresUrl
    password_file: Path | None = None


class Recipient(Part):
    """Who receives which report: by mail, and for `closed` sealed for an age public key."""

    profile: ProfileName
    email: Email | None = None
    age: AgeRecipient | None = None

    @model_validator(mode="after")
    def _reached(self) -> Self:
        if self.email is None and self.age is None:
            msg = f"{self.profile}: give an email, an age public key, or both"
            raise ValueError(msg)
        if self.age and self.profile != CLOSED:
            msg = f"{self.profile}: only the closed report is sealed; leave age out"
            raise ValueError(msg)
        return self
