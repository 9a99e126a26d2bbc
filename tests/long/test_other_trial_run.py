"""The invented trial played on a local REDCap, over HTTP, and its nights: nothing of vertebroplasty is needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from played import Played, played
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly
from trialdesk.redcap.gateway import open_gateway

pytestmark = pytest.mark.requirement("INS-05")

OTHER = Path(__file__).parents[1] / "data" / "other-trial"
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Forty patients at three sites."""
    with played(tmp_path_factory.mktemp("gait"), 40, TODAY, OTHER) as done:
        yield done


def night(trial: Played, day: date) -> Outcome:
    config = trial.stage.config
    order = Order(day, datetime(day.year, day.month, day.day, 4, 30, tzinfo=config.trial.zone))
    return nightly(config, order, open_gateway(config, "trial"), open_gateway(config, "register"), lambda _: None)


def test_its_nights_find_what_was_planted(trial: Played) -> None:
    """Three nights in a row end well; each finds every planted deviation; all three arms are played."""
    planted = {(deviation.rule, deviation.record) for deviation in trial.planted}
    assert len(planted) >= 6
    for later in range(3):
        done = night(trial, TODAY + timedelta(days=later))
        assert planted <= {(finding.rule, finding.record) for finding in done.findings}
        assert done.summary.recruitment["screened"] == 40
    assert {arm for envelope, (arm, _) in cards(trial).items()} == {"A", "B", "C"}


def cards(trial: Played) -> dict[str, tuple[str, str]]:
    """Envelope to its card."""
    allocations = (one for table in trial.cards.tables for one in table.allocations)
    return {one.envelope.id: (one.card.arm, one.card.code) for one in allocations}


def test_its_workbooks_speak_of_no_procedure(trial: Played) -> None:
    """Columns and boxes of concepts this trial lacks are not there."""
    night(trial, TODAY + timedelta(days=3))
    latest = trial.stage.config.path(trial.stage.config.folders.reports) / LATEST
    for path in latest.rglob("*.xlsx"):
        book = load_workbook(path)
        text = " ".join(str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value)
        assert not [w for w in ("vertebroplasty", "Procedure done", "Not invited", "May change arm") if w in text]
