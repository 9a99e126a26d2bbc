"""What a row of an export really holds."""

from __future__ import annotations

from collections.abc import Mapping

from redcap_rules.dictionary import Dictionary


def tick_columns(dictionary: Dictionary) -> frozenset[str]:
    """The columns of checkbox options."""
    boxes = (field for field in dictionary.fields if field.kind == "checkbox")
    return frozenset(column for field in boxes for column in dictionary.columns_of(field))


def held(values: Mapping[str, str], ticks: frozenset[str]) -> frozenset[str]:
    """The columns that hold data: REDCap writes 0 for every unticked option, also of forms nobody has opened.

    Source: reference/redcap-api.md 5.2.
    """
    return frozenset(name for name, value in values.items() if value and not (value == "0" and name in ticks))
