"""User roles: rights by name, and by form what may be seen and exported, in words that compare.

Source: reference/redcap-api.md 11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from trialdesk.instruments.design import Role
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.table import Numbered

ROLES = "roles.csv"
LABEL, UNIQUE = "role_label", "unique_role_name"

OFF = "off"
_ON_OFF = {"0": OFF, "1": "on"}
# Right to its codes in words, in the order of REDCap's export.
SWITCHES: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys((
        "design", "alerts", "user_rights", "data_access_groups", "reports", "stats_and_charts",
        "manage_survey_participants", "calendar", "data_import_tool", "data_comparison_tool", "logging",
        "email_logging", "file_repository", "data_quality_create", "data_quality_execute", "data_quality_resolution",
        "api_export", "api_import", "api_modules", "mobile_app", "mobile_app_download_data", "record_create",
        "record_rename", "record_delete", "lock_records_all_forms", "lock_records", "lock_records_customization",
        "mycap_participants", "random_setup", "random_dashboard", "random_perform",
    ), _ON_OFF),
    "user_rights": {**_ON_OFF, "2": "read only"},
    "lock_records": {**_ON_OFF, "2": "on, with e-signature"},
    "data_quality_resolution": {"0": OFF, **{str(level): f"level {level}" for level in range(1, 6)}},
}  # fmt: skip
_BASES = {129: "read only", 130: "view and edit"}
_EXTRAS = {8: ", survey answers", 16: ", delete", 24: ", survey answers, delete"}
# Codes that mean the same have the same words: 0 to 3, and from REDCap 15.6 a bit mask (reference/redcap-api.md 11.4).
FORM_RIGHTS: Mapping[str, Mapping[str, str]] = {
    "forms": {
        **{"0": "no access", "2": "read only", "1": "view and edit", "3": "view and edit, survey answers"},
        **{"128": "no access", "129": "read only", "130": "view and edit"},
        **{str(base + extra): _BASES[base] + more for base in _BASES for extra, more in _EXTRAS.items()},
    },
    "forms_export": {"0": "none", "1": "full", "2": "de-identified", "3": "no identifiers"},
}


def read_roles(table: Numbered, forms: Sequence[str], faults: list[Fault]) -> tuple[Role, ...] | None:
    """The roles of a table, with every fault of theirs; None for an empty one: then roles are not ours to manage."""
    if not table:
        return None
    faults.extend(_unknown_rights(table[0][1]))
    for number, row in table:
        if not row[LABEL]:
            faults.append(Fault(ROLES, number, LABEL, "role", "a role without a label", "give it one"))
        for column, what, way_out in (*_switch_faults(row), *_form_faults(row, forms)):
            faults.append(Fault(ROLES, number, column, "role", f"{row[LABEL]}: {what}", way_out))
    return tuple(role_of(row, forms) for _, row in table)


def role_of(row: Mapping[str, str], forms: Sequence[str]) -> Role:
    """The role of a row in REDCap's CSV form; a form it does not name is out of reach, an unknown right left out."""
    switches = {right: row[right] or "0" for right in SWITCHES if right in row}
    found = {right: dict(_pairs(row.get(right, ""))) for right in FORM_RIGHTS}
    return Role(
        row[LABEL],
        switches,
        {right: {form: found[right].get(form, "0") for form in forms} for right in FORM_RIGHTS},
    )


def words(role: Role) -> dict[str, str]:
    """What each right of the role is, in words: `design` → on, `forms vas_pain` → read only."""
    return {
        **{right: SWITCHES[right].get(code, code) for right, code in role.switches.items()},
        **{
            f"{right} {form}": FORM_RIGHTS[right].get(code, code)
            for right, codes in role.by_form.items()
            for form, code in codes.items()
        },
    }


def told(role: Role) -> str:
    """The whole role in one line: the rights it has, then its forms by what may be done with them."""
    groups: dict[str, list[str]] = {}
    for right, word in words(role).items():
        what, _, form = right.partition(" ")
        if form:
            groups.setdefault(f"{what} {word}", []).append(form)
        elif word != OFF:
            groups.setdefault(f"rights {word}", []).append(right)
    return " · ".join(f"{head}: {', '.join(names)}" for head, names in groups.items())


def csv_rows(roles: Sequence[Role]) -> list[dict[str, str]]:
    """Roles as REDCap writes them into a CSV, without the unique names, which every project has of its own."""
    return [
        {
            LABEL: role.label,
            **role.switches,
            **{
                right: ",".join(f"{form}:{code}" for form, code in codes.items())
                for right, codes in role.by_form.items()
            },
        }
        for role in roles
    ]


def role_row(role: Role, live: Mapping[str, str]) -> dict[str, object]:
    """A role as the API takes it; `live` is the row of the role of that label, {} for a new one.

    What the server shows of the role and the file does not name is turned off.
    """
    known = [right for right in SWITCHES if right in live] if live else role.switches
    return {
        UNIQUE: live.get(UNIQUE, ""),
        LABEL: role.label,
        **{right: role.switches.get(right, "0") for right in known},
        **{right: {form: int(code) for form, code in codes.items()} for right, codes in role.by_form.items()},
    }


def unnamed(row: Mapping[str, str], forms: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """For `forms` and `forms_export` of a row the forms it does not name, where there are any."""
    for right in FORM_RIGHTS:
        named = {form for form, _ in _pairs(row[right])}
        left = tuple(form for form in forms if form not in named)
        if left:
            yield right, left


def _pairs(cell: str) -> list[tuple[str, str]]:
    """Form and code of a packed cell, `form_1:1,form_2:0`."""
    parts = (part.partition(":") for part in cell.split(",") if part.strip())
    return [(form.strip(), code.strip()) for form, _, code in parts]


def _unknown_rights(header: Mapping[str, str]) -> Iterator[Fault]:
    known = (LABEL, UNIQUE, *SWITCHES, *FORM_RIGHTS)
    for column in header:
        if column not in known:
            near = get_close_matches(column, known, 1)
            way_out = f"did you mean {near[0]}?" if near else "delete the column"
            yield Fault(ROLES, 1, column, "role", f"{column!r} is no user right of REDCap", way_out)


def _switch_faults(row: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for right, codes in SWITCHES.items():
        if row.get(right, "") not in ("", *codes):
            yield right, f"{row[right]!r} is no code of this right", f"write {_choice(codes)}"


def _form_faults(row: Mapping[str, str], forms: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for right, codes in FORM_RIGHTS.items():
        named: set[str] = set()
        for form, code in _pairs(row[right]):
            if form not in forms:
                yield right, f"there is no form {form!r}", "correct the name or delete it"
            elif form in named:
                yield right, f"{form} is named twice", "keep one of the two"
            if code not in codes:
                yield right, f"{code!r} is no code for {form}", f"write {_choice(codes)}"
            named.add(form)


def _choice(codes: Mapping[str, str]) -> str:
    return ", ".join(f"{code} ({word})" for code, word in codes.items() if len(code) == 1)
