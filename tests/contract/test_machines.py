"""One trial, several machines: what a real PostgreSQL says, and what the desk makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import TypeVar, cast

import pytest
from pydantic import SecretStr

import postgres
from frozen import FROZEN
from postgres import PASSWORD, Server
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.config.parts import Machines
from trialdesk.errors import ConfigError, LockHeld, LockUnproved, TrialError
from trialdesk.nightly import machines
from trialdesk.nightly.alone import alone
from trialdesk.nightly.doctor import among_machines
from trialdesk.nightly.machines import Session, connected, held
from trialdesk.redcap.gateway import Gateway

pytestmark = pytest.mark.requirement("NGT-07")

T = TypeVar("T")
ROW = Row("ODE-K2F-003-X", "", "", 0, {"env_status": "opened"})
OTHER_MACHINE = """
import sys
from pathlib import Path
from trialdesk.config import load
from trialdesk.config.parts import Machines
from trialdesk.nightly.machines import held

with held(load(Path(sys.argv[1])), Machines(dsn=sys.argv[2])) as session:
    session.begin("lost-run")
    print("held", flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Place:
    """A trial, and the server that keeps its lock."""

    config: Config
    server: Server
    machines: Machines

    def held(self, wait: float = 0, trial: str = "PVP-MM") -> AbstractContextManager[Session]:
        named = self.config.trial.model_copy(update={"id": trial})
        return held(self.config.model_copy(update={"trial": named}), self.machines, wait)

    def listed(self) -> list[tuple[object, ...]]:
        """Run, whether it has ended, and its exit code, oldest first."""
        return self.server.ask(b"SELECT run, ended IS NOT NULL, code FROM trialdesk_runs ORDER BY id")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.running() as running:
        yield running


@pytest.fixture
def place(frozen: Config, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv(machines.PASSWORD, PASSWORD)
    yield Place(frozen, server, Machines(dsn=server.dsn))
    server.ask(b"DROP TABLE IF EXISTS trialdesk_runs")


def test_a_trial_is_one_machine_s_and_its_neighbour_another_s(place: Place) -> None:
    """Who comes second is told who is at work, and has it once the first has ended."""
    with place.held() as first:
        assert first.begin("2026-11-23_043000") == "no other machine is at work"
        first.prove()
        with pytest.raises(LockHeld, match=r"run 2026-11-23_043000 on .* has not ended"), place.held():
            pass
        with place.held(trial="KNEE") as other:
            other.prove()
        first.end(10)
    with place.held() as second:
        second.prove()
        assert second.last().endswith("ended with 10")


def test_who_waits_has_it_when_the_other_ends(place: Place) -> None:
    """Within the seconds it was given."""
    with ExitStack() as first:
        first.enter_context(place.held())
        Timer(0.5, first.close).start()
        with place.held(wait=30) as second:
            second.prove()


def test_of_many_at_the_same_moment_one_has_it(place: Place) -> None:
    """And the list, which none of them found, is made once, by those of other trials too."""

    def one(number: int) -> str:
        try:
            with place.held(trial=f"T{number % 2}") as session:
                session.begin("run")
                time.sleep(1.5)
                session.end(0)
        except LockHeld:
            return "held"
        return "had it"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(8)))
    assert sorted([sorted(found[::2]), sorted(found[1::2])]) == [["had it", "held", "held", "held"]] * 2
    assert place.listed() == [("run", True, 0)] * 2


def test_the_trial_of_a_machine_that_died_is_taken_over(place: Place) -> None:
    """Its session ends with it; the list says that its run was lost."""
    words = [sys.executable, "-c", OTHER_MACHINE, str(FROZEN / "config.yaml"), place.server.dsn]
    other = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockHeld, match="lost-run"), place.held():
            pass
        other.kill()
    with place.held(wait=10) as taken:
        assert "whose run lost-run never ended" in taken.begin("next-run")
        taken.end(0)
    assert place.listed() == [("lost-run", True, None), ("next-run", True, 0)]


