"""Allocation tables as a person uploads them, checked in REDCap's words (reference/randomisation.md 2)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from redcap_local.call import version_key
from redcap_local.project import Project
from redcap_local.storage.randomization import Model, Slot
from redcap_rules.names import GROUP as SITE

NUMBER, GROUP = "redcap_randomization_number", "redcap_randomization_group"
# The version from which tables hold a randomization number and a project may have several models.
SECOND_FORMAT = "14.7.0"
SUCCESS = "Success! The randomization allocation table was created!"
APPENDED = "Success! New assignments were appended to your existing randomization allocation table!"
BAD_HEADER = "The header variables in the first row of your CSV file are not correct."
DUPLICATE_TABLE = "ERROR: Duplicate allocation table!"
ERRORS = "ERROR: The following errors occurred. Please address them and try again."
NOT_A_CODE = '"{}" is not a valid categorical option for the field "{}"'
# Ours: REDCap's words for these are not known.
NO_NUMBER = "[local] row {}: the randomization number is missing"
NO_GROUP = "[local] row {}: the randomization group is missing"
NO_ROWS = "[local] the file has no allocations"


class TableError(Exception):
    """An allocation table is refused; the text holds every reason, one a line."""


def is_concealed(project: Project, model: Model) -> bool:
    """True when the target is a text field, which takes the randomization number (reference/redcap-api.md 8.3)."""
    return project.dictionary.get(model.target_field).kind == "text"


def header(model: Model, version: str) -> list[str]:
    """The columns the server expects, in order: the group before the strata, and after them in the older format.

    Source: reference/redcap-validation-facts.md 8.
    """
    strata, site = [field for field, _ in model.strata], [SITE] if model.by_group else []
    if version_key(version) >= version_key(SECOND_FORMAT):
        return [NUMBER, GROUP, *site, *strata]
    return [model.target_field, *strata, *site]


def read(project: Project, model: Model, text: str, version: str) -> list[Slot]:
    """The rows of a table in their order.

    Args:
        project: The project, for codes and groups.
        model: The randomization the table is for.
        text: The CSV file.
        version: The REDCap version, which decides between the two formats.

    Raises:
        TableError: A wrong header, a code that is none, or a number or group that is missing.
    """
    lines = list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline="")))
    expected = header(model, version)
    width = len(expected)
    if not lines or lines[0][:width] != expected or not _only_notes(lines[0][width:]):
        raise TableError(f"{ERRORS}\n{BAD_HEADER}")
    slots: list[Slot] = []
    faults: list[str] = []
    for place, line in enumerate(lines[1:], start=2):
        cells = [*(cell.strip() for cell in line[:width]), *([""] * (width - len(line)))]
        if not any(cells):
            continue  # rows with nothing but notes are tolerated
        row = dict(zip(expected, cells, strict=True))
        faults.extend(_faults(project, model, row, place, new=expected[0] == NUMBER))
        strata = tuple(row[field] for field, _ in model.strata)
        group = int(row[SITE]) if model.by_group and row[SITE].isdigit() else None
        code = row[GROUP] if expected[0] == NUMBER else row[model.target_field]
        slots.append(Slot(0, row.get(NUMBER, ""), code, strata, group, None, ""))
    if not slots:
        faults.append(NO_ROWS)
    if faults:
        raise TableError("\n".join([ERRORS, *dict.fromkeys(faults)]))
    return slots


def _only_notes(headers: Sequence[str]) -> bool:
    """True when what follows the expected columns is free text: nothing, or notes after an unnamed column."""
    return not headers or not headers[0].strip() or headers[0].strip().upper().startswith("NOTES")


def _faults(project: Project, model: Model, row: dict[str, str], place: int, *, new: bool) -> Iterator[str]:
    concealed = is_concealed(project, model)
    if new and concealed and not row[NUMBER]:
        yield NO_NUMBER.format(place)
    code = row[GROUP] if new else row[model.target_field]
    if not concealed:
        if not code:
            yield NO_GROUP.format(place)
        else:
            yield from _category(project, model.target_field, code)
    for field, _ in model.strata:
        yield from _category(project, field, row[field])
    if model.by_group and row[SITE] not in {str(group.id) for group in project.groups}:
        yield NOT_A_CODE.format(row[SITE], SITE)


def _category(project: Project, field: str, code: str) -> Iterator[str]:
    if code not in {option.code for option in project.dictionary.get(field).options}:
        yield NOT_A_CODE.format(code, field)
