"""content=pdf: instruments on paper, blank or filled in (reference/redcap-api.md 13.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.columns import STATUS_LABELS, plain
from redcap_local.export import options as export_options
from redcap_local.export.selection import exportable
from redcap_local.messages import ApiError
from redcap_local.places import find_event, find_record
from redcap_local.storage import records
from redcap_local.storage.records import Record
from redcap_local.view import cells
from redcap_local.wire import pdf
from redcap_local.wire.replies import MIME, Reply
from redcap_rules.dictionary import Field


def export(call: Call) -> Reply:
    """The instruments asked for: blank, of one record, or of all records."""
    parameters = call.parameters
    form = parameters.text("instrument")
    if form and form not in call.project.dictionary.forms:
        raise ApiError(messages.BAD_VALUES, "instrument", f"'{form}'")
    forms = [form] if form else list(call.project.dictionary.forms)
    if "allRecords" in parameters:
        found = export_options.read(call).records
    else:
        found = [find_record(call, parameters.text("record"))] if parameters.text("record") else []
    lines = [line for record in found for line in _record(call, record, forms)]
    if not found:
        lines = [line for name in forms for line in _form(call, name, {})]
    call.note("download", "Download PDF (API) ", "Download PDF of instruments (API)")
    return Reply(pdf.document(call.project.settings["project_title"], lines), MIME["text"])


def _record(call: Call, record: Record, forms: list[str]) -> Iterator[str]:
    event = call.parameters.text("event")
    wanted = find_event(call, event).id if event else None
    stored = [value[1:] for value in records.values(call.connection, [record.id])]
    for (event_id, instrument, instance), values in cells(call.project, stored).items():
        if wanted not in (None, event_id):
            continue
        found = call.project.events_by_id[event_id]
        yield f"Record {record.name}  {found.label}{f'  #{instance}' if instance else ''}"
        for form in [f for f in forms if f in call.project.forms_of(found) and (not instrument or f == instrument)]:
            yield from _form(call, form, values)


def _form(call: Call, form: str, values: Mapping[str, str]) -> Iterator[str]:
    yield ""
    yield call.project.form_label(form)
    compact = call.parameters.flag("compactDisplay")
    for field in call.project.dictionary.form(form):
        answer = _answer(call, field, values)
        if answer or not compact:
            yield f"  {plain(field.label)}: {answer}"
    status = values.get(call.project.dictionary.status_field(form), "")
    yield f"  Complete? {STATUS_LABELS.get(status, '')}"


def _answer(call: Call, field: Field, values: Mapping[str, str]) -> str:
    columns = [call.project.columns[name] for name in call.project.dictionary.columns_of(field)]
    if not all(exportable(column, call.user.rights) for column in columns):
        return ""
    if field.kind == "checkbox":
        return ", ".join(plain(column.option) for column in columns if values.get(column.name) == "1")
    return plain(call.project.dictionary.label_of(field.name, values.get(field.name, "")))
