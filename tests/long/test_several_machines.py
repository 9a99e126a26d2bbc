"""Whole nights on several machines: on a Dask cluster of two workers, and with a lock in a real PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import dask
import pytest

import cluster
import postgres
from cluster import Cluster
from played import Played, played
from redcap_local.administration import opened
from redcap_local.faults import Fault, set_fault
from trialdesk.config import Config, load
from trialdesk.errors import ConfigError, LockHeld, LockUnproved, TrialError, WriteBackFailed, worst
from trialdesk.nightly.cluster import run_on_cluster
from trialdesk.nightly.run import Order, nightly
from trialdesk.redcap.gateway import open_gateway

pytestmark = pytest.mark.requirement("NGT-07")

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)
DONE = {0, 10, 45}


@dataclass(frozen=True)
class Desk:
    """A played trial whose lock is on a server, as its configuration says."""

    trial: Played
    server: postgres.Server
    config: Config

    @property
    def home(self) -> Path:
        """The folder of its configuration."""
        return self.trial.stage.config_file.parent

    def listed(self) -> list[tuple[object, ...]]:
        """Whether each run has ended, and its exit code; none where there is no list."""
        if self.server.ask(b"SELECT to_regclass('trialdesk_runs')") == [(None,)]:
            return []
        return self.server.ask(b"SELECT ended IS NOT NULL, code FROM trialdesk_runs ORDER BY id")

    def published(self) -> int:
        """How many runs are published."""
        return len(list(self.config.reports.glob("20*")))

    def log(self) -> int:
        """How many entries REDCap's log has that change data."""
        with opened(self.home / "redcap.sqlite") as database:
            return int(database.execute("SELECT count(*) FROM log WHERE kind LIKE 'record%'").fetchone()[0])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with postgres.running() as server, played(tmp_path_factory.mktemp("machines"), 4, TODAY) as trial:
        file = trial.stage.config_file
        secret = file.with_name("postgres.password")
        secret.touch(mode=0o600)
        secret.write_text(postgres.PASSWORD, encoding="utf-8")
        text = re.sub("  reports: .*", "  reports: reports", file.read_text(encoding="utf-8"))
        block = f"machines:\n  dsn: {server.dsn}\n  password_file: {secret.name}\n"
        file.write_text(f"{text}\n{block}", encoding="utf-8")
        yield Desk(trial, server, load(file))


@pytest.fixture
def unlisted(desk: Desk) -> None:
    desk.server.ask(b"DROP TABLE IF EXISTS trialdesk_runs")


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster.running(tmp_path_factory.mktemp("dask"), 2) as running:
        yield running


def night(config: Config, happening: Mapping[str, Callable[[], None]] | None = None) -> int:
    """One run; at the beginning of a stage something may happen."""
    at = happening or {}
    trial, register = open_gateway(config, "trial"), open_gateway(config, "register")
    order = Order(TODAY, datetime.now(config.trial.zone))
    return nightly(config, order, trial, register, lambda stage: at.get(stage, lambda: None)()).exit_code


@pytest.mark.usefixtures("unlisted")
@pytest.mark.parametrize(
    ("stage", "error", "published"), [("publish", LockUnproved, 0), ("write back", WriteBackFailed, 1)]
)
def test_a_night_that_has_lost_its_lock_publishes_and_writes_nothing_more(
    desk: Desk, stage: str, error: type[TrialError], published: int
) -> None:
    """The session is ended as the stage begins: REDCap's log has not grown."""
    before, written = desk.published(), desk.log()
    with pytest.raises(error, match="another machine may be at work"):
        night(desk.config, {stage: desk.server.end_sessions})
    assert (desk.published() - before, desk.log() - written) == (published, 0)
    assert desk.listed() == [(False, None)]


@pytest.mark.usefixtures("unlisted")
def test_a_second_machine_is_told_that_the_first_is_at_work(desk: Desk, tmp_path: Path) -> None:
    """The lock of its own folder is free; it publishes nothing, and runs once the first has ended.

    The first has something to write, which was held back above: the log grows.
    """
    folders = desk.config.folders.model_copy(update={"reports": tmp_path / "elsewhere"})
    elsewhere, refused = desk.config.model_copy(update={"folders": folders}), list[str]()

    def second() -> None:
        with pytest.raises(LockHeld, match="has not ended") as told:
            night(elsewhere)
        refused.append(str(told.value))

    written = desk.log()
    assert night(desk.config, {"derive": second}) in DONE
    assert (len(refused), (elsewhere.reports / "latest").exists()) == (1, False)
    assert desk.log() > written
    assert night(elsewhere) in DONE
    assert [ended for ended, _ in desk.listed()] == [True, True]


