"""A CSV file read as numbered rows; what can't be read is a fault and no exception."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from trialdesk.instruments.fault import Fault

# The bytes that mean nothing in Windows-1252.
_UNUSED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
Numbered = Sequence[tuple[int, dict[str, str]]]
"""The rows of a file, each with its number as a spreadsheet counts."""


def read_text(path: Path, faults: list[Fault]) -> str | None:
    """The text of a file as REDCap or Excel writes it, or None with a fault that names the line."""
    try:
        text = _decoded(path.read_bytes())
        if "\0" not in text:
            return text
        line = text[: text.index("\0")].count("\n") + 1
        what = "a NUL character, so the file is damaged or not UTF-8 text"
        faults.append(Fault(path.name, line, "", "encoding", what, "save the file as CSV UTF-8"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"byte {error.object[error.start]:#04x} is not UTF-8 text"
        faults.append(Fault(path.name, line, "", "encoding", what, "save the file as CSV UTF-8"))
    except OSError as error:
        what = f"can't be read ({type(error).__name__})"
        faults.append(Fault(path.name, 1, "", "file", what, "check the file and its rights"))
    return None


def _decoded(content: bytes) -> str:
    """UTF-8, or what a Windows in western Europe calls plain CSV (Windows-1252).

    Raises:
        UnicodeDecodeError: It is neither.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Letters that are UTF-8 among others that are not: a damaged file, which no other reading would mend.
        damaged = not content.decode("utf-8", "ignore").isascii()
        if damaged or b"\0" in content or _UNUSED.search(content):
            raise
        return content.decode("cp1252")


def rows_of(text: str) -> Iterator[list[str]]:
    """The rows of a CSV with comma, semicolon or tab, whatever its line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    header = text.partition("\n")[0]
    return csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)


def read_table(path: Path, needed: tuple[str, ...], faults: list[Fault]) -> Numbered:
    """The filled rows of a file with their numbers (1 is the header); () where the file is missing or has faults."""
    if not path.exists():
        return ()
    text = read_text(path, faults)
    if text is None:
        return ()
    try:
        header, *rows = rows_of(text) if text else [[]]
    except csv.Error as error:
        faults.append(Fault(path.name, 1, "", "structure", f"not a CSV ({error})", "close every quote and save again"))
        return ()
    names = [cell.strip() for cell in header]
    missing = [column for column in needed if column not in names]
    if missing:
        what = f"the column {', '.join(missing)} is missing"
        faults.append(Fault(path.name, 1, missing[0], "structure", what, f"write the header {','.join(needed)}"))
        return ()
    faults.extend(_surplus(path.name, len(names), rows))
    blanks = [""] * len(names)
    table = [
        (number, dict(zip(names, (cell.strip() for cell in (*row, *blanks)), strict=False)))
        for number, row in enumerate(rows, start=2)
        if any(cell.strip() for cell in row)
    ]
    faults.extend(_twice(path.name, table))
    return table


def _surplus(file: str, width: int, rows: Sequence[Sequence[str]]) -> Iterator[Fault]:
    for number, row in enumerate(rows, start=2):
        if any(cell.strip() for cell in row[width:]):
            what = f"{len(row)} cells under {width} headers"
            yield Fault(file, number, "", "structure", what, "quote cells that hold the delimiter")


# What tells one row from another, in whichever of these files it stands.
_KEYS = (
    "field_name", "unique_event_name", "event_name", "form", "form_name", "arm_num", "rule_name",
    "rule", "data_access_group_name", "role_label", "licence", "kind", "name", "part",
)  # fmt: skip


def _twice(file: str, table: Numbered) -> Iterator[Fault]:
    first: dict[tuple[str, ...], int] = {}
    for number, row in table:
        earlier = first.setdefault(tuple(row.get(column, "") for column in _KEYS), number)
        if earlier != number:
            yield Fault(file, number, "", "structure", f"the same as row {earlier}", "delete one of the two")
