"""The people of the rehearsal and what each may do: the rights a real trial would give them (design.md 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from redcap.project import Project

COORDINATOR = "coordinator"
PACKER = "packer"

# REDCap's codes: form rights 0 none, 1 edit, 2 read only; export rights 0 none, 1 full, 3 no identifiers.
NONE, EDIT, READ_ONLY = 0, 1, 2
FULL, NO_IDENTIFIERS = 1, 3


@dataclass(frozen=True, slots=True)
class Role:
    """One role: switches that are on, and form rights where they differ from `forms` and `export`."""

    label: str
    switches: tuple[str, ...]
    forms: int = EDIT
    export: int = FULL
    forms_differ: Mapping[str, int] = field(default_factory=dict)
    export_differ: Mapping[str, int] = field(default_factory=dict)

    def row(self, forms: Sequence[str]) -> dict[str, object]:
        """The role as REDCap imports it."""
        return {
            "unique_role_name": "",
            "role_label": self.label,
            **dict.fromkeys(self.switches, "1"),
            "forms": {**dict.fromkeys(forms, self.forms), **self.forms_differ},
            "forms_export": {**dict.fromkeys(forms, self.export), **self.export_differ},
        }


# The nightly run needs no identifiers, writes the release and the call plan, and builds the project.
TRIAL_COORDINATOR = Role(
    "Coordinator",
    ("design", "data_access_groups", "logging", "api_export", "api_import"),
    forms=READ_ONLY,
    export=NO_IDENTIFIERS,
    forms_differ={"randomisation": EDIT, "call_plan": EDIT},
)
SITE = Role("Site", ("api_export", "api_import", "record_create"), forms_differ={"call_plan": READ_ONLY})
# The coordinator follows every envelope and sees no card: export right none on `allocation`.
REGISTER_COORDINATOR = Role(
    "Coordinator",
    ("api_export", "api_import"),
    forms_differ={"allocation": NONE},
    export_differ={"allocation": NONE},
)
REGISTER_PACKER = Role(
    "Packer", ("design", "logging", "api_export", "api_import", "record_create"), forms=EDIT, export=FULL
)


def site_user(site: str) -> str:
    """The user name of a site's clinician."""
    return f"site_{site.lower()}"


def invite(project: Project, role: Role, users: Mapping[str, str], forms: Sequence[str]) -> None:
    """The users are members in this role, each in its data access group ("" for none).

    Args:
        project: The project, with a token that may manage users.
        role: The role; it is made.
        users: User name to unique data access group name.
        forms: The project's instruments.
    """
    project.import_user_roles([role.row(forms)])
    name = next(row["unique_role_name"] for row in project.export_user_roles() if row["role_label"] == role.label)
    project.import_users([{"username": user, "data_access_group": group} for user, group in users.items()])
    project.import_user_role_assignment([{"username": user, "unique_role_name": name} for user in users])


def groups_of(sites: Iterable[str], project: Project) -> dict[str, str]:
    """User name of each site to the unique name of its data access group."""
    unique = {row["data_access_group_name"]: row["unique_group_name"] for row in project.export_dags()}
    return {site_user(site): unique[site] for site in sites}
