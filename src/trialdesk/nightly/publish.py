"""Publishing: a run's folder appears whole under its name, then `latest` points at it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from trialdesk.errors import OutputFailed

LATEST = "latest"
HOUR = timedelta(hours=1)


def run_name(reports: Path, now: datetime, known: Collection[str] = ()) -> str:
    """The name of a run, `2026-11-23_043000`, with a number behind it if that second already has one.

    Runs are in order by their names. In the hour that comes twice, once a year, a run goes by the name of the one
    before, with a number behind it. `known` are the runs the memory knows: one that failed has left no folder.
    """
    name, later = ((now + ahead).strftime("%Y-%m-%d_%H%M%S") for ahead in (timedelta(), HOUR))
    taken = {path.name for path in reports.glob("[0-9]*")} | {*known}
    name = max((run[: len(name)] for run in taken if name < run <= later), default=name)
    return next(
        free
        for number in range(1, len(taken) + 2)
        if (free := name + (f"-{number}" if number > 1 else "")) not in taken
    )


@contextmanager
def building(reports: Path, run: str) -> Iterator[Path]:
    """A folder to build in, open to its owner alone; it is gone afterwards unless it was published.

    Raises:
        OutputFailed: the folder can't be made.
    """
    folder = reports / f".building-{run}"
    try:
        folder.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise OutputFailed(
            f"{folder}: can't be made ({error.strerror}); check folders.reports and its rights"
        ) from None
    # what libraries put by for a moment as well: whatever kills a run, nothing lies elsewhere
    system, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = system
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, reports: Path, run: str) -> Path:
    """The built folder stands under the run's name and `latest` points at it; returns its path.

    Both steps are a rename, so a reader sees the old run or the new one and nothing between. Where the system
    has no symbolic links, `latest` is a text file that holds the run's name.
    """
    final = reports / run
    try:
        for path in folder.rglob("*"):
            if path.is_dir():
                path.chmod(0o700)
                continue
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        folder.rename(final)
        try:
            _point(reports / LATEST, run)
        except OSError:
            final.rename(folder)  # taken away with the folder it was built in
            raise
    except OSError as error:
        raise OutputFailed(f"{final}: can't be published ({error.strerror}); the earlier run still stands") from None
    return final


def _point(latest: Path, run: str) -> None:
    fresh = latest.with_name(f".{LATEST}.new")
    fresh.unlink(missing_ok=True)
    try:
        fresh.symlink_to(run, target_is_directory=True)
    except OSError:
        fresh.write_text(f"{run}\n", encoding="utf-8")
    try:
        fresh.replace(latest)
    finally:
        fresh.unlink(missing_ok=True)
