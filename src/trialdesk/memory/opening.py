"""Opening the memory at the start of a run: what is damaged is set aside, what was broken off is finished.

A run that began and never ended has died; a run that was published and died before the memory knew of it is taken in
from its own copy. Nothing of this ever stops a night.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trialdesk.errors import OutputFailed
from trialdesk.memory.migrating import LEDGER, migrate
from trialdesk.memory.store import FILE, Damaged, Memory, opened
from trialdesk.memory.values import Remembered, Scope

COPY = Path("coordinator") / FILE


@contextmanager
def remembering(state: Path, reports: Path, scope: Scope) -> Iterator[tuple[Memory, tuple[str, ...]]]:
    """The memory, healed, with what was done to it in one sentence each.

    Args:
        state: The folder of the memory, on a local disk.
        reports: Where runs are published; the newest one holds a copy of the memory.
        scope: The trial and the server.

    Raises:
        OutputFailed: the memory can be neither opened nor made.
    """
    path = state / FILE
    notes = _mended(path, reports)
    with opened(path) as memory:
        if (told := migrate(state / LEDGER, memory)) is not None:
            notes.append(told)
        notes += _finished(memory, reports, scope)
        _clear(memory, reports, scope)
        yield memory, tuple(notes)


def _mended(path: Path, reports: Path) -> list[str]:
    """A damaged memory stands aside under a name of its own, and the newest copy takes its place."""
    try:
        with opened(path):
            return []
    except Damaged as why:
        aside = _free(path)
        try:
            path.rename(aside)
        except OSError as error:
            raise OutputFailed(f"{path}: is damaged and can't be set aside ({error.strerror})") from None
        for copy in _copies(reports):
            if _can_be_read(copy):
                shutil.copyfile(copy, path)
                path.chmod(0o600)
                said = f"the copy of run {copy.parents[1].name} takes its place"
                return [f"the memory was damaged ({why}) and is set aside as {aside.name}; {said}"]
        return [f"the memory was damaged ({why}) and is set aside as {aside.name}; there is no copy, a new one begins"]


def _finished(memory: Memory, reports: Path, scope: Scope) -> Iterator[str]:
    newest = next(_copies(reports), None)
    if newest is not None and not memory.knows(scope, run := newest.parents[1].name) and _holds(newest, scope, run):
        memory.take_over(newest)
        yield f"run {run} was published and not remembered; its copy of the memory is taken over"
    for run in memory.begun(scope):
        memory.end(scope, run, "died", "", None)
        yield f"run {run} began and never ended"


def _clear(memory: Memory, reports: Path, scope: Scope) -> None:
    """No run is at work, so no folder of one is being built: not of those that ended in the middle of clearing it."""
    ended = memory.runs(scope)
    for folder in reports.glob(".building-*"):
        if folder.name.removeprefix(".building-") in ended:
            shutil.rmtree(folder, ignore_errors=True)


def _copies(reports: Path) -> Iterator[Path]:
    """The copies of published runs, newest first."""
    runs = sorted((path for path in reports.glob("[0-9]*") if path.is_dir()), reverse=True)
    yield from (copy for run in runs if (copy := run / COPY).is_file())


def _holds(copy: Path, scope: Scope, run: str) -> bool:
    try:
        with opened(copy) as memory:
            return memory.knows(scope, run)
    except (Damaged, OutputFailed, sqlite3.Error):
        return False


def _can_be_read(copy: Path) -> bool:
    try:
        with opened(copy):
            return True
    except (Damaged, OutputFailed):
        return False


def _free(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    return aside


def recalled(state: Path, scope: Scope) -> Remembered:
    """What the memory knows, for a report made by hand: nothing is begun or mended, and no memory is nothing known."""
    path = state / FILE
    try:
        if path.is_file():
            with opened(path) as memory:
                return memory.remembered(scope)
    except (Damaged, OutputFailed):
        pass
    return Remembered(scope)


def servers(state: Path) -> frozenset[str] | None:
    """The servers of the runs a memory knows; None when there is none that can be read."""
    path = state / FILE
    if not path.exists():
        return frozenset()
    try:
        with opened(path) as memory:
            return memory.servers()
    except (Damaged, OutputFailed):
        return None
