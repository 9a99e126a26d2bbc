"""The columns of data a dictionary makes (reference/redcap-api.md 5.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from redcap_rules.dictionary import Dictionary, Field

_TAG = re.compile(r"<[^>]*>")
# What stands for the time of a survey that was begun and not completed (reference/redcap-api.md 5.3).
NOT_COMPLETED = "[not completed]"
STATUS_LABELS = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of data.

    `field` is None for a form status and for the time stamp of a survey. `code` and `option` are code and label of the
    option of a checkbox column, or of the missing-data code that is one more option of it. `empty` is what a row shows
    to which the form applies but which holds nothing: '0' for ticks and statuses, else ''. A checkbox column without
    `code` holds all that is ticked of its `parts` (reference/redcap-api.md 5.1).
    """

    name: str
    form: str
    field: Field | None
    code: str = ""
    empty: str = ""
    option: str = ""
    parts: tuple[Column, ...] = ()

    @property
    def header(self) -> str:
        """The heading with label headers (reference/redcap-api.md 5.2)."""
        if self.field is None:
            return "Complete?" if self.empty else "Survey Timestamp"
        label = plain(self.field.label)
        return f"{label} (choice={plain(self.option)})" if self.code else label

    @property
    def combined(self) -> bool:
        """True when the column holds all ticked options of a checkbox."""
        return bool(self.parts)

    @property
    def stored(self) -> tuple[str, ...]:
        """The columns under which its values are stored."""
        return tuple(part.name for part in self.parts) or (self.name,)


def time_stamp(form: str) -> str:
    """The column that tells when a survey was completed (reference/redcap-api.md 5.2)."""
    return f"{form}_timestamp"


def plain(label: str) -> str:
    """A label without HTML (reference/redcap-api.md 5.3)."""
    return _TAG.sub("", label)


def all_columns(dictionary: Dictionary) -> Iterator[Column]:
    """Every column in the order of export, the record id first."""
    for form in dictionary.forms:
        for field in dictionary.form(form):
            if field.kind == "checkbox":
                for name, option in dictionary.ticks(field).items():
                    yield Column(name, form, field, option.code, "0", option.label)
            elif field.kind != "descriptive":
                yield Column(field.name, form, field)
        yield Column(dictionary.status_field(form), form, None, empty="0")
