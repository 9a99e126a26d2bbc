"""content=fileRepository (reference/redcap-api.md 12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.storage import documents, people
from redcap_local.storage.documents import Folder
from redcap_local.wire import replies
from redcap_local.wire.replies import Cell, Grid, Reply

_LONGEST_NAME = 150


def create_folder(call: Call) -> Reply:
    """The folder exists; the answer holds its id."""
    parameters = call.parameters
    name = parameters.needed("name").strip()
    if len(name) > _LONGEST_NAME:
        raise ApiError(messages.BAD_PARAMETER, "name", f"it must not be longer than {_LONGEST_NAME} characters")
    parent, group, role = (parameters.whole(key) for key in ("folder_id", "dag_id", "role_id"))
    if parent is not None:
        _folder(call, parent)
    if group is not None and group not in call.project.groups_by_id:
        raise ApiError(messages.BAD_VALUES, "dag_id", f"'{group}'")
    if role is not None and role not in {row["id"] for row in people.roles(call.connection, call.project.id)}:
        raise ApiError(messages.BAD_VALUES, "role_id", f"'{role}'")
    made = documents.insert_folder(call.connection, call.project.id, Folder(0, parent, name, group, role))
    call.note("manage", "Manage/Design ", f"Create folder in File Repository (API) (folder_id = {made})")
    return replies.table(Grid(("folder_id",), [{"folder_id": made}]), parameters.format)


def list_(call: Call) -> Reply:
    """Folders, then documents, of one folder or of the top level."""
    wanted = call.parameters.whole("folder_id")
    if wanted is not None:
        _folder(call, wanted)
    rows: list[dict[str, Cell]] = [
        {"folder_id": folder.id, "name": folder.name} for folder in _seen(call) if folder.parent == wanted
    ]
    rows += [
        {"doc_id": document, "name": name}
        for document, name, folder in documents.listed(call.connection, call.project.id)
        if folder == wanted
    ]
    call.note("export_design", "Manage/Design ", "List files and folders in File Repository (API)")
    columns = ["folder_id", "doc_id", "name"]
    if call.server.at_least("16.0.8"):
        columns += ["role", "dag"]
    return replies.sparse_table(Grid(columns, rows), call.parameters.format)


def export(call: Call) -> Reply:
    """The document."""
    found = documents.get(call.connection, call.project.id, _document(call))
    if found is None:
        raise ApiError(messages.BAD_VALUES, "doc_id", f"'{call.parameters.text('doc_id')}'")
    call.note("export_design", "Manage/Design ", f"Download file from File Repository (API) (doc_id = {found.id})")
    return replies.file(found.name, found.mime, found.content)


def import_(call: Call) -> Reply:
    """The uploaded document stands in the folder; the answer is empty."""
    upload = call.parameters.upload
    if upload is None:
        raise ApiError(messages.MISSING_PARAMETER, "file")
    folder = call.parameters.whole("folder_id")
    if folder is not None:
        _folder(call, folder)
    document = documents.insert(call.connection, call.project.id, upload.name, upload.mime, upload.content)
    documents.place(call.connection, document, folder)
    call.note("manage", "Manage/Design ", f"Upload file to File Repository (API) (doc_id = {document})")
    return replies.nothing()


def delete(call: Call) -> Reply:
    """The document is in the recycle bin; the answer is empty."""
    document = _document(call)
    documents.recycle(call.connection, document, call.time)
    call.note("manage", "Manage/Design ", f"Delete file from File Repository (API) (doc_id = {document})")
    return replies.nothing()


def _seen(call: Call) -> list[Folder]:
    """The folders open to the user's data access group and role, none of which stands in a folder that is not."""
    folders = {folder.id: folder for folder in documents.folders(call.connection, call.project.id)}
    return [folder for folder in folders.values() if all(_open(call, one) for one in _way_to(folder, folders))]


def _way_to(folder: Folder, folders: Mapping[int, Folder]) -> Iterator[Folder]:
    here: Folder | None = folder
    while here is not None:
        yield here
        here = folders.get(here.parent) if here.parent is not None else None


def _open(call: Call, folder: Folder) -> bool:
    mine = call.user.group is None or folder.group in (None, call.user.group)
    return mine and (call.user.role is None or folder.role in (None, call.user.role))


def _folder(call: Call, wanted: int) -> None:
    if wanted not in {folder.id for folder in _seen(call)}:
        raise ApiError(messages.NO_FOLDER, wanted)


def _document(call: Call) -> int:
    wanted = call.parameters.whole("doc_id")
    seen = {folder.id for folder in _seen(call)}
    for document, _, folder in documents.listed(call.connection, call.project.id):
        if document == wanted and (folder is None or folder in seen):
            return document
    raise ApiError(messages.BAD_VALUES, "doc_id", f"'{call.parameters.text('doc_id')}'")
