"""A tripwire: nothing that looks like a Danish civil registration number (CPR) leaves REDCap in a file.

Fields marked as identifiers are never asked for; but a person may type a number into a note, or name a record by one.
There is no check of the last digit: since 2007 numbers are given that fail it (reference/trial-operations.md 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from trialdesk.errors import SanityFailed

_NUMBER = re.compile(rb"[0-3][0-9][01][0-9]{3}-?[0-9]{4}(?![0-9A-Za-z])")
_JOINED = re.compile(rb"(?s:.?)[0-9A-Za-z.+\-](?<!\\[ntr])")  # a letter after a backslash is an end of line
_CELL = re.compile(rb'<c r="([A-Z]+[0-9]+)"')
_CENTURIES = (1900, 2000)  # a day that is in neither is none; leap years are the same in both but for 1900


def tripped(content: bytes) -> int | None:
    """Where in a text something stands that looks like a number, DDMMYYXXXX or DDMMYY-XXXX; None where nothing does.

    What is part of a longer number or word is none.

    >>> tripped(b"call 010190-1234"), tripped(b"call 320190-1234"), tripped(b"at 20010190-1234")
    (5, None, None)
    """
    for found in _NUMBER.finditer(content):
        if not _JOINED.fullmatch(content[max(found.start() - 2, 0) : found.start()]) and _is_day(found[0].decode()):
            return found.start()
    return None


def prove_sheet(name: str, content: bytes) -> None:
    """No cell of a sheet holds such a number.

    Args:
        name: What the sheet is called.
        content: Its XML.

    Raises:
        SanityFailed: one does; the line names sheet and cell and no value.
    """
    if (at := tripped(content)) is not None:
        cells = _CELL.findall(content, 0, at)
        raise SanityFailed(f"sheet {name}{f', cell {cells[-1].decode()}' if cells else ''}: {_WAY_OUT}")


def proved(name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a file of text, after each was seen to hold no such number; none may be cut within one.

    Raises:
        SanityFailed: one does; the line names file and line number and no value.
    """
    line = 1
    for piece in pieces:
        if (at := tripped(piece)) is not None:
            line += piece.count(b"\n", 0, at)
            raise SanityFailed(f"{name}, line {line}: {_WAY_OUT}")
        line += piece.count(b"\n")
        yield piece


_WAY_OUT = (
    "a text looks like a civil registration number (CPR); nothing was written: have it deleted in REDCap, and run again"
)


def _is_day(digits: str) -> bool:
    day, month, year = (int(digits[at : at + 2]) for at in (0, 2, 4))
    for century in _CENTURIES:
        try:
            date(century + year, month, day)
        except ValueError:
            continue
        return True
    return False