def test_a_session_that_is_gone_proves_nothing_and_writes_nothing(place: Place) -> None:
    """As when the server is started anew, the network parts, or somebody ends it: REDCap is not asked to change."""
    asked: list[object] = []

    class Watched(Gateway):
        def _once(self, ask: Callable[[], T]) -> T:
            asked.append(ask)
            return cast(T, {"count": 1})

    with place.held() as session:
        session.begin("run")
        register = Watched("http://127.0.0.1:9/api/", SecretStr("A" * 32)).guarded(session.prove)
        assert register.write("env_id", [ROW]) == 1
        place.server.end_sessions()
        with pytest.raises(LockUnproved, match="another machine may be at work"):
            register.write("env_id", [ROW])
        with pytest.raises(LockUnproved, match="another machine may be at work"):
            register.write_arms([])
        session.end(0)
    assert len(asked) == 1
    assert place.listed() == [("run", False, None)]


def test_a_lock_somebody_took_away_is_no_proof(place: Place) -> None:
    """The session lives; the lock is not its own any more."""
    with place.held() as session:
        session._connection.execute("SELECT pg_advisory_unlock_all()")
        with pytest.raises(LockUnproved, match="does not hold the lock"):
            session.prove()


def test_a_server_that_does_not_answer_is_not_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs: no answer within the seconds is no proof."""
    with place.held() as session:
        (process,) = place.server.sessions()
        os.kill(process, signal.SIGSTOP)
        monkeypatch.setattr(machines, "SECONDS", 0.5)
        try:
            with pytest.raises(LockUnproved, match="no answer within"):
                session.prove()
        finally:
            os.kill(process, signal.SIGCONT)


def test_without_its_server_a_trial_is_not_begun(place: Place, tmp_path: Path, frozen: Config) -> None:
    """Nobody listens, or the password is wrong, which is not told; the lock of the file is given back."""
    folders = frozen.folders.model_copy(update={"reports": tmp_path})
    nowhere = Machines(dsn="postgresql://desk@127.0.0.1:9/postgres")
    config = frozen.model_copy(update={"folders": folders, "machines": nowhere})
    for _ in range(2):
        with pytest.raises(LockUnproved, match=r"PostgreSQL 127\.0\.0\.1:9/postgres: .*refused"), alone(config):
            pass


def test_a_password_is_read_from_a_private_file_and_told_nowhere(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is wrong, one others can read, one that is right."""
    monkeypatch.delenv(machines.PASSWORD)
    file = tmp_path / "password"
    settings = Machines(dsn=place.server.dsn, password_file=file)

    def ended() -> TrialError | None:
        try:
            with held(place.config, settings) as session:
                assert PASSWORD not in repr(session)
        except TrialError as error:
            assert "wrong-4711" not in str(error)
            return error
        return None

    file.write_text("wrong-4711\n", encoding="utf-8")
    assert isinstance(ended(), ConfigError)
    file.chmod(0o600)
    assert isinstance(ended(), LockUnproved)
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    assert ended() is None


def test_doctor_says_how_the_last_run_ended_and_makes_nothing(place: Place) -> None:
    """It only reads: there is no list yet, and it makes none."""
    config = place.config.model_copy(update={"machines": place.machines})
    (check,) = among_machines(config)
    assert (check.verdict, check.said.rpartition("; ")[2]) == ("ok", "no run yet")
    with connected(config, place.machines) as session:
        assert session.last() == ""
    with place.held() as session:
        session.begin("a-run")
        session.end(45)
    (check,) = among_machines(config)
    assert (check.verdict, check.said.rpartition(" ")[2]) == ("ok", "45")
    (check,) = among_machines(config.model_copy(update={"machines": Machines(dsn="postgresql://a@127.0.0.1:9/b")}))
    assert (check.verdict, check.code) == ("fail", 76)
    assert list(among_machines(place.config)) == []
