"""content=instrument."""

from __future__ import annotations

from redcap_local.call import Call
from redcap_local.wire import replies
from redcap_local.wire.replies import Grid, Reply


def export(call: Call) -> Reply:
    """Name and label of every instrument in order."""
    project = call.project
    rows = [
        {"instrument_name": form, "instrument_label": project.form_label(form)} for form in project.dictionary.forms
    ]
    call.note("export_design", "Manage/Design ", "Export instruments (API)")
    columns = ("instrument_name", "instrument_label")
    table = Grid(columns, rows, "instruments", frozenset({"instrument_label"}), final_newline=False)
    return replies.table(table, call.parameters.format)
