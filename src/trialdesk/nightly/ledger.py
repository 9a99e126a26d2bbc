"""The run ledger: one line a run, the only memory the nightly run has of its own."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trialdesk.errors import OutputFailed
from trialdesk.redcap.sanity import Tally


@dataclass(frozen=True, slots=True)
class Entry:
    """How one run ended. `trial` and `url` say whose run it was; `tally` is there only when the gate was passed."""

    run: str
    trial: str
    url: str
    day: str
    status: str
    exit_code: int
    tally: Tally | None = None
    note: str = ""
    accepted_drop: int = 0
    reason: str = ""
    files: tuple[str, ...] = field(default_factory=tuple)


def append(ledger: Path, entry: Entry) -> None:
    """The entry is the last line of the ledger, on disk."""
    try:
        with ledger.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True) + "\n")
            lines.flush()
            os.fsync(lines.fileno())
    except OSError as error:
        raise OutputFailed(f"{ledger}: the run ledger can't be written ({error.strerror})") from None


def last_good(ledger: Path, trial: str, url: str) -> Tally | None:
    """The tally of the newest published run of this trial on this server; None before the first.

    Raises:
        OutputFailed: a line of the ledger can't be read; the sanity gate has no yardstick then.
    """
    if not ledger.exists():
        return None
    for number, line in reversed(list(enumerate(ledger.read_text(encoding="utf-8").splitlines(), 1))):
        entry = _read(line, f"{ledger.name}:{number}")
        if (entry["trial"], entry["url"]) == (trial, url) and entry["tally"] and entry["exit_code"] in (0, 10):
            return Tally(**entry["tally"])
    return None


def _read(line: str, place: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        if {"trial", "url", "tally", "exit_code"} <= entry.keys():
            return dict(entry)
    except (ValueError, AttributeError):
        pass
    raise OutputFailed(f"{place}: this line of the run ledger is damaged; move the ledger away to start a new one")
