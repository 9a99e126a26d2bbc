"""How long the desk waits for a server that is down, slow or dripping, and when it asks again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import TypeVar

import requests

from trialdesk.errors import RedcapUnreachable

T = TypeVar("T")
NIGHTLY = (5.0, 300.0)
"""The first wait of a night and its longest, in seconds (reference/trial-operations.md 4.4)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a read is tried; waits double from `first_wait` to `longest_wait` seconds, with jitter.

    One request, its retries included, takes no longer than `total` seconds, and nothing goes on after `until`, a moment
    of the monotonic clock. `attempts` None: as often as the time allows.
    """

    attempts: int | None = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    total: float = 300.0
    until: float | None = None

    @property
    def left(self) -> float:
        """Seconds that the next request may take; a little where there are none, so that it fails by itself."""
        ahead = self.total if self.until is None else min(self.total, self.until - time.monotonic())
        return max(ahead, 0.01)

    def again(self, error: Exception) -> bool | float:
        """Whether a failed read is tried again: after as many seconds as the server asked for, or as is usual."""
        if not isinstance(error, RedcapUnreachable):
            return False
        return min(error.retry_after, self.longest_wait) or True


USUAL = Patience()
"""Of who waits in front of a terminal."""


def for_a_night(budget: float) -> Patience:
    """The patience of a run that may take so many seconds from now on: a server may be away for a while."""
    first, longest = NIGHTLY
    return Patience(None, first, longest, budget, time.monotonic() + budget)


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What is answered within so many seconds.

    The time-outs of a socket begin anew with every byte, so a server that drips would hold a run for ever: the question
    is asked in a thread of its own, which is left behind.

    Raises:
        requests.exceptions.Timeout: there was no whole answer in time.
    """
    answers: list[T] = []
    errors: list[BaseException] = []

    def asking() -> None:
        try:
            answers.append(ask())
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked
            errors.append(error)

    thread = Thread(target=asking, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise requests.exceptions.Timeout
    return answers[0]
