"""The commands that README and docs show, as a person would type them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STARTS = (".venv/bin/python ", "make ", "printf ", "chmod ", "mkdir ", "git ", "age")
FENCE = re.compile(r"^```(\w*)$")


@dataclass(frozen=True)
class Typed:
    """One command of one page, with the line it stands in."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def commands(page: Path) -> Iterator[Typed]:
    """The commands of a page in order: lines of code blocks, fenced or indented, that begin like a command."""
    language = ""
    inside = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if fence := FENCE.match(line):
            inside, language = not inside, fence[1]
            continue
        text = line.strip().removeprefix("$ ") if inside or line.startswith("    ") else ""
        if text.startswith(STARTS) and language in ("", "sh", "console", "bash"):
            yield Typed(page.name, number, re.sub(r"\s{2,}#.*$", "", text))
