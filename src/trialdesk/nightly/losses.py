"""Files of a run that can't be laid out or written: the rest is published, and the run says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from trialdesk.console import fault
from trialdesk.errors import DiskFull, OutputFailed, TrialError

T = TypeVar("T")


class Losses:
    """What is missing, and why: file to a line without data."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}

    def tell(self, name: str, error: Exception) -> None:
        """The file can't be made."""
        self.files[name] = str(error) if isinstance(error, OutputFailed) else fault(error)

    def attempt(self, name: str, make: Callable[[], T]) -> T | None:
        """What is made, or None when it can't be.

        Raises:
            DiskFull: nothing can be made any more.
            TrialError: nothing may be made: an allocation would show, or the pull can't be right.
        """
        try:
            return make()
        except DiskFull:
            raise
        except OutputFailed as error:
            self.tell(name, error)
        except TrialError:
            raise
        except Exception as error:  # noqa: BLE001 - one file that fails must not take the others with it
            self.tell(name, error)
        return None
