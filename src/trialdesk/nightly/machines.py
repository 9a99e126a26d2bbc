"""One trial, several machines: a PostgreSQL server knows which of them is at work on it. Nothing else lives there.

The lock is an advisory lock of the session: it ends with the session, however that ends, so that the trial of a machine
that was lost is free for another. The list of runs is for people: no decision rests on it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr
from requests.exceptions import Timeout

from trialdesk.allocation.scheme import encode
from trialdesk.config import Config
from trialdesk.config.parts import Machines
from trialdesk.errors import ConfigError, LockHeld, LockUnproved
from trialdesk.private import read_private
from trialdesk.redcap.patience import within

if TYPE_CHECKING:
    from psycopg import Connection

T = TypeVar("T")
PASSWORD = "TRIALDESK_POSTGRES_PASSWORD"  # noqa: S105 - the name of a variable
SECONDS = 10
"""How long the server may take to answer; a machine that vanishes is noticed by it within a minute."""
_SETTINGS: Mapping[str, Any] = {
    "autocommit": True,
    "connect_timeout": SECONDS,
    "tcp_user_timeout": 1000 * SECONDS,
    "application_name": "trialdesk",
    "options": "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
}
_TABLE = """
CREATE TABLE IF NOT EXISTS trialdesk_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trial text NOT NULL,
    run text NOT NULL,
    machine text NOT NULL,
    begun timestamptz NOT NULL DEFAULT now(),
    ended timestamptz,
    code integer
)"""
_HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = %s
)"""


class Hold:
    """A trial that this process alone is at work on. On one machine the lock of a file says so: nothing to prove."""

    def prove(self) -> None:
        """It still is.

        Raises:
            LockUnproved: that is not known any more; nothing may be published or written.
        """

    def begin(self, run: str) -> str:  # noqa: ARG002 - on one machine no list is kept
        """The run is listed as begun; says in words whose run that was lost it takes over, "" where no list is kept."""
        return ""

    def end(self, code: int) -> None:
        """The run is listed as ended, as far as that is still possible."""


class Session(Hold):
    """A session of the server, for the lock of a trial; `where` names server and database."""

    def __init__(self, connection: Connection[tuple[object, ...]], config: Config, where: str) -> None:
        self._connection = connection
        self._trial = config.trial.id
        self.where = where
        self._row: object = None

    def prove(self) -> None:
        """As `Hold`: the server says that this session holds the lock."""
        if not self._asked(lambda: self._first(_HELD, key(self._trial)))[0]:
            raise _unproved(self.where, "this session does not hold the lock any more")

    def begin(self, run: str) -> str:
        """As `Hold`: a run without an end, of a trial whose lock was free, was of a machine that is lost."""
        return self._asked(lambda: self._begun(run))

    def end(self, code: int) -> None:
        """As `Hold`."""
        with suppress(LockUnproved):
            self._asked(
                lambda: self._connection.execute(
                    "UPDATE trialdesk_runs SET ended = now(), code = %s WHERE id = %s", (code, self._row)
                )
            )

    def stay(self) -> None:
        """The server does not end the session because nothing is asked for a while: a run waits for REDCap."""
        off = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
        self._asked(lambda: self._connection.execute(off))

    def take(self, wait: float) -> None:
        """The lock is this session's; `wait` are the seconds for which another may hold it.

        Raises:
            LockHeld: another machine holds it.
        """
        until = time.monotonic() + wait
        while not self._asked(lambda: self._first("SELECT pg_try_advisory_lock(%s)", key(self._trial)))[0]:
            if time.monotonic() >= until:
                raise LockHeld(
                    f"{self._trial}: another machine is at work (newest of the list: {self.last() or 'no run'}); "
                    "wait for it to end"
                )
            time.sleep(1)

    def last(self) -> str:
        """The newest run of the list, in words; "" for none."""
        return self._asked(self._last)

    def _last(self) -> str:
        if self._first("SELECT to_regclass('trialdesk_runs')")[0] is None:
            return ""
        found = self._connection.execute(
            "SELECT run, machine, ended, code FROM trialdesk_runs WHERE trial = %s ORDER BY id DESC LIMIT 1",
            (self._trial,),
        ).fetchone()
        if found is None:
            return ""
        run, machine, ended, code = found
        how = "has not ended" if ended is None else "was lost" if code is None else f"ended with {code}"
        return f"run {run} on {machine} {how}"

    def _begun(self, run: str) -> str:
        with self._connection.transaction():
            if self._first("SELECT to_regclass('trialdesk_runs')")[0] is None:
                self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (key("", "trialdesk_runs"),))
                self._connection.execute(_TABLE)
            lost = self._connection.execute(
                "UPDATE trialdesk_runs SET ended = now() WHERE trial = %s AND ended IS NULL RETURNING run, machine",
                (self._trial,),
            ).fetchall()
            (self._row,) = self._first(
                "INSERT INTO trialdesk_runs (trial, run, machine) VALUES (%s, %s, %s) RETURNING id",
                self._trial, run, socket.gethostname(),
            )  # fmt: skip
        taken = "; ".join(f"takes over from {machine}, whose run {name} never ended" for name, machine in lost)
        return taken or "no other machine is at work"

    def _first(self, query: str, *values: object) -> tuple[object, ...]:
        return self._connection.execute(query.encode(), values).fetchone() or (None,)

    def _asked(self, ask: Callable[[], T]) -> T:
        """What the server answers in time."""
        from psycopg import Error

        try:
            return within(SECONDS, ask)
        except Timeout:
            self._cut()
            raise _unproved(self.where, f"no answer within {SECONDS} s") from None
        except Error as error:
            raise _unproved(self.where, f"the session is of no use ({type(error).__name__})") from None

    def _cut(self) -> None:
        """The line is dead, and who still waits for an answer has been told: only then is it safe to close it."""
        with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        with self._connection.lock:
            pass


