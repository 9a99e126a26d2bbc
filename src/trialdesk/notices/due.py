"""Which messages a run calls for, and whom they are for. Pure: what was told before is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from trialdesk.config import Config
from trialdesk.config.parts import COORDINATOR, Recipient
from trialdesk.errors import OK, OK_WITH_WARNINGS, LockHeld, WriteBackFailed

Kind = Literal["failed", "recovered", "digest"]
FINE = frozenset({OK, OK_WITH_WARNINGS})
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Told:
    """What was told before: whether the last word was of a failure, and the day of the last digest."""

    failing: bool = False
    digest: date | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, on which day; `counts` are those of its summary, None for one that was not published."""

    day: date
    code: int
    counts: Mapping[str, Any] | None = None

    @property
    def published(self) -> bool:
        """Whether there is a new run, also one that could not be written back."""
        return self.counts is not None or self.code == WriteBackFailed.exit_code


def due(ending: Ending, told: Told, weekday: int) -> tuple[Kind, ...]:
    """The kinds of messages a run calls for.

    A failure is told once, and that it is over once. A digest is due on its weekday, or when the last one is more than
    a week old. A run that found another at work is no failure: the other one tells how it ended.

    Args:
        ending: How the run ended.
        told: What was told before.
        weekday: The weekday of the digest, Monday is 1.
    """
    kinds: list[Kind] = []
    if ending.code not in {*FINE, LockHeld.exit_code} and not told.failing:
        kinds.append("failed")
    if ending.code in FINE and told.failing:
        kinds.append("recovered")
    if ending.counts is not None and _digest_is_due(ending.day, told.digest, weekday):
        kinds.append("digest")
    return tuple(kinds)


def after(ending: Ending, told: Told, kinds: tuple[Kind, ...]) -> Told:
    """What is told once these messages are sent."""
    failing = "failed" in kinds or (told.failing and "recovered" not in kinds)
    return replace(told, failing=failing, digest=ending.day if "digest" in kinds else told.digest)


def readers(config: Config, kind: Kind) -> Iterator[Recipient]:
    """Who is told: the coordinator of failures, everybody with an address that a week's reports are there."""
    for one in config.recipients:
        if one.email and (kind == "digest" or one.profile == COORDINATOR):
            yield one


def _digest_is_due(day: date, last: date | None, weekday: int) -> bool:
    if last is None or (day - last).days > _WEEK:
        return day.isoweekday() == weekday or last is not None
    return day.isoweekday() == weekday and day > last
