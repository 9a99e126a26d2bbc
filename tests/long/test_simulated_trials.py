"""A whole trial and a small one, from the first patient to the last; benchmarks/simulated_trials.py plays more."""

from __future__ import annotations

import random
import re
from itertools import count

import pytest

from frozen import FROZEN, trial_dictionary
from redcap_rules.record import Row
from simulated import line
from simulated.keeping import KeptOtherwise, Patients
from simulated.playing import PATIENTS, play
from simulated.world import FIVE_YEARS
from trialdesk.config import load
from trialdesk.model import Patient
from trialdesk.redcap.snapshot import Snapshot

pytestmark = pytest.mark.requirement("NGT-01")


@pytest.mark.parametrize(("patients", "days"), [(PATIENTS, FIVE_YEARS), (30, 300)], ids=["five years", "300 days"])
def test_after_every_night_of_a_trial_everything_is_as_people_made_it(patients: int, days: int) -> None:
    """No patient lost, no envelope twice, every mistake named, and none any more once it is put right."""
    seed = random.SystemRandom().randrange(10**6)
    told = play(seed, patients, days)
    assert (seed, told.wrong) == (seed, [])
    assert told.randomised > patients // 3
    assert told.named


def test_a_change_that_the_simulation_overlooks_is_told_with_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of a record is held against REDCap on whole nights, and what people entered against every night."""
    monkeypatch.setattr(line, "_records", lambda *_: frozenset())
    told = play(1, 12, 150)
    assert told.wrong
    assert all(re.match(r"\d{4}-\d\d-\d\d: ", one) for one in told.wrong)


def test_a_whole_night_holds_what_is_kept_against_what_comes_out_anew() -> None:
    """A patient who is read otherwise every time is kept on nights in between, and found out on a whole one."""
    snapshot = Snapshot("7", "T", trial_dictionary(), ("",), {"A": (Row("A", "", "", 0, {}),)}, {})
    config, sites, way = load(FROZEN / "config.yaml"), count(), line.Line(settled=True)
    patients = Patients(lambda told, _: tuple(Patient(record, str(next(sites)), "") for record in told.rows), way)
    assert patients.of(snapshot, config) == patients.of(snapshot, config)
    way.anew = True
    with pytest.raises(KeptOtherwise):
        patients.of(snapshot, config)
