"""The meaning of every code, frozen when tables are made: what may never change while their envelopes are in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from redcap_rules.dictionary import Dictionary
from trialdesk.config import Arm, Config, FieldRef, Level


@dataclass(frozen=True, slots=True)
class Word:
    """One code: what REDCap stores for it, and what it is called."""

    code: str
    value: str
    name: str


@dataclass(frozen=True, slots=True)
class Factor:
    """One stratification factor: its field, and its levels in order."""

    name: str
    field: str
    levels: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """What the tables were made for; `arms` hold code and name, `ratios` their ratios in the same order."""

    trial: str
    domain: str
    sites: tuple[str, ...]
    factors: tuple[Factor, ...]
    arms: tuple[Word, ...]
    ratios: tuple[int, ...]

    def __str__(self) -> str:
        arms = ", ".join(f"{a.code} = {a.name} ({ratio})" for a, ratio in zip(self.arms, self.ratios, strict=True))
        factors = (
            f"{factor.name}: " + ", ".join(f"{one.code} = {one.name} (stored {one.value})" for one in factor.levels)
            for factor in self.factors
        )
        return "\n".join((f"{self.trial}, {self.domain}", f"sites {', '.join(self.sites)}", f"arms {arms}", *factors))


def codes_of(config: Config) -> Codes:
    """The meaning of the codes as the configuration has it."""
    return Codes(
        config.trial.id,
        config.envelopes.domain,
        tuple(site.code for site in config.sites),
        tuple(
            Factor(
                factor.name,
                _written(factor.field),
                tuple(Word(level.code, level.value, level.label) for level in factor.levels),
            )
            for factor in config.strata
        ),
        tuple(Word(arm.code, arm.code, arm.name) for arm in config.arms),
        tuple(arm.ratio for arm in config.arms),
    )


def _written(ref: FieldRef) -> str:
    """A field as the configuration names it, `[event][field]`."""
    return (f"[{ref.event}]" if ref.event else "") + f"[{ref.field}]"


def codes_from(told: Mapping[str, Any]) -> Codes:
    """The codes of a manifest.

    Raises:
        KeyError, TypeError: they are not there whole.
    """
    factors = tuple(Factor(one["name"], one["field"], _words(one["levels"])) for one in told["factors"])
    return Codes(
        told["trial"], told["domain"], tuple(told["sites"]), factors, _words(told["arms"]), tuple(told["ratios"])
    )


def as_told(codes: Codes) -> dict[str, Any]:
    """The codes as a manifest holds them."""
    return asdict(codes)


def changed(frozen: Codes, now: Codes) -> tuple[str, ...]:
    """What is other than it was frozen, one sentence each; sites and levels may be added, and other words used."""
    return tuple(_changes(frozen, now))


def _changes(frozen: Codes, now: Codes) -> Iterator[str]:
    for what in ("trial", "domain", "ratios"):
        if getattr(frozen, what) != getattr(now, what):
            yield f"{what}: the tables were made for {getattr(frozen, what)}, now it is {getattr(now, what)}"
    gone = [site for site in frozen.sites if site not in now.sites]
    if gone:
        yield f"sites: {', '.join(gone)} had envelopes made and is no longer a site"
    if [arm.code for arm in frozen.arms] != [arm.code for arm in now.arms]:
        yield "arms: codes or their order are other than when the tables were made"
    yield from _renamed("arms", frozen.arms, now.arms)
    if [factor.field for factor in frozen.factors] != [factor.field for factor in now.factors]:
        yield "strata: factors, their fields or their order are other than when the tables were made"
        return
    for before, after in zip(frozen.factors, now.factors, strict=True):
        stored = {level.code: level.value for level in after.levels}
        moved = [level.code for level in before.levels if stored.get(level.code) != level.value]
        if moved:
            yield f"strata: {before.name}: level {', '.join(moved)} is gone or stored as another value than before"
        yield from _renamed(f"strata: {before.name}", before.levels, after.levels)


def _renamed(where: str, frozen: tuple[Word, ...], now: tuple[Word, ...]) -> Iterator[str]:
    """A code that now has the name another had: other words for the same are allowed, another's word is not."""
    names = {word.name.casefold(): word.code for word in frozen}
    for word in now:
        owner = names.get(word.name.casefold(), word.code)
        if owner != word.code:
            yield f"{where}: code {word.code} has the name that code {owner} had when the tables were made"


def misfits(frozen: Codes, config: Config, dictionary: Dictionary) -> tuple[str, ...]:
    """What the live project offers other than it was frozen, one sentence each.

    A missing code, one more, or a frozen code whose label is that of another, in any language the configuration knows:
    sites would tick the wrong one.
    """
    levels = {factor.name: factor.levels for factor in config.strata}
    known = [
        *(
            (
                factor.field.rpartition("[")[2].rstrip("]"),
                factor.levels,
                factor.name,
                _named(levels.get(factor.name, ())),
            )
            for factor in frozen.factors
        ),
        (config.facts.arm.field, frozen.arms, "arms", {arm.code: _words_of(arm) for arm in config.arms}),
    ]
    return tuple(line for one in known for line in _offered(dictionary, *one))


def _named(levels: Iterable[Level]) -> Mapping[str, frozenset[str]]:
    return {level.value: _words_of(level) for level in levels}


def _words_of(one: Level | Arm) -> frozenset[str]:
    return frozenset(text.casefold() for text in (one.label, *one.labels.values()))


def _offered(
    dictionary: Dictionary, field: str, frozen: tuple[Word, ...], name: str, now: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    if field not in dictionary:
        return  # said where configuration and project are compared
    labels = {option.code: option.label.strip().casefold() for option in dictionary.get(field).options}
    missing = [word.value for word in frozen if word.value not in labels]
    if missing:
        yield f"{name}: {', '.join(missing)} can't be chosen in {field} any more"
    more = sorted(labels.keys() - {word.value for word in frozen} - now.keys())
    if more:
        yield f"{name}: {field} offers {', '.join(more)}, for which there are no envelopes"
    names = {text: value for value, texts in now.items() for text in texts}
    names |= {word.name.casefold(): word.value for word in frozen}
    for word in frozen:
        owner = names.get(labels.get(word.value, ""), word.value)
        if owner != word.value:
            yield f"{name}: {field} labels {word.value} as {owner} was labelled when the tables were made"


def _words(told: Any) -> tuple[Word, ...]:
    return tuple(Word(one["code"], one["value"], one["name"]) for one in told)
