"""Two small trials played from the first patient to the last; benchmarks/simulated_trials.py plays whole ones."""

from __future__ import annotations

import random

import pytest

from simulated.playing import play

pytestmark = pytest.mark.requirement("NGT-01")
_PATIENTS, _DAYS = 30, 300


@pytest.mark.parametrize("number", [1, 2])
def test_after_every_night_of_a_trial_everything_is_as_people_made_it(number: int) -> None:
    """No patient lost, no envelope twice, every mistake named, and none any more once it is put right."""
    seed = random.SystemRandom().randrange(10**6)
    told = play(seed, _PATIENTS, _DAYS)
    assert (seed, told.wrong) == (seed, [])
    assert told.randomised > _PATIENTS // 3
    assert told.named
