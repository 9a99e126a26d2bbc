"""How many records are asked for at once: as many as the server answers quickly."""

from __future__ import annotations

from dataclasses import dataclass, replace

AIM = 5.0
"""Seconds that an answer may take, far below the time-outs of servers and proxies between."""
MOST = 1000
"""Each record and each field is a parameter of its own, and PHP takes a limited number of them (`max_input_vars`)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The number of records of the next request; `ceiling` is what was too much for the server."""

    size: int
    ceiling: int = MOST

    def after(self, seconds: float) -> Batch:
        """The next one, when this one took so long: at most twice as large, and at least half as large."""
        fitting = int(self.size * min(max(AIM / max(seconds, 0.001), 0.5), 2.0))
        return replace(self, size=max(1, min(fitting, self.ceiling)))

    def too_much(self) -> Batch:
        """The next one, when the server had no memory for this one."""
        half = max(1, self.size // 2)
        return Batch(half, half)
