"""The project's log for who may read it, its user's own group at most (B.2.23.0100, 0300)."""

from __future__ import annotations

from redcap_local.contents.log import KINDS, limits_of
from redcap_local.pages.visit import Shown, Visit
from redcap_local.storage import log, people

TOGETHER = 200
_LABELS = {"": "All event types", "page_view": "Page views"}


def show(visit: Visit) -> Shown:
    """The lines of the log within the limits asked for, newest first, so many on a page."""
    names = ("logtype", "user", "record", "beginTime", "endTime")
    asked = {name: visit.text(name).replace("T", " ") for name in names}
    lines = log.read(visit.call.connection, visit.project.id, limits_of(visit.asking(**asked)))
    start = max(visit.number("start", 1), 1)
    return Shown(
        "log.html.j2",
        {
            "asked": asked,
            "kinds": {kind: _LABELS.get(kind, kind.replace("_", " ").capitalize()) for kind in KINDS},
            "users": [row["username"] for row in people.members(visit.call.connection, visit.project.id)],
            "lines": lines[start - 1 : start - 1 + TOGETHER],
            "start": start,
            "total": len(lines),
            "together": TOGETHER,
        },
    )
