"""What a setting has to be, in words that name the thing and not Python's types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

PATTERNS: Mapping[str, str] = {
    r"^[0-9]*$": "the number REDCap gave the project, for example 12",
    r"^[A-Za-z0-9._-]+$": "letters, digits, dots, dashes and underscores",
    r"^[A-Z]{2}$": "two capital letters, for example DK",
    r"^[A-Z0-9]$": "one capital letter or digit",
    r"^[A-Z0-9]+$": "capital letters and digits",
    r"^[a-z][a-z0-9_]*$": "small letters, digits and underscores, a letter first",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "an e-mail address",
}
"""Every pattern of the configuration in words."""

_Words = Callable[[Mapping[str, Any]], str]


def _fixed(words: str) -> _Words:
    return lambda _: words


_UNREAD = _fixed("can't be read; docs/your-own-trial.md says what belongs there")
_LIST, _BLOCK = (
    "has to be a list: lines that begin with a dash, or [a, b]",
    "has to be a block of settings, name: value",
)
_WHOLE, _NUMBER, _DATE = "has to be a whole number", "has to be a number", "has to be a date, for example 2026-01-05"
WORDS: Mapping[str, _Words] = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float", "int_parsing_size"), _fixed(_WHOLE)),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), _fixed(_NUMBER)),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _fixed(_DATE)
    ),
    **dict.fromkeys(("bool_parsing", "bool_type"), _fixed("has to be true or false")),
    **dict.fromkeys(("tuple_type", "list_type"), _fixed(_LIST)),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "mapping_type"), _fixed(_BLOCK)),
    "path_type": _fixed("has to be the name of a file or folder"),
    "greater_than": lambda of: f"has to be more than {of['gt']:g}",
    "greater_than_equal": lambda of: f"has to be {of['ge']:g} or more",
    "less_than": lambda of: f"has to be less than {of['lt']:g}",
    "less_than_equal": lambda of: f"has to be {of['le']:g} or less",
    "literal_error": lambda of: f"has to be {of['expected'].replace(chr(39), '')}",
    "string_pattern_mismatch": lambda of: f"has to be {PATTERNS[of['pattern']]}",
    "too_short": lambda of: f"needs at least {of['min_length']} entr{'y' if of['min_length'] == 1 else 'ies'}",
    "too_long": lambda of: f"takes at most {of['max_length']} entr{'y' if of['max_length'] == 1 else 'ies'}",
}


def plain(kind: str, context: Mapping[str, Any], message: str, given: object) -> str:
    """What is wrong with a setting and what it has to be.

    Args:
        kind: pydantic's name of the error.
        context: Its numbers and patterns.
        message: The message of a check of our own.
        given: What was read.
    """
    match kind:
        case "missing":
            return "is missing; add it (docs/your-own-trial.md says what it is)"
        case "extra_forbidden":
            return "is not a setting; check the spelling or remove it"
        case "value_error":
            return message
        case _ if given is None:
            return "is blank; write a value"
        case "string_type":
            return f"{given!r} is read as a number or date; put it in quotes"
        case _:
            return f"{WORDS.get(kind, _UNREAD)(context)}; found {_shown(given)}"


def _shown(given: object) -> str:
    """What was read, short; a list or block as its size."""
    if isinstance(given, list | tuple | dict):
        return f"{len(given)} {'entry' if len(given) == 1 else 'entries'}"
    return str(given)[:60]
