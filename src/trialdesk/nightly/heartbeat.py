"""A file that says when a run was last started and how it ended, for whoever watches the machine."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from trialdesk.errors import OutputFailed
from trialdesk.private import place

HEARTBEAT = "heartbeat.json"


def beat(state: Path, at: datetime, code: int) -> None:
    """The file holds the moment of this run and its exit code; a disk that takes no file is told by the run itself."""
    with suppress(OutputFailed):
        place(
            state / HEARTBEAT, f"{json.dumps({'at': at.isoformat(timespec='seconds'), 'exit_code': code})}\n".encode()
        )
