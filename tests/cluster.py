"""A Dask cluster of the tests' own: a scheduler and workers, processes as somebody would start them, over TLS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

CERTIFICATE, KEY = (Path(__file__).parent / "data" / "mail" / name for name in ("certificate.pem", "key.pem"))
_TLS = "DASK_DISTRIBUTED__COMM__TLS__"
TLS: Mapping[str, str] = {
    f"{_TLS}CA_FILE": str(CERTIFICATE),
    **{f"{_TLS}{role}__CERT": str(CERTIFICATE) for role in ("SCHEDULER", "WORKER", "CLIENT")},
    **{f"{_TLS}{role}__KEY": str(KEY) for role in ("SCHEDULER", "WORKER", "CLIENT")},
}
"""Dask's own configuration of certificates, as variables of the environment."""


@dataclass
class Cluster:
    """A running scheduler and its workers: processes in a folder."""

    home: Path
    scheduler: subprocess.Popen[bytes]
    address: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def fill(self, number: int) -> None:
        """So many workers are alive, or about to be; each takes one night at a time."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        one = ("--no-nanny", "--nthreads", "1", "--host", "127.0.0.1", "--local-directory", str(self.home))
        while len(self.workers) < number:
            self.workers.append(_started(self.home, "worker", self.address, *one))

    def at_work(self) -> tuple[subprocess.Popen[bytes], psutil.Process]:
        """A worker that has a night, and the night."""
        for _ in range(1200):
            for worker in self.workers:
                for child in psutil.Process(worker.pid).children() if worker.poll() is None else ():
                    return worker, child
            time.sleep(0.05)
        raise AssertionError


@contextmanager
def running(home: Path, workers: int) -> Iterator[Cluster]:
    """A scheduler on this machine with so many workers."""
    file = home / "scheduler.json"
    listening = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    cluster = Cluster(home, _started(home, "scheduler", *listening))
    try:
        while not file.exists() and cluster.scheduler.poll() is None:
            time.sleep(0.05)
        cluster.address = json.loads(file.read_text(encoding="utf-8"))["address"]
        cluster.fill(workers)
        yield cluster
    finally:
        for process in (*cluster.workers, cluster.scheduler):
            process.kill()
            process.wait()


def _started(home: Path, command: str, *words: str) -> subprocess.Popen[bytes]:
    quiet = {"DASK_LOGGING__DISTRIBUTED": "error", "PYTHONWARNINGS": "ignore"}
    line = [sys.executable, "-m", f"distributed.cli.dask_{command}", *words, "--no-dashboard", "--protocol", "tls"]
    return subprocess.Popen(line, env={**os.environ, **TLS, **quiet}, cwd=home)
