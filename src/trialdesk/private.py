"""Files that only their owner may read: tokens, block sizes, masters, age identities."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from trialdesk.errors import ConfigError


def read_private(path: Path, what: str) -> str:
    """The text of a file that only its owner can read.

    Args:
        path: The file.
        what: What it holds and how to make it, for the message when it is missing.

    Raises:
        ConfigError: the file is missing, not readable, not text, or open to others (POSIX mode bits).
    """
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path}: is not a file; {what}")
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{path}: others can read this file; run: chmod 600 {path}")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; {what}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read ({type(error).__name__}); {what}") from None
