"""The run ledger: one line a run, the only memory the nightly run has of its own."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from trialdesk.errors import OutputFailed
from trialdesk.model import Tally


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


def last_published(ledger: Path, trial: str, url: str) -> Entry | None:
    """The newest published run of this trial on this server; None before the first.

    Raises:
        OutputFailed: a line of the ledger can't be read; the sanity gate has no yardstick then.
    """
    if not ledger.exists():
        return None
    for number, line in reversed(list(enumerate(ledger.read_text(encoding="utf-8").splitlines(), 1))):
        entry = _read(line, f"{ledger.name}:{number}")
        if (entry.trial, entry.url) == (trial, url) and entry.tally:
            return entry
    return None


def _read(line: str, place: str) -> Entry:
    """The entry of a line; what another version wrote beside it is passed over."""
    try:
        stored = json.loads(line)
        known = {one.name: stored[one.name] for one in fields(Entry) if one.name in stored}
        tally = Tally(**known["tally"]) if known["tally"] else None
        return Entry(**{**known, "tally": tally, "files": tuple(known["files"])})
    except (ValueError, TypeError, KeyError):
        raise OutputFailed(
            f"{place}: this line of the run ledger is damaged; move the ledger away to start a new one"
        ) from None
