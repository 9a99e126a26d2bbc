"""What code, tests and pages cite: every document is there, and every section."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
CITED = re.compile(r"(?:docs/)?reference/([a-z-]+\.md)((?:,? [0-9]+(?:\.[0-9]+)*[a-z]?(?![0-9A-Za-z-]))*)")
BARE = re.compile(r"(?<![\w/.-])(redcap-api|redcap-validation-facts|wire-formats|randomisation|trial-operations)\.md")
HEADING = re.compile(r"^#+ ([0-9]+(?:\.[0-9]+)*[a-z]?)\.? ", re.MULTILINE)


def citing() -> list[Path]:
    """Every text file of ours that may cite."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kinds = (".py", ".md", ".sql", ".yaml", ".toml", ".j2")
    return [
        ROOT / name for name in listed.splitlines() if name.endswith(kinds) and not name.startswith("docs/reference")
    ]


@cache
def sections(document: str) -> frozenset[str]:
    """The numbered headings of a document."""
    return frozenset(HEADING.findall((REFERENCE / document).read_text(encoding="utf-8")))


def citations() -> list[tuple[str, str, str]]:
    """File, document and section of every citation; section "" where the whole document is meant."""
    found = []
    for path in citing():
        for document, numbers in CITED.findall(path.read_text(encoding="utf-8")):
            name = str(path.relative_to(ROOT))
            found += [(name, document, number) for number in numbers.replace(",", " ").split() or [""]]
    return found


def test_every_cited_section_exists() -> None:
    """Some two hundred citations, and not one into the blue."""
    found = citations()
    assert len(found) > 180
    assert {document for _, document, _ in found} <= {path.name for path in REFERENCE.glob("*.md")}
    wrong = [(name, document, one) for name, document, one in found if one and one not in sections(document)]
    assert wrong == []


def test_no_citation_leaves_out_where_the_document_is() -> None:
    """docs/instruments.md and reference/instruments.md are two pages."""
    bare = [
        str(path.relative_to(ROOT))
        for path in citing()
        if path.suffix == ".py" and BARE.search(path.read_text("utf-8"))
    ]
    assert [name for name in bare if name != "tests/rules/test_citations.py"] == []


@pytest.mark.parametrize("document", sorted(path.name for path in REFERENCE.glob("*.md")))
def test_a_reference_stands_by_itself(document: str) -> None:
    """Nothing of the machine it was written on, no file outside the house, and links that lead somewhere."""
    text = (REFERENCE / document).read_text(encoding="utf-8")
    assert not re.search(r"\.\./shared|/work/|/root/|/home/", text)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (REFERENCE / target).exists(), target
