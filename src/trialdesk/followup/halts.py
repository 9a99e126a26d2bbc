"""When contacts end before their time: death, withdrawal, loss, completion, and what has to be verified first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from trialdesk.followup.attempts import History
from trialdesk.model import Patient


@dataclass(frozen=True, slots=True)
class Halt:
    """Contacts that were not over by `since` end as `status`; without a date every contact not done does."""

    status: Literal["stopped", "withdrawn"]
    since: date | None


def halt(patient: Patient, *, chased: bool, doubtful: bool) -> Halt | None:
    """What ends a patient's contacts, or None while they go on (reference/trial-operations.md 3.5).

    Death goes before everything, then whatever has to be verified first. Withdrawal from treatment alone stops
    nothing. Loss to follow-up stops the weekly contacts; those with days of grace are still attempted (3.4).

    Args:
        patient: The patient.
        chased: Whether the contact has days of grace.
        doubtful: Whether something about the patient has to be verified before anyone calls.
    """
    if patient.dead or patient.died_on:
        return Halt("stopped", patient.died_on or patient.left_on)
    if doubtful:
        return Halt("stopped", None)
    if patient.withdrawal in ("contact", "data"):
        return Halt("withdrawn", patient.left_on)
    if "completed" in patient.states or ("lost" in patient.states and not chased):
        return Halt("stopped", patient.left_on)
    return None


def doubts(patient: Patient, last_done: date | None, history: History) -> tuple[str, ...]:
    """What has to be verified before anyone calls, one sentence each; () for a patient without contradictions.

    Every source of death is read: one alone is enough to stop the calls
    (reference/trial-operations.md 3.5, death guard).
    """
    found = [] if patient.dead else [f"vital status: {sign}" for sign in patient.death_signs]
    if patient.died_on and not patient.dead:
        found.append("vital status: a date of death is recorded, but the end of study does not say died")
    if patient.died_on and last_done and last_done > patient.died_on:
        found.append(f"vital status: a contact on {last_done} is later than the death on {patient.died_on}")
    if "not_randomised" in patient.states:
        found.append("enrolment: the end of study says not randomised, but an envelope was opened")
    return (*found, *_logged(patient, last_done, history), *history.unread)


def _logged(patient: Patient, last_done: date | None, history: History) -> Iterator[str]:
    """What was heard on the telephone and is not in the end of study yet."""
    died, leaves = history.latest("died"), history.latest("declines_all")
    if died and not patient.dead:
        yield f"vital status: the call log of {died.on} says died"
    answered = patient.withdrawal or patient.dead or (leaves and last_done and last_done > leaves.on)
    if leaves and not answered:
        yield (
            f"withdrawal: all further calls were declined on {leaves.on}; "
            "ask what the patient withdraws from, and enter it in the end of study"
        )


def postdated(patient: Patient, today: date) -> tuple[str, ...]:
    """What of the patient's end lies after today and so can't have happened, one sentence each.

    The end itself is believed: it stops what the end-of-study form says it stops.
    """
    ends = {"vital status: the date of death": patient.died_on, "end of study: its date": patient.left_on}
    return tuple(f"{what} {day} lies after today" for what, day in ends.items() if day and day > today)
