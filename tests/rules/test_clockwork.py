"""The long-running form of the nightly run."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from trialdesk.errors import RedcapUnreachable
from trialdesk.nightly.clockwork import Clockwork

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("first_day", "days"),
    [(datetime(2026, 3, 27, 12), 4), (datetime(2026, 10, 23, 12), 4), (datetime(2026, 12, 29, 12), 4)],
    ids=["spring change", "autumn change", "new year"],
)
def test_every_night_has_one_run(first_day: datetime, days: int) -> None:
    """At 04:30 local time, also in the nights the clock changes."""
    runs: list[datetime] = []
    with time_machine.travel(first_day.replace(tzinfo=COPENHAGEN), tick=False) as clock:
        scheduler = Clockwork(lambda: runs.append(datetime.now(COPENHAGEN)), lambda _: None).wind(
            "04:30", "Europe/Copenhagen"
        )
        for _ in range(days * 96):
            clock.shift(900)
            scheduler.run_pending()
    assert [run.strftime("%H:%M") for run in runs] == ["04:30"] * days
    assert len({run.date() for run in runs}) == days


def test_a_night_that_fails_is_told_and_the_next_one_runs() -> None:
    """`schedule` alone would try again at once and for ever."""
    told: list[Exception] = []
    faults = iter((RedcapUnreachable("REDCap is away"), KeyError("a defect of ours")))

    def away() -> None:
        raise next(faults)

    with time_machine.travel(datetime(2026, 11, 23, 4, tzinfo=COPENHAGEN), tick=False) as clock:
        scheduler = Clockwork(away, told.append).wind("04:30", "Europe/Copenhagen")
        for _ in range(2 * 96):
            clock.shift(900)
            scheduler.run_pending()
    assert len(told) == 2
