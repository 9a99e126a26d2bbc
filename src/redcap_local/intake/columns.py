"""What each column of an import is: the field it feeds and the check its values must pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redcap_local import messages
from redcap_local.columns import STATUS_LABELS, Column, time_stamp
from redcap_local.messages import ApiError
from redcap_local.project import Project
from redcap_rules.formulas import is_computed
from redcap_rules.names import EVENT, GROUP, INSTANCE, INSTRUMENT, SURVEY
from redcap_rules.validation import TYPES, refusal

SYSTEM = frozenset({EVENT, INSTRUMENT, INSTANCE, GROUP, SURVEY})
# Kinds whose imported values are ignored: computed by the server, or files (reference/redcap-api.md 6.2).
_NOT_IMPORTED = frozenset({"calc", "file"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """The data columns of an import that are stored, by name."""

    columns: dict[str, Column]
    refusals: dict[tuple[str, str], str | None]
    missing_codes: frozenset[str]
    checked: bool = True

    def refusal(self, column: Column, value: str) -> str | None:
        """Why the value cannot be stored in the column, in REDCap's words; None when it can.

        The many equal values of an import are judged once.
        """
        if not self.checked:
            return None
        key = (column.name, value)
        if key not in self.refusals:
            answer = column.field is not None and not column.code
            self.refusals[key] = None if answer and value in self.missing_codes else _refusal(column, value)
        return self.refusals[key]

    def trims(self, column: Column) -> bool:
        """True when blanks around a value of the column do not count: it has a validation type."""
        return self.checked and column.field is not None and column.field.validation in TYPES


def _refusal(column: Column, value: str) -> str | None:
    if column.code:
        return None if value in {"0", "1"} else messages.BAD_CHECKBOX.text
    if column.field is None:
        return None if value in STATUS_LABELS else messages.NOT_A_CATEGORY.text.format(column.name)
    return refusal(column.field, value)


def sheet(project: Project, names: Iterable[str], *, checked: bool = True) -> Sheet:
    """The columns an import may have among those it has.

    Args:
        project: The project.
        names: The columns of the import.
        checked: False takes every value as it is: a copy of a project holds what the project held.

    Raises:
        ApiError: A column that is no field of the project.
    """
    known = project.columns
    passing = SYSTEM | set(map(time_stamp, project.dictionary.forms))
    unknown = [name for name in names if name not in known and name not in passing]
    if unknown:
        raise ApiError(messages.BAD_COLUMNS, ", ".join(unknown))
    stored = {
        name: known[name]
        for name in names
        if name in known
        and name != project.dictionary.record_id
        and not is_computed(known[name].field)
        and getattr(known[name].field, "kind", "") not in _NOT_IMPORTED
    }
    return Sheet(stored, {}, frozenset(code.code for code in project.dictionary.missing_codes), checked)
