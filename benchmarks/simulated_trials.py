"""Whole trials simulated on the real code, as many as asked: what people did wrong, what was named, and what was not.

    .venv/bin/python benchmarks/simulated_trials.py --trials 100

A trial that is wrong is printed with its seed and the day; `--seed SEED --trials 1` plays it again exactly.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Annotated

import typer

sys.path[:0] = ["tests", "src", "scripts"]

from simulated.playing import PATIENTS, Trial, play
from simulated.world import FIVE_YEARS


def main(
    trials: Annotated[int, typer.Option(help="How many trials.")] = 2,
    seed: Annotated[int, typer.Option(help="The seed of the first; the others follow.")] = 1,
    patients: Annotated[int, typer.Option(help="How many are screened; three of four are randomised.")] = PATIENTS,
    days: Annotated[int, typer.Option(help="How long a trial takes.")] = FIVE_YEARS,
    jobs: Annotated[int, typer.Option(help="How many are played at a time.")] = 2,
) -> None:
    """Say of every trial how it went, and in the end what was planted, named and put right."""
    begun, ended = time.monotonic(), []
    with ProcessPoolExecutor(jobs) as pool:
        playing = [pool.submit(play, one, patients, days) for one in range(seed, seed + trials)]
        for one in as_completed(playing):
            ended.append(one.result())
            print(_told(ended[-1]), flush=True)
    for line in _together(ended):
        print(line)
    wrong = sorted(one.seed for one in ended if one.wrong)
    print(f"{len(ended)} trial(s), wrong: {wrong or 'none'}; {time.monotonic() - begun:.0f} s")
    raise typer.Exit(1 if wrong else 0)


def _told(one: Trial) -> str:
    nights = ", ".join(f"{number} {kind}" for kind, number in sorted(one.nights.items()))
    spent = ", ".join(f"{what} {seconds:.0f}" for what, seconds in sorted(one.spent.items()))
    head = (
        f"seed {one.seed}: {one.randomised} of {one.screened} randomised, {one.envelopes} envelopes of {one.versions} "
        f"versions, {one.refused} calls refused, {one.braked} nights braked; nights: {nights}; {one.seconds:.0f} "
        f"processor s ({spent})"
    )
    return "\n".join((head, *(f"  WRONG {line}" for line in one.wrong)))


def _together(ended: Iterable[Trial]) -> Iterable[str]:
    named, closed, stopped = Counter[str](), Counter[str](), Counter[str]()
    for one in ended:
        named += one.named
        closed += one.closed
        stopped += one.faults
    yield f"named {named.total()}, put right and closed {closed.total()}, by kind:"
    yield from (f"  {kind}: {number} named, {closed[kind]} closed" for kind, number in sorted(named.items()))
    yield "nights with a fault: " + ", ".join(f"{number} {how}" for how, number in sorted(stopped.items()))


if __name__ == "__main__":
    typer.run(main)
