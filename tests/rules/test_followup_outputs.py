"""Sheet, page, calendar, JSON and call plan say the same of every patient; a plan of many patients is quick."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest

from agreeing import DAY, agree
from followup_records import pulled, record
from trialdesk.config import Config
from trialdesk.followup.schedule import schedule
from trialdesk.redcap.patients import patients

pytestmark = pytest.mark.requirement("CAL-06")


def test_all_outputs_agree_on_every_patient(frozen: Config) -> None:
    """Of one rehearsal; nine more in tests/long."""
    agree(frozen, 1)


def test_two_thousand_patients_are_planned_in_two_seconds(frozen: Config) -> None:
    """Of the processor, the best of three: other tests run beside this one."""
    snapshot = pulled({f"ODE-{n}": record(str(date(2026, 1, 5) + timedelta(n % 330))) for n in range(2000)})
    everyone, taken = patients(snapshot, frozen), []
    for _ in range(3):
        began = time.process_time()
        plan = schedule(everyone, snapshot, frozen, DAY)
        taken.append(time.process_time() - began)
        assert len(plan.by_record) == 2000
    assert min(taken) <= 2
