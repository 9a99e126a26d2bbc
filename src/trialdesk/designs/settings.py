"""The file that says which designs are compared; every problem with its place and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from trialdesk.config import Config, Part
from trialdesk.config.loading import read_settings
from trialdesk.designs.plan import AT_SITES, BY_LIST, Coming, Design, Resupply, Structure
from trialdesk.errors import ConfigError

# Far above anything real: what one guesser has to keep in mind of a list grows with the sizes together.
_ALL_SIZES, _MOST_WEIGHT = 120, 1_000


def _blocks(given: object) -> object:
    """The sizes with their weights; no size is ever quoted in an error."""
    if not isinstance(given, Mapping) or not all(_is_pair(*pair) for pair in given.items()) or sum(given) > _ALL_SIZES:
        msg = (
            f"has to be {{size: weight, …}} with whole numbers from 1; sizes together at most {_ALL_SIZES}, "
            f"weights at most {_MOST_WEIGHT}"
        )
        raise ValueError(msg)
    return tuple(given.items())


def _is_pair(size: object, weight: object) -> bool:
    return type(size) is int and type(weight) is int and size > 0 and 0 < weight <= _MOST_WEIGHT


def _text_keys(given: object) -> object:
    """Level codes as text: YAML reads `1` as a number."""
    return {str(key): value for key, value in given.items()} if isinstance(given, Mapping) else given


Blocks = Annotated[tuple[tuple[int, int], ...], BeforeValidator(_blocks)]
Shares = Annotated[dict[str, Annotated[float, Field(ge=0)]], BeforeValidator(_text_keys)]


class ResupplySettings(Part):
    """How envelopes are sent, as the file says it; the words are those of `plan.Resupply`."""

    batch: Annotated[int, Field(gt=0, le=1_000)]
    vary: Annotated[int, Field(ge=0)] = 1
    reorder_at: Annotated[int, Field(ge=0)] = 1
    delivery_days: Annotated[float, Field(ge=0)] = 7
    piles: Annotated[int, Field(gt=0)] = 4
    when: Literal["pile", "site"] = "pile"

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.batch - self.vary <= self.reorder_at:
            msg = (
                "the smallest shipment, batch less vary, has to be more than reorder_at: otherwise a pile is low again "
                "when it has just come"
            )
            raise ValueError(msg)
        return self


class DesignSettings(Part):
    """One design, as the file says it."""

    name: Annotated[str, Field(min_length=1, max_length=30)]
    structure: Structure
    blocks: Blocks | None = None
    coin: Annotated[float, Field(gt=0, le=1)] | None = None
    resupply: ResupplySettings | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = [words for words, wrong in self._wrongs() if wrong]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _wrongs(self) -> Iterator[tuple[str, bool]]:
        lists = self.structure in BY_LIST
        yield f"{self.structure} follows lists: add blocks: {{size: weight}}", lists and not self.blocks
        yield f"{self.structure} has no blocks; leave them out", not lists and self.blocks is not None
        yield "coin belongs to minimisation; leave it out", self.structure != "minimisation" and self.coin is not None
        yield (
            f"resupply belongs to lists that lie at the sites ({', '.join(AT_SITES)}); leave it out",
            self.structure not in AT_SITES and self.resupply is not None,
        )


class DesignsFile(Part):
    """The whole file. Without `strata_mix`, the levels of a factor are equally frequent.

    `recruitment_days` is how long recruitment lasts; without it, from the start of the trial to its end.
    """

    recruitment_days: Annotated[float, Field(gt=0)] | None = None
    strata_mix: dict[str, Shares] = Field(default_factory=dict)
    designs: Annotated[tuple[DesignSettings, ...], Field(min_length=1, max_length=12)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, for whom."""

    coming: Coming
    designs: tuple[Design, ...]


def read_comparison(path: Path, config: Config, patients: int) -> Comparison:
    """The designs of the file, for the trial of the configuration with so many patients.

    Sites have the shares of their targets; without any target they are equal.

    Raises:
        ConfigError: The file can't be read or does not fit the trial; every problem is listed.
    """
    given = read_settings(path, DesignsFile)
    ratio = tuple(arm.ratio for arm in config.arms)
    problems = [*_misfits(given, config, sum(ratio)), *_told_sizes(given)]
    if problems:
        raise ConfigError(*(f"{path.name}: {problem}" for problem in problems))
    days = given.recruitment_days or max((config.trial.ends - config.trial.starts).days, 1)
    targets = [site.target for site in config.sites]
    sites = _shares(targets if any(targets) else [1] * len(targets))
    factors = tuple(
        _shares([given.strata_mix.get(factor.name, {}).get(level.code, 0) for level in factor.levels])
        if factor.name in given.strata_mix
        else _shares([1] * len(factor.levels))
        for factor in config.strata
    )
    return Comparison(Coming(patients, days, sites, factors, ratio), tuple(_design(one) for one in given.designs))


def _misfits(given: DesignsFile, config: Config, parts: int) -> Iterator[str]:
    levels = {factor.name: [level.code for level in factor.levels] for factor in config.strata}
    for name, shares in given.strata_mix.items():
        if name not in levels:
            yield f"strata_mix: {name} is no factor of the trial; factors are {', '.join(levels) or 'none'}"
        elif set(shares) != set(levels[name]) or not sum(shares.values()):
            yield f"strata_mix: {name} needs a share for each of its levels {', '.join(levels[name])}, not all 0"
    for place, one in enumerate(given.designs):
        if any(size % parts for size, _ in one.blocks or ()):
            yield f"designs.{place}.blocks: sizes have to be multiples of {parts}, the sum of the arms' ratios"
        if any(one.name == other.name for other in given.designs[:place]):
            yield f"designs.{place}.name: {one.name} is there already; give each design a name of its own"


def _told_sizes(given: DesignsFile) -> Iterator[str]:
    """Names stand on the page without block sizes, so they may not hold any."""
    sizes = {size for one in given.designs for size, _ in one.blocks or ()}
    for place, one in enumerate(given.designs):
        if sizes & {int(number) for number in re.findall(r"\d+", one.name)}:
            yield f"designs.{place}.name: holds a number that is a block size, and names are shown to all; use words"


def _shares(amounts: list[int] | list[float]) -> tuple[float, ...]:
    return tuple(amount / sum(amounts) for amount in amounts)


def _design(given: DesignSettings) -> Design:
    sent = given.resupply
    return Design(
        given.name,
        given.structure,
        given.blocks or (),
        1.0 if given.coin is None else given.coin,
        Resupply(sent.batch, sent.vary, sent.reorder_at, sent.delivery_days, sent.piles, sent.when) if sent else None,
    )
