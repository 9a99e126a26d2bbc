"""A dictionary written as CSV or as metadata rows."""

import csv
import io

from redcap_rules.dictionary.columns import API_COLUMNS, ATTRIBUTES, CSV_HEADERS
from redcap_rules.dictionary.model import Dictionary, Field


def write_dictionary(dictionary: Dictionary) -> str:
    """The dictionary as the CSV people upload: 18 spreadsheet headers, commas, one line feed per row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEADERS)
    writer.writerows(_cells(field).values() for field in dictionary.fields)
    return out.getvalue()


def to_api(dictionary: Dictionary) -> list[dict[str, str]]:
    """The dictionary as metadata rows: 18 keys in order, flags as `y` or '' (reference/redcap-api.md 9)."""
    return [_cells(field) for field in dictionary.fields]


def _cells(field: Field) -> dict[str, str]:
    return {column: _cell(getattr(field, ATTRIBUTES[column])) for column in API_COLUMNS}


def _cell(value: str | bool) -> str:
    if isinstance(value, bool):
        return "y" if value else ""
    return value
