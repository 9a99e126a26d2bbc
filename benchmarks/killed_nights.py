"""Nights killed at random moments, as many as asked: is what is published whole, and the next night?

    .venv/bin/python benchmarks/killed_nights.py --nights 200

A night that is wrong is printed with its seed; `--seed SEED --nights 1` kills it at the same part of its course.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

sys.path[:0] = ["tests", "src", "scripts"]

from killed_nights import ward

EVERY = 10


def main(
    nights: Annotated[int, typer.Option(help="How many nights.")] = 200,
    seed: Annotated[int, typer.Option(help="The seed of the first; the others follow.")] = 1,
) -> None:
    """Say how nights ended, and every wrong one; after each ten comes one that nobody kills."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    begun, ends, wrong = time.monotonic(), Counter(), 0
    with TemporaryDirectory() as home, ward(Path(home)) as it:
        for number in range(seed, seed + nights):
            one = it.kill(number)
            ends[one.sign, one.code, one.published] += 1
            said = [one.wrong] if one.wrong else []
            if (number - seed + 1) % EVERY == 0 or number == seed + nights - 1:
                said += filter(None, [it.next()])
            for what in said:
                wrong += 1
                print(f"seed {number}: {one.sign} after {one.after:.2f} s, exit {one.code}: {what}", flush=True)
    for (sign, code, published), count in sorted(ends.items()):
        print(f"{sign} exit {code:3} {'published' if published else 'nothing published'}: {count}")
    print(f"{nights} nights killed, wrong {wrong}; {time.monotonic() - begun:.0f} s")
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    typer.run(main)
