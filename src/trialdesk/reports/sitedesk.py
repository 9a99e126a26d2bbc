"""What a site has to do: its own patients, the gravest first, ten at most."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from trialdesk.facts.cohort import Cohort
from trialdesk.facts.todo import (
    LOST_CONTACT,
    PENDINGS,
    PRIMARY,
    RELEASE,
    THREE_MISSED,
    TWO_MISSED,
    VERIFY,
    WRONG_NUMBER,
    Kind,
    Task,
)
from trialdesk.workbook import Column, Line, SheetTable

MOST = 10
# Each is known from the patient's own record alone; what compares records stands in Findings, without the others.
_ASKED: dict[Kind, str] = {
    VERIFY: "Verify it, and tell the coordinator; nobody calls before",
    RELEASE: "Open the envelope and enter it, or ask the coordinator to take the release back",
    WRONG_NUMBER: "Correct the telephone number",
    LOST_CONTACT: "Decide with the coordinator whether the patient is lost to follow-up",
    THREE_MISSED: "Reach the patient or a relative, and tell the nurse how",
    PRIMARY: "Fill in the form, or say why there is none",
    TWO_MISSED: "Give the nurse another number or time of day",
    PENDINGS: "Enter what became of the patient",
}


def to_do(found: Iterable[Task], mine: Cohort) -> SheetTable:
    """The site's part of the tasks (todo.py): those about patients that are its own by site field and access group.

    What treatment calls for stands at the single patient, so the sheet is the site's alone and no part of what is
    proved not to depend on arms.
    """
    columns = (
        Column("What", width=22), Column("Record", width=12), Column("Why", width=60), Column("What to do", width=50),
        Column("Since", "date", 12),
    )  # fmt: skip
    own = [task for task in found if task.kind in _ASKED and task.record in mine.records]
    lines = tuple(
        Line((task.kind.name, task.record, task.why, _ASKED[task.kind], task.since), tones={0: "warning"})
        for task in islice(own, MOST)
    )
    left = f" {len(own) - MOST} more stand behind these." if len(own) > MOST else ""
    about = f"{len(own)} to do, the gravest first.{left} What to correct in REDCap stands in Findings."
    return SheetTable("To do", "To do", about, columns, lines, keys=2, empty="Nothing to do.")
