"""A run is made again from its sealed snapshot, months later: the same to the last cell, for named people alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pyrage
import pytest

from played import played
from trialdesk.config import Config
from trialdesk.config.parts import Retention
from trialdesk.errors import ConfigError, OutputFailed, TableError
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.rebuilding import rebuild
from trialdesk.nightly.run import Order, Outcome, nightly
from trialdesk.nightly.sealed import FOLDER
from trialdesk.redcap.gateway import open_gateway

TODAY = date(2026, 11, 23)
CUSTODIAN, STRANGER = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    with played(tmp_path_factory.mktemp("rebuild"), 16, TODAY) as made:
        policy = Retention(sealed_for=(str(CUSTODIAN.to_public()),))
        yield made.stage.config.model_copy(update={"retention": policy})


def night(config: Config, minute: int) -> Outcome:
    order = Order(TODAY, datetime(2026, 11, 23, 4, minute, tzinfo=config.trial.zone))
    return nightly(config, order, open_gateway(config, "trial"), open_gateway(config, "register"), lambda _: None)


def test_past_runs_are_made_again_and_equal(config: Config) -> None:
    """The first and the second, whose sheets say what is new since the first; after a third."""
    runs = [night(config, minute).summary for minute in (1, 2, 3)]
    assert runs[0].files != runs[1].files  # what was new is not new any more
    for one in runs[:2]:
        made = rebuild(config, one.run, str(CUSTODIAN))
        assert {*made.same} == {*one.files}
        assert all(made.same.values()), made.same
        assert made.differing == ()
        assert (made.folder / "coordinator" / "index.html").exists()
        assert oct(made.folder.stat().st_mode & 0o777) == "0o700"
    with pytest.raises(OutputFailed, match="is there already"):
        rebuild(config, runs[0].run, str(CUSTODIAN))
    assert (config.reports / LATEST).resolve().name == runs[2].run


def test_another_configuration_is_said_and_its_sheets_are_others(config: Config) -> None:
    """So that nobody takes the difference for a change of data."""
    one = night(config, 11).summary
    other = config.model_copy(update={"trial": config.trial.model_copy(update={"target": 77})})
    made = rebuild(other, one.run, str(CUSTODIAN))
    assert made.differing == ("the configuration is another than then",)
    assert not made.same["monitor/enrolment_report.xlsx"]
    assert made.same["calls/call_schedule.xlsx"]


def test_nobody_else_opens_a_snapshot_and_nothing_of_it_lies_open(config: Config) -> None:
    """Not with another identity, not by reading the file, and not in what a run leaves."""
    one = night(config, 21).summary
    path = config.state / FOLDER / f"{one.run}.age"
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    with pytest.raises(TableError, match="sealed for someone else"):
        rebuild(config, one.run, str(STRANGER))
    records = [row.record for row in open_gateway(config, "trial").records("record_id", ["elig_date"]).rows]
    assert not [record for record in records if record.encode() in path.read_bytes()]
    plain = json.dumps([str(p.relative_to(config.state)) for p in config.state.rglob("*")])
    assert "open_snapshot" not in plain


def test_without_a_snapshot_there_is_nothing_to_make(config: Config, tmp_path: Path) -> None:
    """A run before snapshots were kept; a trial that keeps none."""
    with pytest.raises(ConfigError, match="no kept snapshot"):
        rebuild(config, "2026-01-01_040000", str(CUSTODIAN))
    none = config.model_copy(update={"retention": Retention()})
    run = night(none, 31).summary.run
    assert not (config.state / FOLDER / f"{run}.age").exists()
