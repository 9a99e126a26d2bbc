"""What is not yet seen on a real REDCap: every mark of the reference has a row, and every row its mark."""

from __future__ import annotations

import csv
import re
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
TABLE = REFERENCE / "open-facts.csv"
MARK = re.compile(r"\*\*\[[U?]\]\*\*|\[\?\]|not yet seen")
LEGENDS = ("| **[U]** |", "same for the API because", "* Keep error strings in one table")
"""Lines that say what a mark means, or what to do with all of them."""


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def marked() -> list[tuple[str, str]]:
    """Document and line of every mark."""
    lines = [
        (path.name, line.strip())
        for path in sorted(REFERENCE.glob("*.md"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if MARK.search(line)
    ]
    return [(name, line) for name, line in lines if not line.startswith(LEGENDS)]


def test_every_mark_has_one_row_and_every_row_a_mark() -> None:
    """By the beginning of its line."""
    table = rows()
    assert len({row["id"] for row in table}) == len(table)
    for name, line in marked():
        own = [row["id"] for row in table if row["where"] == name and line.startswith(row["begins"].strip())]
        assert len(own) == 1, (name, line[:100], own)
    for row in table:
        assert any(name == row["where"] and line.startswith(row["begins"].strip()) for name, line in marked()), row[
            "id"
        ]


def test_every_row_says_what_we_assume_what_hangs_on_it_and_how_it_is_settled() -> None:
    """By the API, by hand with the page, or not at all with the reason."""
    for row in rows():
        assert all(row.values()), row["id"]
        assert row["settled_by"] in ("api", "by hand", "cannot")
        assert row["fact"].endswith(".") and row["we_assume"].endswith(".") and row["hangs_on_it"].endswith(".")
