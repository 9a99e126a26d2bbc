"""What a user may do in a project: REDCap's user rights (reference/redcap-api.md 11.2, 11.4)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

# Rights by key in the order of export; (key, first version that has it).
RIGHTS: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("design", (0, 0, 0)),
    ("alerts", (0, 0, 0)),
    ("user_rights", (0, 0, 0)),
    ("data_access_groups", (0, 0, 0)),
    ("reports", (0, 0, 0)),
    ("stats_and_charts", (0, 0, 0)),
    ("manage_survey_participants", (0, 0, 0)),
    ("calendar", (0, 0, 0)),
    ("data_import_tool", (0, 0, 0)),
    ("data_comparison_tool", (0, 0, 0)),
    ("logging", (0, 0, 0)),
    ("email_logging", (14, 4, 0)),
    ("file_repository", (0, 0, 0)),
    ("data_quality_create", (0, 0, 0)),
    ("data_quality_execute", (0, 0, 0)),
    ("api_export", (0, 0, 0)),
    ("api_import", (0, 0, 0)),
    ("api_modules", (14, 0, 3)),
    ("mobile_app", (0, 0, 0)),
    ("mobile_app_download_data", (0, 0, 0)),
    ("record_create", (0, 0, 0)),
    ("record_rename", (0, 0, 0)),
    ("record_delete", (0, 0, 0)),
    ("lock_records_all_forms", (0, 0, 0)),
    ("lock_records", (0, 0, 0)),
    ("lock_records_customization", (0, 0, 0)),
    ("random_setup", (0, 0, 0)),
    ("random_dashboard", (0, 0, 0)),
    ("random_perform", (0, 0, 0)),
)
RANDOMIZATION_RIGHTS = frozenset({"random_setup", "random_dashboard", "random_perform"})
# Every right is off or on, but these know more than that.
HIGHEST = {"user_rights": 2, "lock_records": 2}
NO_FORM_ACCESS = 0
READ_ONLY = 2


class ExportRight(IntEnum):
    """What of a form a user's exports hold."""

    NONE = 0
    FULL = 1
    DEIDENTIFIED = 2
    NO_IDENTIFIERS = 3
    SHIFTED = 4  # never stored: what a page makes of de-identified, see Rights.on_pages


@dataclass(frozen=True, slots=True)
class Rights:
    """A user's or role's rights: switches by key, viewing and export right by form."""

    switches: Mapping[str, int]
    forms: Mapping[str, int]
    forms_export: Mapping[str, int]

    def has(self, key: str) -> bool:
        """True when the switch is on, in any of its degrees."""
        return self.switches.get(key, 0) > 0

    def changes(self, key: str) -> bool:
        """True when the switch is on and not only for reading (user_rights 2, reference/redcap-api.md 11.4)."""
        return self.switches.get(key, 0) == 1

    def views(self, form: str) -> bool:
        """True when a page shows the user the form's data, in legacy and in bit-mask coding (11.4)."""
        right = self.forms.get(form, NO_FORM_ACCESS)
        return bool(right & 3) if right >= 128 else right != NO_FORM_ACCESS

    def edits(self, form: str) -> bool:
        """True when the user may enter data in the form, in legacy and in bit-mask coding (11.4)."""
        right = self.forms.get(form, NO_FORM_ACCESS)
        return bool(right & 2) if right >= 128 else right not in (NO_FORM_ACCESS, READ_ONLY)

    def exports(self, form: str) -> ExportRight:
        """What exports hold of the form."""
        return ExportRight(self.forms_export.get(form, ExportRight.NONE))

    def on_pages(self) -> Rights:
        """The rights with which a page exports: de-identified keeps dates, moved by days of the record's own.

        Source: reference/redcap-validation-facts.md 6 (B.2.6.0300).
        """
        turned = {ExportRight.DEIDENTIFIED: ExportRight.SHIFTED}
        return replace(
            self, forms_export={form: turned.get(self.exports(form), code) for form, code in self.forms_export.items()}
        )

    @property
    def exports_any(self) -> bool:
        """True when exports hold something of at least one form."""
        return any(self.forms_export.values())

    def as_json(self) -> dict[str, object]:
        """The rights as they are stored."""
        return {
            "switches": dict(self.switches),
            "forms": dict(self.forms),
            "forms_export": dict(self.forms_export),
        }

    def with_forms(self, forms: Collection[str]) -> Rights:
        """The rights for the forms there now are: who is told of a new form edits and exports it."""
        return Rights(
            self.switches,
            {form: self.forms.get(form, 1) for form in forms},
            {form: self.forms_export.get(form, int(ExportRight.FULL)) for form in forms},
        )


def from_json(text: str) -> Rights:
    """The rights as they were stored."""
    stored = json.loads(text)
    return Rights(stored["switches"], stored["forms"], stored["forms_export"])


def all_rights(forms: Collection[str]) -> Rights:
    """Everything REDCap gives the creator of a project."""
    return Rights({key: 1 for key, _ in RIGHTS}, dict.fromkeys(forms, 1), dict.fromkeys(forms, int(ExportRight.FULL)))


@dataclass(frozen=True, slots=True)
class User:
    """The member of a project on whose behalf a request is made."""

    username: str
    rights: Rights
    group: int | None
    role: int | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> User:
        """The user of a row of `people.members`: a role's rights stand in for personal ones (11.2)."""
        rights = from_json(row["role_rights"] or row["rights"])
        return cls(row["username"], rights, row["access_group"], row["role"])


def is_in_force(row: sqlite3.Row, now: datetime) -> bool:
    """Whether a member is neither suspended nor expired."""
    return not row["suspended"] and not (row["expiration"] and row["expiration"] <= f"{now:%Y-%m-%d}")
