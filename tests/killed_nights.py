"""Nights that are killed at a moment by chance: what each leaves behind, and whether the next one is whole."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from played import played
from trialdesk.config import Config
from trialdesk.nightly.publish import LATEST

TODAY = date(2026, 11, 23)
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
SCRIPT = Path(__file__).parents[1] / "scripts" / "nightly_sync.py"
ENDED = frozenset({0, 10, 45})
"""How a night on its own ends: nothing to do, something on To do, no manifest filed for a version."""


@dataclass(frozen=True)
class Killed:
    """One night: which signal it got after how many seconds, how it ended, and what is wrong; "" for nothing."""

    sign: str
    after: float
    code: int
    published: bool
    wrong: str = ""


@dataclass
class Ward:
    """A played trial, the seconds a night takes in it, and the files of a whole one."""

    config: Config
    config_file: Path
    temporary: Path
    takes: float = 0.0
    names: frozenset[str] = frozenset()

    def kill(self, seed: int) -> Killed:
        """A night gets a signal at a moment of the seed, from its first breath to after its end."""
        sign, before = SIGNALS[seed % len(SIGNALS)], self.latest
        after = random.Random(seed).uniform(0.0, 1.1 * self.takes)
        code, said = self._night(after, sign)
        return Killed(sign.name, after, code, self.latest != before, self._wrong(said))

    def next(self) -> str:
        """What is wrong with a night that nobody kills, after those before it; "" for nothing."""
        before = self.latest
        begun = time.monotonic()
        code, said = self._night(None, signal.SIGKILL)
        self.takes = time.monotonic() - begun
        if code not in ENDED or self.latest == before:
            return f"the next night ends with {code}: {said.strip()[-200:]}"
        self.names = self.names or self._names()
        half = [path.name for path in self.config.reports.glob(".building-*")]
        return self._wrong(said) or (f"{half[0]} is left" if half else "")

    @property
    def latest(self) -> Path:
        """The newest run."""
        return (self.config.reports / LATEST).resolve()

    def _night(self, after: float | None, sign: signal.Signals) -> tuple[int, str]:
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir()
        words = [sys.executable, str(SCRIPT), "--once", "--today", str(TODAY), "--config", str(self.config_file)]
        env = {**os.environ, "TMPDIR": str(self.temporary)}
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env) as night:
            try:
                night.wait(after)
            except subprocess.TimeoutExpired:
                night.send_signal(sign)
            _, said = night.communicate(timeout=60)
        return night.returncode, said

    def _names(self) -> frozenset[str]:
        return frozenset(str(path.relative_to(self.latest)) for path in self.latest.rglob("*") if path.is_file())

    def _wrong(self, said: str) -> str:
        if "Traceback" in said:
            return f"a traceback: {said.strip().splitlines()[-1]}"
        if left := sorted(path.name for path in self.temporary.rglob("*")):
            return f"{left[0]} lies in the system's temporary folder"
        if self.names and self._names() != self.names:
            return f"the published run lacks or has more: {sorted(self._names() ^ self.names)[0]}"
        return next(filter(None, (_damage(path) for path in self.latest.rglob("*"))), "") or self._memory()

    def _memory(self) -> str:
        with closing(sqlite3.connect(self.config.state / "memory.sqlite")) as memory:
            (told,) = memory.execute("PRAGMA integrity_check").fetchone()
        return "" if told == "ok" else f"the memory: {told}"


def _damage(path: Path) -> str:
    """What can't be opened of a published file, or may be read by others; "" for nothing."""
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        if path.suffix == ".xlsx":
            with ZipFile(path) as book:
                if book.testzip() or path.stat().st_mode & 0o077:
                    return f"{path.name} is damaged, or others may read it"
    except (ValueError, BadZipFile) as error:
        return f"{path.name}: {error}"
    return ""


@contextmanager
def ward(home: Path, patients: int = 12) -> Iterator[Ward]:
    """A trial in which a first night was whole."""
    with played(home, patients, TODAY) as trial:
        it = Ward(trial.stage.config, trial.stage.config_file, home / "temporary")
        for _ in range(2):  # the second has less to write, as most nights
            assert it.next() == ""
        yield it
