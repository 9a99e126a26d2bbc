"""Days on which a patient is not called: a pause that was agreed, or a stay in hospital."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from trialdesk.followup.attempts import History


@dataclass(frozen=True, slots=True, order=True)
class Pause:
    """The first and the last day of a pause; one without a last day goes on until a person names it."""

    begins: date
    ends: date = date.max

    def __contains__(self, day: date) -> bool:
        return self.begins <= day <= self.ends

    def __str__(self) -> str:
        return f"paused from {self.begins} {'without an end' if self.ends == date.max else f'until {self.ends}'}"


def pause(begins: date | None, ends: date | None) -> Pause | None:
    """The pause between two dates of a form; None without a first day, or where the last one lies before it."""
    if begins is None or (ends is not None and ends < begins):
        return None
    return Pause(begins, ends or date.max)


def trouble(begins: date | None, ends: date | None) -> str:
    """What is wrong with the two dates of a pause, in one sentence; "" if nothing is."""
    if ends and begins is None:
        return f"pause: it ends on {ends} and has no first day; correct it in REDCap"
    if begins and ends and ends < begins:
        return f"pause: it ends on {ends}, before it begins on {begins}; correct it in REDCap"
    return ""


def stays(history: History) -> Iterator[Pause]:
    """The stays in hospital whose end the call log names: the patient can be called again on that day."""
    for attempt in history.attempts:
        if attempt.outcome == "in_hospital" and attempt.callback and attempt.callback.on > attempt.on:
            yield Pause(attempt.on, attempt.callback.on - timedelta(days=1))


def paused(pauses: Iterable[Pause], day: date) -> bool:
    """Whether a day lies in one of the pauses."""
    return any(day in one for one in pauses)
