"""Where a story plays: the trial's configuration, its instruments, and its script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from redcap_rules.calculation import Calculations
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.formulas import is_computed
from redcap_rules.logic import Expression, parse
from rehearsal.chart import Page
from rehearsal.script import Script
from rehearsal.wishes import Wishes, named, wishes
from rehearsal.writing import faults
from trialdesk.config import Config
from trialdesk.errors import ConfigError
from trialdesk.instruments.design import Design

# An ordinary patient's chart never shows one of these.
_WAYS_OUT = ("declined", "not_eligible", "not_invited", "not_randomised", "dead", "lost")
_READ_ONLY = "@READONLY"
_NOT_ENTERED = ("descriptive", "file", "sql")


@dataclass(frozen=True)
class Setting:
    """What the rehearsal knows of a trial; nothing of it names a field in the code."""

    config: Config
    design: Design
    script: Script

    @property
    def dictionary(self) -> Dictionary:
        """The trial's fields."""
        return self.design.dictionary

    @property
    def sites(self) -> Sequence[str]:
        """Site codes, busiest first."""
        return [site.code for site in self.config.sites]

    @property
    def strata(self) -> Sequence[str]:
        """Stratum codes in configured order."""
        return list(self.config.stratum_levels)

    @cached_property
    def calculations(self) -> Calculations:
        """The calculated fields."""
        forms: dict[str, set[str]] = {}
        for slot in self.design.mapping:
            forms.setdefault(slot.form, set()).add(slot.event)
        return Calculations(self.dictionary, forms, self._repeating)

    @cached_property
    def admission(self) -> Sequence[tuple[str, str, str]]:
        """Step, event and form of everything before the envelope, in the order in which it is filled in.

        Steps are screened up to the consent form, consented with it, assessed after it, and baseline in later events.
        """
        facts, events = self.config.facts, [event.name for event in self.design.events]
        before = events[: events.index(facts.opened_on.event)]
        forms = [(event, form) for event in before for form in self.forms(event)]
        consent = forms.index((facts.consented_on.event, self.dictionary.form_of(facts.consented_on.field)))

        def step(number: int, event: str) -> str:
            if number <= consent:
                return "consented" if number == consent else "screened"
            return "assessed" if event == facts.consented_on.event else "baseline"

        return [(step(number, event), event, form) for number, (event, form) in enumerate(forms)]

    def forms(self, event: str) -> Sequence[str]:
        """The forms of an event, in order of the dictionary."""
        here = {slot.form for slot in self.design.mapping if slot.event == event}
        return [form for form in self.dictionary.forms if form in here]

    def event_of(self, form: str) -> str:
        """The event in which a form stands, the first if there are several."""
        return next(slot.event for slot in self.design.mapping if slot.form == form)

    def repeats(self, event: str, form: str) -> bool:
        """Whether a form has instances."""
        return (event, form) in self._repeating

    @cached_property
    def _repeating(self) -> frozenset[tuple[str, str]]:
        return frozenset((repeat.event, repeat.form) for repeat in self.design.repeating)

    @cached_property
    def avoided(self) -> Mapping[str, frozenset[str]]:
        """Column to the codes that would send a patient away; chance never chooses them."""
        known = self.config.states.known
        logic = [known[name] for name in _WAYS_OUT if name in known]
        found: dict[str, frozenset[str]] = {}
        for expression in (*logic, *(sign.logic for sign in self.config.death_signs)):
            for column, codes in named(expression).items():
                found[column] = found.get(column, frozenset()) | codes
        return found

    def ready(self, stratum: str) -> Wishes:
        """What is entered for a patient of a stratum who may be randomised: every release condition is met."""
        levels = zip(self.config.strata, self.config.stratum_levels[stratum], strict=True)
        known = {(factor.field.event, factor.field.field): level.value for factor, level in levels}
        conditions = [requirement.require for requirement in self.config.release]
        return {**wishes(conditions, self.dictionary, known), **known}

    def state(self, name: str) -> Wishes:
        """What is entered so that a state of the configuration becomes true."""
        return wishes([self.config.states.known[name]], self.dictionary, {})

    def enterable(self, form: str) -> Sequence[Field]:
        """The fields of a form that a person fills in."""
        return [
            field
            for field in self.dictionary.form(form)
            if not is_computed(field)
            and field.kind not in _NOT_ENTERED
            and _READ_ONLY not in field.annotation
            and field.name != self.dictionary.record_id
        ]

    def rule(self, place: Page, field: str, values: Mapping[str, Any]) -> tuple[bool, Any]:
        """Whether values say how a field is filled in, and how: by event, by name, or by pattern."""
        for name in (f"[{place.event}][{field}]", field):
            if name in values:
                return True, values[name]
        found = [rule for name, rule in values.items() if ("*" in name or "?" in name) and fnmatchcase(field, name)]
        return bool(found), found[-1] if found else None

    @cached_property
    def branching(self) -> Mapping[str, Expression]:
        """Field to the condition under which it is shown."""
        return {field.name: parse(field.branching) for field in self.dictionary.fields if field.branching}


def setting_of(config: Config, design: Design, script: Script) -> Setting:
    """The setting, once everything the script names is there.

    Raises:
        ConfigError: the script names a form, field, day or kind of value that there is none of.
    """
    wrong = list(faults(script, design, config))
    if wrong:
        raise ConfigError(*wrong)
    return Setting(config, design, script)
