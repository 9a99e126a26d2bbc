"""Who has which form open: the second to open it reads only (reference/redcap-validation-facts.md 10, D.129.100)."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

LASTS = timedelta(minutes=30)

Spot = tuple[int, str, int, str, int]
"""Project, record, event id, form and instance."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A form opened to edit: by whom, since when, and the word with which it is left again."""

    username: str
    since: datetime
    word: str


class Editors:
    """The forms that are open."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[Spot, Opening] = {}

    def open(self, spot: Spot, username: str) -> Opening:
        """The user's own opening, from now on; another user's as long as that one has the form open."""
        with self._lock:
            there = self._open.get(spot)
            if there is not None and there.username != username and there.since > self._clock() - LASTS:
                return there
            self._open = {key: one for key, one in self._open.items() if one.since > self._clock() - LASTS}
            mine = Opening(username, self._clock(), secrets.token_urlsafe(12))
            self._open[spot] = mine
            return mine

    def leave(self, spot: Spot, word: str) -> None:
        """Others may edit the form, unless it has been opened anew since."""
        with self._lock:
            there = self._open.get(spot)
            if there is not None and there.word == word:
                del self._open[spot]
