"""content=fieldValidation, undocumented: the validation types (reference/redcap-api.md 4)."""

from __future__ import annotations

from redcap_local.call import Call
from redcap_local.wire import replies
from redcap_local.wire.replies import Cell, Grid, Reply
from redcap_rules.validation import TYPES


def export(call: Call) -> Reply:
    """Name, label and data type of every validation type."""
    rows: list[dict[str, Cell]] = [
        {"validation_name": kind.name, "validation_label": kind.label, "data_type": kind.data_type}
        for kind in TYPES.values()
    ]
    columns = ("validation_name", "validation_label", "data_type")
    return replies.table(Grid(columns, rows), call.parameters.format)
