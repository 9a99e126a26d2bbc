"""A PostgreSQL server of the tests' own: unprivileged, in a folder of its own, gone afterwards.

Where it is not installed, tests that need it say so at the end of the run in letters nobody overlooks; in CI they fail.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

MISSING = "NOT TESTED: PostgreSQL is not installed (apt-get install postgresql)"
OWNER, PASSWORD = "postgres", "Kvark-4711"
DESK = "trialdesk"
"""Role and database of the desk, as docs/several-trials.md has them made: no more rights than that."""


@dataclass(frozen=True)
class Server:
    """A running server: its port."""

    port: int

    @property
    def dsn(self) -> str:
        """What the desk's configuration names."""
        return f"postgresql://{DESK}@127.0.0.1:{self.port}/{DESK}"

    def ask(self, query: bytes, *values: object, database: str = DESK) -> list[tuple[object, ...]]:
        """What an administrator is answered."""
        where = f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"
        with psycopg.connect(where, password=PASSWORD, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def sessions(self) -> list[int]:
        """The processes that serve the desk."""
        rows = self.ask(b"SELECT pid FROM pg_stat_activity WHERE application_name = 'trialdesk'")
        return [int(str(pid)) for (pid,) in rows]

    def end_sessions(self) -> None:
        """The desk's sessions are gone, as when the server is started anew or the network parts."""
        for pid in self.sessions():
            self.ask(b"SELECT pg_terminate_backend(%s, 5000)", pid)


def programs() -> Path | None:
    """The folder of the newest initdb; Debian keeps it away from PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    name = shutil.which("initdb") or next(map(str, reversed(found)), None)
    return Path(name).resolve().parent if name else None


@contextmanager
def running() -> Iterator[Server]:
    """A server that listens on this machine alone, with an empty database."""
    folder = programs()
    if folder is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    home = Path(tempfile.mkdtemp(prefix="trialdesk-postgres-"))
    try:
        prefix = _unprivileged(home)
        secret = home / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        made = [*prefix, folder / "initdb", "-D", home / "data", "-U", OWNER, "-A", "scram-sha-256", "--no-sync"]
        subprocess.run([*made, f"--pwfile={secret}", "-E", "UTF8", "--no-locale"], check=True, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = ("listen_addresses=127.0.0.1", f"unix_socket_directories={home}", f"port={port}", "fsync=off")
        words = [word for setting in settings for word in ("-c", setting)]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen([*prefix, folder / "postgres", "-D", home / "data", *words], stderr=log)
        try:
            server = Server(port)
            _up(server, home / "log")
            server.ask(f"CREATE ROLE {DESK} LOGIN PASSWORD '{PASSWORD}'".encode(), database="postgres")
            server.ask(f"CREATE DATABASE {DESK} OWNER {DESK}".encode(), database="postgres")
            yield server
        finally:
            with (home / "data" / "postmaster.pid").open(encoding="utf-8") as file:
                os.kill(int(file.readline()), signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged(home: Path) -> list[str | Path]:
    """What a command begins with so that it does not run as root; the folder is that account's."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("nobody")
    os.chown(home, account.pw_uid, account.pw_gid)
    return ["runuser", "-u", account.pw_name, "--"]


def _up(server: Server, log: Path) -> None:
    for _ in range(300):
        try:
            server.ask(b"SELECT 1", database="postgres")
        except psycopg.Error:
            time.sleep(0.1)
            continue
        return
    pytest.fail(f"PostgreSQL does not come up: {log.read_text(encoding='utf-8')[-500:]}")
