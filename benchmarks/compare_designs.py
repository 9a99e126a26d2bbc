"""Processor seconds of one comparison: 10 000 trials of 100 patients at nine sites, both guessers, one resupply policy.

All processes count, the starting of Python in each included.

    python benchmarks/compare_designs.py
"""

from __future__ import annotations

import resource
import time
from typing import Annotated

import typer

from trialdesk.designs.comparing import Run, compare
from trialdesk.designs.plan import Coming, Design, Resupply

SITES = (18, 16, 12, 10, 14, 10, 8, 6, 6)
RESUPPLY = Resupply(batch=6, vary=1, reorder_at=1, delivery_days=7, piles=4, when="pile")
DESIGN = Design("Measured", "site-stratum", ((2, 1), (4, 1), (6, 1)), resupply=RESUPPLY)


def used() -> float:
    """Processor seconds of this process and of those it has waited for."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


def main(
    trials: Annotated[int, typer.Argument(help="Simulated trials.")] = 10_000,
    processes: Annotated[int, typer.Option(help="How many share the work.")] = 2,
) -> None:
    """Print what the comparison of one design takes."""
    coming = Coming(
        100, 1095, tuple(size / sum(SITES) for size in SITES), ((0.4, 0.6), (0.45, 0.55), (0.35, 0.65)), (1, 1)
    )
    begin = time.perf_counter()
    (found,) = compare(coming, [DESIGN], Run(trials, 1, processes))
    passed = time.perf_counter() - begin
    print(f"{len(found.overall)} trials: {used():.1f} processor seconds, {passed:.1f} s with {processes} process(es)")
    print(f"difference of the arms {found.overall.mean():.2f}, guessed right {found.informed.mean():.3f}")


if __name__ == "__main__":
    typer.run(main)
