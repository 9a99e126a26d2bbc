"""The cast: which parts are played, how far each one gets, and which of them breaks the protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain, cycle, islice

from rehearsal.script import PartOf, Script, of_all
from trialdesk.config import Config


class Reach(IntEnum):
    """How far a patient gets."""

    SCREENED = 1
    CONSENTED = 2
    ASSESSED = 3
    BASELINE = 4
    READY = 5
    RELEASED = 6
    OPENED = 7


@dataclass(frozen=True)
class Role:
    """One part by its name."""

    name: str
    part: PartOf

    @property
    def reach(self) -> Reach:
        """How far the patient gets."""
        return Reach[self.part.reach.upper()]


ORDINARY = "ordinary"
# Parts that the code itself plays: what happens to an envelope, and a site field that names another site.
UNRELEASED, OTHER_ENVELOPE, WRONG_CODE, OTHER_SITE = "unreleased", "other_envelope", "wrong_code", "other_site"
LEFT = ("dead", "lost", "withdrawn_from_treatment", "withdrawn_from_contact", "withdrawn_from_data")

_OPENED = (430, 27)
OWN: Mapping[str, PartOf] = {
    ORDINARY: PartOf(age=_OPENED),
    "released": PartOf(reach="released", age=(17, 15), alone=True),
    "ready": PartOf(reach="ready", age=(17, 15)),
    UNRELEASED: PartOf(age=(60, 40), alone=True, rules=("R21",), sentence="the envelope was opened without a release"),
    OTHER_ENVELOPE: PartOf(
        age=(34, 28), alone=True, rules=("R02", "R49"),
        sentence="the next envelope of the pile was opened instead of the released one",
    ),
    WRONG_CODE: PartOf(rules=("R11",), sentence="a card code was typed that is not on the card"),
    OTHER_SITE: PartOf(
        reach="screened", state="declined", rules=("R52",),
        sentence="the site field names another department than the data access group",
    ),
    "declined": PartOf(reach="screened", age=_OPENED, state="declined"),
    "not_eligible": PartOf(reach="screened", age=_OPENED, state="not_eligible"),
    "not_invited": PartOf(reach="screened", age=_OPENED, state="not_invited"),
    "not_randomised": PartOf(reach="baseline", state="not_randomised"),
    **{state: PartOf(state=state) for state in LEFT},
    "screened": PartOf(reach="screened", age=(3, 0)),
    "consented": PartOf(reach="consented", age=(9, 6)),
}  # fmt: skip
_FILLING = (*[ORDINARY] * 3, "declined", *[ORDINARY] * 3, "not_eligible")
_BEFORE_FILLING = 10


def roles(script: Script, config: Config) -> Mapping[str, Role]:
    """Every part this trial can play: the rehearsal's own, as far as the trial has their state, and its script's."""
    own = {name: part for name, part in OWN.items() if not part.state or part.state in config.states.known}
    parts = {name: _both(own[name], part) if name in own else part for name, part in script.parts.items()}
    return {name: Role(name, part) for name, part in of_all(own, parts).items()}


def cast(patients: int, script: Script, config: Config) -> Iterator[Role]:
    """The parts of a trial with so many screened patients; the first ones show the most."""
    known = roles(script, config)
    bill = script.bill or (*(name for name in known if name != ORDINARY), *[ORDINARY] * _BEFORE_FILLING)
    filling = script.filling or [name for name in _FILLING if name in known]
    return islice(map(known.__getitem__, chain(_with_ordinary(bill), cycle(filling))), patients)


def _with_ordinary(bill: Sequence[str]) -> Iterator[str]:
    """A bill that names no ordinary patient among its first three gets one there: somebody has to be followed up."""
    if ORDINARY in bill[:3]:
        return iter(bill)
    return chain(bill[:2], [ORDINARY], bill[2:])


def _both(own: PartOf, more: PartOf) -> PartOf:
    """A part of the rehearsal's own with what a script adds to it."""
    added = {name: getattr(more, name) for name in more.model_fields_set}
    added["rules"] = (*own.rules, *more.rules)
    return own.model_copy(update=added)
