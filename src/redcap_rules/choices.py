"""The choices of a field: `1, Yes | 2, No`, and the export columns of a checkbox."""

import re
from dataclasses import dataclass
from functools import lru_cache

_OUTSIDE_A_COLUMN_NAME = re.compile(r"[^a-z0-9_]")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: the code that is stored and the label that is shown."""

    code: str
    label: str


YES_NO = (Choice("1", "Yes"), Choice("0", "No"))
TRUE_FALSE = (Choice("1", "True"), Choice("0", "False"))


@lru_cache(maxsize=4096)
def parse_choices(text: str) -> tuple[Choice, ...]:
    """The choices written in a dictionary cell, in their order; () for a blank cell.

    Choices are separated by ` | ` or, in old dictionaries, by line breaks. A choice without a comma is
    its own label, as REDCap reads it.

    Args:
        text: The cell, for example `1, Female | 2, Male`.

    Raises:
        ValueError: A choice is empty or a code is used twice; the message names its position from 1.
    """
    if not text.strip():
        return ()
    parts = (text if "|" in text else text.strip().replace("\n", "|")).split("|")
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    choices = tuple(_choice(part, position) for position, part in enumerate(parts, start=1))
    seen: dict[str, int] = {}
    for position, choice in enumerate(choices, start=1):
        first = seen.setdefault(choice.code, position)
        if first != position:
            msg = f"choice {position}: code {choice.code!r} is already the code of choice {first}"
            raise ValueError(msg)
    return choices


def missing_codes(setting: str) -> tuple[Choice, ...]:
    """The missing-data codes in a project's setting, one a line or separated by ` | `.

    () for a setting that cannot be read: it names no code, and the project works all the same.
    """
    try:
        return parse_choices(setting)
    except ValueError:
        return ()


def _choice(part: str, position: int) -> Choice:
    code, comma, label = part.partition(",")
    code = code.strip()
    if not code:
        msg = f"choice {position}: no code in {part.strip()!r}; write `code, label`"
        raise ValueError(msg)
    return Choice(code, label.strip() if comma else code)


def checkbox_column(field: str, code: str) -> str:
    """The export column of one checkbox option (reference/redcap-api.md 5.2).

    >>> checkbox_column("fear", "-99")
    'fear____99'
    """
    return f"{field}___{_OUTSIDE_A_COLUMN_NAME.sub('_', code.lower())}"
