"""A project's own page leads to its grid; here a user switches between the groups that are open to them."""

from __future__ import annotations

from redcap_local.contents import groups
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Visit
from redcap_local.project import Group
from redcap_local.storage import people


def show(visit: Visit) -> Moved:
    """The record status grid."""
    return Moved(visit.addresses.dashboard())


def change(visit: Visit) -> Answer:
    """The user stands in another of the groups open to them."""
    if visit.text("action") != "switch":
        raise NoSuchPlace(f"there is no action {visit.text('action')[:40]!r}")
    groups.switch(visit.asking(dag=visit.text("group")))
    return Moved(visit.addresses.dashboard())


def open_groups(visit: Visit) -> list[Group]:
    """The groups between which the user may switch; one without a name stands for no group."""
    allowed = people.memberships(visit.call.connection, visit.project.id, visit.user.username)
    none = [Group(0, "", "no group")] if 0 in allowed else []
    return [*none, *(group for group in visit.project.groups if group.id in allowed)]
