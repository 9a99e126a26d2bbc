"""How a painful fracture goes, day by day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Course:
    """The burden of one patient's back.

    It begins at `start` (0–100), fades by the share `natural` over about two months, and falls by the share
    `relief` within days of the vertebroplasty.
    """

    start: float
    natural: float
    relief: float
    opened: date
    treated: date | None = None

    def level(self, on: date) -> float:
        """The burden on a day, 0–100."""
        level = self.start * (1 - self.natural * _grown((on - self.opened).days, 45))
        if self.treated is not None:
            level *= 1 - self.relief * _grown((on - self.treated).days, 4)
        return level


def _grown(days: int, pace: float) -> float:
    return 1 - math.exp(-max(days, 0) / pace)
