"""The memory's file: one writer under the night's lock, a rollback journal, every change whole or not at all."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from sys import intern
from typing import Any

from trialdesk.errors import OutputFailed
from trialdesk.memory.digests import forgotten, naming
from trialdesk.memory.schema import ADDED, TABLES, VERSION
from trialdesk.memory.values import Acceptance, Dated, Issued, Known, Night, Remembered, Run, Scope, Seen
from trialdesk.model import FORGOTTEN, Finding, Tally

FILE = "memory.sqlite"
_KEPT = ("rule", "site", "record", "where", "severity", "text", "field", "envelope", "other")


MENTIONS = """
SELECT EXISTS (SELECT 1 FROM records WHERE :name IN (record, original))
    OR EXISTS (SELECT 1 FROM findings WHERE finding LIKE '%' || :name || '%')
    OR EXISTS (SELECT 1 FROM calendar WHERE record = :name)
"""
"""Whether a memory mentions a record by an id, or by one that begins with it."""


class Damaged(Exception):
    """The file is no memory of this version, or can't be read."""


class Memory:
    """An open memory. What it says of the past is read whole with `remembered`, once a run."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def remembered(self, scope: Scope) -> Remembered:
        """Everything the memory holds of a trial on a server."""
        acceptances = tuple(self._acceptances(scope))
        by_finding = {one.finding: one for one in acceptances}
        return Remembered(
            scope,
            bytes.fromhex(self._meta("secret")),
            self._night(scope),
            tuple(self._known(scope, by_finding)),
            acceptances,
            tuple(self._unpublished(scope)),
            tuple(self._calendar(scope)),
            tuple(self._issued(scope)),
            self._forgotten(scope),
        )

    def begin(self, scope: Scope, run: Run) -> None:
        """The run stands in the memory before it does anything."""
        with self._changing() as db:
            values = (run.run, str(scope), run.day, json.dumps(run.accepted), run.reason, run.by)
            db.execute("INSERT INTO runs VALUES (?, ?, ?, 'begun', '', NULL, ?, ?, ?, NULL)", values)

    def end(self, scope: Scope, run: str, status: str, stage: str, code: int | None) -> None:
        """How the run ended."""
        with self._changing() as db:
            db.execute(
                "UPDATE runs SET status = ?, stage = ?, exit_code = ? WHERE scope = ? AND run = ?",
                (status, stage, code, str(scope), run),
            )

    def begun(self, scope: Scope) -> tuple[str, ...]:
        """The runs that began and never ended."""
        rows = self._connection.execute("SELECT run FROM runs WHERE scope = ? AND status = 'begun'", (str(scope),))
        return tuple(run for (run,) in rows)

    def publish(
        self, scope: Scope, night: Night, known: Iterable[Known], code: int, calendar: Iterable[Dated] = ()
    ) -> None:
        """The run is published: what it saw takes the place of what the one before it saw, findings live on."""
        # asdict copies all it is given, so the records, which have rows of their own, are left out before
        saw = {**asdict(replace(night, records=None)), "known": night.records is not None}
        with self._changing() as db:
            db.execute(
                "UPDATE runs SET status = 'published', stage = '', exit_code = ?, saw = ? WHERE scope = ? AND run = ?",
                (code, json.dumps(saw, sort_keys=True), str(scope), night.run),
            )
            # nobody asks what an older run saw, and a copy of all of it would lie in every run that is published
            db.execute(
                "UPDATE runs SET saw = NULL WHERE scope = ? AND run < ? AND saw NOTNULL", (str(scope), night.run)
            )
            db.execute("DELETE FROM records WHERE scope = ?", (str(scope),))
            rows = [_record_row(scope, one) for one in (night.records or {}).values()]
            db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            findings = [_finding_row(scope, one) for one in known]
            db.executemany("INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", findings)
            db.execute("DELETE FROM calendar WHERE scope = ?", (str(scope),))
            entries = [_dated_row(scope, one) for one in calendar]
            db.executemany("INSERT INTO calendar VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", entries)

    def take_in(self, scope: Scope, run: Run, night: Night | None) -> None:
        """A run that another memory or file knows of; one that is known already is left alone."""
        saw = json.dumps({**asdict(replace(night, records=None)), "known": False}, sort_keys=True) if night else None
        values = (run.run, str(scope), run.day, run.status, run.stage, run.exit_code, json.dumps(run.accepted))
        with self._changing() as db:
            db.execute(
                "INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, run.reason, run.by, saw)
            )

    def accept(self, scope: Scope, acceptance: Acceptance) -> None:
        """The finding is accepted; an earlier acceptance of it is over."""
        until = acceptance.until.isoformat() if acceptance.until else None
        with self._changing() as db:
            self._end_acceptance(db, scope, acceptance.finding, acceptance.on)
            db.execute(
                "INSERT INTO acceptances VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    str(scope), acceptance.finding, acceptance.evidence, acceptance.reason, acceptance.by,
                    acceptance.on.isoformat(), until,
                ),
            )  # fmt: skip

    def issue(self, scope: Scope, issued: Issued) -> None:
        """The report is issued; its number is taken for ever."""
        told = (issued.run, str(issued.on), issued.by, json.dumps(issued.files), json.dumps(issued.figures))
        with self._changing() as db:
            db.execute("INSERT INTO issued VALUES (?, ?, ?, ?, ?, ?, ?)", (str(scope), issued.number, *told))

    def take_back(self, scope: Scope, finding: str, on: date) -> bool:
        """The finding is accepted no longer; False if it was not."""
        with self._changing() as db:
            return self._end_acceptance(db, scope, finding, on)

    def runs(self, scope: Scope) -> frozenset[str]:
        """The names of all runs."""
        rows = self._connection.execute("SELECT run FROM runs WHERE scope = ?", (str(scope),))
        return frozenset(run for (run,) in rows)

    def servers(self) -> frozenset[str]:
        """The addresses of all runs."""
        return frozenset(scope.rpartition(" ")[2] for (scope,) in self._connection.execute("SELECT scope FROM runs"))

    def knows(self, scope: Scope, run: str) -> bool:
        """Whether a run of that name is published here."""
        found = self._connection.execute(
            "SELECT 1 FROM runs WHERE scope = ? AND run = ? AND status = 'published'", (str(scope), run)
        )
        return found.fetchone() is not None

    def names_of(self, scope: Scope, record: str) -> frozenset[str]:
        """The record's id, and that under which it was first seen."""
        rows = self._connection.execute(
            "SELECT record, original FROM records WHERE scope = ? AND ? IN (record, original)", (str(scope), record)
        )
        return frozenset({record, *(name for row in rows for name in row if name)})

    def forget(self, scope: Scope, names: frozenset[str]) -> int:
        """Nothing in the file names the record any more, and its pages are written anew; returns how many rows went.

        A keyed digest of its ids stays: REDCap may go on returning it, and its log names what was deleted.

        Args:
            scope: Whose memory it is.
            names: The ids under which the record was known.
        """
        named, own = naming(names), (str(scope),)
        self._connection.execute("PRAGMA secure_delete = ON")
        with self._changing() as db:
            found = db.execute("SELECT id, finding FROM findings WHERE scope = ?", own).fetchall()
            gone = [(*own, name) for name, text in found if named.search(text)]
            seen = db.execute("SELECT record, original FROM records WHERE scope = ?", own).fetchall()
            lost = [(*own, record) for record, original in seen if {record, original} & names]
            for table, column, keys in (
                ("acceptances", "finding", gone), ("findings", "id", gone), ("records", "record", lost),
                ("calendar", "record", [(*own, name) for name in names]),
            ):  # fmt: skip
                db.executemany(f"DELETE FROM {table} WHERE scope = ? AND {column} = ?", keys)  # noqa: S608 - both are ours
            runs = db.execute("SELECT run, accepted, reason, saw FROM runs WHERE scope = ?", own).fetchall()
            for run, accepted, reason, saw in runs:
                left = json.dumps([one for one in json.loads(accepted) if not named.search(one)])
                db.execute(
                    "UPDATE runs SET accepted = ?, reason = ?, saw = ? WHERE scope = ? AND run = ?",
                    (left, named.sub(FORGOTTEN, reason), saw and _untold(saw, named), *own, run),
                )
            given = db.execute("SELECT rowid, reason FROM acceptances WHERE scope = ?", own).fetchall()
            told = [(named.sub(FORGOTTEN, reason), row) for row, reason in given if named.search(reason)]
            db.executemany("UPDATE acceptances SET reason = ? WHERE rowid = ?", told)
            secret = bytes.fromhex(self._meta("secret"))
            digests = [(*own, forgotten(secret, name)) for name in names]
            db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", digests)
        self._connection.execute("VACUUM")
        return len(gone) + len(lost)

    def copy_to(self, path: Path) -> None:
        """A whole copy of the memory, its owner's alone."""
        path.touch(mode=0o600)
        with closing(sqlite3.connect(path)) as copy, _told(path):
            self._connection.backup(copy)

    def take_over(self, path: Path) -> None:
        """The memory is what a copy holds."""
        with _told(path), closing(only_read(path)) as copy:
            copy.backup(self._connection)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with _told(Path(FILE)), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    @staticmethod
    def _end_acceptance(db: sqlite3.Connection, scope: Scope, finding: str, on: date) -> bool:
        ended = db.execute(
            "UPDATE acceptances SET taken_back = ? WHERE scope = ? AND finding = ? AND taken_back IS NULL",
            (on.isoformat(), str(scope), finding),
        )
        return ended.rowcount > 0

    def _meta(self, name: str) -> str:
        found = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(found[0])

    def _night(self, scope: Scope) -> Night | None:
        found = self._connection.execute(
            "SELECT saw FROM runs WHERE scope = ? AND status = 'published' AND saw IS NOT NULL"
            " ORDER BY run DESC LIMIT 1",
            (str(scope),),
        ).fetchone()
        if found is None:
            return None
        saw = json.loads(found[0])
        known = saw.pop("known")
        seen = {one.record: one for one in self._records(scope)} if known else None
        return Night(
            **{
                **saw,
                "records": seen,
                "tally": Tally(**saw["tally"]),
                "envelopes": tuple(saw["envelopes"]),
                "proved": tuple(saw.get("proved", ())),
                "told": saw["told"] if isinstance(saw["told"], dict) else dict.fromkeys(saw["told"], saw["day"]),
            }
        )

    def _records(self, scope: Scope) -> Iterator[Seen]:
        rows = self._connection.execute(
            "SELECT record, grp, states, randomised, digest, card, first, original, cells FROM records WHERE scope = ?",
            (str(scope),),
        )
        for record, group, states, randomised, digest, card, first, original, kept in rows:
            known = frozenset(map(intern, json.loads(states)))
            # a count, and since when it is known; in a memory of before the count alone
            told = {intern(p): one if isinstance(one, list) else [one] for p, one in json.loads(kept).items()}
            cells, since = ({p: one[n] for p, one in told.items() if len(one) > n} for n in (0, 1))
            yield Seen(record, group, known, bool(randomised), digest, card, first, original, cells, since)

    def _known(self, scope: Scope, acceptances: dict[str, Acceptance]) -> Iterator[Known]:
        rows = self._connection.execute(
            "SELECT id, finding, treatment, evidence, first, last, closed, reopened FROM findings WHERE scope = ?",
            (str(scope),),
        )
        for name, finding, treatment, evidence, first, last, closed, reopened in rows:
            yield Known(
                name,
                Finding(**json.loads(finding)),
                bool(treatment),
                evidence,
                date.fromisoformat(first),
                date.fromisoformat(last),
                _day(closed),
                _day(reopened),
                acceptance=acceptances.get(name),
            )

    def _calendar(self, scope: Scope) -> Iterator[Dated]:
        rows = self._connection.execute(
            "SELECT uid, key, record, site, contact, day, at, cancelled, sequence, changed FROM calendar"
            " WHERE scope = ?",
            (str(scope),),
        )
        for uid, key, record, site, contact, day, at, cancelled, sequence, changed in rows:
            moment = datetime.fromisoformat(changed)
            whose = (uid, key, record, site, contact)
            yield Dated(*whose, date.fromisoformat(day), at, bool(cancelled), sequence, moment)

    def _forgotten(self, scope: Scope) -> frozenset[str]:
        rows = self._connection.execute("SELECT digest FROM forgotten WHERE scope = ?", (str(scope),))
        return frozenset(digest for (digest,) in rows)

    def _issued(self, scope: Scope) -> Iterator[Issued]:
        rows = self._connection.execute(
            "SELECT number, run, day, by, files, figures FROM issued WHERE scope = ? ORDER BY number", (str(scope),)
        )
        for number, run, day, by, files, figures in rows:
            yield Issued(number, run, date.fromisoformat(day), by, json.loads(files), json.loads(figures))

    def _acceptances(self, scope: Scope) -> Iterator[Acceptance]:
        rows = self._connection.execute(
            "SELECT finding, evidence, reason, by, given, until FROM acceptances"
            " WHERE scope = ? AND taken_back IS NULL",
            (str(scope),),
        )
        for finding, evidence, reason, by, given, until in rows:
            yield Acceptance(finding, evidence, reason, by, date.fromisoformat(given), _day(until))

    def _unpublished(self, scope: Scope) -> Iterator[Run]:
        """The runs since the last published one, in order: nights that failed or died."""
        rows = self._connection.execute(
            "SELECT run, day, status, stage, exit_code FROM runs WHERE scope = ? AND status IN ('failed', 'died')"
            " AND run > COALESCE((SELECT MAX(run) FROM runs WHERE scope = ? AND status = 'published'), '')"
            " ORDER BY run",
            (str(scope), str(scope)),
        )
        for run, day, status, stage, code in rows:
            yield Run(run, day, status, stage, code)


