"""Writing export rows in CSV, JSON and XML, cell by cell (reference/redcap-api.md 3).

A pen turns a cell into its final text once; rows are copies of a list of such texts, so that the many blank cells
of a longitudinal export cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from redcap_local.wire.text import XML_PROLOG, cdata, csv_cell, json_text


class Pen(Protocol):
    """How rows are written in one format."""

    head: str
    between: str
    tail: str
    empty: str
    # What stands between the cells of a row: cells joined with it can be kept and used as one.
    glue: str

    def cell(self, place: int, value: str) -> str:
        """The text of a cell in the column at that place."""

    def number(self, place: int, value: int) -> str:
        """The text of a cell that holds a number."""

    def row(self, cells: Sequence[str]) -> str:
        """The text of a row."""


class CsvPen:
    """CSV with one line of headers."""

    between = tail = ""
    empty = "\n"

    def __init__(self, headers: Sequence[str], delimiter: str) -> None:
        self.glue = delimiter
        self._cell = csv_cell(delimiter)
        self.head = self.row([self._cell(header) for header in headers])

    def cell(self, _place: int, value: str) -> str:
        """The value, quoted when it needs to be."""
        return self._cell(value)

    def number(self, _place: int, value: int) -> str:
        """The digits."""
        return str(value)

    def row(self, cells: Sequence[str]) -> str:
        """One line."""
        return f"{self.glue.join(cells)}\n"


class JsonPen:
    """A JSON list of objects."""

    head, between, tail, empty = "[", ",", "]", "[]"
    glue = ","

    def __init__(self, names: Sequence[str]) -> None:
        self._keys = [f"{json_text(name)}:" for name in names]

    def cell(self, place: int, value: str) -> str:
        """Key and text."""
        return self._keys[place] + json_text(value)

    def number(self, place: int, value: int) -> str:
        """Key and number."""
        return f"{self._keys[place]}{value}"

    def row(self, cells: Sequence[str]) -> str:
        """One object."""
        return f"{{{','.join(cells)}}}"


class XmlPen:
    """XML items under a root `records`."""

    head, between, tail = f"{XML_PROLOG}<records>", "", "</records>"
    empty = f"{XML_PROLOG}<records></records>"
    glue = ""

    def __init__(self, names: Sequence[str]) -> None:
        self._tags = [(f"<{name}>", f"</{name}>") for name in names]

    def cell(self, place: int, value: str) -> str:
        """An element."""
        start, end = self._tags[place]
        return f"{start}{cdata(value)}{end}"

    def number(self, place: int, value: int) -> str:
        """An element."""
        return self.cell(place, str(value))

    def row(self, cells: Sequence[str]) -> str:
        """One item."""
        return f"<item>{''.join(cells)}</item>"


def pen(form: str, names: Sequence[str], headers: Sequence[str], delimiter: str) -> Pen:
    """The pen of a format; headers and delimiter matter to CSV only."""
    if form == "json":
        return JsonPen(names)
    return CsvPen(headers, delimiter) if form == "csv" else XmlPen(names)
