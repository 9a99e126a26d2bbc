"""A `sum` as Python has it from 3.12 on, to show that no formula asks it."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterable
from typing import Any

plain_sum = builtins.sum


def compensated(values: Iterable[Any], start: Any = 0) -> Any:
    """Floats without any loss, all else as before."""
    here = list(values)
    if here and all(isinstance(one, float) for one in here):
        return math.fsum([start, *here])
    return plain_sum(here, start)