def only_read(path: Path) -> sqlite3.Connection:
    """A memory's file, whatever signs its path holds, of which nothing can be changed."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


@contextmanager
def opened(path: Path) -> Iterator[Memory]:
    """The memory in a file, made where there is none.

    Raises:
        Damaged: there is a file, and it is not a whole memory of this version.
        OutputFailed: the file can't be made.
    """
    fresh = not path.exists() or path.stat().st_size == 0
    with _told(path):
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    with closing(connection):
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
            if fresh:
                _found(connection)
            _whole(connection)
            for statement in filter(str.strip, ADDED.split(";")):
                connection.execute(statement)
        except sqlite3.OperationalError as error:
            if _is_full(error):
                raise OutputFailed(f"{path}: can't be written ({error}); make room on the disk") from None
            raise Damaged(str(error)) from None
        except sqlite3.DatabaseError as error:
            raise Damaged(str(error)) from None
        yield Memory(connection)


def _found(connection: sqlite3.Connection) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in filter(str.strip, TABLES.split(";")):
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('version', ?)", (str(VERSION),))
        connection.execute("INSERT INTO meta VALUES ('secret', ?)", (secrets.token_hex(32),))


def _whole(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise Damaged("its pages don't hold together")
    version = connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
    if version is None or version[0] != str(VERSION):
        raise Damaged(f"it is of another version than {VERSION}")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever keeps the memory from being written is one line with a way out."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise OutputFailed(
            f"{path}: the desk's memory can't be written ({why}); check folders.state, its rights and the disk"
        ) from None


def _is_full(error: sqlite3.OperationalError) -> bool:
    return any(word in str(error) for word in ("full", "readonly", "unable to open", "I/O"))


def _untold(saw: str, named: re.Pattern[str]) -> str:
    """What a run saw, without the rows of To do that name a record."""
    night = json.loads(saw)
    told = night["told"]
    days = told if isinstance(told, dict) else dict.fromkeys(told, night["day"])
    return json.dumps(
        {**night, "told": {key: day for key, day in days.items() if not named.search(key)}}, sort_keys=True
    )


def _record_row(scope: Scope, one: Seen) -> tuple[Any, ...]:
    kept = {place: [count, one.since[place]] if place in one.since else count for place, count in one.cells.items()}
    states, cells = json.dumps(sorted(one.states)), json.dumps(kept, sort_keys=True)
    digests = (one.digest, one.card, one.first, one.original)
    return (str(scope), one.record, one.group, states, one.randomised, *digests, cells)


def _finding_row(scope: Scope, one: Known) -> tuple[Any, ...]:
    told = json.dumps({name: getattr(one.finding, name) for name in _KEPT}, ensure_ascii=False, sort_keys=True)
    days = (one.first, one.last, one.closed, one.reopened)
    return (
        str(scope), one.id, told, one.treatment, one.evidence, *(day.isoformat() if day else None for day in days),
    )  # fmt: skip


def _dated_row(scope: Scope, one: Dated) -> tuple[Any, ...]:
    whose = (one.uid, one.key, one.record, one.site, one.contact)
    return (str(scope), *whose, str(one.day), one.at, one.cancelled, one.sequence, one.changed.isoformat())


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
