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
SERVER = "coordinator/server.txt"
MONITOR = "monitor/enrolment_report.xlsx"
FLOW = "monitor/flow.svg"
CALLS = "calls/call_schedule.xlsx"
DAY_SHEET = "calls/day_sheet.html"
CALENDAR = "calls/calendar.ics"
CALLS_JSON = "calls/calls.json"
SITE = "sites/CODE/report.xlsx"
SITE_CALLS = "sites/CODE/calls.xlsx"
SITE_CALENDAR = "sites/CODE/calendar.ics"
REGISTER = "closed/register.age"
FILES: Mapping[str, File] = {
    "summary.json": File("whoever watches the runs", "counts of the run; no record, envelope or arm"),
    "run.json": File(
        "whoever watches the runs", "the stages with their times, versions, and what was done to the memory"
    ),
    INDEX: File("coordinator", "one page: to do, recruitment, envelopes, calls, and links to the files"),
    TODO: File("coordinator", "to do, all findings, what has changed, what is accepted"),
    ENVELOPES: File("coordinator", "what to send, make and release; where register and records disagree"),
    MEMORY: File("coordinator", "a copy of the desk's memory"),
    SERVER: File("coordinator", "what REDCap refused in this run, in its own words; they may hold data"),
    MONITOR: File("monitor", "where the trial stands, what changed and what is wrong, without arms"),
    FLOW: File("monitor", "the flow of participants as a picture, without arms"),
    CALLS: File("central nurse", "whom to call today and next, at all sites"),
    DAY_SHEET: File("central nurse", "the same day on paper, with boxes to tick"),
    CALENDAR: File("central nurse", "the calls as a calendar, without names"),
    CALLS_JSON: File("central nurse's programs", "every contact of every patient, for other programs"),
    SITE_CALLS: File("that site", "whom to call today and next, of the site's own patients"),
    SITE_CALENDAR: File("that site", "the calls of the site's own patients as a calendar, without names"),
    SITE: File("that site", "the report of the site's own patients, with what is to be corrected in their treatment"),
    REGISTER: File("statistician", "openings, envelope findings and stock, sealed for the closed report's recipients"),
}
"""Path in the folder of the run to what it is; CODE stands for each site."""


def of_site(name: str, code: str) -> str:
    """The path of a site's own file."""
    return name.replace("CODE", code)
