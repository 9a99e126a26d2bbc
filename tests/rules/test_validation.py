"""The validation package: what outcomes say of requirements, and a document that says it first."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability import TABLE
from trialdesk.errors import ConfigError
from trialdesk.validation.changed import touched
from trialdesk.validation.document import About, Evidence, Picture, document
from trialdesk.validation.judging import Outcome, Part, judge, read_outcomes
from trialdesk.validation.requirements import MOST, Requirement, Risk, read_requirements

ROOT = Path(__file__).parents[2]
DONE = (Part("Installation", "done"), Part("Operation", "done"))
CONTRACT, RULES = "tests/contract/test_a.py::test_x", "tests/rules/test_b.py::test_y"


def required(name: str = "ENV-01", risk: Risk = "H") -> Requirement:
    return Requirement(name, f"What {name} says.", "packer", "protocol", risk, ("src/trialdesk/allocation",))


def test_the_table_is_whole_and_every_place_of_it_is_there() -> None:
    """At most eighty rows, each met in files that exist, and named by a test."""
    rows = read_requirements(TABLE)
    assert 40 <= len(rows) <= MOST
    assert all(re.fullmatch(r"[A-Z]{3}-[0-9]{2}", row.id) and row.text.endswith(".") for row in rows)
    assert [place for row in rows for place in row.design if not (ROOT / place.split(" ", 1)[0]).exists()] == []
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"[A-Z]{3}-[0-9]{2}", tests))
    assert [row.id for row in rows if row.id not in named] == []


def test_every_sentence_of_the_mission_has_a_row() -> None:
    """The words people look for, each in a requirement."""
    text = " ".join(row.text.lower() for row in read_requirements(TABLE))
    for words in (
        "screened", "consent", "fitness", "odi", "vas", "known myeloma", "newly diagnosed", "former fractures",
        "equally divided", "new envelopes", "more than one patient at a time", "central person", "referral",
        "four weeks", "weeks 1 to 12", "month 12", "long-standing radiographs", "excel report", "nightly", "role",
        "identifiers", "kept with who",
    ):  # fmt: skip
        assert words in text, words


@pytest.mark.parametrize(
    ("outcomes", "state", "code"),
    [
        ([Outcome(CONTRACT, "passed", ("ENV-01",))], "proved", 0),
        ([Outcome(RULES, "passed", ("ENV-01",))], "no test through real parts", 10),
        ([Outcome(CONTRACT, "skipped", ("ENV-01",)), Outcome(RULES, "passed", ("ENV-01",))],
         "no test through real parts", 10),
        ([Outcome(CONTRACT, "failed", ("ENV-01",))], "failed", 1),
        ([Outcome(CONTRACT, "passed", ("ENV-01",)), Outcome(RULES, "failed", ())], "proved", 1),
        ([Outcome(CONTRACT, "passed", ("ENV-01",)), Outcome(RULES, "skipped", ("ENV-01",))], "proved", 10),
        ([Outcome(CONTRACT, "passed", ("ENV-01",)), Outcome(RULES, "skipped", ())], "proved", 0),
        ([Outcome(CONTRACT, "passed", ("ENV-01", "ENV-99"))], "proved", 10),
        ([], "no passing test", 10),
    ],
)  # fmt: skip
def test_what_outcomes_say_of_a_requirement(outcomes: Sequence[Outcome], state: str, code: int) -> None:
    """A failed test is 1, whatever it names; what lacks is 10."""
    verdict = judge([required()], outcomes, DONE)
    assert (verdict.traced[0].state, verdict.exit_code) == (state, code)


def test_a_part_that_failed_or_was_left_out_counts() -> None:
    """No browser, no LibreOffice, a demo that did not run."""
    proved = [Outcome(CONTRACT, "passed", ("ENV-01",))]
    left = judge([required()], proved, (*DONE, Part("Performance", "left out", "soffice is not on this machine")))
    bare = judge([required()], [], (*DONE, Part("Operation", "left out", "asked")))
    assert bare.lacking == ("left out: Operation: asked", "ENV-01: no passing test")
    broken = judge([required()], proved, (Part("Installation", "failed", "make demo ended with 2"), *DONE))
    assert (left.exit_code, left.lacking) == (10, ("left out: Performance: soffice is not on this machine",))
    assert (broken.exit_code, broken.failed) == (1, ("Installation: make demo ended with 2",))


@given(st.lists(st.tuples(st.sampled_from([CONTRACT, RULES]), st.sampled_from(["passed", "failed", "skipped"]))))
def test_nothing_is_proved_without_a_passing_test_of_the_right_ring(found: list[tuple[str, str]]) -> None:
    """Low risk is content with rules, high risk is not; one failure undoes both."""
    outcomes = [Outcome(f"{name}{n}", what, ("A", "B")) for n, (name, what) in enumerate(found)]
    high, low = judge([required("A", "H"), required("B", "L")], outcomes, DONE).traced
    passed = {name for name, what in found if what == "passed"}
    failed = any(what == "failed" for _, what in found)
    assert (high.state == "proved") == (CONTRACT in passed and not failed)
    assert (low.state == "proved") == (bool(passed) and not failed)


def test_a_change_touches_what_it_names_proves_or_meets() -> None:
    """Of what is met in a changed file only where the risk is high."""
    rows = [required("ENV-01", "H"), required("ENV-02", "L"), required("ENV-03", "L"), required("ENV-04", "M")]
    traced = judge(rows, [Outcome("tests/rules/test_b.py::t", "passed", ("ENV-03",))], DONE).traced
    found = touched(traced, {"src/trialdesk/allocation/blocks.py", "tests/rules/test_b.py"}, "+- mended (ENV-02)")
    assert {one.requirement.id: why for one, why in found} == {
        "ENV-01": "met in: src/trialdesk/allocation/blocks.py",
        "ENV-02": "named in CHANGELOG.md",
        "ENV-03": "test changed: tests/rules/test_b.py",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,requirement\nA,x\n", "lacks the column who"),
        ("id,requirement,who,source,risk,design\nA,x,y,z,H,d\nA,x,y,z,H,d\n", "A stands twice"),
        ("id,requirement,who,source,risk,design\nA,x,y,z,X,d\n", "the risk is H, M or L"),
        ("id,requirement,who,source,risk,design\n" + "".join(f"A{n},x,y,z,L,d\n" for n in range(81)), "81 rows"),
    ],
)
def test_a_table_that_is_wrong_says_where(tmp_path: Path, text: str, why: str) -> None:
    """One line each."""
    (tmp_path / "r.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=why):
        read_requirements(tmp_path / "r.csv")


def test_page_one_says_what_failed_and_that_this_is_evidence() -> None:
    """Before any table; text of others is text, a picture its own data."""
    verdict = judge([required()], [Outcome(CONTRACT, "failed", ("ENV-01",))], DONE)
    about = About("trialdesk", "0.4.0", "a" * 40, True, "Linux", "2026-11-27", since="v0.3.0")
    shown = Evidence(
        [Outcome(CONTRACT, "failed", ("ENV-01",))], DONE, ["<b>limit</b>"], [Picture("p", "data:image/png;base64,AA")],
        {"requirements.lock": "d" * 64}, {"pandas": "3.0"},
    )  # fmt: skip
    text = document(about, verdict, shown)
    assert 0 < text.index("1 test(s) or part(s) failed") < text.index("This is evidence") < text.index("<h2>")
    assert "&lt;b&gt;limit" in text
    assert "data:image/png;base64,AA" in text
    assert "Signatures" in text


def test_an_unknown_requirement_stops_the_collection_and_outcomes_are_kept(tmp_path: Path) -> None:
    """In a process of its own, with the hooks of these tests."""
    hooks = "pytest_addoption, pytest_collection_modifyitems, pytest_configure"
    (tmp_path / "conftest.py").write_text(f"from traceability import {hooks}\n", encoding="utf-8")
    test = "import pytest\n\n@pytest.mark.requirement({})\ndef test_one():\n    assert {}\n"

    def run(name: str, holds: str) -> tuple[int, str]:
        (tmp_path / "test_x.py").write_text(test.format(repr(name), holds), encoding="utf-8")
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--outcomes", "kept.json", "test_x.py"]
        done = subprocess.run(
            words, cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "tests")}, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    code, said = run("ENV-99", "True")
    assert (code, "no requirement ENV-99" in said) == (4, True)
    for holds, outcome in (("True", "passed"), ("False", "failed"), ("pytest.skip()", "skipped")):
        run("ENV-01", holds)
        kept = read_outcomes((tmp_path / "kept.json").read_text(encoding="utf-8"))
        assert kept == (Outcome("test_x.py::test_one", outcome, ("ENV-01",)),)
    assert json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))[0]["outcome"] == "skipped"
