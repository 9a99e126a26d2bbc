"""What many trials of a design say together, in the words and figures a reader sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import hypot

import numpy as np

from trialdesk.designs.plan import AT_SITES, Design, Floats
from trialdesk.designs.playing import Measures

STRUCTURES: Mapping[str, str] = {
    "site-stratum": "one list for each stratum at each site",
    "stratum": "one central list for each stratum",
    "site": "one list for each site",
    "minimisation": "minimisation over site and factors",
    "simple": "each arm drawn by itself, without any restriction",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure over all trials: its mean, what 95 % of the trials do not exceed, and the mean's standard error."""

    mean: float
    high: float
    error: float


@dataclass(frozen=True, slots=True)
class Row:
    """One design in figures, without its blocks.

    Attributes:
        letter: What it is called in plots.
        name: What it is called.
        words: Its structure in words.
        at_sites: Whether its lists lie at the sites.
        sending: How envelopes are sent, in words; "" where that is not played.
        figures: Measure to figure; what a design has not is missing.
    """

    letter: str
    name: str
    words: str
    at_sites: bool
    sending: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The blocks of one design in words, and what they ask of the trial; for the sealed page alone."""

    letter: str
    name: str
    blocks: str = field(repr=False)
    product: str = field(repr=False)


def figure(values: Floats) -> Figure:
    """The figure of one measure; the 95 % limit is a value that occurred."""
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return Figure(float(values.mean()), float(np.quantile(values, 0.95, method="inverted_cdf")), error)


def rows(designs: Sequence[Design], measured: Sequence[Measures]) -> list[Row]:
    """Each design with its figures, in order, lettered from A."""
    return [
        Row(
            _letter(place),
            design.name,
            _words(design),
            design.structure in AT_SITES,
            _sending(design),
            _figures(measures),
        )
        for place, (design, measures) in enumerate(zip(designs, measured, strict=True))
    ]


def schemes(designs: Sequence[Design], measured: Sequence[Measures]) -> list[Scheme]:
    """The blocks of the designs that have some.

    `product` is K × B, the lists begun times the largest block: stratification gains little unless there are well more
    patients than that (Hallstrom and Davis 1988; reference/randomisation.md 4.3).
    """
    return [
        Scheme(
            _letter(place),
            design.name,
            ", ".join(f"{size} (weight {weight})" for size, weight in design.blocks),
            f"{measures.lists.mean():.0f} × {max(size for size, _ in design.blocks)} = "
            f"{measures.lists.mean() * max(size for size, _ in design.blocks):.0f}",
        )
        for place, (design, measures) in enumerate(zip(designs, measured, strict=True))
        if design.blocks
    ]


def leading(rows: Sequence[Row], name: str, alike: float) -> list[Row]:
    """The designs that do best on a measure of which less is better: the best, and those not surely worse.

    Designs are not told apart when their means differ by at most `alike`, or by at most twice the standard error of the
    difference. Only those whose lists lie at the sites are asked, if there are any.
    """
    asked = [row for row in rows if row.at_sites] or list(rows)
    known = [row for row in asked if name in row.figures]
    if not known:
        return []
    best = min((row.figures[name] for row in known), key=lambda one: one.mean)
    return [row for row in known if _near(row.figures[name], best, alike)]


def _near(one: Figure, best: Figure, alike: float) -> bool:
    return one.mean - best.mean <= max(alike, 2 * hypot(one.error, best.error))


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _figures(measures: Measures) -> dict[str, Figure]:
    found = {one.name: getattr(measures, one.name) for one in fields(Measures)}
    return {name: figure(values) for name, values in found.items() if not np.isnan(values).any()}


def _words(design: Design) -> str:
    words = STRUCTURES[design.structure]
    return f"{words}, followed with a chance of {design.coin:g}" if design.structure == "minimisation" else words


def _sending(design: Design) -> str:
    sent = design.resupply
    if sent is None:
        return ""
    least = f"at most {sent.reorder_at} left" if sent.reorder_at else "none left"
    amount = f"{sent.batch - sent.vary} to {sent.batch + sent.vary}" if sent.vary else f"{sent.batch}"
    if sent.when == "site":
        return (
            f"{amount} envelopes to every pile of a site with {least} in all, there after {sent.delivery_days:g} days"
        )
    together = f", in parcels of {sent.piles} piles" if sent.piles > 1 and design.structure == "site-stratum" else ""
    return f"{amount} envelopes to a pile with {least}{together}, there after {sent.delivery_days:g} days"
