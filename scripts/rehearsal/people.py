"""The people of the rehearsal: who is in which role and at which site; the rights of a role stand in roles.csv."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redcap.project import Project

COORDINATOR = "coordinator"
PACKER = "packer"
STATISTICIAN = "statistician"
CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Member:
    """A user of a project, by the label of the role and, at a site, of the data access group."""

    user: str
    role: str
    group: str = ""


REGISTER = (Member(COORDINATOR, "Coordinator"), Member(PACKER, "Packer"))


def trial(sites: Iterable[str], roles: Iterable[str]) -> tuple[Member, ...]:
    """The coordinator, who sees every site, a clinician at each, and a statistician and a caller if there are roles."""
    sees_all = (Member(COORDINATOR, "Coordinator"), Member(STATISTICIAN, "Statistician"), Member(CALLER, "Caller"))
    at_sites = (Member(site_user(site), "Site", site) for site in sites)
    return (*(member for member in sees_all if member.role in {"Coordinator", *roles}), *at_sites)


def site_user(site: str) -> str:
    """The user name of a site's clinician."""
    return f"site_{site.lower()}"


def invite(project: Project, members: Iterable[Member]) -> None:
    """The members are users of the project, each in role and data access group.

    Args:
        project: The project with its roles and groups, and a token that may manage users.
        members: Whom to invite.
    """
    roles = {row["role_label"]: row["unique_role_name"] for row in project.export_user_roles()}
    groups = {row["data_access_group_name"]: row["unique_group_name"] for row in project.export_dags()}
    placed = {member.user: (roles[member.role], groups[member.group] if member.group else "") for member in members}
    project.import_users([{"username": user, "data_access_group": group} for user, (_, group) in placed.items()])
    project.import_user_role_assignment(
        [{"username": user, "unique_role_name": role} for user, (role, _) in placed.items()]
    )
