"""A project's status: moved to production by who may design it, and back by the administrator (B.6.11.0300)."""

from __future__ import annotations

from dataclasses import replace

from redcap_local.messages import ApiError
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Shown, Visit, as_administrator
from redcap_local.people import CREATOR
from redcap_local.production import move_to_development, move_to_production
from redcap_local.storage import randomization, records

PLACE = "ProjectSetup/index.php"
MESSAGES = {
    "production": "The project is in production now.",
    "development": "The project is in development again.",
}


def show(visit: Visit, faults: tuple[str, ...] = ()) -> Shown:
    """The status, and how it is changed."""
    project, connection = visit.project, visit.call.connection
    values = {
        "faults": faults,
        "message": MESSAGES.get(visit.text("msg"), ""),
        "count": len(records.records(connection, project.id)),
        "empties": bool(randomization.randomised_records(connection, project.id, production=False)),
        "back": project.in_production and visit.user.username == CREATOR,
    }
    return Shown("setup.html.j2", values)


def change(visit: Visit) -> Answer:
    """The project has the other status."""
    action, project, call = visit.text("action"), visit.project, visit.call
    with as_administrator():
        if action == "production" and not project.in_production:
            keep = visit.text("data") != "delete"
            move_to_production(call.connection, project, call.now, keep_records=keep, by=visit.user.username)
        elif action == "development" and project.in_production and visit.user.username == CREATOR:
            move_to_development(call.connection, project, call.now)
        else:
            raise NoSuchPlace(f"this project can't be moved to {action[:40]!r} by you")
    return Moved(visit.addresses.room(PLACE, msg=action))


def refused(visit: Visit, fault: ApiError) -> Shown:
    """The page again, with the reason."""
    return replace(show(visit, tuple(fault.text.splitlines())), status=fault.status)
