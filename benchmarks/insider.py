"""The simulated insider of docs/validation/allocation.md: what he gains in six designs, and in two that must fail.

Run from the project's folder: .venv/bin/python benchmarks/insider.py [--trials 16] [--samples 4000] [--seed 2026]
"""

from __future__ import annotations

import argparse
import sys
import time

sys.path[:0] = ["tests", "src"]

import numpy as np

from insider.course import Cut, Game
from insider.scoring import Score, score

SETS = ((2, 4), (2, 4, 6), (4, 6))
CONTROLS: tuple[Cut, ...] = ("blocks", "single")


def line(name: str, patients: int, found: Score) -> str:
    """One row of the table of docs/validation/allocation.md."""
    cells = [name, str(patients), f"{found.plain[0]:.1f} %", f"{found.plain[1]:.1f} %"]
    cells += [f"{gain.mean:+.2f} ({gain.upper:+.2f})" for gain in (found.certain, found.right)]
    cells += [f"{found.fair.mean:+.2f}", *(f"{100 * share:.1f} %" for share in found.divided)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a row for each design; ends with 1 if a bound does not hold, or a control stays within."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--trials", type=int, default=16)
    asked.add_argument("--samples", type=int, default=4_000)
    asked.add_argument("--seed", type=int, default=2026)
    args = asked.parse_args()
    wrong = []
    for sizes in SETS:
        for patients in (100, 200):
            name = f"{{{', '.join(map(str, sizes))}}}"
            trials = args.trials * patients // 100  # the longer a trial, the more one differs from another
            found = score(Game(sizes, "parcel", args.samples, np.random.default_rng(args.seed)), patients, trials)
            print(line(name, patients, found), f"{time.process_time():.0f} s", flush=True)
            wrong += [] if found.within else [f"{name} {patients}"]
    for cutting in CONTROLS:
        found = score(Game((2, 4), cutting, 1_000, np.random.default_rng(args.seed)), 200, args.trials // 2)
        print(line(f"control: {cutting}", 200, found), f"{time.process_time():.0f} s", flush=True)
        wrong += [f"control {cutting} passes"] if found.within else []
    print("; ".join(wrong) or "every bound holds, both controls fail")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
