"""What is old enough to go: runs, kept snapshots, accounts of runs that were stopped. Pure but for the deleting.

Source: reference/trial-operations.md 4.6. Copies of issued reports lie elsewhere and are never touched.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from trialdesk.config import Config
from trialdesk.config.parts import Retention
from trialdesk.errors import OutputFailed
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.sealed import FOLDER

_RUN = re.compile(r"(\d{4}-\d{2}-\d{2})_\d{6}(-\d+)?")
STOPPED = "stopped"


def surplus_runs(runs: Iterable[str], today: date, policy: Retention) -> Iterator[str]:
    """The runs that go, oldest first: of the last days every one stays, then the newest of each week, then none."""
    first = today - timedelta(days=policy.runs_days)
    weeks = today - timedelta(weeks=policy.weekly_weeks)
    newest: dict[tuple[int, int], str] = {}
    dated = sorted((run, day) for run in runs if (day := day_of(run)))
    for run, day in dated:
        newest[day.isocalendar()[:2]] = run
    for run, day in dated:
        weekly = day >= weeks and newest[day.isocalendar()[:2]] == run
        if day < first and not weekly:
            yield run


def surplus_snapshots(runs: Iterable[str], today: date, policy: Retention) -> Iterator[str]:
    """The runs whose kept snapshots go, oldest first: the last of each month stays."""
    first = today - timedelta(days=policy.snapshots_days)
    dated = sorted((run, day) for run in runs if (day := day_of(run)))
    last = {(day.year, day.month): run for run, day in dated}
    yield from (run for run, day in dated if day < first and last[day.year, day.month] != run)


def day_of(run: str) -> date | None:
    """The day in the name of a run; None for a name that is none."""
    found = _RUN.fullmatch(run)
    return date.fromisoformat(found[1]) if found else None


def surplus(config: Config, today: date) -> tuple[Path, ...]:
    """Every folder and file that is to go; the newest run never."""
    policy, reports, state = config.retention, config.reports, config.state
    latest = (reports / LATEST).resolve().name
    runs = [path.name for path in reports.glob("[0-9]*") if path.is_dir() and path.name != latest]
    snapshots = [path.stem for path in (state / FOLDER).glob("*.age")]
    accounts = [path.stem for path in (state / STOPPED).glob("*.txt")]
    old = today - timedelta(days=policy.accounts_days)
    return (
        *(reports / run for run in surplus_runs(runs, today, policy)),
        *(state / FOLDER / f"{run}.age" for run in surplus_snapshots(snapshots, today, policy)),
        *(state / STOPPED / f"{run}.txt" for run in sorted(accounts) if (day := day_of(run)) and day < old),
    )


def delete(paths: Iterable[Path]) -> int:
    """They are gone; returns how many there were.

    Raises:
        OutputFailed: one can't be deleted; those before it are gone.
    """
    number = 0
    for path in paths:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:
            raise OutputFailed(f"{path}: can't be deleted ({error.strerror}); check its rights") from None
        number += 1
    return number
