"""Matrix groups: rows that REDCap shows as one table (reference/instruments.md 2.1)."""

from __future__ import annotations

from collections.abc import Iterator

from redcap_rules.dictionary import Field
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault


def matrices(subject: Subject) -> Iterator[Fault]:
    """Rows of a matrix that differ from its first row, or stand apart from it."""
    first: dict[str, Field] = {}
    previous = ""
    for field in subject.dictionary.fields:
        name = field.matrix
        if field.ranking and (not name or field.kind != "radio"):
            what = "only a radio row of a matrix can be ranked"
            yield subject.at(field, "ranking", what, "leave the cell blank", rule="matrix")
        if name and name not in first:
            first[name] = field
            if field.kind not in ("radio", "checkbox"):
                what = f"a {field.kind} field can't stand in a matrix"
                yield subject.at(field, "matrix", what, "use radio or checkbox, or leave the group", rule="matrix")
        elif name:
            yield from _row(subject, field, first[name], apart=previous != name)
        previous = name


def _row(subject: Subject, field: Field, first: Field, *, apart: bool) -> Iterator[Fault]:
    if apart:
        what = f"the matrix {field.matrix} begins a second time"
        yield subject.at(field, "matrix", what, f"move the row to {first.name}, or name another group", rule="matrix")
    if field.form != first.form:
        what = f"the matrix {field.matrix} began in the form {first.form}"
        yield subject.at(field, "matrix", what, "name another group", rule="matrix")
    if field.kind != first.kind:
        what = f"the matrix {field.matrix} has {first.kind} rows"
        yield subject.at(field, "kind", what, f"make it a {first.kind} or leave the group", rule="matrix")
    elif field.options != first.options:
        what = f"the choices are not those of {first.name}"
        yield subject.at(field, "choices", what, "a matrix has one set of choices", rule="matrix")
    if field.section and not apart:
        what = "a section header inside a matrix splits it in two"
        yield subject.at(field, "section", what, "move the header to the first row", rule="matrix")