def on_cluster(trials: Path, address: str, **more: str) -> subprocess.Popen[str]:
    """As a person types it, with certificates in Dask's own configuration."""
    words = [sys.executable, "scripts/nightly_sync.py", "--trials", str(trials), "--dask", address]
    environment = {**os.environ, **cluster.TLS, **more}
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=ROOT, env=environment, text=True, stdout=pipe, stderr=pipe)


def test_a_cluster_runs_what_one_machine_runs(desk: Desk, two_workers: Cluster, tmp_path: Path) -> None:
    """A line a trial and the worst code; tokens of who starts it travel nowhere."""
    trials = tmp_path / "trials"
    trials.mkdir()
    (trials / "good").symlink_to(desk.home, target_is_directory=True)
    shutil.copytree(desk.home, trials / "bare", ignore=shutil.ignore_patterns("*.sqlite*", "reports", "tokens.env"))
    with on_cluster(trials, two_workers.address, TRIALDESK_TRIAL_TOKEN="A" * 32) as typed:
        out, err = typed.communicate(timeout=240)
    lines = [line.split() for line in out.splitlines()]
    assert [line[:2] for line in lines[:1]] == [["bare", "20"]], (out, err)
    name, code = lines[1][0], int(lines[1][1])
    assert (name, code in DONE, typed.returncode) == ("good", True, worst(20, code)), (out, err)
    assert "bare: no token for trial" in err
    assert {line.partition(":")[0] for line in err.splitlines()} <= {"bare", "good"}


@pytest.mark.usefixtures("unlisted")
@pytest.mark.parametrize("machine", [False, True], ids=["its worker", "its machine"])
def test_the_night_that_was_lost_is_taken_over(desk: Desk, two_workers: Cluster, tmp_path: Path, machine: bool) -> None:
    """A worker dies in its night, or all that ran on its machine: another worker publishes, once."""
    two_workers.fill(2)
    (tmp_path / "good").symlink_to(desk.home, target_is_directory=True)
    before = desk.published()
    with opened(desk.home / "redcap.sqlite") as database:
        set_fault(database, Fault("slow", times=1, content="record", seconds=6))
    with on_cluster(tmp_path, two_workers.address) as typed:
        worker, lost = two_workers.at_work()
        while not desk.listed():
            assert typed.poll() is None
        worker.kill()
        if machine:
            lost.kill()
        out, err = typed.communicate(timeout=240)
    assert typed.returncode in DONE, (out, err)
    assert desk.published() - before == 1
    assert desk.listed() == [(True, None if machine else 70), (True, typed.returncode)]
    assert {line.partition(":")[0] for line in err.splitlines()} <= {"good"}


@pytest.fixture
def certified(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process has the certificates in Dask's own configuration."""
    for name, value in cluster.TLS.items():
        monkeypatch.setenv(name, value)
    dask.config.refresh()
    yield
    monkeypatch.undo()
    dask.config.refresh()


@pytest.mark.usefixtures("certified")
def test_a_worker_that_can_be_listened_to_is_refused(two_workers: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler is asked over TLS, and one of its workers is not."""
    two_workers.fill(1)
    monkeypatch.setattr("trialdesk.nightly.cluster._workers", lambda _: {"tcp://10.1.2.3:4567": {}})
    with pytest.raises(ConfigError, match=r"tcp://10\.1\.2\.3:4567: on a network only tls"):
        run_on_cluster([ROOT / "config.yaml"], two_workers.address, "--once", lambda _: None)


@pytest.mark.usefixtures("certified")
@pytest.mark.parametrize("whole", [False, True], ids=["last worker", "scheduler"])
def test_a_cluster_that_is_lost_is_told_and_not_waited_for(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    """The night ends with its worker, and may end by itself without its scheduler; the trial is told as one killed."""
    monkeypatch.setattr("trialdesk.nightly.cluster.WITHOUT", 2)
    with opened(desk.home / "redcap.sqlite") as database:
        set_fault(database, Fault("slow", times=1, content="record", seconds=3))
    before = desk.published()
    with cluster.running(tmp_path, 1) as lone:

        def lose() -> None:
            worker, _ = lone.at_work()
            (lone.scheduler if whole else worker).kill()

        with ThreadPoolExecutor(1) as pool:
            pool.submit(lose)
            (ended,) = run_on_cluster([desk.trial.stage.config_file], lone.address, "--once", lambda _: None)
    assert (ended.code, ended.said.partition(";")[0]) == (70, "the cluster lost its scheduler or its last worker")
    while desk.server.sessions():
        time.sleep(0.1)
    assert whole or desk.published() == before
