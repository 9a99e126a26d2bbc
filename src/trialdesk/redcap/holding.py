"""What a row of an export really holds."""

from __future__ import annotations

from collections.abc import Mapping, Set

from redcap_rules.dictionary import Dictionary


def tick_columns(dictionary: Dictionary) -> frozenset[str]:
    """The columns of checkbox options."""
    boxes = (field for field in dictionary.fields if field.kind == "checkbox")
    return frozenset(column for field in boxes for column in dictionary.columns_of(field))


def held(values: Mapping[str, str], ticks: frozenset[str]) -> Set[str]:
    """The columns that hold data: REDCap writes 0 for every unticked option, also of forms nobody has opened.

    Source: reference/redcap-api.md 5.2.
    """
    unticked = [name for name in values.keys() & ticks if values[name] == "0"]
    if not unticked and "" not in values.values():
        return values.keys()  # of a pull's rows always: nothing has to be copied
    return {name for name, value in values.items() if value}.difference(unticked)
