"""Files that only their owner may read: tokens, block sizes, masters, age identities, and every result of a run."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from trialdesk.errors import ConfigError, DiskFull, OutputFailed

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


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


def write_private(path: Path, text: str) -> None:
    """A new file holds the text, and only its owner can read it.

    Raises:
        ConfigError: there is such a file already, or it can't be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path}: is there already and is kept; name another file") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be written ({error.strerror}); name a folder of your own") from None


def place(path: Path, content: bytes | Iterable[bytes]) -> None:
    """The file holds the content, whole, and only its owner can read it; an older file is replaced at once.

    What is large may come in pieces.

    Raises:
        OutputFailed: it can't be written; the older file still stands. DiskFull: nor can any other.
    """
    part = path.with_name(f".part-{path.name}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        part.replace(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno in _FULL:
            raise DiskFull(f"{path}: can't be written ({reason}); make room on the disk, and run again") from None
        raise OutputFailed(f"{path}: can't be written ({reason}); close it if it is open, and run again") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
