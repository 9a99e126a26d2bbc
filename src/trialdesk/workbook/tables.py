"""Tables as data: what a workbook is made from, what profiles and proofs read, and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal, NamedTuple


class Link(NamedTuple):
    """A text that opens an address."""

    text: str
    url: str


Value = str | int | float | date | datetime | Link | None
Tone = Literal["plain", "strong", "alarm", "warning", "good", "quiet", "entry"]
Kind = Literal["text", "date", "datetime", "number", "percent"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `width` in characters (0: from its content, 8 to 60). `choices` make a drop-down."""

    title: str
    kind: Kind = "text"
    width: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: a value for every column and a tone for the whole row, or for columns by number."""

    values: tuple[Value, ...]
    tone: Tone = "plain"
    tones: Mapping[int, Tone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One sheet: a title, a sentence about it, columns and rows.

    `keys` leading columns stay in view. `least_height` of a row in points: 24 where a pen has to fit.
    """

    name: str
    title: str
    about: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    keys: int = 1
    empty: str = "Nothing to report."
    least_height: float = 0


def worded(tables: Iterable[SheetTable], word: Callable[[str], str]) -> tuple[SheetTable, ...]:
    """The sheets with every text in their rows as `word` gives it; numbers, dates and addresses stay."""

    def of(value: Value) -> Value:
        if isinstance(value, Link):
            return Link(word(value.text), value.url)
        return word(value) if isinstance(value, str) else value

    return tuple(
        replace(table, lines=tuple(replace(line, values=tuple(map(of, line.values))) for line in table.lines))
        for table in tables
    )


def digest(tables: Sequence[SheetTable]) -> str:
    """SHA-256 of everything a reader sees; .xlsx files themselves carry the time of writing and never repeat."""
    seen = hashlib.sha256()
    for table in tables:
        head = (table.name, table.title, table.about, tuple(column.title for column in table.columns))
        seen.update(repr(head).encode())
        for line in table.lines:
            seen.update(repr((line.values, line.tone, sorted(line.tones.items()))).encode())
    return seen.hexdigest()
