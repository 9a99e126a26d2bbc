"""How a stored value is shown in a column (reference/redcap-api.md 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from redcap_local.columns import STATUS_LABELS, Column, plain
from redcap_local.export.combining import shown_together
from redcap_local.export.options import Options
from redcap_local.project import Project
from redcap_rules.dictionary import Field

Show = Callable[[str], str]


def shown(project: Project, column: Column, options: Options, files: Mapping[str, str]) -> Show | None:
    """The function that turns the stored value into the exported one; None when they are the same.

    Args:
        project: For the labels of missing-data codes.
        column: The column.
        options: Raw or label, decimal character.
        files: File names by document id.
    """
    if column.field is not None and column.field.kind == "file":
        return lambda value: files.get(value, value)
    if column.combined:
        return shown_together(_labels(column, checkbox_labels=True) if options.labels else {}, options.delimiter)
    if options.labels:
        names = _labels(column, checkbox_labels=options.checkbox_labels)
        if not column.code:
            names = {**{code.code: plain(code.label) for code in project.dictionary.missing_codes}, **names}
        if names:
            return lambda value: names.get(value, value)
    if options.decimal and column.field is not None and _is_number(column.field):
        return lambda value: value.replace("," if options.decimal == "." else ".", options.decimal)
    return None


def _labels(column: Column, *, checkbox_labels: bool) -> dict[str, str]:
    if column.field is None:
        return STATUS_LABELS
    if column.combined:
        return {part.code: plain(part.option) for part in column.parts}
    if column.code:
        return {"1": plain(column.option), "0": ""} if checkbox_labels else {"1": "Checked", "0": "Unchecked"}
    return {option.code: plain(option.label) for option in column.field.options}


def _is_number(field: Field) -> bool:
    return field.kind == "calc" or (field.kind == "text" and field.validation.startswith("number"))
