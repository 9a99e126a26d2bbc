"""config.yaml, read and checked once; frozen from then on.

Every problem is reported at once, with its line and the way out. Secrets are not in it: `tokens.py` of the redcap
room and the packer's own files hold those.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from redcap_rules.logic import Expression, LogicError, parse
from trialdesk.errors import ConfigError
from trialdesk.model import Pile

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCE = re.compile(r"\[([a-z0-9_]+)\]\[([a-z][a-z0-9_]*)\]")


class FieldRef(NamedTuple):
    """A field in an event, written `[event][field]`."""

    event: str
    field: str


def _reference(value: object) -> FieldRef:
    if isinstance(value, FieldRef):
        return value
    found = REFERENCE.fullmatch(str(value))
    if not found:
        msg = f"{value!r} is not [event][field], for example [screening_arm_1][elig_date]"
        raise ValueError(msg)
    return FieldRef(*found.groups())


def _logic(value: object) -> Expression:
    if not isinstance(value, str):
        msg = "REDCap logic is text: put it in double quotes"
        raise ValueError(msg)  # noqa: TRY004 - pydantic reports ValueError, not TypeError
    try:
        return parse(value)
    except LogicError as error:
        msg = f"REDCap logic can't be read: {error}"
        raise ValueError(msg) from None


def _month_day(value: object) -> tuple[int, int]:
    try:
        month, day = str(value).split("-")
        return date(2000, int(month), int(day)).timetuple()[1:3]
    except ValueError:
        msg = f"{value!r} is not month-day, for example 12-24"
        raise ValueError(msg) from None


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        msg = f"{value!r} is not a time zone; for Denmark write Europe/Copenhagen"
        raise ValueError(msg)
    return value


def _quiet_hour(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        msg = f'{value!r} is not a time of day; write it as HH:MM in quotes, for example "04:30"'
        raise ValueError(msg)
    if value.startswith("02:"):
        msg = f"{value} does not exist in the night of the spring change and comes twice in autumn; choose another hour"
        raise ValueError(msg)
    return value


def _api_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+/(?:[^\s?#]*/)?api/", value):
        msg = f"{value!r} is not a REDCap API address: it ends in /api/, for example https://redcap.example.org/api/"
        raise ValueError(msg)
    if value.startswith("http://") and not re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])[:/]", value):
        msg = "a token may only travel over https://; plain http:// is for a server on this machine"
        raise ValueError(msg)
    return value


def _age_recipient(value: str) -> str:
    if not re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", value):
        msg = f"{value!r} is not an age public key (age1…, 62 characters); age-keygen prints one"
        raise ValueError(msg)
    return value


def _profile(value: str) -> str:
    if not re.fullmatch(r"monitor|closed|site:[A-Z0-9]+", value):
        msg = f"{value!r} is not a report profile: use monitor, closed or site:CODE"
        raise ValueError(msg)
    return value


Reference = Annotated[FieldRef, BeforeValidator(_reference)]
Logic = Annotated[Expression, BeforeValidator(_logic)]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9]+$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Window = tuple[Annotated[int, Field(le=0)], Annotated[int, Field(ge=0)]]


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
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    closed_days: tuple[Annotated[tuple[int, int], BeforeValidator(_month_day)], ...] = ()
    language: Literal["da", "en"]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which a day begins."""
        return ZoneInfo(self.time_zone)


class Redcap(Part):
    """Where REDCap is and how patiently it is asked."""

    url: Annotated[str, AfterValidator(_api_url)]
    tokens_file: Path | None = None
    connect_seconds: Annotated[float, Field(gt=0)] = 10
    read_seconds: Annotated[float, Field(gt=0)] = 120
    batch: Annotated[int, Field(gt=0)] = 100


class Folders(Part):
    """Where instruments (trial/ and register/), sealed tables and reports are, from the configuration's folder."""

    instruments: Path
    tables: Path
    reports: Path


class Arm(Part):
    """One arm; `code` is what REDCap stores. `may_change_from_day` counts from the opening of the envelope."""

    code: str
    name: str
    label: str
    ratio: Annotated[int, Field(gt=0)] = 1
    may_change_from_day: Annotated[int, Field(ge=0)] | None = None


