"""Which columns an export has and what a user may see of them (reference/redcap-api.md 2.5, 5.2)."""

from __future__ import annotations

from collections.abc import Collection

from redcap_local.columns import Column
from redcap_local.project import Project
from redcap_local.rights import ExportRight, Rights
from redcap_rules.dictionary import Field


def exportable(column: Column, rights: Rights) -> bool:
    """True when the user's export right on the form leaves the column in (reference/redcap-api.md 2.5)."""
    right = rights.exports(column.form)
    if right == ExportRight.NONE:
        return False
    if column.field is None or right == ExportRight.FULL:
        return True
    if column.field.identifier:
        return False
    return right == ExportRight.NO_IDENTIFIERS or not _could_identify(
        column.field, shifted=right == ExportRight.SHIFTED
    )


def _could_identify(field: Field, *, shifted: bool) -> bool:
    """True for free text, dates and files, which de-identified exports leave out; for text alone where dates are moved.

    Source: reference/redcap-api.md 2.5; of pages reference/redcap-validation-facts.md 6.
    """
    if field.kind == "text" and field.validation:
        return field.validation.startswith("date") and not shifted
    return field.kind in {"text", "notes"} or (field.kind == "file" and not shifted)


def select(project: Project, rights: Rights, fields: Collection[str], forms: Collection[str]) -> tuple[Column, ...]:
    """The data columns of an export, the record-id column included when it is asked for.

    Args:
        project: The project.
        rights: What the user may export.
        fields: Fields and form statuses asked for.
        forms: Forms asked for, with their statuses; neither given means everything.
    """
    everything = not fields and not forms
    record_id = project.dictionary.record_id
    return tuple(
        column
        for column in project.columns.values()
        if (everything or column.form in forms or (column.field.name if column.field else column.name) in fields)
        and (column.name == record_id or exportable(column, rights))
    )
