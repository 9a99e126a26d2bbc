"""The long-running form: one run a night, for a machine without a scheduler of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schedule import Scheduler


@dataclass(frozen=True, slots=True)
class Clockwork:
    """A job every day at a local time. A job that fails is told and does not stop the next night's."""

    job: Callable[[], object]
    failed: Callable[[Exception], None]

    def wind(self, at: str, time_zone: str) -> Scheduler:
        """A scheduler that runs the job every day at `at` (HH:MM) in the time zone; the caller lets it run."""
        from schedule import Scheduler

        scheduler = Scheduler()
        scheduler.every().day.at(at, time_zone).do(self._run)
        return scheduler

    def _run(self) -> None:
        """`schedule` starves every later job when one raises, and asks it again at once.

        Source: reference/trial-operations.md 4.5.
        """
        try:
            self.job()
        except Exception as error:  # noqa: BLE001 - whatever ends one night must not end the next
            self.failed(error)