class Level(Part):
    """One level of a factor: its letter in the stratum code and the value REDCap stores."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9]$")]
    value: str
    label: str


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
    recipients: tuple[Annotated[str, AfterValidator(_age_recipient)], ...] = ()
    blocks_file: Path


class Requirement(Part):
    """What must be true before a release, and what to say otherwise."""

    require: Logic
    otherwise: str


class Facts(Part):
    """Which field holds which fact."""

    site: Reference
    screened_on: Reference
    not_enrolled_reason: Reference
    consented_on: Reference
    released_envelope: Reference
    released_at: Reference
    envelope: Reference
    opened_on: Reference
    opened_time: Reference
    arm: Reference
    card_code: Reference
    procedure_on: Reference
    arm_change_on: Reference
    died_on: Reference
    left_on: Reference


class States(Part):
    """What is true of a patient, in REDCap logic over the whole record."""

    declined: Logic
    not_eligible: Logic
    not_invited: Logic
    not_randomised: Logic
    procedure_done: Logic
    arm_changed: Logic
    completed: Logic
    lost: Logic
    dead: Logic
    withdrawn_from_treatment: Logic
    withdrawn_from_contact: Logic
    withdrawn_from_data: Logic


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


class CallPlan(Part):
    """Which fields show a patient's next contact in REDCap; only the nightly run writes them."""

    next: Reference
    target: Reference
    opens: Reference
    closes: Reference
    planned: Reference
    version: Reference


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

    @property
    def fields(self) -> tuple[str, ...]:
        """The named fields of this form that are set, in the order above."""
        named = (self.date, self.attempts, self.callback_date, self.callback_time)
        return tuple(name for name in (*named, self.preferred_weekday, self.preferred_time) if name)


class ContactRule(Part):
    """One contact of the follow-up: target = anchor + days or calendar months; window in days around the target."""

    code: Code
    label: str
    event: Name
    form: Name
    anchor: Literal["enrolment", "procedure"]
    days: Annotated[int, Field(ge=0)] | None = None
    months: Annotated[int, Field(ge=0)] | None = None
    window: Window
    grace: Annotated[int, Field(ge=0)] = 0
    primary: bool = False

    @model_validator(mode="after")
    def _one_distance(self) -> Self:
        if (self.days is None) == (self.months is None):
            msg = f"{self.code}: give either days or months"
            raise ValueError(msg)
        return self


class Calls(Part):
    """How many calls one day holds before the planner levels."""

    a_day: Annotated[int, Field(gt=0)] = 12


class Nightly(Part):
    """When the long-running form of the nightly run starts, in the trial's time zone."""

    at: Annotated[str, AfterValidator(_quiet_hour)] = "04:30"


