"""Patients whose contacts were missed in a row: who has to act, and whether the patient may be lost.

What is enough for which step: reference/trial-operations.md 3.4. Only a person says that a patient is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from trialdesk.followup.attempts import part_of_day
from trialdesk.followup.schedule import Entry, Schedule

Step = Literal["coordinator", "site", "lost"]
TO_COORDINATOR, TO_SITE = 2, 3
TRIES, DAYS, TIMES_OF_DAY = 6, 3, 2
"""How many tries, on how many days, at how many times of day, before a patient is suspected to be lost."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A patient who was not reached at several contacts of one form in a row, the last of which is `missed[-1]`.

    `step` says what that is enough for: telling the coordinator, having the site act, or suspecting that the patient is
    lost.
    """

    step: Step
    missed: tuple[Entry, ...]

    @property
    def record(self) -> str:
        """Whose contacts they are."""
        return self.missed[-1].contact.record

    @property
    def site(self) -> str:
        """The patient's site."""
        return self.missed[-1].contact.site

    @property
    def since(self) -> date | None:
        """The day after the last one on which the contact could be made that was one too many."""
        enough = self.missed[(TO_COORDINATOR if self.step == "coordinator" else TO_SITE) - 1]
        return enough.contact.window.chased_until if enough.contact.window else None

    @property
    def tried(self) -> str:
        """How often, on how many days and at how many times of day was tried since the patient was reached."""
        tries, days, times = _effort(self.missed[-1])
        return f"{tries} tries on {days} days at {times} times of day"


def escalations(plan: Schedule) -> tuple[Escalation, ...]:
    """Who was missed in a row and still has contacts to come, worst first, else in the order of the schedule.

    Of a patient whom a person has declared lost nothing is left to be decided.
    """
    decided = {patient.record for patient in plan.patients if "lost" in patient.states}
    found = [one for record, entries in plan.by_record.items() if record not in decided for one in _of(entries)]
    order: tuple[Step, ...] = ("lost", "site", "coordinator")
    return tuple(sorted(found, key=lambda one: order.index(one.step)))


def _of(entries: Sequence[Entry]) -> Iterator[Escalation]:
    for form in dict.fromkeys(entry.contact.rule.form for entry in entries):
        own = [entry for entry in entries if entry.contact.rule.form == form]
        row = _in_a_row(own)
        if len(row) >= TO_COORDINATOR and any(entry.coming for entry in own):
            yield Escalation(_step(row), tuple(row))


def _in_a_row(entries: Sequence[Entry]) -> list[Entry]:
    """The contacts missed one after another up to now; a pause neither adds to them nor ends them."""
    row: list[Entry] = []
    for entry in entries:
        if entry.status == "missed":
            row.append(entry)
        elif entry.contact.said.done:
            row.clear()
    return row


def _step(row: Sequence[Entry]) -> Step:
    if len(row) < TO_SITE:
        return "coordinator"
    enough = all(done >= least for done, least in zip(_effort(row[-1]), (TRIES, DAYS, TIMES_OF_DAY), strict=True))
    heard_of = any(entry.contact.said.refused for entry in row)
    return "lost" if enough and not heard_of else "site"


def _effort(entry: Entry) -> tuple[int, int, int]:
    tries = entry.tries
    times = {part_of_day(one.at) for one in tries if one.at}
    return len(tries), len({one.on for one in tries}), len(times)
