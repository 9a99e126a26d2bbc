"""Proof, when the trial is configured, that every window holds a day on which people work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from trialdesk.config import Config
from trialdesk.followup.opendays import open_days
from trialdesk.followup.windows import window


@dataclass(frozen=True, slots=True, order=True)
class WeakestWindow:
    """The anchor day that leaves a contact the fewest open days in its window; the earliest such day."""

    code: str
    open_days: int
    anchor: date


def weakest_windows(config: Config, first: date, last: date) -> tuple[WeakestWindow, ...]:
    """The weakest window of every contact over all anchor days from `first` to `last`, in configured order.

    A contact whose `open_days` is 0 can fall in a week without a working day
    (reference/trial-operations.md 0, finding 7).
    """
    anchors = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    ends = [window(rule, anchor) for rule in config.contacts for anchor in (first, last)]
    start = min((end.opens for end in ends), default=first)
    length = (max((end.closes for end in ends), default=last) - start).days + 1
    calendar = open_days(config)
    days = (start + timedelta(days=step) for step in range(length))
    opened = [0, *accumulate(int(calendar.is_open(day)) for day in days)]

    def count(opens: date, closes: date) -> int:
        return opened[(closes - start).days + 1] - opened[(opens - start).days]

    found = []
    for rule in config.contacts:
        windows = ((window(rule, anchor), anchor) for anchor in anchors)
        fewest, anchor = min((count(around.opens, around.closes), anchor) for around, anchor in windows)
        found.append(WeakestWindow(rule.code, fewest, anchor))
    return tuple(found)
