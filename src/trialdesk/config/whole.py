"""The configuration as a whole, and whether its blocks fit one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from trialdesk.config.crosschecks import Crosschecks
from trialdesk.config.parts import (
    Arm,
    CallPlan,
    Calls,
    ContactForm,
    ContactRule,
    DeathSign,
    Envelopes,
    Factor,
    Facts,
    Folders,
    Level,
    Nightly,
    Part,
    Recipient,
    Redcap,
    Requirement,
    Site,
    States,
    Step,
    Trial,
)
from trialdesk.model import Pile


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
    crosschecks: Crosschecks | None = None
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
