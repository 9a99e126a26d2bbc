"""The whole exploration of the release protocol: every order of two calls with a site that types, and three calls.

Run from the project's folder: .venv/bin/python benchmarks/explore_releases.py
"""

from __future__ import annotations

import sys
import time

sys.path[:0] = ["tests", "src", "scripts"]

from exploring import explore
from rules.test_release_orders import CASES, made, recoverable

if __name__ == "__main__":
    for name, (records, typing, switches) in CASES.items():
        begun = time.process_time()
        found = explore(made(*records, typing=typing), recoverable, switches=switches)
        took = time.process_time() - begun
        print(f"{name}: {found.states} states, {found.orders:.3g} orders, all right ({took:.0f} s)", flush=True)
