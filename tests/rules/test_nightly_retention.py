"""What is old enough to go, and what never goes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialdesk.config import Config
from trialdesk.config.parts import Folders, Retention
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.retention import day_of, delete, surplus, surplus_runs, surplus_snapshots

TODAY = date(2026, 11, 23)
POLICY = Retention()


def names(*ages: int) -> list[str]:
    return [f"{TODAY - timedelta(days=age)}_043000" for age in ages]


RUNS = st.lists(st.integers(0, 800), unique=True).map(lambda ages: names(*ages))


@given(RUNS)
def test_runs_of_the_last_days_stay_then_one_a_week_then_none(runs: list[str]) -> None:
    """Thirty days, twenty-six weeks."""
    gone = {*surplus_runs(runs, TODAY, POLICY)}
    kept = [day for run in runs if run not in gone and (day := day_of(run))]
    assert all(run in runs for run in gone)
    assert {*names(*range(30))} & {*runs} <= {*runs} - gone
    older = [day.isocalendar()[:2] for day in kept if day < TODAY - timedelta(days=30)]
    assert len({*older}) == len(older)
    assert all(day >= TODAY - timedelta(weeks=26) for day in kept)


@given(RUNS)
def test_the_last_snapshot_of_every_month_stays(runs: list[str]) -> None:
    """And all of ninety days."""
    gone = {*surplus_snapshots(runs, TODAY, POLICY)}
    assert {run[:7] for run in runs} == {run[:7] for run in runs if run not in gone}
    assert {*names(*range(91))} & {*runs} <= {*runs} - gone
    older = [run[:7] for run in runs if run not in gone and run < names(90)[0]]
    assert len(older) <= len({*older}) + 1  # the month in which the ninety days begin


@pytest.mark.parametrize("name", ["latest", "issued-7", "2026-11-23", "2026-11-23_0430", ".building-2026-11-23_043000"])
def test_what_has_not_the_name_of_a_run_is_never_old(name: str) -> None:
    """Whatever else lies among the reports."""
    assert day_of(name) is None
    assert not [*surplus_runs([name], TODAY, POLICY)]


def test_a_list_deletes_nothing_and_the_newest_run_stays_however_old(frozen: Config, tmp_path: Path) -> None:
    """Also runs and files of other names; then the same list is deleted, and a second list is empty."""
    config = frozen.model_copy(update={"folders": Folders(instruments=tmp_path, tables=tmp_path, reports=tmp_path)})
    old, older, newest = names(300, 301, 299)
    for run in (old, older, newest, "issued-7"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "summary.json").touch()
    (tmp_path / LATEST).symlink_to(newest)
    (tmp_path / "stopped").mkdir()
    for age in (10, 400):
        (tmp_path / "stopped" / f"{names(age)[0]}.txt").touch()
    before = sorted(tmp_path.rglob("*"))
    found = surplus(config, TODAY)
    assert [path.name for path in found] == [older, old, f"{names(400)[0]}.txt"]
    assert sorted(tmp_path.rglob("*")) == before
    assert delete(found) == 3
    assert surplus(config, TODAY) == ()
    assert (tmp_path / newest / "summary.json").exists()
    assert (tmp_path / "issued-7" / "summary.json").exists()
