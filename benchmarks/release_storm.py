"""Coordinators at the same moment, many rounds: how often one of them gets an envelope, after how long, and never two.

Run from the project's folder: .venv/bin/python benchmarks/release_storm.py [ROUNDS of two callers] [ROUNDS of twenty]
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

sys.path[:0] = ["tests", "src", "scripts"]

from contract.envelopes.conftest import world_in
from storm import PILES, storm
from trialdesk.envelopes.release import take_back

MANY = 20
SOON = (20, 60)
"""Seconds within which two callers, or many, have to be told."""


def main(rounds: dict[int, int]) -> None:
    """Print a line for each number of callers."""
    with tempfile.TemporaryDirectory() as folder, world_in(Path(folder), sites=3) as desk:
        desk.receive_all()
        records = [f"S{number:02}" for number in range(MANY)]
        for record, (site, stratum) in zip(records, PILES, strict=False):
            desk.enter(record, site, stratum)
        for callers, times in rounds.items():
            ended = []
            for _ in range(times):
                ended.append(storm(desk.release, records[:callers]))
                for envelope, record in desk.open():
                    take_back(desk.config, desk.trial(), desk.register(), record)
                    assert [envelope] == [one.id for one in ended[-1].won]
            soon = SOON[callers > 2]
            won = sum(len(one.won) == 1 and one.seconds <= soon for one in ended)
            never = max(len(one.won) for one in ended) < 2
            print(f"{callers} callers: one has won within {soon} s in {won} of {times}; never two: {never}")
            slowest = max(max(one.after, default=0) for one in ended)
            told = max(one.seconds for one in ended)
            print(f"  the slowest had won after {slowest:.1f} s, and all were told after {told:.1f} s", flush=True)


if __name__ == "__main__":
    logging.getLogger("waitress").setLevel(logging.ERROR)
    two, many = (int(word) for word in (*sys.argv[1:], "100", "100")[:2])
    main({2: two, MANY: many})
