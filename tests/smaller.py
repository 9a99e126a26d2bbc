"""Rows of dicts, which tests write, as a pull keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trialdesk.redcap.cells import Pool
from trialdesk.redcap.holding import held, tick_columns
from trialdesk.redcap.snapshot import Snapshot


def kept_small(*snapshots: Snapshot) -> Iterator[Snapshot]:
    """The same pulls of one project with rows that share their shapes, without blanks and options without a tick."""
    pool = Pool()
    for one in snapshots:
        ticks = tick_columns(one.dictionary)
        rows = {
            record: tuple(
                replace(row, values=pool.of({name: row.values[name] for name in held(row.values, ticks)}))
                for row in own
            )
            for record, own in one.rows.items()
        }
        yield replace(one, rows=rows)
