"""Nights with a faulty server, as many as asked: what was published, what was written, and whether codes were true.

    .venv/bin/python benchmarks/fault_nights.py --nights 500

A night that is wrong is printed with its seed; `--seed SEED --nights 1` plays it again exactly.
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

from fault_nights import clinic


def main(
    nights: Annotated[int, typer.Option(help="How many nights.")] = 100,
    seed: Annotated[int, typer.Option(help="The seed of the first; the others follow.")] = 1,
) -> None:
    """Say how nights ended, by kind of fault, and every wrong one."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    begun, kinds, codes, wrong, met = time.monotonic(), set(), Counter(), [], 0
    with TemporaryDirectory() as home, clinic(Path(home)) as desk:
        for one in range(seed, seed + nights):
            judged = desk.judge(one)
            kinds.add(judged.plan.kind)
            met += judged.plan.met > 0
            codes[judged.code, judged.published] += 1
            if judged.wrong:
                wrong.append(one)
                print(f"seed {one}: {judged.plan.kind}, exit {judged.code}: {judged.wrong}", flush=True)
    for (code, published), number in sorted(codes.items()):
        print(f"exit {code:2} {'published' if published else 'nothing published'}: {number}")
    print(
        f"{nights} nights, {len(kinds)} kinds, {met} met their fault; wrong {len(wrong)}; "
        f"{time.monotonic() - begun:.0f} s"
    )
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    typer.run(main)
