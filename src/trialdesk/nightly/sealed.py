"""Snapshots that are kept: all that went into a run, sealed for named people, so that it can be made again.

In it are what REDCap said, what the memory said before the run, and the digests of what was published. Nobody but the
people of `retention.sealed_for` can open one, the account that runs the nights neither.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redcap_rules
import trialdesk
from trialdesk.allocation.sealing import seal, unseal
from trialdesk.config import Config
from trialdesk.errors import ConfigError, OutputFailed
from trialdesk.facts.counted import without as taken_out
from trialdesk.memory.store import FILE, Memory, opened
from trialdesk.memory.values import Remembered, Scope
from trialdesk.nightly.kept import Kept, pieces, read
from trialdesk.private import place

FOLDER = "snapshots"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Leaving:
    """A record that goes: the ids it is or was known by, on what day, and whether its patient is still counted."""

    names: frozenset[str]
    on: date
    counting: bool


@dataclass(frozen=True, slots=True)
class Sealed:
    """A kept snapshot, opened: what was read, what the memory said, for which day, and what was published.

    `files` is workbook to digest; `code` and `settings` are digests of the program and the configuration of then.
    `removed` are the days on which a record was taken out of it: what is made of it is then not what was published.
    """

    kept: Kept
    remembered: Remembered
    day: date
    files: Mapping[str, str]
    code: str
    settings: str
    removed: tuple[date, ...] = ()


def path_of(config: Config, run: str) -> Path:
    """Where the sealed snapshot of a run lies."""
    return config.state / FOLDER / f"{run}.age"


def keep(
    config: Config, run: str, kept: Kept, before: Callable[[], bytes], day: date, files: Mapping[str, str]
) -> bool:
    """The snapshot is sealed and stands in the state folder; False where nobody is named who could open it.

    Args:
        config: The trial.
        run: The name of the run.
        kept: What was read.
        before: Gives the memory's file as it was before the run; not asked where nothing is kept.
        day: The day of the run.
        files: Workbook to the digest of what was published.

    Raises:
        OutputFailed: it can't be written.
    """
    if not config.retention.sealed_for:
        return False
    content = {
        "schema": _SCHEMA,
        "day": day.isoformat(),
        "files": dict(files),
        "code": program(),
        "settings": config.digest,
        "memory": b64encode(before()).decode(),
        "read": "".join(pieces(config, kept)),
        "recipients": config.retention.sealed_for,
    }
    place(path_of(config, run), seal(json.dumps(content), config.retention.sealed_for))
    return True


def open_sealed(config: Config, run: str, identity: str) -> Sealed:
    """The kept snapshot of a run.

    Raises:
        ConfigError: there is none, it is of another version, or the identity is none.
        TableError: it is sealed for somebody else, or damaged.
    """
    content = _content(config, run, identity)
    return Sealed(
        read(content["read"], config),
        _remembered(config, b64decode(content["memory"])),
        date.fromisoformat(content["day"]),
        content["files"],
        content["code"],
        content["settings"],
        tuple(map(date.fromisoformat, content.get("removed", ()))),
    )


def _content(config: Config, run: str, identity: str) -> dict[str, Any]:
    path = path_of(config, run)
    try:
        content: dict[str, Any] = json.loads(unseal(path.read_bytes(), identity, str(path)))
    except OSError:
        raise ConfigError(f"{path}: there is no kept snapshot of run {run}; the folder shows which there are") from None
    if content.get("schema") != _SCHEMA:
        raise ConfigError(f"{path}: was kept by another version of this program; use that one")
    return content


def without(config: Config, run: str, identity: str, leaving: Leaving) -> bytes | None:
    """The kept snapshot as it is without a record, sealed for those it was sealed for; None if it does not hold it.

    Neither what was read nor what the memory said holds the record then. The digests of what was published stay, for
    they are of what was published; the day says why nothing that is made of it can be held against all of them.

    Raises:
        ConfigError, TableError: as `open_sealed`.
    """
    content = _content(config, run, identity)
    kept, names = read(content["read"], config), leaving.names
    pull, told = kept.pull, kept.removals.records if kept.removals else {}
    memory, rows = _memory_without(config, b64decode(content["memory"]), names)
    records = {*pull.snapshot.rows, *pull.snapshot.vanished, *told, *(one.record for one in pull.register)}
    if not rows and not names & records:
        return None
    removals = kept.removals and replace(kept.removals, records={r: how for r, how in told.items() if r not in names})
    left = replace(kept, pull=taken_out(pull, names, counting=leaving.counting), removals=removals)
    content["memory"], content["read"] = b64encode(memory).decode(), "".join(pieces(config, left))
    content["removed"] = [*content.get("removed", ()), leaving.on.isoformat()]
    return seal(json.dumps(content), content.get("recipients", config.retention.sealed_for))


def _memory_without(config: Config, content: bytes, names: frozenset[str]) -> tuple[bytes, int]:
    """The memory's file without what it says of a record, and how many rows went."""
    with _laid(config, content) as path:
        with opened(path) as memory:
            rows = memory.forget(Scope(config.trial.id, config.redcap.url), names)
        return path.read_bytes(), rows


def program() -> str:
    """A digest of the program: of every file of the two packages a run is made with."""
    folders = (Path(module.__file__ or "").parent for module in (redcap_rules, trialdesk))
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".j2"})
    return sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def copied(memory: Memory, folder: Path) -> bytes:
    """The memory's file as it is now."""
    with TemporaryDirectory(dir=folder) as place_of:
        path = Path(place_of, FILE)
        memory.copy_to(path)
        return path.read_bytes()


def _remembered(config: Config, content: bytes) -> Remembered:
    with _laid(config, content) as path, opened(path) as memory:
        return memory.remembered(Scope(config.trial.id, config.redcap.url))


@contextmanager
def _laid(config: Config, content: bytes) -> Iterator[Path]:
    """A memory's file, in a folder that is gone afterwards."""
    try:
        with TemporaryDirectory(dir=config.state) as folder:
            path = Path(folder, FILE)
            place(path, content)
            yield path
    except OSError as error:
        raise OutputFailed(f"{config.state}: can't be written ({error.strerror}); check its rights") from None
