"""content=formEventMapping (reference/redcap-api.md 10)."""

from __future__ import annotations

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.storage import structure
from redcap_local.wire import data, replies
from redcap_local.wire.replies import Cell, Grid, Reply


def export(call: Call) -> Reply:
    """Which forms are designated for which events, in the order of events and forms."""
    project = call.project
    if not project.longitudinal:
        raise ApiError(messages.MAPPINGS_CLASSIC)
    arms = set(call.parameters.items("arms"))
    rows: list[dict[str, Cell]] = [
        {"arm_num": event.arm, "unique_event_name": event.name, "form": form}
        for event in project.events
        if not arms or str(event.arm) in arms
        for form in sorted(project.forms_of(event), key=project.form_position.__getitem__)
    ]
    call.note("export_design", "Manage/Design ", "Export instrument-event mappings (API)")
    table = Grid(("arm_num", "unique_event_name", "form"), rows, "items", final_newline=False)
    return replies.table(table, call.parameters.format)


def import_(call: Call) -> Reply:
    """Exactly the forms of the request are designated."""
    rows = data.rows(call.parameters)
    project = call.project
    events = [row.get("unique_event_name", "").strip() for row in rows]
    forms = [row.get("form", "").strip() for row in rows]
    unknown = [name for name in events if name not in project.events_by_name]
    if unknown:
        raise ApiError(messages.BAD_EVENTS, ", ".join(dict.fromkeys(unknown)))
    unknown = [form for form in forms if form not in project.form_position or not form]
    if unknown:
        raise ApiError(messages.BAD_VALUES, "form", ", ".join(f"'{f}'" for f in dict.fromkeys(unknown)))
    pairs = [(project.events_by_name[event].id, form) for event, form in zip(events, forms, strict=True)]
    structure.replace_designations(call.connection, project.id, pairs)
    call.note("manage", "Manage/Design ", "Import instrument-event mappings (API)")
    return replies.number(len(rows), call.parameters.return_format)
