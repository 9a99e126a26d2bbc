"""The item groups of a form: one for each of its sections, and one for its status.

Source: reference/redcap-validation-facts.md 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redcap_local.project import Project
from redcap_rules.dictionary import Field

STATUS_TITLE = "Form Status"


@dataclass(frozen=True, slots=True)
class Section:
    """An item group: its OID, its title, and its fields; the group of the status has none."""

    oid: str
    title: str
    fields: tuple[Field, ...]


def sections(project: Project, form: str) -> tuple[Section, ...]:
    """The groups of a form in order, each named after its first field; the status comes last."""
    parts: list[list[Field]] = []
    for field in project.dictionary.form(form):
        if field.section or not parts:
            parts.append([])
        parts[-1].append(field)
    status = project.dictionary.status_field(form)
    return (
        *(Section(f"{form}.{part[0].name}", _title(project, form, part), tuple(part)) for part in parts),
        Section(f"{form}.{status}", STATUS_TITLE, ()),
    )


def groups_of_columns(project: Project, form: str) -> dict[str, str]:
    """The OID of the group of every column of a form, in the order of the form."""
    found = {
        column: section.oid
        for section in sections(project, form)
        for field in section.fields
        for column in project.dictionary.columns_of(field)
    }
    return {**found, project.dictionary.status_field(form): sections(project, form)[-1].oid}


def _title(project: Project, form: str, part: Sequence[Field]) -> str:
    return part[0].section or project.form_label(form)
