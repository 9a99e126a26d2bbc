"""The configuration as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Annotated

from pydantic import Field

from trialdesk.config.crosschecks import Crosschecks
from trialdesk.config.logs import Logs, TreatmentValue
from trialdesk.config.parts import (
    CLOSED,
    PROCEDURE,
    Anchor,
    Arm,
    Calendars,
    CallLog,
    CallPlan,
    Calls,
    Closed,
    ContactForm,
    ContactRule,
    Criterion,
    Dataset,
    DeathSign,
    Envelopes,
    Factor,
    Facts,
    Folders,
    Level,
    Machines,
    Mail,
    Nightly,
    Part,
    Recipient,
    Redcap,
    Requirement,
    Retention,
    Site,
    States,
    Step,
    Trial,
)
from trialdesk.config.values import FieldRef, Name, Reference
from trialdesk.model import Pile

UNSTRATIFIED = "0"
"""The code of the one stratum of a trial without factors, as it stands in envelope numbers."""


class Config(Part):
    """The whole configuration; `home` is the folder its paths count from."""

    home: Path
    trial: Trial
    redcap: Redcap
    folders: Folders
    arms: Annotated[tuple[Arm, ...], Field(min_length=2)]
    strata: tuple[Factor, ...] = ()
    sites: Annotated[tuple[Site, ...], Field(min_length=1)]
    envelopes: Envelopes
    release: tuple[Requirement, ...]
    facts: Facts
    states: States
    death_signs: tuple[DeathSign, ...] = ()
    crosschecks: Crosschecks | None = None
    logs: Logs = Logs()
    treatment_values: tuple[TreatmentValue, ...] = ()
    arm_free: tuple[Name, ...] = ()
    outcomes: tuple[Name, ...] = ()
    baseline: tuple[Reference, ...] = ()
    funnel: Annotated[tuple[Step, ...], Field(min_length=1)]
    criteria: tuple[Criterion, ...] = ()
    call_plan: CallPlan | None = None
    call_log: CallLog | None = None
    anchors: dict[Name, Anchor] = Field(default_factory=dict)
    contact_forms: dict[str, ContactForm]
    contacts: tuple[ContactRule, ...]
    calls: Calls = Calls()
    calendars: Calendars = Calendars()
    closed: Closed = Closed()
    dataset: Dataset = Dataset()
    nightly: Nightly = Nightly()
    retention: Retention = Retention()
    mail: Mail | None = None
    machines: Machines | None = None
    recipients: tuple[Recipient, ...] = ()

    def delivered(self) -> Mapping[str, FieldRef]:
        """The anchors that tell the treatment, with their dates: the procedure, and those not every arm has."""
        own = {name: anchor.date for name, anchor in self.anchors.items() if not anchor.every_arm}
        return {**({PROCEDURE: self.facts.procedure_on} if self.facts.procedure_on else {}), **own}

    def tells_arm(self, rule: ContactRule) -> bool:
        """Whether a contact takes place only because of a treatment: for some arms, or counted from its delivery."""
        return bool(rule.arms) or rule.anchor in self.delivered()

    def path(self, where: Path) -> Path:
        """`where` as an absolute path, counted from the folder of the configuration."""
        return (self.home / where).resolve()

    @property
    def reports(self) -> Path:
        """Where runs are published."""
        return self.path(self.folders.reports)

    @property
    def state(self) -> Path:
        """Where the desk's memory is."""
        return self.path(self.folders.state or self.folders.reports)

    @property
    def sealed_for(self) -> tuple[str, ...]:
        """The age public keys that the closed report, and what it needs, is sealed for."""
        return tuple(one.age for one in self.recipients if one.profile == CLOSED and one.age)

    @property
    def digest(self) -> str:
        """A digest of all of it, wherever its folder is."""
        return sha256(repr(self.model_dump(exclude={"home"})).encode()).hexdigest()

    @cached_property
    def stratum_levels(self) -> Mapping[str, tuple[Level, ...]]:
        """Stratum code to its levels, in configured order, such as K1N … N2F; one stratum without factors."""
        combinations = product(*(factor.levels for factor in self.strata))
        return {"".join(level.code for level in levels) or UNSTRATIFIED: levels for levels in combinations}

    @cached_property
    def piles(self) -> tuple[Pile, ...]:
        """Every site × stratum, sites and strata in configured order."""
        return tuple(Pile(site.code, code) for site in self.sites for code in self.stratum_levels)

    def stratum_label(self, code: str, language: str = "") -> str:
        """The levels of a stratum in words, for example `Known myeloma, 1 level, No former fracture`."""
        return ", ".join(level.label_in(language) for level in self.stratum_levels[code]) or "all patients"

    def stratum_of(self, values: Sequence[str]) -> str:
        """The stratum code of the stored factor values in configured order, or "" if one is blank or unknown."""
        codes = [
            next((level.code for level in factor.levels if level.value == value), "")
            for factor, value in zip(self.strata, values, strict=True)
        ]
        return ("".join(codes) or UNSTRATIFIED) if all(codes) else ""

    @cached_property
    def sites_by_code(self) -> Mapping[str, Site]:
        """Site code to site."""
        return {site.code: site for site in self.sites}

    @cached_property
    def arms_by_code(self) -> Mapping[str, Arm]:
        """Arm code, as REDCap stores it, to arm."""
        return {arm.code: arm for arm in self.arms}
