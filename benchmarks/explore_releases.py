"""The whole exploration of the release protocol: every order of two calls with a site that types, and three calls.

Run from the project's folder: .venv/bin/python benchmarks/explore_releases.py
"""

from __future__ import annotations

import sys
import time
from functools import partial

sys.path[:0] = ["tests", "src", "scripts"]
sys.setrecursionlimit(10_000)

from exploring import explore
from rules.test_release_orders import made, recoverable

CASES = {
    "two calls of one pile, a site that types, a crash after every write": (("A", "B"), True, 10_000),
    "two calls of two sites, a site that types, a crash after every write": (("A", "C"), True, 10_000),
    "three calls with at most three switches, a crash after every write": (("A", "B", "C"), False, 3),
}

if __name__ == "__main__":
    for name, (records, typing, switches) in CASES.items():
        begun = time.process_time()
        found = explore(partial(made, *records, typing=typing), recoverable, switches=switches)
        took = time.process_time() - begun
        print(f"{name}: {found.states} states, {found.orders:.3g} orders, all right ({took:.0f} s)", flush=True)
