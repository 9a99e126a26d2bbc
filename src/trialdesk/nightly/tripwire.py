"""The tripwire: no file of a run holds a person's number, whoever typed it into whichever field.

Danish numbers are DDMMYY-XXXX with a day there is; the check digit is not looked at, for valid numbers fail it since
2007. Source: reference/trial-operations.md 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from trialdesk.errors import SanityFailed
from trialdesk.workbook import HEADER_ROW, Block, Link, SheetTable, Value

_DAY, _MONTH = "(?:0[1-9]|[12][0-9]|3[01])", "(?:0[1-9]|1[0-2])"
NUMBERS: Mapping[str, re.Pattern[str]] = {
    "DK": re.compile(rf"(?<![0-9A-Za-z]){_DAY}{_MONTH}[0-9]{{2}}[- ]?[0-9]{{4}}(?![0-9A-Za-z])")
}
"""Country of a trial to what its people are numbered by; where none is known, nothing is looked for."""
_TEXTS = frozenset({".html", ".ics", ".json", ".svg"})


def prove_unnumbered(country: str, folder: Path, books: Mapping[str, Sequence[SheetTable]]) -> None:
    """Nothing happens for a run without a person's number, in texts, in cells, and in names of sheets and files.

    Left out is what REDCap refused in its own words, which is the coordinator's alone, and what is sealed.

    Args:
        country: Of the trial.
        folder: The run as it was built.
        books: Its workbooks by file, before they were written.

    Raises:
        SanityFailed: one does; names file, sheet, cell and the record of its row, never what stands there.
    """
    if (number := NUMBERS.get(country)) is None:
        return
    places = [*_in_files(folder, number)]
    places += (f"{name}, {place}" for name, sheets in books.items() for place in _in_sheets(sheets, number))
    if places:
        raise SanityFailed(
            f"tripwire: a person's number may stand in {'; '.join(places[:5])}; nothing is published before it is "
            "corrected in REDCap, in the record or in its id"
        )


def _in_files(folder: Path, number: re.Pattern[str]) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if number.search(name):
            yield "the name of a file"
        if path.suffix in _TEXTS and number.search(_unfolded(path)):
            yield name


def _unfolded(path: Path) -> str:
    """The text of a file; a calendar's long lines go on behind a blank (RFC 5545, 3.1)."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    return text.replace("\r\n ", "") if path.suffix == ".ics" else text


def _in_sheets(sheets: Iterable[SheetTable], number: re.Pattern[str]) -> Iterator[str]:
    for sheet in sheets:
        boxes = (text for box in sheet.boxes for text, _ in box.texts)
        if number.search("\n".join((sheet.name, sheet.title, sheet.about, *boxes))):
            yield f"sheet {sheet.name}"
        for block in sheet.tables:
            # a night has many cells and few different texts: which cell it is, is looked for only where there is one
            if number.search("\n".join({_text(value) for line in block.lines for value in line.values})):
                yield from (f"sheet {sheet.name}, {place}" for place in _in_block(block, number))


def _in_block(block: Block, number: re.Pattern[str]) -> Iterator[str]:
    titles = [column.title for column in block.columns]
    for row, line in enumerate(block.lines, HEADER_ROW + 1):
        texts = dict(zip(titles, map(_text, line.values), strict=False))
        record = texts.get("Record", "")
        whose = f", record {record}" if record and not number.search(record) else ""
        for title, text in texts.items():
            if number.search(text):
                yield f"{f'{block.title}, ' if block.title else ''}column {title}, row {row}{whose}"


def _text(value: Value) -> str:
    if isinstance(value, Link):
        return f"{value.text}\n{value.url}"
    return value if isinstance(value, str) else ""
