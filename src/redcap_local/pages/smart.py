"""Smart variables that have a value on pages (reference/redcap-validation-facts.md 5)."""

from __future__ import annotations

from redcap_local.pages.answers import Spot
from redcap_local.pages.visit import Visit
from redcap_local.project import Group
from redcap_local.storage import people


def of_form(visit: Visit, where: Spot) -> dict[str, str]:
    """Those of a form that is shown: of its record, event and instrument, and of the user."""
    project, event = visit.project, where.event
    group = project.groups_by_id.get(where.record.group or 0) if where.record else None
    return {
        "record-name": where.name,
        "is-form": "1",
        "is-survey": "0",
        "event-label": event.label,
        "event-id": str(event.id),
        "arm-number": str(event.arm),
        "arm-label": dict(project.arms)[event.arm],
        "instrument-name": where.form,
        "instrument-label": project.form_label(where.form),
        **of_group("record", group),
        **of_user(visit),
    }


def of_user(visit: Visit) -> dict[str, str]:
    """Those of the project, and of the user with role and group."""
    project = visit.project
    row = people.member(visit.call.connection, project.id, visit.user.username)
    return {
        "project-id": str(project.id),
        "user-name": visit.user.username,
        "user-fullname": f"{row['firstname']} {row['lastname']}".strip() if row else "",
        "user-role-name": (row["role_name"] or "") if row else "",
        "user-role-label": (row["role_label"] or "") if row else "",
        **of_group("user", project.groups_by_id.get(visit.user.group or 0)),
    }


def of_group(whose: str, group: Group | None) -> dict[str, str]:
    """The group of a record or of the user, as `whose` says; blank for none."""
    known = group or Group(0, "", "")
    return {
        f"{whose}-dag-id": str(known.id or ""),
        f"{whose}-dag-name": known.name,
        f"{whose}-dag-label": known.label,
    }
