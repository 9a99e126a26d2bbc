"""Which file of a run is for whom: each reader has a folder, and no folder holds a file for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class File(NamedTuple):
    """One file of a run: who reads it, and what is in it."""

    reader: str
    what: str


INDEX = "coordinator/index.html"
TODO = "coordinator/coordinator.xlsx"
ENVELOPES = "coordinator/envelope_lists.xlsx"
MEMORY = "coordinator/memory.sqlite"
MONITOR = "monitor/enrolment_report.xlsx"
CALLS = "calls/call_schedule.xlsx"
FILES: Mapping[str, File] = {
    "summary.json": File("whoever watches the runs", "counts of the run; no record, envelope or arm"),
    "run.json": File(
        "whoever watches the runs", "the stages with their times, versions, and what was done to the memory"
    ),
    INDEX: File("coordinator", "one page: to do, recruitment, envelopes, calls, and links to the files"),
    TODO: File("coordinator", "to do, all findings, what has changed, what is accepted"),
    ENVELOPES: File("coordinator", "what to send, make and release; where register and records disagree"),
    MEMORY: File("coordinator", "a copy of the desk's memory"),
    MONITOR: File("monitor", "sites, months, flow, patients and findings, without arms"),
    CALLS: File("central nurse", "whom to call today and next, at all sites"),
}
"""Path in the folder of the run to what it is."""
