"""Imports with one row per value become rows with one column per field (reference/redcap-api.md 6.1)."""

from __future__ import annotations

from redcap_local import messages
from redcap_local.messages import ApiError
from redcap_local.wire.data import DataRow
from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Dictionary
from redcap_rules.names import EVENT, INSTANCE, INSTRUMENT

_NEEDED = ("record", "field_name", "value")


def flat(dictionary: Dictionary, rows: list[DataRow]) -> list[DataRow]:
    """One row per record, event, repeating form and instance, in the order of first appearance.

    A checkbox comes either as `field___code` with 0 or 1, or as exported: the field with the code as value.

    Raises:
        ApiError: A row without record, field_name or value.
    """
    gathered: dict[tuple[str, ...], DataRow] = {}
    for row in rows:
        missing = [name for name in _NEEDED if name not in row]
        if missing:
            raise ApiError(messages.BAD_DATA, f"a row has no {missing[0]}")
        key = (row["record"].strip(), *(row.get(name, "").strip() for name in (EVENT, INSTRUMENT, INSTANCE)))
        target = gathered.get(key)
        if target is None:
            names = (dictionary.record_id, EVENT, INSTRUMENT, INSTANCE)
            target = gathered[key] = {name: text for name, text in zip(names, key, strict=True) if text}
            target.setdefault(dictionary.record_id, "")
        column, value = _cell(dictionary, row["field_name"].strip(), row["value"])
        if column != dictionary.record_id:
            target[column] = value
    return list(gathered.values())


def _cell(dictionary: Dictionary, name: str, value: str) -> tuple[str, str]:
    if name in dictionary and dictionary.get(name).kind == "checkbox" and value:
        return checkbox_column(name, value), "1"
    return name, value
