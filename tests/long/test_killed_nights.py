"""A few nights killed at moments by chance; benchmarks/killed_nights.py kills as many as asked."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from killed_nights import ward

pytestmark = pytest.mark.requirement("NGT-01")


def test_whenever_a_night_is_killed_the_published_one_is_whole_and_so_is_the_next(tmp_path: Path) -> None:
    """SIGKILL and SIGTERM in turn; nothing lies outside the folders of the trial, and no traceback is shown."""
    first = random.SystemRandom().randrange(10**6)
    with ward(tmp_path) as it:
        told = {seed: it.kill(seed) for seed in range(first, first + 12)}
        assert {seed: one for seed, one in told.items() if one.wrong} == {}
        assert it.next() == ""
