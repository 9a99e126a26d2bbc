"""Every command that README and docs show is typed, page by page, in a folder with a played trial."""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from played import played
from typed import Typed, commands

pytestmark = pytest.mark.requirement("SEC-04")

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# What is not typed here, and why.
ELSEWHERE = {
    "make demo": "tests/product/test_rehearsal_run.py takes the same steps",
    "make test": "this is it",
    "git clone": "the checkout is there",
    ".venv/bin/python benchmarks/simulated_trials.py": "tests/long/test_simulated_trials.py plays smaller ones",
}
# Other ends than 0 and 10 that are right in a folder in which the trial already runs.
ENDS: dict[str, tuple[int, str]] = {
    "make_tables.py": (20, "tables are there, and the identity is asked for"),
    "make_tables.py --identity packer.agekey": (45, "every pile has envelopes"),
    "make_tables.py --freeze": (20, "tables are there, and the identity is asked for"),
    "envelope_lists.py file manifest.json --root ROOT": (20, "every manifest is filed already"),
    "envelope_lists.py ship ODE-v001 --by AB --dry-run": (41, "the parcel is there, and partly used"),
    "envelope_lists.py received ODE-v001 --by AB --on 2026-11-23 --dry-run": (
        41,
        "the parcel is there, and partly used",
    ),
    "release_envelope.py ODE-014": (41, "the record is made up"),
    "enrolment_report.py groups --identity statistician.agekey": (2, "no terminal watches"),
    "keygen.py packer.agekey": (20, "an identity is never written over"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as a coordinator has it: configuration, tokens, tables, scripts; REDCap answers."""
    with played(tmp_path_factory.mktemp("docs"), 12, date.today()) as trial:
        desk = trial.stage.config.home
        (desk / "docs").mkdir()
        for name in ("scripts", ".venv", "docs/designs.yaml"):
            (desk / name).symlink_to(ROOT / name)
        yield desk


def test_every_page_shows_commands_that_are_found() -> None:
    """Pages whose commands nobody finds would never be typed."""
    shown = {page.name: len(list(commands(page))) for page in PAGES}
    assert sum(shown.values()) > 40
    assert {"calls.md", "envelopes.md", "nightly.md", "reports.md", "local-redcap.md"} <= {
        n for n, c in shown.items() if c
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run_in_their_order(page: Path, folder: Path) -> None:
    """Each ends well, or as it has to where the trial is already at work."""
    reworded(folder.parent / "instruments", page.stem)
    digest = ""
    with ExitStack() as servers:
        for one in commands(page):
            if any(one.text.startswith(start) for start in ELSEWHERE):
                continue
            text = re.sub(r"\bDIGEST\b|\b3f9c12ab7e40\b", digest or "none", one.text)
            if " serve " in text:
                servers.enter_context(serving(text, folder))
                continue
            ended = subprocess.run(text, shell=True, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S602
            digest = next(iter(re.findall(r"plan ([0-9a-f]{12})", ended.stdout)), digest)
            assert ended.returncode in expected(one), f"{one}: {text}\n{ended.stdout[-1000:]}\n{ended.stderr[-1000:]}"


def reworded(instruments: Path, note: str) -> None:
    """Somebody changes a note in both projects, so that there is something to plan and to apply."""
    for path in (instruments / "trial" / "21_end_of_study.csv", instruments / "register" / "01_envelope.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        rows[-1][names.index("Field Note" if "Field Note" in names else "field_note")] = f"seen in {note}"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([names, *rows])


def expected(one: Typed) -> set[int]:
    """The exit codes a command may have here."""
    words = one.text.removeprefix(".venv/bin/python scripts/")
    return {ENDS[words][0]} if words in ENDS else {0, 10}


class serving(ExitStack):  # noqa: N801 - reads as what it does
    """A server that a page starts in a terminal of its own, for as long as the page is typed."""

    def __init__(self, text: str, folder: Path) -> None:
        super().__init__()
        process = subprocess.Popen(f"exec {text}", shell=True, cwd=folder, stdout=subprocess.PIPE, text=True)  # noqa: S602
        self.callback(process.wait)
        self.callback(process.terminate)
        assert process.stdout
        self.callback(process.stdout.close)
        assert "listening" in process.stdout.readline()
