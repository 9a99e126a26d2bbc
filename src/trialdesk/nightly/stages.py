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
