"""A trial played on a local REDCap, as `make demo` plays it, in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from frozen import FROZEN
from redcap_local.server import running
from rehearsal.day import Cards, make_envelopes, perform, send_envelopes, tell_story
from rehearsal.stage import Stage, fresh_folder, set_stage, write_files
from rehearsal.story import Deviation


@dataclass(frozen=True)
class Played:
    """A played trial: its stage, the cards in the envelopes, what was planted, and the way to REDCap's pages."""

    stage: Stage
    cards: Cards
    planted: tuple[Deviation, ...]
    start: Callable[[], str]


@contextmanager
def played(home: Path, patients: int, today: date, trial: Path = FROZEN) -> Iterator[Played]:
    """So many patients of a trial, entered by its sites; REDCap answers as long as the block lasts.

    `home` holds the trial's own configuration and instruments, `home/demo` what the rehearsal makes of them.
    """
    shutil.copytree(trial, home, dirs_exist_ok=True)
    folder = fresh_folder(home / "demo")
    with running(folder / "redcap.sqlite") as server:
        files = write_files(home / "config.yaml", folder, server.url, today)
        stage = set_stage(files, server, folder / "redcap.sqlite", lambda plan: plan.digest)
        story = tell_story(stage, 1, patients, today)
        cards, _ = make_envelopes(stage, story, today)
        send_envelopes(stage, story)
        yield Played(stage, cards, perform(stage, story, cards, lambda *_: None), server.start)
