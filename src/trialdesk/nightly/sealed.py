"""Snapshots that are kept: all that went into a run, sealed for named people, so that it can be made again.

In it are what REDCap said, what the memory said before the run, and the digests of what was published. Nobody but the
people of `retention.sealed_for` can open one, the account that runs the nights neither.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import redcap_rules
import trialdesk
from trialdesk.allocation.sealing import seal, unseal
from trialdesk.config import Config
from trialdesk.errors import ConfigError, OutputFailed
from trialdesk.memory.store import FILE, Memory, opened
from trialdesk.memory.values import Remembered, Scope
from trialdesk.nightly.kept import Kept, as_bytes, read
from trialdesk.private import place

FOLDER = "snapshots"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """A kept snapshot, opened: what was read, what the memory said, for which day, and what was published.

    `files` is workbook to digest; `code` and `settings` are digests of the program and the configuration of then.
    """

    kept: Kept
    remembered: Remembered
    day: date
    files: Mapping[str, str]
    code: str
    settings: str


def path_of(config: Config, run: str) -> Path:
    """Where the sealed snapshot of a run lies."""
    return config.state / FOLDER / f"{run}.age"


def keep(config: Config, run: str, kept: Kept, before: bytes, day: date, files: Mapping[str, str]) -> bool:
    """The snapshot is sealed and stands in the state folder; False where nobody is named who could open it.

    Args:
        config: The trial.
        run: The name of the run.
        kept: What was read.
        before: The memory's file as it was before the run.
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
        "settings": settings_of(config),
        "memory": b64encode(before).decode(),
        "read": as_bytes(config, kept).decode(),
    }
    place(path_of(config, run), seal(json.dumps(content), config.retention.sealed_for))
    return True


def open_sealed(config: Config, run: str, identity: str) -> Sealed:
    """The kept snapshot of a run.

    Raises:
        ConfigError: there is none, it is of another version, or the identity is none.
        TableError: it is sealed for somebody else, or damaged.
    """
    path = path_of(config, run)
    try:
        content = json.loads(unseal(path.read_bytes(), identity, str(path)))
    except OSError:
        raise ConfigError(f"{path}: there is no kept snapshot of run {run}; the folder shows which there are") from None
    if content.get("schema") != _SCHEMA:
        raise ConfigError(f"{path}: was kept by another version of this program; use that one")
    return Sealed(
        read(content["read"], config),
        _remembered(config, b64decode(content["memory"])),
        date.fromisoformat(content["day"]),
        content["files"],
        content["code"],
        content["settings"],
    )


def settings_of(config: Config) -> str:
    """A digest of the configuration, wherever its folder is."""
    return sha256(repr(config.model_dump(exclude={"home"})).encode()).hexdigest()


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
    try:
        with TemporaryDirectory(dir=config.state) as folder:
            path = Path(folder, FILE)
            place(path, content)
            with opened(path) as memory:
                return memory.remembered(Scope(config.trial.id, config.redcap.url))
    except OSError as error:
        raise OutputFailed(f"{config.state}: can't be written ({error.strerror}); check its rights") from None