def key(trial: str, purpose: str = "trialdesk-lock-v1") -> int:
    """The number of a trial's advisory lock: the first 64 bits of SHA-256(encode(purpose, trial id)), signed."""
    return int.from_bytes(sha256(encode(purpose, trial)).digest()[:8], "big", signed=True)


@contextmanager
def held(config: Config, machines: Machines, wait: float = 0) -> Iterator[Session]:
    """No other machine is at work on the trial until the block ends.

    Args:
        config: The trial.
        machines: Where its lock is.
        wait: For how many seconds another may hold it.

    Raises:
        LockHeld: another machine is at work.
        LockUnproved: the server can't be asked.
        ConfigError: the extra `postgres` is not installed, or there is no readable password.
    """
    with connected(config, machines) as session:
        session.take(wait)
        yield session


@contextmanager
def connected(config: Config, machines: Machines) -> Iterator[Session]:
    """A session of the server, which holds no lock yet.

    Raises:
        LockUnproved, ConfigError: as `held`.
    """
    try:
        import psycopg
    except ImportError:
        raise ConfigError(
            "machines.dsn needs psycopg: .venv/bin/pip install 'psycopg[binary]' (extra `postgres`)"
        ) from None

    secret = password(config, machines)
    where = _where(machines)
    try:
        connection = psycopg.connect(machines.dsn, password=secret.get_secret_value() if secret else None, **_SETTINGS)
    except psycopg.Error as error:
        raise _unproved(where, (str(error).splitlines() or [type(error).__name__])[0]) from None
    with closing(connection):
        session = Session(connection, config, where)
        session.stay()
        yield session


def password(config: Config, machines: Machines, environment: Mapping[str, str] | None = None) -> SecretStr | None:
    """The password, from the environment or a private file; None where neither is named.

    Raises:
        ConfigError: the file is missing, or others can read it.
    """
    value = (os.environ if environment is None else environment).get(PASSWORD, "")
    if not value and machines.password_file is not None:
        value = read_private(config.path(machines.password_file), "the password of the server of machines.dsn").strip()
    return SecretStr(value) if value else None


def _where(machines: Machines) -> str:
    parts = urlsplit(machines.dsn)
    return f"PostgreSQL {parts.netloc.rpartition('@')[2]}{parts.path}"


def _unproved(where: str, why: str) -> LockUnproved:
    return LockUnproved(f"{where}: {why}; another machine may be at work on the trial, so this one stops")
