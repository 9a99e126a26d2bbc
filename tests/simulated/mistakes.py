"""What people do wrong: each mistake with the rules that have to name it, by when, and how it is put right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from rehearsal.admission import mistyped
from rehearsal.sheets import Sheet
from trialdesk.model import Finding

if TYPE_CHECKING:
    from rehearsal.patient import Patient
    from simulated.world import World

BEFORE_A_NIGHT = timedelta(days=8)
"""So long it takes at most until a night is run in which only a window has changed."""
WEEKS_OFF = ("W05", "W06", "W07")
KEY_WEEK = "W04"
LATE = timedelta(days=21)


@dataclass
class Planted:
    """A mistake that was made: one of its rules has to name the record until `by`, and none the night after `mended`.

    `says` is what stands in the text of the finding, where a rule may name the record for other reasons too.
    """

    kind: str
    record: str
    rules: tuple[str, ...]
    by: date
    says: str = ""
    mended: date | None = None
    named: bool = False

    def found(self, findings: Iterable[Finding]) -> bool:
        """Whether the findings name it."""
        return any(one.record == self.record and one.rule in self.rules and self.says in one.text for one in findings)


Spoil = Callable[["World", "Patient", Mapping[str, str]], "dict[str, str] | None"]


class AtOpening(NamedTuple):
    """A mistake while the opening is typed in: its rule, and what is typed otherwise; None where it can't be made."""

    rule: str
    spoil: Spoil


def _code(world: World, _: Patient, typed: Mapping[str, str]) -> dict[str, str]:
    name = world.stage.config.facts.card_code.field
    return {name: mistyped(typed[name])}


def _arm(world: World, _: Patient, typed: Mapping[str, str]) -> dict[str, str]:
    name = world.stage.config.facts.arm.field
    return {name: next(arm.code for arm in world.stage.config.arms if arm.code != typed[name])}


def _year(by: int) -> Spoil:
    def spoil(world: World, _: Patient, typed: Mapping[str, str]) -> dict[str, str] | None:
        name = world.stage.config.facts.opened_on.field
        year, month_and_day = int(typed[name][:4]), typed[name][4:]
        return None if month_and_day == "-02-29" else {name: f"{year + by}{month_and_day}"}

    return spoil


def _blank(fact: str) -> Spoil:
    return lambda world, _patient, _typed: {getattr(world.stage.config.facts, fact).field: ""}


def _used(world: World, patient: Patient, _: Mapping[str, str]) -> dict[str, str] | None:
    """The number of an envelope that another patient of the site has opened."""
    ref = world.stage.config.facts.envelope
    others = (
        world.ledger.value(life.record, ref.event, ref.field)
        for life in world.story.lives
        if life.site == patient.life.site and life.record != patient.life.record
    )
    name = next(filter(None, others), "")
    return {ref.field: name} if name else None


AT_OPENING: Mapping[str, AtOpening] = {
    "card code typed wrong": AtOpening("R11", _code),
    "the other arm ticked": AtOpening("R11", _arm),
    "opening dated a year ahead": AtOpening("R54", _year(1)),
    "opening dated a year back": AtOpening("R13", _year(-1)),
    "envelope number left out": AtOpening("R26", _blank("envelope")),
    "day of opening left out": AtOpening("R53", _blank("opened_on")),
    "another patient's envelope typed in": AtOpening("R07", _used),
}
WRONG_PILE = "an envelope of another pile opened"
NO_CALLS, LATE_WEEK, UNDATED = "no calls for three weeks", "the key week entered late", "a contact without its day"
STRATUM, MOVED, TWICE = "stratum changed afterwards", "moved to another group", "entered twice"
CONSENT_AHEAD, DEATH_LATE = "consent dated a year ahead", "death told late"
EVERY = (*AT_OPENING, WRONG_PILE, NO_CALLS, LATE_WEEK, UNDATED, STRATUM, MOVED, TWICE, CONSENT_AHEAD)
"""Those of patients who are followed up as usual."""
_SHARE = 0.4
"""Of these patients so many have a mistake made about them."""


def assigned(world: World, ordinary: Iterable[str]) -> Mapping[str, str]:
    """Record to the mistake that will be made, every kind as often as any other."""
    dice = world.chance("mistakes")
    records = [record for record in ordinary if dice.random() < _SHARE]
    kinds: list[str] = []
    while len(kinds) < len(records):
        kinds += dice.sample(EVERY, len(EVERY))
    return dict(zip(records, kinds, strict=False))


def without(sheets: Iterable[Sheet], events: Iterable[str]) -> list[Sheet]:
    """The sheets but for those of these events."""
    left = {*events}
    return [sheet for sheet in sheets if sheet.event not in left]


def changed(sheet: Sheet, values: Mapping[str, str]) -> Sheet:
    """The sheet with other values; what is blank was not typed at all."""
    every = {**sheet.values, **values}
    return replace(sheet, values={name: value for name, value in every.items() if value or name not in values})
