"""A few nights with a faulty server between; benchmarks/fault_nights.py plays as many as one likes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fault_nights import Clinic, clinic
from faulty import STALE, plan

pytestmark = pytest.mark.requirement("NGT-02")
SEEDS = (1, 2, 4, 8)
"""Repeats left out, a page that is no data, a record left out, and an answer of before."""


@pytest.fixture(name="desk", scope="module")
def a_clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(tmp_path_factory.mktemp("faulty")) as made:
        yield made


def test_a_stale_server_is_among_the_faults() -> None:
    """And what it says is another pack than the right one, or the fault would be none."""
    assert STALE in {plan(seed).kind for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_night_with_a_fault_is_right_or_says_that_it_is_not(desk: Clinic, seed: int) -> None:
    """Nothing wrong is published as right, nothing wrong is written, and the code says what happened."""
    judged = desk.judge(seed)
    assert judged.plan.met
    assert judged.wrong == ""


def test_a_pack_of_yesterday_would_be_noticed(desk: Clinic) -> None:
    """The judge can fail: with another idea of what is right, an ordinary night is a wrong one."""
    right, desk.right = desk.right, desk.then
    try:
        assert desk.judge(3).wrong.startswith("wrong pack")
    finally:
        desk.right = right
