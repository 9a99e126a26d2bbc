"""Alone with a trial: the lock of a file on this machine, and where one is named, that of a server among machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from trialdesk.config import Config
from trialdesk.errors import LockHeld, OutputFailed
from trialdesk.nightly.machines import Hold, held


@contextmanager
def alone(config: Config, wait: float = 0) -> Iterator[Hold]:
    """Nobody else is at work on the trial until the block ends.

    Args:
        config: The trial.
        wait: For how many seconds somebody else may still be at work, on this machine and then on another.

    Raises:
        LockHeld: somebody else is.
        LockUnproved: the server of `machines` can't say.
        OutputFailed: the folders can't be used.
    """
    with _locked(config, wait):
        if config.machines is None:
            yield Hold()
        else:
            with held(config, config.machines, wait) as session:
                yield session


@contextmanager
def _locked(config: Config, wait: float) -> Iterator[None]:
    reports, state = config.reports, config.state
    try:
        for folder in (reports, state):
            folder.mkdir(parents=True, exist_ok=True)
        with FileLock(state / ".lock", timeout=wait):
            yield
    except Timeout:
        raise LockHeld(f"{state}: another run is at work; wait for it to end") from None
    except OSError as error:
        raise OutputFailed(
            f"{reports}: can't be used ({error.strerror}); check folders.reports, folders.state and their rights"
        ) from None
