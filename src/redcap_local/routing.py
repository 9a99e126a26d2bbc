"""Which handler answers which content and action, and the right it needs (reference/redcap-api.md 2.5, 4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from redcap_local import messages
from redcap_local.call import Call, Server
from redcap_local.contents import (
    arms,
    creation,
    events,
    field_names,
    field_validation,
    file_repository,
    files,
    group_mapping,
    groups,
    instruments,
    log,
    mapping,
    metadata,
    next_name,
    pdf,
    project_info,
    project_xml,
    randomize,
    record_delete,
    record_export,
    record_import,
    record_rename,
    repeating,
    reports,
    role_mapping,
    roles,
    surveys,
    users,
    version,
)
from redcap_local.messages import ApiError, Message
from redcap_local.wire.parameters import Parameters
from redcap_local.wire.replies import Reply

Handler = Callable[[Call], Reply]

EXPORT, IMPORT = "api_export", "api_import"
DESIGN, DAGS, USERS = "design", "data_access_groups", "user_rights"
REPOSITORY = "file_repository"
_REFUSALS: dict[str, Message] = {
    EXPORT: messages.NO_EXPORT,
    IMPORT: messages.NO_IMPORT,
    DAGS: messages.NO_DAG_RIGHT,
    "record_delete": messages.NO_DELETE,
}


@dataclass(frozen=True, slots=True)
class Route:
    """A handler, the rights it needs, whether it writes, and what it changes that production forbids."""

    handler: Handler
    rights: tuple[str, ...] = ()
    writes: bool = False
    structure: str = ""
    since: str = "0"


def _structural(handler: Handler, what: str) -> Route:
    return Route(handler, (IMPORT, DESIGN), writes=True, structure=what)


ROUTES: dict[tuple[str, str], Route] = {
    ("arm", "export"): Route(arms.export, (EXPORT,)),
    ("arm", "import"): _structural(arms.import_, "arms"),
    ("arm", "delete"): _structural(arms.delete, "arms"),
    ("dag", "export"): Route(groups.export, (EXPORT, DAGS)),
    ("dag", "import"): Route(groups.import_, (IMPORT, DAGS), writes=True),
    ("dag", "delete"): Route(groups.delete, (IMPORT, DAGS), writes=True),
    ("dag", "switch"): Route(groups.switch, (IMPORT,), writes=True),
    ("event", "export"): Route(events.export, (EXPORT,)),
    ("event", "import"): _structural(events.import_, "events"),
    ("event", "delete"): _structural(events.delete, "events"),
    ("exportFieldNames", "export"): Route(field_names.export, (EXPORT,)),
    ("formEventMapping", "export"): Route(mapping.export, (EXPORT,)),
    ("formEventMapping", "import"): _structural(mapping.import_, "form-event mappings"),
    ("fieldValidation", "export"): Route(field_validation.export),
    ("file", "export"): Route(files.export, (EXPORT,)),
    ("file", "import"): Route(files.import_, (IMPORT,), writes=True),
    ("file", "delete"): Route(files.delete, (IMPORT,), writes=True),
    ("fileRepository", "createFolder"): Route(file_repository.create_folder, (IMPORT, REPOSITORY), writes=True),
    ("fileRepository", "list"): Route(file_repository.list_, (EXPORT, REPOSITORY)),
    ("fileRepository", "export"): Route(file_repository.export, (EXPORT, REPOSITORY)),
    ("fileRepository", "import"): Route(file_repository.import_, (IMPORT, REPOSITORY), writes=True),
    ("fileRepository", "delete"): Route(file_repository.delete, (IMPORT, REPOSITORY), writes=True),
    ("generateNextRecordName", "export"): Route(next_name.export, (EXPORT,)),
    ("instrument", "export"): Route(instruments.export, (EXPORT,)),
    ("log", "export"): Route(log.export, (EXPORT, "logging")),
    ("metadata", "export"): Route(metadata.export, (EXPORT,)),
    ("metadata", "import"): _structural(metadata.import_, "the data dictionary"),
    ("participantList", "export"): Route(surveys.participants, (EXPORT, "manage_survey_participants")),
    ("pdf", "export"): Route(pdf.export, (EXPORT,)),
    ("project", "export"): Route(project_info.export, (EXPORT,)),
    ("project_settings", "import"): Route(project_info.import_, (IMPORT, DESIGN), writes=True),
    ("project_xml", "export"): Route(project_xml.export, (EXPORT,)),
    ("record", "export"): Route(record_export.export, (EXPORT,)),
    ("record", "import"): Route(record_import.import_, (IMPORT,), writes=True),
    ("record", "delete"): Route(record_delete.delete, ("record_delete",), writes=True),
    ("record", "rename"): Route(record_rename.rename, (IMPORT, "record_rename"), writes=True),
    ("record", "randomize"): Route(randomize.randomize, (IMPORT, "random_perform"), writes=True, since="14.7.0"),
    ("report", "export"): Route(reports.export, (EXPORT,)),
    ("repeatingFormsEvents", "export"): Route(repeating.export, (EXPORT,)),
    ("repeatingFormsEvents", "import"): _structural(repeating.import_, "repeating instruments and events"),
    ("surveyAccessCode", "export"): Route(surveys.access_code, (EXPORT,), since="14.6.0"),
    ("surveyLink", "export"): Route(surveys.link, (EXPORT,)),
    ("surveyQueueLink", "export"): Route(surveys.queue_link, (EXPORT,)),
    ("surveyReturnCode", "export"): Route(surveys.return_code, (EXPORT,)),
    ("user", "export"): Route(users.export, (EXPORT, USERS)),
    ("user", "import"): Route(users.import_, (IMPORT, USERS), writes=True),
    ("user", "delete"): Route(users.delete, ("record_delete", USERS), writes=True),
    ("userDagMapping", "export"): Route(group_mapping.export, (EXPORT, DAGS)),
    ("userDagMapping", "import"): Route(group_mapping.import_, (IMPORT, DAGS), writes=True),
    ("userRole", "export"): Route(roles.export, (EXPORT, USERS)),
    ("userRole", "import"): Route(roles.import_, (IMPORT, USERS), writes=True),
    ("userRole", "delete"): Route(roles.delete, (IMPORT, USERS), writes=True),
    ("userRoleMapping", "export"): Route(role_mapping.export, (EXPORT, USERS)),
    ("userRoleMapping", "import"): Route(role_mapping.import_, (IMPORT, USERS), writes=True),
    ("version", "export"): Route(version.export),
}
_CONTENTS = frozenset(content for content, _ in ROUTES)


def find(parameters: Parameters) -> Route | None:
    """The route of a request; None when there is no such content or action.

    Without an action, `data` makes a request an import (reference/redcap-api.md 4).
    """
    content = parameters.text("content").strip()
    action = parameters.text("action").strip() or ("import" if "data" in parameters else "export")
    return ROUTES.get((content, action))


def checked(route: Route | None, call: Call) -> Route:
    """The route, once it is sure that it exists and that the user may take it.

    Raises:
        ApiError: Unknown content or action, a right the user lacks, or a structure frozen in production.
    """
    if route is None or not call.server.at_least(route.since):
        known = call.parameters.text("content").strip() in _CONTENTS
        raise ApiError(messages.BAD_ACTION if known else messages.BAD_CONTENT)
    for right in route.rights:
        allowed = call.user.rights.changes if route.writes else call.user.rights.has
        if not allowed(right):
            if right in _REFUSALS:
                raise ApiError(_REFUSALS[right])
            raise ApiError(messages.NO_RIGHT, right)
    if route.structure and call.project.in_production:
        raise ApiError(messages.IN_PRODUCTION, route.structure)
    return route


def super_route(parameters: Parameters) -> Callable[[Server, sqlite3.Connection, Parameters], Reply]:
    """What a super token may ask for: to create a project, and the version."""
    content = parameters.text("content").strip()
    if content == "version":
        return version.super_export
    if content == "project":
        return creation.create
    raise ApiError(messages.BAD_CONTENT)
