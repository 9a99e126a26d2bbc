"""Calculated values follow the values they are computed from (reference/redcap-api.md 6.2)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from redcap_local.intake.changes import Changes
from redcap_local.project import Project
from redcap_local.view import cells, record_view


def follow(
    project: Project, name: str, sent: set[str], change: Changes, now: datetime, also: Collection[str] = ()
) -> None:
    """The changes hold what every calculation that depends on what was sent now gives.

    An unticked option changes nothing that is stored and is counted all the same (reference/instruments.md 2.2).

    Args:
        project: The project with its calculations.
        name: The record.
        sent: The columns of the import.
        change: What is changed, and the record as it then is; the results are put into it.
        now: What `today` and `now` stand for.
        also: Calculated fields that are computed whatever was sent.
    """
    columns = sent | {key[2] for key in (*change.set, *change.erased)}
    rows = cells(project, ((*key, value) for key, value in change.after.items()))
    view = record_view(project, name, rows)
    for row in project.calculations.recalculate(view, changed=columns, also=also, today=now.date(), now=now):
        event = project.events_by_name[row.event] if row.event else project.first_event
        for column, value in row.values.items():
            change.put((event.id, row.instance or 1, column), value)
