"""How a value is spelled in ODM where that differs from how it is stored: date-times have a `T` between day and time.

All 1353 date-times in 18 public project files of real servers are written so (reference/redcap-validation-facts.md 1).
"""

from __future__ import annotations

import re

from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.validation import TYPES

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)", re.ASCII)


def lexical(field: Field | None, value: str) -> str:
    """A stored value as ODM writes it; `field` is None for a form status."""
    return _MOMENT.sub(r"\1T\2", value) if field is not None and _is_moment(field, value) else value


def stored(dictionary: Dictionary, column: str, value: str) -> str:
    """A value of ODM as it is stored; one that is no date-time stays as it is, to be refused with its own words."""
    known = column in dictionary and _is_moment(dictionary.get(column), value)
    return _MOMENT.sub(r"\1 \2", value) if known else value


def _is_moment(field: Field, value: str) -> bool:
    kind = TYPES.get(field.validation)
    return kind is not None and kind.data_type.startswith("datetime") and bool(_MOMENT.fullmatch(value))
