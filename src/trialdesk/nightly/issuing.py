"""Issuing a report: a frozen copy of what a run published for the monitor, remembered for ever."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Mapping
from datetime import date
from io import StringIO
from pathlib import Path

from trialdesk.config import Config
from trialdesk.errors import OutputFailed
from trialdesk.memory.values import Issued
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import remembered_alone, scope_of
from trialdesk.private import place
from trialdesk.reports.delivery import FLOW, MONITOR
from trialdesk.workbook import HEADER_ROW

FOLDER, LIST, DIGESTS = "issued", "issued.csv", "SHA256SUMS"


def issue(config: Config, number: int, by: str, on: date) -> tuple[Issued, Path]:
    """The newest run's report for the monitor is issued under a number: copied, listed and remembered.

    `issued/NNN-RUN` holds the files and their digests in the form that `sha256sum -c` reads; `issued/issued.csv` lists
    every report that was ever issued.

    Args:
        config: The trial.
        number: Higher than that of every report issued before.
        by: Who issues it.
        on: The day.

    Returns:
        What is remembered, and the folder.

    Raises:
        OutputFailed: no run is published, its report is not whole, the number is taken, or nothing can be written.
    """
    with remembered_alone(config) as memory:
        scope = scope_of(config)
        before = memory.remembered(scope).issued
        if before and number <= before[-1].number:
            raise OutputFailed(
                f"report {before[-1].number} is issued already; the next number is {before[-1].number + 1}"
            )
        run = _newest(config.reports)
        figures = key_figures(config.reports / run / MONITOR)
        folder = config.reports / FOLDER / f"{number:03}-{run}"
        files = _frozen(config.reports / run, folder)
        issued = Issued(number, run, on, by, files, figures)
        memory.issue(scope, issued)
        place(config.reports / FOLDER / LIST, _listed((*before, issued)).encode())
    return issued, folder


def key_figures(path: Path) -> Mapping[str, str]:
    """The id of each key figure to its value, as a published workbook shows them.

    Raises:
        OutputFailed: the workbook can't be read.
    """
    from openpyxl import load_workbook

    try:
        rows = load_workbook(path, read_only=True)["Key figures"].iter_rows(min_row=HEADER_ROW, values_only=True)
        titles = [str(title) for title in next(rows)]
        at = titles.index("Id"), titles.index("Value")
        return {str(row[at[0]]): str(row[at[1]]) for row in rows if row[at[0]]}
    except (OSError, KeyError, ValueError, StopIteration) as error:
        raise OutputFailed(
            f"{path}: has no key figures ({type(error).__name__}); let a night run, then issue its report"
        ) from None


def _newest(reports: Path) -> str:
    latest = reports / LATEST
    if not latest.exists():
        raise OutputFailed(f"{reports}: no run is published; let a night run, then issue its report")
    return latest.resolve().name


def _frozen(run: Path, folder: Path) -> Mapping[str, str]:
    """The files stand in the folder, all or none, readable by their owner and written by nobody; path to SHA-256."""
    building = folder.with_name(f".building-{folder.name}")
    shutil.rmtree(building, ignore_errors=True)
    files: dict[str, str] = {}
    for name in (MONITOR, FLOW):
        if (run / name).exists():
            content = (run / name).read_bytes()
            files[Path(name).name] = hashlib.sha256(content).hexdigest()
            place(building / Path(name).name, content)
    place(building / DIGESTS, "".join(f"{digest}  {name}\n" for name, digest in files.items()).encode())
    for path in building.iterdir():
        path.chmod(0o400)
    try:
        building.rename(folder)
    except OSError as error:
        raise OutputFailed(f"{folder}: can't be made ({error.strerror}); choose another number") from None
    return files


def _listed(every: tuple[Issued, ...]) -> str:
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["number", "run", "issued_on", "by", "file", "sha256"])
    for one in every:
        rows.writerows([one.number, one.run, one.on, one.by, name, digest] for name, digest in one.files.items())
    return text.getvalue()
