"""The stages of a run: which one is at work, what each did, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trialdesk.nightly.summary import StageResult

Progress = Callable[[str], None]


@dataclass(slots=True)
class Stages:
    """A log of stages: `with stages("pull") as note: …; note("40 records")`."""

    progress: Progress
    current: str = ""
    done: list[StageResult] = field(default_factory=list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[Callable[[str], None]]:
        """A stage that is done at its end, with what was noted; `current` stays its name should it fail."""
        self.progress(name)
        self.current, begun = name, time.monotonic()
        said: list[str] = []
        yield said.append
        self.done.append(StageResult(name, "; ".join(said), round(time.monotonic() - begun, 3)))

    def counting(self, what: str) -> Callable[[int, int], None]:
        """Shows how far the stage is, as in `pull: 400 of 2000 records, 310 a second`."""
        begun = time.monotonic()

        def show(done: int, of: int) -> None:
            rate = done / max(time.monotonic() - begun, 0.001)
            self.progress(f"{self.current}: {done} of {of} {what}, {rate:.0f} a second")

        return show
