"""A copy of the database while the server runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def back_up(source: Path, target: Path) -> None:
    """The target is a consistent copy that only its owner can read.

    Raises:
        FileNotFoundError: There is no such database.
        FileExistsError: The target exists; a copy never replaces another.
    """
    if not source.exists():
        msg = f"{source}: no such database; name the file the server was started with"
        raise FileNotFoundError(msg)
    if target.exists():
        msg = f"{target}: exists already; name a new file"
        raise FileExistsError(msg)
    target.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
        copy.execute("pragma journal_mode = delete")
