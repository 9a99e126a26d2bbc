"""Forgetting a record: every place of the desk that holds it, and what is left when it has been forgotten.

What REDCap returns would be back the next night; so it goes there first, and from the register. Only where the patient
withdrew from the use of data it may stay there: then it is counted from now on and nothing else (facts.counted).
Copies of issued reports are named and never altered: they say what was known when they were issued.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from trialdesk.config import Config
from trialdesk.envelopes.register import read_register
from trialdesk.errors import ReleaseRefused
from trialdesk.memory.digests import naming
from trialdesk.memory.store import MENTIONS, only_read
from trialdesk.memory.values import Remembered
from trialdesk.model import Envelope, Patient
from trialdesk.nightly.issuing import FOLDER as ISSUED
from trialdesk.nightly.kept import FILE as OPEN
from trialdesk.nightly.rebuilding import FOLDER as REBUILT
from trialdesk.nightly.retention import STOPPED, day_of
from trialdesk.nightly.sealed import FOLDER as SNAPSHOTS
from trialdesk.nightly.sealed import Leaving, without
from trialdesk.private import place
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patient
from trialdesk.redcap.snapshot import pull_records
from trialdesk.reports.delivery import MEMORY

WITHDRAWN = "withdrawn_from_data"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a record stands: what is deleted, kept snapshots that are rewritten, and issued reports, which stay."""

    deleted: tuple[Path, ...]
    rewritten: tuple[Path, ...]
    issued: tuple[Path, ...]


def returned(record: str, config: Config, trial: Gateway, register: Gateway, remembered: Remembered) -> bool:
    """Whether REDCap goes on returning the record, which is then only counted; it may be forgotten either way.

    Raises:
        ReleaseRefused: REDCap returns it, and the patient is not withdrawn from the use of data, or the last run has
            not settled what follows from it; or the register names a record that REDCap does not return.
    """
    held = [envelope for envelope in read_register(register) if envelope.record == record]
    if record in trial.ids(trial.dictionary().record_id):
        _prove_withdrawn(patient(pull_records(trial, (record,)), config, record), held, remembered)
        return True
    if held:
        at = ", ".join(envelope.id for envelope in held)
        raise ReleaseRefused(f"{record}: the register names it at {at}; the packer empties env_record there first")
    return False


def _prove_withdrawn(who: Patient, held: Sequence[Envelope], remembered: Remembered) -> None:
    """The patient is withdrawn from the use of data, and a run has ended the calls and settled the envelope."""
    if who.withdrawal != "data":
        raise ReleaseRefused(
            f"{who.record}: REDCap returns it, so every run would hold it again; delete it there first, or enter there "
            "that the patient withdraws from the use of data"
        )
    if who.release_open or (who.opened and not any(envelope.status == "opened" for envelope in held)):
        raise ReleaseRefused(
            f"{who.record}: its envelope is not recorded as opened in record and register; solve the finding first"
        )
    seen = (remembered.night.records or {}).get(who.record) if remembered.night else None
    if not remembered.forgot(who.record) and not (seen and WITHDRAWN in seen.states):
        raise ReleaseRefused(
            f"{who.record}: no run has seen yet that the patient withdrew from the use of data, and it ends the calls; "
            "run nightly_sync.py --once first"
        )


def places(config: Config, leaving: Leaving, identity: str = "") -> Places:
    """Every folder and file of the desk that holds the record, the memory itself left out.

    A run holds what its copy of the memory mentions. Of a kept snapshot whose run is not there any more only an
    identity can tell; without one it counts as holding it, and all that do are deleted. Of an issued run the folder
    goes, and the copy that was issued stays.

    Args:
        config: The trial.
        leaving: The record.
        identity: The text of an age identity that kept snapshots are sealed for, to rewrite them.

    Raises:
        ConfigError, TableError: a snapshot can't be opened with the identity.
    """
    reports, state, names = config.reports, config.state, leaving.names
    runs = {path.name: path for path in sorted(reports.glob("[0-9]*")) if day_of(path.name)}
    holding = {name for name, path in runs.items() if _mentions(path / MEMORY, names)}
    copies = {path.name.partition("-")[2]: path for path in sorted((reports / ISSUED).glob("[0-9]*-*"))}
    snapshots = [
        path for path in sorted((state / SNAPSHOTS).glob("*.age")) if path.stem in holding or path.stem not in runs
    ]
    kept = [path for path in snapshots if without(config, path.stem, identity, leaving)] if identity else []
    return Places(
        (
            *(path for name, path in runs.items() if name in holding),
            *([] if identity else snapshots),
            *sorted((state / REBUILT).glob("[0-9]*")),
            *_telling(sorted((state / STOPPED).glob("*.txt")), names),
            *_telling([state / OPEN], names),
        ),
        tuple(kept),
        tuple(path for name, path in copies.items() if name in holding),
    )


def rewrite(config: Config, snapshots: Iterable[Path], leaving: Leaving, identity: str) -> int:
    """The kept snapshots do not hold the record any more, and are sealed for whom they were; how many there were.

    Raises:
        ConfigError, TableError: one can't be opened with the identity; OutputFailed: one can't be written.
    """
    number = 0
    for path in snapshots:
        if sealed := without(config, path.stem, identity, leaving):
            place(path, sealed)
            number += 1
    return number


def _mentions(copy: Path, names: Iterable[str]) -> bool:
    """Whether a copy of the memory mentions the record; one that can't be read may."""
    try:
        with closing(only_read(copy)) as memory:
            return any(memory.execute(MENTIONS, {"name": name}).fetchone()[0] for name in names)
    except sqlite3.Error:
        return True


def _telling(files: Iterable[Path], names: Iterable[str]) -> Iterator[Path]:
    """The files whose text names the record."""
    named = naming(names)
    for path in files:
        if path.is_file() and named.search(path.read_text(encoding="utf-8", errors="replace")):
            yield path
