"""content=file: documents in fields of records (reference/redcap-api.md 12)."""

from __future__ import annotations

from dataclasses import dataclass

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.export.selection import exportable
from redcap_local.intake.changes import Changes
from redcap_local.intake.saving import note_changes
from redcap_local.messages import ApiError
from redcap_local.places import find_event, find_record
from redcap_local.project import Event
from redcap_local.storage import documents, locks, records
from redcap_local.storage.records import Record
from redcap_local.wire import replies
from redcap_local.wire.replies import Reply


@dataclass(frozen=True, slots=True)
class _Target:
    record: Record
    event: Event
    instance: int
    field: str

    @property
    def key(self) -> tuple[int, int, int, str]:
        return self.record.id, self.event.id, self.instance, self.field


def export(call: Call) -> Reply:
    """The document of a field."""
    place = _place(call)
    if not exportable(call.project.columns[place.field], call.user.rights):
        raise ApiError(messages.NO_RIGHT, "Data Export")
    found = documents.get(call.connection, call.project.id, _document(call, place))
    if found is None:
        raise ApiError(messages.NO_FILE, place.field, place.record.name)
    call.note("download", "Download file (API) ", f"{place.field} ({place.record.name})", place.record.name)
    return replies.file(found.name, found.mime, found.content)


def import_(call: Call) -> Reply:
    """The field holds the uploaded document; the answer is empty."""
    place = _place(call)
    upload = call.parameters.upload
    if upload is None:
        raise ApiError(messages.MISSING_PARAMETER, "file")
    if call.project.dictionary.get(place.field).validation == "signature":
        raise ApiError(messages.NO_SIGNATURE, place.field)
    _editable(call, place)
    old = _document(call, place)
    document = documents.insert(call.connection, call.project.id, upload.name, upload.mime, upload.content)
    status = call.project.dictionary.status_field(call.project.columns[place.field].form)
    new: list[tuple[int, int, int, str, str]] = [(*place.key, str(document))]
    if not _stored(call, place, status):
        new.append((*place.key[:3], status, "0"))
    records.save_values(call.connection, new)
    documents.delete(call.connection, old)
    _note(call, place, str(document))
    return replies.nothing()


def delete(call: Call) -> Reply:
    """The field is blank; the answer is empty."""
    place = _place(call)
    _editable(call, place)
    document = _document(call, place)
    if not document:
        raise ApiError(messages.NO_FILE, place.field, place.record.name)
    records.delete_values(call.connection, [place.key])
    documents.delete(call.connection, document)
    _note(call, place, "")
    return replies.nothing()


def _note(call: Call, place: _Target, value: str) -> None:
    key = place.key[1:]
    note_changes(call, place.record.name, Changes(set={key: value}) if value else Changes(erased={key: None}))


def _place(call: Call) -> _Target:
    project, parameters = call.project, call.parameters
    field = parameters.needed("field")
    if field not in project.dictionary or project.dictionary.get(field).kind != "file":
        raise ApiError(messages.NOT_A_FILE_FIELD, field)
    record = find_record(call, parameters.needed("record"))
    event = find_event(call, parameters.text("event"))
    form = project.columns[field].form
    if form not in project.forms_of(event):
        raise ApiError(messages.BAD_VALUES, "event", f"'{event.name}'")
    instance = parameters.whole("repeat_instance") or 1
    if instance != 1 and project.row_instrument(event.id, form) is None:
        raise ApiError(messages.BAD_INSTANCE)
    if not 1 <= instance <= 32767:
        raise ApiError(messages.INSTANCE_NUMBER)
    return _Target(record, event, instance, field)


def _editable(call: Call, place: _Target) -> None:
    if not call.user.rights.edits(call.project.columns[place.field].form):
        raise ApiError(messages.NO_FORM_RIGHT)
    if place.record.locked:
        raise ApiError(messages.RECORD_LOCKED)
    form = call.project.columns[place.field].form
    if (place.record.id, place.event.id, place.instance, form) in locks.locks(call.connection, [place.record.id]):
        raise ApiError(messages.FORM_LOCKED)


def _stored(call: Call, place: _Target, column: str) -> str:
    found = records.values(call.connection, [place.record.id], [column], [place.event.id])
    return next((value for _, _, instance, _, value in found if instance == place.instance), "")


def _document(call: Call, place: _Target) -> int:
    """The id of the document in the field; 0 for none."""
    return int(_stored(call, place, place.field) or 0)
