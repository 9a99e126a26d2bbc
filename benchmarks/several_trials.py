"""Many small trials on one local REDCap: their nights one after another, two at a time, and on a Dask cluster.

Preparing 50 trials takes some minutes; the folder is kept to be used again. Every way of running them starts
nightly_sync.py as a person does; each is measured after a first round, which writes back what is due. The cluster is a
scheduler and two workers on this machine, started before, one night at a time on each.

    .venv/bin/python benchmarks/several_trials.py
"""

from __future__ import annotations

import json
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

sys.path[:0] = ["src", "scripts"]

from night import DATABASE, READY, fill, serving

from redcap_local.server import running
from rehearsal.stage import fresh_folder, set_stage, write_files

TRIALS = "trials"
WAYS = (
    ("first round, two at a time", ("--jobs", "2")),
    ("one at a time", ()),
    ("two at a time", ("--jobs", "2")),
)


def prepare(folder: Path, trials: int, patients: int) -> None:
    """So many trials stand in one database, each with a folder and projects of its own."""
    today = date.today()
    with running(fresh_folder(folder) / DATABASE) as server:
        for number in range(1, trials + 1):
            home = fresh_folder(folder / TRIALS / f"{number:03}")
            files = write_files(Path("config.yaml"), home, server.url, today)
            text = files[0].read_text(encoding="utf-8").replace(str(Path("reports").resolve()), "reports")
            files[0].write_text(text.replace("id: PVP-MM", f"id: T{number:03}"), encoding="utf-8")
            stage = set_stage(files, server, folder / DATABASE, lambda plan: plan.digest)
            fill(stage, patients, today, lambda _: lambda *_: None)
            print(f"\r{number} of {trials} trials made   ", end="", file=sys.stderr, flush=True)
        (folder / READY).write_text(server.url, encoding="utf-8")


@contextmanager
def measured(what: str) -> Iterator[list[str]]:
    """Prints what was said, with the seconds of the clock, and of the processor in all processes that have ended."""
    begun, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    said: list[str] = []
    yield said
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    print(f"{what}: {time.monotonic() - begun:.0f} s, {cpu:.0f} processor s: {' '.join(said)}", flush=True)


def nights(folder: Path, *words: str) -> str:
    """One round of nights; says how long it took, and how it ended."""
    begun = time.monotonic()
    command = [sys.executable, "scripts/nightly_sync.py", "--trials", str(folder / TRIALS), *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    last = (ended.stdout.splitlines() or [ended.stderr])[-1]
    return f"{last} ({time.monotonic() - begun:.0f} s)"


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """The address of a scheduler that has so many workers."""
    file = (folder / "scheduler.json").resolve()
    file.unlink(missing_ok=True)
    common = ["--host", "127.0.0.1", "--no-dashboard"]

    def started(command: str, *more: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", f"distributed.cli.dask_{command}", *common, *more]
        return subprocess.Popen(words, cwd=folder, stderr=subprocess.DEVNULL)

    processes = [started("scheduler", "--port", "0", "--scheduler-file", str(file))]
    try:
        while not file.exists():
            time.sleep(0.1)
        one = ("--scheduler-file", str(file), "--no-nanny", "--nthreads", "1")
        processes += [started("worker", *one) for _ in range(workers)]
        time.sleep(5)
        yield str(json.loads(file.read_text(encoding="utf-8"))["address"])
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def main(
    trials: Annotated[int, typer.Option(help="How many trials.")] = 50,
    patients: Annotated[int, typer.Option(help="Patients screened in each.")] = 10,
    folder: Annotated[Path, typer.Option(help="Where they are kept.")] = Path("several-trials-benchmark"),
) -> None:
    """A line for each way of running them."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    if not (folder / READY).exists():
        prepare(folder, trials, patients)
    server = serving(folder, f"{TRIALS}/001/config.yaml")
    try:
        for what, words in WAYS:
            with measured(what) as said:
                said.append(nights(folder, *words))
        with measured("Dask, two workers, with their start") as said, cluster(folder, 2) as address:
            said.append(nights(folder, "--dask", address))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    typer.run(main)
