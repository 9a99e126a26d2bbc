"""What a unit sends back: expected and seen, fact by fact, without address, token, title or user."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import get_args

from trialdesk.errors import ConfigError
from trialdesk.validation.site.judges import Replies, Seen, State, judged

_COLUMNS = ("id", "fact", "we_assume", "settled_by")
_ADDRESSES = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.-]+|\b[0-9A-Fa-f]{32,64}\b")


@dataclass(frozen=True, slots=True)
class Fact:
    """One that is settled with the API: its id, the fact, and what we assume."""

    id: str
    text: str
    assumed: str


def read_facts(path: Path) -> tuple[Fact, ...]:
    """The facts of a table that are settled with the API.

    Raises:
        ConfigError: the table can't be read or lacks a column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read ({type(error).__name__})") from None
    if not rows or any(name not in rows[0] for name in _COLUMNS):
        raise ConfigError(f"{path}: has not the columns {', '.join(_COLUMNS)}")
    return tuple(Fact(row["id"], row["fact"], row["we_assume"]) for row in rows if row["settled_by"] == "api")


def look(facts: Sequence[Fact], replies: Replies) -> tuple[tuple[Fact, Seen], ...]:
    """Each fact with what was seen of it."""
    return tuple((fact, judged(fact.id, replies)) for fact in facts)


def report(found: Sequence[tuple[Fact, Seen]], version: str, day: date, names: Collection[str]) -> str:
    """The report as a page of Markdown.

    Args:
        found: The facts in their order.
        version: REDCap's.
        day: When it was asked.
        names: What may not stand in it: address, host, tokens, title, users.
    """
    states = [seen.state for _, seen in found]
    told = ", ".join(f"{state} {states.count(state)}" for state in get_args(State))
    lines = [
        "# What a REDCap server answers",
        "",
        f"REDCap {version}, {day.isoformat()}. {len(found)} facts: {told}.",
        "Made by scripts/validate_site.py of trialdesk in a project without data; no address, title or user is in it.",
        "",
        "| id | fact | expected | seen here |",
        "|---|---|---|---|",
    ]
    for fact, seen in found:
        here = _cell(f"{seen.state}: {without(seen.words, names)}")
        lines.append(f"| {fact.id} | {_cell(fact.text)} | {_cell(fact.assumed)} | {here} |")
    return "\n".join(lines) + "\n"


def without(text: str, names: Collection[str]) -> str:
    """The text with `…` for each of these names, in any case, and for addresses and what looks like a token."""
    for name in sorted((name for name in names if name), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return _ADDRESSES.sub("…", text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
