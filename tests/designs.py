"""Trials and designs for the tests of the comparison."""

from __future__ import annotations

from trialdesk.designs.plan import Coming, Design, Resupply

ALONE = (1.0,)
FACTORS = ((0.4, 0.6), (0.45, 0.55), (0.35, 0.65))


def coming(patients: int, sites: int = 6, *, factors: tuple[tuple[float, ...], ...] = FACTORS) -> Coming:
    """Patients of 730 days; a site's share is in proportion to 1/rank (reference/randomisation.md 7)."""
    weights = [1 / rank for rank in range(1, sites + 1)]
    return Coming(patients, 730, tuple(weight / sum(weights) for weight in weights), factors, (1, 1))


def one_list(patients: int, *ratio: int) -> Coming:
    """Patients of one site and one stratum."""
    return Coming(patients, 100, ALONE, (), ratio or (1, 1))


def blocks(*sizes: int, resupply: Resupply | None = None) -> Design:
    """Lists of each site and stratum, sizes equally likely."""
    return Design("A design", "site-stratum", tuple((size, 1) for size in sizes), resupply=resupply)
