"""The file in a field of a record."""

from __future__ import annotations

from redcap_local.pages.visit import NoSuchPlace, Sent, Visit
from redcap_local.places import find_record
from redcap_local.storage import documents, records


def show(visit: Visit) -> Sent:
    """The file, for who may see the form it stands on."""
    project, name = visit.project, visit.text("field_name")
    record, event, instance = find_record(visit.call, visit.text("id")), visit.event(), visit.number("instance", 1)
    if name not in project.dictionary or project.dictionary.get(name).kind != "file":
        raise NoSuchPlace(f"there is no file field {name[:60]!r}")
    if not visit.user.rights.views(project.columns[name].form):
        raise NoSuchPlace(f"you have no access to the form {project.form_label(project.columns[name].form)}")
    found = records.values(visit.call.connection, [record.id], [name], [event.id])
    number = next((value for _, _, at, _, value in found if at == instance), "")
    document = documents.get(visit.call.connection, project.id, int(number or 0))
    if document is None:
        raise NoSuchPlace("the field holds no file")
    return Sent(document.name, document.mime, document.content)
