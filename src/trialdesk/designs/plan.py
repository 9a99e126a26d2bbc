"""What is compared: the trial as it is expected to come, and the ways to allocate its patients."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Structure = Literal["site-stratum", "stratum", "site", "minimisation", "simple"]

BY_LIST: tuple[Structure, ...] = ("site-stratum", "stratum", "site")
"""The structures that follow lists of permuted blocks; the others draw each arm by itself."""

AT_SITES: tuple[Structure, ...] = ("site-stratum", "site")
"""The structures whose lists lie at a site, so that their envelopes are sent there."""


@dataclass(frozen=True, slots=True)
class Coming:
    """The patients who are expected.

    Attributes:
        patients: How many arrive.
        days: Over how many days.
        sites: The share of each site; they add up to 1.
        factors: The shares of the levels of each factor; each adds up to 1.
        ratio: The ratio of each arm.
    """

    patients: int
    days: float
    sites: tuple[float, ...]
    factors: tuple[tuple[float, ...], ...]
    ratio: tuple[int, ...]

    @property
    def levels(self) -> Ints:
        """Stratum × factor: which level of the factor a stratum has, strata in the order of the configuration."""
        sizes = [len(shares) for shares in self.factors]
        strata = np.indices(sizes).reshape(len(sizes), -1).T if sizes else np.zeros((1, 0))
        return strata.astype(np.int64)

    @property
    def strata(self) -> Floats:
        """The share of each stratum: the product of the shares of its levels."""
        shares = np.ones(1)
        for factor in self.factors:
            shares = np.outer(shares, factor).ravel()
        return shares


@dataclass(frozen=True, slots=True)
class Resupply:
    """How envelopes come to the sites; days count from the order to the hand of the site.

    A shipment brings `batch` numbers a pile, less or more by up to `vary`. `when` a pile, or the whole site, has at
    most `reorder_at` left, a parcel is ordered: the pile and those of the site that have least, `piles` of them in all;
    or, for the whole site, every pile.
    """

    batch: int
    vary: int
    reorder_at: int
    delivery_days: float
    piles: int
    when: Literal["pile", "site"]


@dataclass(frozen=True, slots=True)
class Design:
    """One way to allocate; the blocks never show in `repr`.

    Attributes:
        name: What the reader calls it.
        structure: What has a list of its own.
        blocks: (block size, weight), where the structure follows lists.
        coin: How likely minimisation follows its preference.
        resupply: How envelopes are sent, if that is played.
    """

    name: str
    structure: Structure
    blocks: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    coin: float = 1.0
    resupply: Resupply | None = None
