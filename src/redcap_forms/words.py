"""The words a form itself shows around its fields, in REDCap's own language."""

from __future__ import annotations

from collections.abc import Mapping

from redcap_rules.dictionary import Field
from redcap_rules.validation import (
    NOT_A_NUMBER,
    NOT_A_TIME,
    NOT_AN_EMAIL,
    NOT_AN_INTEGER,
    OUT_OF_RANGE,
    STILL_ADMISSIBLE,
    WRONG_FORMAT,
)

Words = Mapping[str, str]
WORDS: Words = {
    "yes": "Yes", "no": "No", "true": "True", "false": "False", "shown_if": "shown if",
    "required": "must provide value", "reset": "reset", "upload": "Upload file",
    "out_of_range": OUT_OF_RANGE, "admissible": STILL_ADMISSIBLE, "wrong_format": WRONG_FORMAT,
    "not_a_number": NOT_A_NUMBER, "not_an_integer": NOT_AN_INTEGER, "not_an_email": NOT_AN_EMAIL,
    "not_a_time": NOT_A_TIME,
}  # fmt: skip
_OF_TYPE = {"number": "not_a_number", "integer": "not_an_integer", "email": "not_an_email", "time": "not_a_time"}
_FIXED = ("yesno", "truefalse")  # their answers are REDCap's own words, and no text of the dictionary


def refusal_in(field: Field, words: Words) -> str:
    """What the field says to a value of the wrong form."""
    return words[_OF_TYPE.get(field.validation, "wrong_format")]


def option_in(label: str, field: Field, words: Words) -> str:
    """An answer as REDCap shows it in the project's language: Yes and No of a yes-no field follow that."""
    return words[label.casefold()] if field.kind in _FIXED else label
