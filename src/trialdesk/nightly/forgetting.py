"""Forgetting a record: every place of the desk that holds it, and what is left when it has been forgotten.

What REDCap returns can't be forgotten, it would be back the next night; so it goes there first, and from the register.
Copies of issued reports are named and never altered: they say what was known when they were issued.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from trialdesk.config import Config
from trialdesk.envelopes.register import read_register
from trialdesk.errors import ReleaseRefused
from trialdesk.memory.store import MENTIONS
from trialdesk.nightly.issuing import FOLDER as ISSUED
from trialdesk.nightly.kept import FILE as OPEN
from trialdesk.nightly.rebuilding import FOLDER as REBUILT
from trialdesk.nightly.retention import STOPPED, day_of
from trialdesk.nightly.sealed import FOLDER as SNAPSHOTS
from trialdesk.redcap.gateway import Gateway
from trialdesk.reports.delivery import MEMORY


@dataclass(frozen=True, slots=True)
class Places:
    """Where a record stands: what is deleted, and issued reports of runs that held it, which stay."""

    deleted: tuple[Path, ...]
    issued: tuple[Path, ...]


def prove_gone(record: str, trial: Gateway, register: Gateway, record_id: str) -> None:
    """Neither project returns the record.

    Raises:
        ReleaseRefused: one does; the run that is made anew would hold it again.
    """
    if record in trial.ids(record_id):
        raise ReleaseRefused(f"{record}: REDCap returns it, so every run would hold it again; delete it there first")
    held = [envelope.id for envelope in read_register(register) if envelope.record == record]
    if held:
        at = ", ".join(held)
        raise ReleaseRefused(f"{record}: the register names it at {at}; the packer empties env_record there first")


def places(config: Config, names: frozenset[str]) -> Places:
    """Every folder and file of the desk that holds the record, the memory itself left out.

    A run holds what its copy of the memory mentions; of a kept snapshot whose run is not there any more nobody can
    tell, so it counts as holding it. Of an issued run the folder goes, and the copy that was issued stays.

    Args:
        config: The trial.
        names: The ids under which the record is or was known.
    """
    reports, state = config.reports, config.state
    runs = {path.name: path for path in sorted(reports.glob("[0-9]*")) if day_of(path.name)}
    holding = {name for name, path in runs.items() if _mentions(path / MEMORY, names)}
    copies = {path.name.partition("-")[2]: path for path in sorted((reports / ISSUED).glob("[0-9]*-*"))}
    snapshots = [
        path for path in sorted((state / SNAPSHOTS).glob("*.age")) if path.stem in holding or path.stem not in runs
    ]
    return Places(
        (
            *(path for name, path in runs.items() if name in holding),
            *snapshots,
            *sorted((state / REBUILT).glob("[0-9]*")),
            *_telling(sorted((state / STOPPED).glob("*.txt")), names),
            *_telling([state / OPEN], names),
        ),
        tuple(path for name, path in copies.items() if name in holding),
    )


def _mentions(copy: Path, names: Iterable[str]) -> bool:
    """Whether a copy of the memory mentions the record; one that can't be read may."""
    try:
        with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as memory:
            return any(memory.execute(MENTIONS, {"name": name}).fetchone()[0] for name in names)
    except sqlite3.Error:
        return True


def _telling(files: Iterable[Path], names: Iterable[str]) -> Iterator[Path]:
    """The files whose text names the record."""
    named = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names))
    for path in files:
        if path.is_file() and named.search(path.read_text(encoding="utf-8", errors="replace")):
            yield path
