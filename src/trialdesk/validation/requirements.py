"""What is required: one sentence a row, with who needs it, where it comes from and what hangs on it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trialdesk.errors import ConfigError

Risk = Literal["H", "M", "L"]
_COLUMNS = ("id", "requirement", "who", "source", "risk", "design")
MOST = 80
"""More rows than that nobody reads."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row: H when a patient, concealment or a lost record hangs on it. `design` are the places it is met in."""

    id: str
    text: str
    who: str
    source: str
    risk: Risk
    design: tuple[str, ...]


def read_requirements(path: Path) -> tuple[Requirement, ...]:
    """The rows of a table, in its order.

    Raises:
        ConfigError: the table can't be read, lacks a column, has a row twice, an unknown risk, or too many rows.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read ({type(error).__name__})") from None
    problems = [f"{path}: lacks the column {name}" for name in _COLUMNS if rows and name not in rows[0]]
    if problems:
        raise ConfigError(*problems)
    ids = [row["id"] for row in rows]
    problems += [f"{path}: {name} stands twice" for name in sorted({one for one in ids if ids.count(one) > 1})]
    problems += [f"{path}: {row['id']}: the risk is H, M or L" for row in rows if row["risk"] not in ("H", "M", "L")]
    problems += [f"{path}: {len(rows)} rows, {MOST} at most"] if len(rows) > MOST else []
    if problems:
        raise ConfigError(*problems)
    return tuple(_requirement(row) for row in rows)


def _requirement(row: dict[str, str]) -> Requirement:
    risk: Risk = "H" if row["risk"] == "H" else "M" if row["risk"] == "M" else "L"
    places = tuple(part.strip() for part in row["design"].split(";"))
    return Requirement(row["id"], row["requirement"], row["who"], row["source"], risk, places)
