"""What people read of a rehearsal: every envelope number stands as TEST, in every sheet and on the page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial

from trialdesk.allocation.numbering import printed
from trialdesk.config import Config
from trialdesk.workbook import SheetTable, worded


def as_read(config: Config, tables: Iterable[SheetTable]) -> tuple[SheetTable, ...]:
    """The sheets as they are written: those of a real trial as they are, of a rehearsal with its mark."""
    if config.envelopes.domain != "dev":
        return tuple(tables)
    # most texts of a workbook stand in it many times
    return worded(tables, lru_cache(maxsize=None)(partial(printed, domain="dev")))
