"""Whether the blocks of the configuration fit one another; looks at those that could be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trialdesk.config.parts import (
    ENROLMENT,
    PROCEDURE,
    Arm,
    Calls,
    Closed,
    ContactForm,
    ContactRule,
    Criterion,
    Factor,
    Facts,
    Folders,
    Recipient,
    Site,
    States,
    Step,
    Trial,
)

Setting = tuple[str | int, ...]
"""Where in the configuration something stands: names of blocks and settings, numbers in lists from 0."""

Misfit = tuple[Setting, str]


def misfits(blocks: Mapping[str, Any]) -> Iterator[Misfit]:
    """Setting and message of everything that does not fit; blocks that could not be read are missing from `blocks`."""
    for needed, find in RULES:
        if all(name in blocks for name in needed):
            yield from find(*(blocks[name] for name in needed))


def _twice(named: Iterable[tuple[Setting, str]]) -> Iterator[Misfit]:
    seen: set[str] = set()
    for place, value in named:
        if value in seen:
            yield place, f"{value} stands twice; give each its own"
        seen.add(value)


def _arms(arms: tuple[Arm, ...]) -> Iterator[Misfit]:
    for name in ("code", "name"):
        yield from _twice((("arms", n, name), getattr(arm, name)) for n, arm in enumerate(arms))


def _strata(strata: tuple[Factor, ...]) -> Iterator[Misfit]:
    for number, factor in enumerate(strata):
        place: Setting = ("strata", number, "levels")
        for name in ("code", "value"):
            yield from _twice(((*place, n, name), getattr(level, name)) for n, level in enumerate(factor.levels))


def _sites(sites: tuple[Site, ...]) -> Iterator[Misfit]:
    yield from _twice((("sites", n, "code"), site.code) for n, site in enumerate(sites))
    for number, site in enumerate(sites):
        if site.closes and site.closes < site.opens:
            yield ("sites", number, "closes"), f"{site.code} closes before it opens"


def _funnel(funnel: tuple[Step, ...]) -> Iterator[Misfit]:
    yield from _twice((("funnel", n, "code"), step.code) for n, step in enumerate(funnel))


def _criteria(criteria: tuple[Criterion, ...]) -> Iterator[Misfit]:
    yield from _twice((("criteria", n, "label"), criterion.label) for n, criterion in enumerate(criteria))


def _anchored(
    contacts: tuple[ContactRule, ...], facts: Facts, anchors: Mapping[str, object], arms: tuple[Arm, ...]
) -> Iterator[Misfit]:
    known = [ENROLMENT, *([PROCEDURE] if facts.procedure_on else []), *anchors]
    codes = [arm.code for arm in arms]
    for name in {ENROLMENT, PROCEDURE} & anchors.keys():
        yield ("anchors", name), f"{name} is counted from the facts; give a date of your own another name"
    for number, rule in enumerate(contacts):
        if rule.anchor not in known:
            yield ("contacts", number, "anchor"), f"{rule.anchor} is no anchor; there are {', '.join(known)}"
        for code in rule.arms:
            if code not in codes:
                yield ("contacts", number, "arms"), f"there is no arm {code}; arms are {', '.join(codes)}"


def _told(facts: Facts, states: States) -> Iterator[Misfit]:
    """A date that means nothing without its state, and a state that needs its date."""
    for fact, state in (("procedure_on", "procedure_done"), ("arm_change_on", "arm_changed")):
        if (getattr(facts, fact) is None) != (getattr(states, state) is None):
            yield ("facts", fact), f"goes with states.{state}: give both, or leave both out"


def _contacts(contacts: tuple[ContactRule, ...], forms: Mapping[str, ContactForm]) -> Iterator[Misfit]:
    yield from _twice((("contacts", n, "code"), rule.code) for n, rule in enumerate(contacts))
    for number, rule in enumerate(contacts):
        if rule.form not in forms:
            yield ("contacts", number, "form"), f"{rule.form} is not under contact_forms ({', '.join(forms)})"


def _recipients(recipients: tuple[Recipient, ...], sites: tuple[Site, ...]) -> Iterator[Misfit]:
    codes = [site.code for site in sites]
    for number, recipient in enumerate(recipients):
        kind, _, code = recipient.profile.partition(":")
        if kind == "site" and code not in codes:
            yield ("recipients", number, "profile"), f"there is no site {code}; sites are {', '.join(codes)}"


def _calls(calls: Calls, folders: Folders, sites: tuple[Site, ...]) -> Iterator[Misfit]:
    codes = [site.code for site in sites]
    for number, leave in enumerate(calls.leave):
        if leave.site and leave.site not in codes:
            yield ("calls", "leave", number, "site"), f"there is no site {leave.site}; sites are {', '.join(codes)}"
    if folders.reports != Path() and calls.key.is_relative_to(folders.reports):
        yield ("calls", "key"), "lies among the reports, which are handed on; name a file outside them"


def _trial(trial: Trial) -> Iterator[Misfit]:
    if trial.ends <= trial.starts:
        yield ("trial", "ends"), "is not after starts"


def _closed(closed: Closed, arms: tuple[Arm, ...]) -> Iterator[Misfit]:
    if closed.masked and len({arm.ratio for arm in arms}) > 1:
        yield ("closed", "masked"), "arms of other ratios are known by their numbers; leave it out, or set it to false"


RULES: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Misfit]]], ...] = (
    (("trial",), _trial),
    (("arms",), _arms),
    (("strata",), _strata),
    (("sites",), _sites),
    (("funnel",), _funnel),
    (("criteria",), _criteria),
    (("contacts", "contact_forms"), _contacts),
    (("contacts", "facts", "anchors", "arms"), _anchored),
    (("facts", "states"), _told),
    (("recipients", "sites"), _recipients),
    (("closed", "arms"), _closed),
    (("calls", "folders", "sites"), _calls),
)
