"""content=repeatingFormsEvents (reference/redcap-api.md 10)."""

from __future__ import annotations

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.storage import structure
from redcap_local.wire import data, replies
from redcap_local.wire.data import DataRow
from redcap_local.wire.replies import Grid, Reply


def export(call: Call) -> Reply:
    """What repeats, in the order of events and forms."""
    project = call.project
    if not project.repeating:
        raise ApiError(messages.NOTHING_REPEATS)
    named = ("event_name",) if project.longitudinal else ()
    ordered = sorted(
        project.repeating.items(),
        key=lambda item: (
            project.events_by_id[item[0][0]].position,
            project.form_position.get(item[0][1], 0),
        ),
    )
    rows = [
        {"event_name": project.events_by_id[event].name, "form_name": form, "custom_form_label": label}
        for (event, form), label in ordered
    ]
    call.note("export_design", "Manage/Design ", "Export repeating instruments and events (API)")
    return replies.table(
        Grid((*named, "form_name", "custom_form_label"), rows, final_newline=False), call.parameters.format
    )


def import_(call: Call) -> Reply:
    """Exactly the forms and events of the request repeat."""
    rows = data.rows(call.parameters)
    repeating = [_place(call, row) for row in rows]
    structure.replace_repeating(call.connection, call.project.id, repeating)
    call.note("manage", "Manage/Design ", "Import repeating instruments and events (API)")
    return replies.number(len(rows), call.parameters.return_format)


def _place(call: Call, row: DataRow) -> tuple[int, str, str]:
    project = call.project
    form, name = row.get("form_name", "").strip(), row.get("event_name", "").strip()
    if not project.longitudinal:
        name = name or project.first_event.name
    if name not in project.events_by_name:
        raise ApiError(messages.BAD_EVENTS, name)
    event = project.events_by_name[name]
    if form and form not in project.forms_of(event):
        raise ApiError(messages.BAD_DATA, f"the form '{form}' is not designated for the event '{name}'")
    return event.id, form, row.get("custom_form_label", "")
