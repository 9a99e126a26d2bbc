"""content=exportFieldNames (reference/redcap-api.md 9)."""

from __future__ import annotations

from collections.abc import Iterator

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.wire import replies
from redcap_local.wire.replies import Grid, Reply
from redcap_rules.dictionary import Dictionary

_COLUMNS = ("original_field_name", "choice_value", "export_field_name")


def export(call: Call) -> Reply:
    """How each field is called in exports; files and descriptive fields are left out."""
    rows = list(_rows(call.project.dictionary))
    wanted = call.parameters.text("field")
    if wanted:
        rows = [row for row in rows if row["original_field_name"] == wanted]
        if not rows:
            raise ApiError(messages.BAD_VALUES, "field", f"'{wanted}'")
    return replies.table(Grid(_COLUMNS, rows, "fields"), call.parameters.format)


def _rows(dictionary: Dictionary) -> Iterator[dict[str, str]]:
    for form in dictionary.forms:
        for field in dictionary.form(form):
            if field.kind == "file":
                continue
            codes = {name: option.code for name, option in dictionary.ticks(field).items()}
            for column in dictionary.columns_of(field):
                yield dict(zip(_COLUMNS, (field.name, codes.get(column, ""), column), strict=True))
        status = dictionary.status_field(form)
        yield dict(zip(_COLUMNS, (status, "", status), strict=True))
