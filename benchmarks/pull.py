"""What the pull of a trial takes beside REDCap's own part in it, and beside PyCap's table of the same fields.

The trial is that of `night.py` in its folder. Each way runs in a process of its own, so that its memory is its own:
`pull` is the night's, `again` sends the questions of a pull once more and throws the answers away as they come,
`table` is PyCap's `export_records(format_type="df")` of all the fields that are no identifiers.

    .venv/bin/python benchmarks/night.py 10000
    .venv/bin/python benchmarks/pull.py 10000
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import requests
import typer
from night import serving
from redcap.project import Project

from trialdesk.config import load
from trialdesk.redcap.gateway import open_gateway
from trialdesk.redcap.snapshot import pull
from trialdesk.redcap.tokens import token

WAYS = ("nothing", "pull", "again", "table")


def main(
    size: Annotated[int, typer.Argument(help="Patients screened: a trial `night.py` has made.")],
    folder: Annotated[Path, typer.Option(help="Where databases are kept.")] = Path("night-benchmark"),
    way: Annotated[str, typer.Option(help="One of the ways alone, on a server that is up.")] = "",
) -> None:
    """A line for each way; `nothing` is the program with all libraries loaded."""
    home = folder / str(size)
    if way:
        print(f"{_timed(home, way):.1f} s on the clock", end="")
        return
    server = serving(home)
    try:
        for one in WAYS:
            _alone(size, folder, one)
    finally:
        server.terminate()
        server.wait()


def _alone(size: int, folder: Path, way: str) -> None:
    process = subprocess.Popen([sys.executable, __file__, str(size), "--folder", str(folder), "--way", way])
    _, status, used = os.wait4(process.pid, 0)
    spent, held = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(f", {spent:.1f} processor s and at most {held:.0f} MB of the whole process: {way} ({status})", flush=True)


def _timed(home: Path, way: str) -> float:
    """Seconds on the clock."""
    config = load(home / "config.yaml")
    trial = open_gateway(config, "trial")
    names = [field.name for field in trial.dictionary().fields if not field.identifier]
    project = Project(config.redcap.url, token(config, "trial").get_secret_value())
    import pandas as pd  # for every way, so that no library is counted for one alone

    warnings.simplefilter("ignore", pd.errors.DtypeWarning)
    work: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "pull": lambda: pull(trial),
        "table": lambda: project.export_records(format_type="df", fields=names),
    }
    asked = work[way] if way in work else _repeated(work["pull"])
    begun = time.monotonic()
    asked()
    return time.monotonic() - begun


def _repeated(asking: Callable[[], object]) -> Callable[[], object]:
    """What was asked, to be asked once more without reading what comes."""
    real, sent = requests.Session.send, list[requests.PreparedRequest]()

    def kept(session: requests.Session, request: requests.PreparedRequest, **how: object) -> requests.Response:
        sent.append(request)
        return real(session, request, **how)  # type: ignore[arg-type]

    requests.Session.send = kept  # type: ignore[method-assign]
    asking()
    requests.Session.send = real  # type: ignore[method-assign]

    def again() -> None:
        with requests.Session() as session:
            for one in sent:
                for _ in session.send(one, stream=True).iter_content(1 << 20):
                    pass

    return again


if __name__ == "__main__":
    typer.run(main)