class Recipient(Part):
    """Who receives which report."""

    profile: Annotated[str, AfterValidator(_profile)]
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class Config(Part):
    """The whole configuration; `home` is the folder its paths count from."""

    home: Path
    trial: Trial
    redcap: Redcap
    folders: Folders
    arms: Annotated[tuple[Arm, ...], Field(min_length=2)]
    strata: Annotated[tuple[Factor, ...], Field(min_length=1)]
    sites: Annotated[tuple[Site, ...], Field(min_length=1)]
    envelopes: Envelopes
    release: tuple[Requirement, ...]
    facts: Facts
    states: States
    death_signs: tuple[DeathSign, ...] = ()
    funnel: Annotated[tuple[Step, ...], Field(min_length=1)]
    call_plan: CallPlan
    contact_forms: dict[str, ContactForm]
    contacts: tuple[ContactRule, ...]
    calls: Calls = Calls()
    nightly: Nightly = Nightly()
    recipients: tuple[Recipient, ...] = ()

    def path(self, where: Path) -> Path:
        """`where` as an absolute path, counted from the folder of the configuration."""
        return (self.home / where).resolve()

    @cached_property
    def stratum_levels(self) -> Mapping[str, tuple[Level, ...]]:
        """Stratum code to its levels, in configured order: K1N … N2F for this trial."""
        combinations = product(*(factor.levels for factor in self.strata))
        return {"".join(level.code for level in levels): levels for levels in combinations}

    @cached_property
    def piles(self) -> tuple[Pile, ...]:
        """Every site × stratum, sites and strata in configured order."""
        return tuple(Pile(site.code, code) for site in self.sites for code in self.stratum_levels)

    def stratum_label(self, code: str) -> str:
        """The levels of a stratum in words, for example `Known myeloma, 1 level, No former fracture`."""
        return ", ".join(level.label for level in self.stratum_levels[code])

    def stratum_of(self, values: Sequence[str]) -> str:
        """The stratum code of the stored factor values in configured order, or "" if one is blank or unknown."""
        codes = [
            next((level.code for level in factor.levels if level.value == value), "")
            for factor, value in zip(self.strata, values, strict=True)
        ]
        return "".join(codes) if all(codes) else ""

    @cached_property
    def sites_by_code(self) -> Mapping[str, Site]:
        """Site code to site."""
        return {site.code: site for site in self.sites}

    @cached_property
    def arms_by_code(self) -> Mapping[str, Arm]:
        """Arm code, as REDCap stores it, to arm."""
        return {arm.code: arm for arm in self.arms}

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        problems = list(self._misfits())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _misfits(self) -> Iterator[str]:
        lists: tuple[tuple[str, Sequence[str]], ...] = (
            ("arms: code", [arm.code for arm in self.arms]),
            ("sites: code", [site.code for site in self.sites]),
            ("funnel: code", [step.code for step in self.funnel]),
            ("contacts: code", [rule.code for rule in self.contacts]),
            *((f"strata: level code of {f.name}", [lv.code for lv in f.levels]) for f in self.strata),
            *((f"strata: level value of {f.name}", [lv.value for lv in f.levels]) for f in self.strata),
        )
        for name, values in lists:
            for value in sorted(v for v, times in Counter(values).items() if times > 1):
                yield f"{name} {value} stands twice; give each its own"
        for rule in self.contacts:
            if rule.form not in self.contact_forms:
                forms = ", ".join(self.contact_forms)
                yield f"contacts: {rule.code}: form {rule.form} is not under contact_forms ({forms})"
        for recipient in self.recipients:
            kind, _, code = recipient.profile.partition(":")
            if kind == "site" and code not in self.sites_by_code:
                yield f"recipients: {recipient.profile}: no such site; sites are {', '.join(self.sites_by_code)}"
        if self.trial.ends <= self.trial.starts:
            yield "trial: ends is not after starts"
        parts = sum(arm.ratio for arm in self.arms)
        if self.envelopes.batch % parts:
            yield f"envelopes: batch {self.envelopes.batch} is not a multiple of {parts} (the sum of the arms' ratios)"


def load(path: Path) -> Config:
    """The checked configuration in `path`.

    Raises:
        ConfigError: the file is missing, is not YAML, or has problems; every problem is listed with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name the trial's configuration with --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read ({type(error).__name__}); it has to be UTF-8 text") from None
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = (error.problem_mark or error.context_mark).line + 1 if error.problem_mark or error.context_mark else 1
        what = str(error.problem or error.context).strip().splitlines()[0]
        raise ConfigError(f"{path.name}:{line}: not YAML: {what}") from None
    except YAMLError as error:
        raise ConfigError(f"{path.name}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{path.name}:1: the file is not a list of settings; start from the config.yaml of the project"
        )
    try:
        return Config.model_validate({**tree, "home": path.resolve().parent})
    except ValidationError as error:
        raise ConfigError(*_lines(error, tree, path.name)) from None


def _lines(error: ValidationError, tree: Any, name: str) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_context=False):
        place = tuple(step for step in problem["loc"] if not str(step).startswith(("function-", "tuple[")))
        where = ".".join(str(step) for step in place)
        for message in problem["msg"].removeprefix("Value error, ").splitlines():
            line = _line(tree, place)
            yield f"{name}:{line}: {where + ': ' if where else ''}{_plain(problem['type'], message, problem['input'])}"


def _plain(kind: str, message: str, given: object) -> str:
    match kind:
        case "missing":
            return "is missing; add it (see the project's own config.yaml)"
        case "extra_forbidden":
            return "is not a setting; check the spelling or remove it"
        case "string_type":
            return f"{given!r} is read as a number or date; put it in quotes"
        case "value_error":
            return message
        case _:
            return f"{message[0].lower()}{message[1:]} (found {given!r})"


def _line(tree: Any, place: tuple[int | str, ...]) -> int:
    """The line (from 1) of the deepest part of `place` that is in the file."""
    line = 1
    for step in place:
        try:
            position = tree.lc.item(step) if isinstance(step, int) else tree.lc.key(step)
            line, tree = position[0] + 1, tree[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
