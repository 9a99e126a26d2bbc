"""What people read of a rehearsal: every envelope number stands as TEST, in every sheet and on the page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from trialdesk.allocation.numbering import printed
from trialdesk.config import Config
from trialdesk.workbook import SheetTable, worded


def as_read(config: Config, tables: Iterable[SheetTable]) -> tuple[SheetTable, ...]:
    """The sheets as they are written: those of a real trial as they are, of a rehearsal with its mark."""
    domain = config.envelopes.domain
    return worded(tables, partial(printed, domain=domain)) if domain == "dev" else tuple(tables)
