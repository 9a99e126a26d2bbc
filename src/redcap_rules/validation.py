"""Which values REDCap refuses, and with which words (reference/redcap-api.md 6.2, 6.3, 9)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from redcap_rules.dictionary import Field

WRONG_FORMAT = (
    "The value you provided could not be validated because it does not follow the expected format. Please try again."
)
# What a page says instead for these types; an import has one sentence for all (reference/redcap-validation-facts.md 3).
NOT_A_NUMBER = "This value you provided is not a number. Please try again."
NOT_AN_INTEGER = "This value you provided is not an integer. Please try again."
NOT_AN_EMAIL = "This field must be a valid email address (like joe@user.com). Please re-enter it now."
NOT_A_TIME = (
    "The value entered must be a time value in the following format HH:MM within the range 00:00-23:59 "
    "(e.g., 04:32 or 23:19)."
)
OUT_OF_RANGE = "The value you provided is outside the suggested range"
STILL_ADMISSIBLE = "This value is admissible, but you may wish to double check it."


@dataclass(frozen=True, slots=True)
class ValidationType:
    """One validation type: its name, its label, its data type and the pattern of a stored value."""

    name: str
    label: str
    data_type: str
    pattern: str


_DAY = r"\d{4}-\d{2}-\d{2}"
_MINUTE = r"([01]\d|2[0-3]):[0-5]\d"
_ORDERS = {"ymd": "Y-M-D", "mdy": "M-D-Y", "dmy": "D-M-Y"}
_POINT = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
_COMMA = r"[-+]?(\d+,?\d*|,\d+)([eE][-+]?\d+)?"


def _dates() -> list[ValidationType]:
    # Whatever the display order, a date is stored and imported as Y-M-D (reference/redcap-api.md 5.3).
    return [
        ValidationType(f"{stem}_{order}", f"{label} ({shown})", stem, pattern)
        for stem, label, pattern in (
            ("date", "Date", _DAY),
            ("datetime", "Datetime", f"{_DAY} {_MINUTE}"),
            ("datetime_seconds", "Datetime w/ seconds", rf"{_DAY} {_MINUTE}:[0-5]\d"),
        )
        for order, shown in _ORDERS.items()
    ]


def _decimals() -> list[ValidationType]:
    return [
        ValidationType(f"number_{n}dp{suffix}", f"Number ({n} decimal place{'s' * (n > 1)}{label})", kind, pattern % n)
        for suffix, label, kind, pattern in (
            ("", "", "number_fixeddp", r"[-+]?\d+\.\d{%d}"),
            ("_comma_decimal", " - comma as decimal", "number_comma_decimal", r"[-+]?\d+,\d{%d}"),
        )
        for n in (1, 2, 3, 4)
    ]


TYPES: dict[str, ValidationType] = {
    kind.name: kind
    for kind in (
        ValidationType("alpha_only", "Letters only", "text", r"[A-Za-z]+"),
        *_dates(),
        ValidationType("email", "Email", "email", r"[^@\s,;<>()\[\]\\\"]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,63}"),
        ValidationType("integer", "Integer", "integer", r"[-+]?\d+"),
        ValidationType("mrn_10d", "MRN (10 digits)", "mrn", r"\d{10}"),
        ValidationType("mrn_generic", "MRN (generic)", "mrn", r"[A-Za-z0-9_-]+"),
        ValidationType("vmrn", "Vanderbilt MRN", "mrn", r"\d{4,9}"),
        ValidationType("number", "Number", "number", _POINT),
        ValidationType("number_comma_decimal", "Number (comma as decimal)", "number_comma_decimal", _COMMA),
        *_decimals(),
        ValidationType(
            "phone", "Phone (North America)", "phone",
            r"(\+?1[-. ]?)?\(?[2-9]\d{2}\)?[-. ]?[2-9]\d{2}[-. ]?\d{4}( ?(x|ext\.?) ?\d{1,5})?",
        ),
        ValidationType("phone_australia", "Phone (Australia)", "phone", r"(\(0[2-8]\)|0[2-8]) ?\d{4} ?\d{4}"),
        ValidationType("phone_uk", "Phone (UK)", "phone", r"(\+44 ?|0)(\d ?){9,10}"),
        ValidationType("postalcode_australia", "Postal Code (Australia)", "postal_code", r"\d{4}"),
        ValidationType("postalcode_canada", "Postal Code (Canada)", "postal_code", r"[A-Z]\d[A-Z] ?\d[A-Z]\d"),
        ValidationType("postalcode_french", "Code Postal 5 caracteres (France)", "postal_code", r"\d{5}"),
        ValidationType("postalcode_germany", "Postal Code (Germany)", "postal_code", r"\d{5}"),
        ValidationType(
            "postalcode_uk", "Postal Code (UK)", "postal_code", r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}",
        ),
        ValidationType("ssn", "Social Security Number (U.S.)", "ssn", r"\d{3}-\d{2}-\d{4}"),
        ValidationType("time", "Time (HH:MM)", "time", _MINUTE),
        ValidationType("time_hh_mm_ss", "Time (HH:MM:SS)", "time", rf"{_MINUTE}:[0-5]\d"),
        ValidationType("time_mm_ss", "Time (MM:SS)", "time", r"[0-5]\d:[0-5]\d"),
        ValidationType("zipcode", "Zipcode (U.S.)", "postal_code", r"\d{5}(-\d{4})?"),
    )
}  # fmt: skip
_PATTERNS = {name: re.compile(kind.pattern, re.ASCII) for name, kind in TYPES.items()}
_CALENDAR = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%d %H:%M", "datetime_seconds": "%Y-%m-%d %H:%M:%S"}


def refusal(field: Field, value: str) -> str | None:
    """REDCap's own message of an import when the field cannot hold the value, None when it is accepted.

    Types and categories are hard; ranges, branching and required-ness are not enforced on import
    (reference/redcap-api.md 6.2). A blank is always accepted, and so is any text under a validation type this table
    does not know, since a site may add its own.

    Args:
        field: The field; for a checkbox the value is that of one option column.
        value: The raw value as sent.
    """
    if not value:
        return None
    return _RULES.get(field.kind, _anything)(field, value)


def out_of_range(field: Field, value: str, today: date) -> bool:
    """Whether a valid value lies outside the field's limits: a warning, never a refusal.

    Limits may be `today` or `now`, both compared as days. A limit given by another field is not looked at.
    """
    low, high = _limit(field, field.minimum, today), _limit(field, field.maximum, today)
    here = _comparable(field, value)
    if here is None:
        return False
    return (low is not None and here < low) or (high is not None and here > high)


def _anything(_field: Field, _value: str) -> None:
    return None


def _typed(field: Field, value: str) -> str | None:
    kind = TYPES.get(field.validation)
    if kind is None:
        return None
    good = bool(_PATTERNS[kind.name].fullmatch(value)) and _is_in_calendar(kind, value)
    return None if good else WRONG_FORMAT


def _is_in_calendar(kind: ValidationType, value: str) -> bool:
    if kind.data_type not in _CALENDAR:
        return True
    try:
        datetime.strptime(value, _CALENDAR[kind.data_type])
    except ValueError:
        return False
    return True


def _category(field: Field, value: str) -> str | None:
    known = any(option.code == value for option in field.options)
    return None if known else f"The value is not a valid category for {field.name}"


def _tick(field: Field, value: str) -> str | None:
    return None if value in {"0", "1"} else f"The value is not a valid category for {field.name}"


def _slider(_field: Field, value: str) -> str | None:
    return None if _PATTERNS["integer"].fullmatch(value) else WRONG_FORMAT


_RULES: dict[str, Callable[[Field, str], str | None]] = {
    "text": _typed,
    "radio": _category,
    "dropdown": _category,
    "yesno": _category,
    "truefalse": _category,
    "checkbox": _tick,
    "slider": _slider,
}


def _limit(field: Field, limit: str, today: date) -> tuple[float, str] | None:
    text = limit.strip()
    if text in {"today", "now"}:
        # "~" sorts after every time of day, so a moment of today is never beyond today.
        text = f"{today.isoformat()}~" if limit == field.maximum else today.isoformat()
    return _comparable(field, text)


def _comparable(field: Field, value: str) -> tuple[float, str] | None:
    kind = TYPES.get(field.validation)
    name = kind.data_type if kind else ("number" if field.kind == "slider" else "text")
    if name in _CALENDAR or name == "time":
        return (0.0, value) if value and value[0].isdigit() else None
    try:
        return (float(value.replace(",", ".")), "")
    except ValueError:
        return None
