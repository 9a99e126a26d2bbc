"""Who sits at which browser: start addresses for one use, sessions, and waits after wrong passwords.

All of it lives in memory and ends with the server.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

TRIES = 5
WAIT = timedelta(minutes=5)
_MOST_SESSIONS = 1_000  # the oldest give way: nobody needs more browsers on one machine


@dataclass(frozen=True, slots=True)
class Session:
    """One browser: the secret in its cookie, what its forms carry, and the user chosen, '' for none yet."""

    key: str
    csrf: str
    username: str = ""

    def __repr__(self) -> str:
        return f"Session(username={self.username!r})"


class Sessions:
    """The browsers that have entered."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._starts: set[str] = set()
        self._sessions: dict[str, Session] = {}
        self._wrong: dict[str, list[datetime]] = {}

    def new_start(self) -> str:
        """A secret with which one browser may enter, once."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._starts.add(secret)
        return secret

    def enter(self, secret: str) -> Session | None:
        """The session of a browser that enters with a start secret; None when it is none, or was used before."""
        with self._lock:
            if secret not in self._starts:
                return None
            self._starts.remove(secret)
        return self.begin("")

    def begin(self, username: str, old: Session | None = None) -> Session:
        """A session of that user under a new key; the old one is over."""
        session = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(32), username)
        with self._lock:
            if old is not None:
                self._sessions.pop(old.key, None)
            self._sessions[session.key] = session
            if len(self._sessions) > _MOST_SESSIONS:
                # Who has only looked at the door gives way first.
                idle = (key for key, one in self._sessions.items() if not one.username and key != session.key)
                self._sessions.pop(next(idle, next(iter(self._sessions))))
        return session

    def find(self, key: str) -> Session | None:
        """The session of a cookie."""
        with self._lock:
            return self._sessions.get(key)

    def leave(self, session: Session) -> Session:
        """The browser has no user any more and may choose another."""
        return self.begin("", session)

    def must_wait(self, username: str) -> bool:
        """True while a user name has had too many wrong passwords."""
        with self._lock:
            return len(self._recent(username)) >= TRIES

    def went_wrong(self, username: str) -> None:
        """One more wrong password for that name."""
        with self._lock:
            self._wrong[username] = [*self._recent(username), self._clock()]

    def went_right(self, username: str) -> None:
        """Wrong passwords of that name are forgotten."""
        with self._lock:
            self._wrong.pop(username, None)

    def _recent(self, username: str) -> list[datetime]:
        since = self._clock() - WAIT
        return [when for when in self._wrong.get(username, []) if when > since]
