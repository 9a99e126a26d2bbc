"""The one SQLite file: a connection per thread, one writer at a time, readers never waiting."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

SCHEMA_VERSION = 4
# What makes a file of each older version one of the next.
_NEXT = {
    1: ("alter table report add column sort text not null default '[]'",),
    2: (
        "alter table account add column password text not null default ''",
        "alter table log add column event integer",
        "create table form_lock (record integer not null references record (id) on delete cascade, "
        "event integer not null references event (id) on delete cascade, instance integer not null, "
        "form text not null, username text not null, time text not null, "
        "primary key (record, event, instance, form)) without rowid",
    ),
    3: (
        "alter table log add column instance integer not null default 0",
        "alter table log add column changes text not null default ''",
        "alter table randomization add column triggered text not null default ''",
        "create table quality_rule (id integer primary key autoincrement, "
        "project integer not null references project (id) on delete cascade, name text not null, "
        "logic text not null, live integer not null default 0)",
    ),
}
# Long enough for another process (the command line beside a running server) to finish a big import.
BUSY_SECONDS = 120


class UnusableFile(OSError):
    """A file is no database of this server; the message says what to do."""


class Database:
    """An open database file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._writer = threading.Lock()
        self._open: list[sqlite3.Connection] = []
        if not path.exists():
            # The file holds tokens and patients: only its owner reads it.
            path.touch(mode=0o600)
        self._prepare()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the database: what others write meanwhile stays unseen."""
        connection = self._connection()
        connection.execute("begin")
        try:
            yield connection
        finally:
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is kept whole when the block ends and forgotten whole when it raises.

        The lock queues the threads of this process fairly; `begin immediate` queues behind other processes.
        """
        with self._writer:
            connection = self._connection()
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        """All connections are closed; the object cannot be used again."""
        while self._open:
            self._open.pop().close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.execute("pragma foreign_keys = on")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma cache_size = -16384")
            self._local.connection = connection
            self._open.append(connection)
        return connection

    def _prepare(self) -> None:
        try:
            connection = self._connection()
            connection.execute("pragma journal_mode = wal")
            connection.execute("begin immediate")
            self._make_tables(connection)
            connection.commit()
        except sqlite3.DatabaseError as fault:
            msg = f"{self.path}: not a database of this server ({fault}); name another file"
            raise UnusableFile(msg) from None

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("pragma user_version").fetchone()[0]
        if version not in {0, *_NEXT, SCHEMA_VERSION}:
            msg = f"{self.path}: made by another version of this server ({version}); start with a new file"
            raise UnusableFile(msg)
        if version:
            for older in range(version, SCHEMA_VERSION):
                for statement in _NEXT[older]:
                    connection.execute(statement)
        else:
            schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
            for statement in schema.split(";"):
                connection.execute(statement)
        if version != SCHEMA_VERSION:
            connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
