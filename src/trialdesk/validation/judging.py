"""What the evidence is worth: each requirement with its tests, and everything that keeps it from being whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trialdesk.errors import OK, OK_WITH_WARNINGS
from trialdesk.validation.requirements import Requirement

FAILED = 1
REAL_PARTS = ("contract", "trial", "product", "long")
"""The rings whose tests go through real parts: servers over HTTP, the shipped trial, whole runs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a test: passed, failed or skipped; and which requirements it names."""

    test: str
    outcome: str
    requirements: tuple[str, ...] = ()

    @property
    def ring(self) -> str:
        """The ring of the test: rules, trial, contract, product or long."""
        parts = self.test.split("/")
        return parts[1] if parts[0] == "tests" and len(parts) > 1 else ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the package: done, failed, or left out with the reason; `facts` are lines for the reader."""

    name: str
    state: Literal["done", "failed", "left out"]
    why: str = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traced:
    """A requirement with the tests that name it."""

    requirement: Requirement
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> int:
        """How many of its tests passed."""
        return sum(one.outcome == "passed" for one in self.outcomes)

    @property
    def rings(self) -> Mapping[str, int]:
        """Ring to how many of its tests passed there."""
        passed = [one.ring for one in self.outcomes if one.outcome == "passed"]
        return {ring: passed.count(ring) for ring in dict.fromkeys(passed)}

    @property
    def files(self) -> tuple[str, ...]:
        """The files of its tests."""
        return tuple(dict.fromkeys(one.test.partition("::")[0] for one in self.outcomes))

    @property
    def state(self) -> str:
        """Proved, failed, or what it lacks."""
        if any(one.outcome == "failed" for one in self.outcomes):
            return "failed"
        if not self.passed:
            return "no passing test"
        if self.requirement.risk == "H" and not any(ring in REAL_PARTS for ring in self.rings):
            return "no test through real parts"
        return "proved"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All requirements, and every problem in a sentence, worst first; the exit code goes by them."""

    traced: tuple[Traced, ...]
    failed: tuple[str, ...]
    lacking: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 when a test or part failed, 10 when something lacks, else 0."""
        return FAILED if self.failed else OK_WITH_WARNINGS if self.lacking else OK


def read_outcomes(text: str) -> tuple[Outcome, ...]:
    """What `pytest --outcomes` has written."""
    return tuple(Outcome(one["test"], one["outcome"], tuple(one["requirements"])) for one in json.loads(text))


def judge(requirements: Sequence[Requirement], outcomes: Sequence[Outcome], parts: Sequence[Part]) -> Verdict:
    """What the outcomes say of the requirements.

    Args:
        requirements: The table.
        outcomes: Every test that ran.
        parts: What was done and what was left out.
    """
    by_id: dict[str, list[Outcome]] = {one.id: [] for one in requirements}
    for outcome in outcomes:
        for name in outcome.requirements:
            by_id.setdefault(name, []).append(outcome)
    traced = tuple(Traced(one, tuple(by_id[one.id])) for one in requirements)
    failed = [f"test failed: {one.test}" for one in outcomes if one.outcome == "failed"]
    failed += [f"{part.name}: {part.why}" for part in parts if part.state == "failed"]
    return Verdict(traced, tuple(failed), tuple(_lacking(traced, by_id, parts)))


def _lacking(traced: Sequence[Traced], by_id: Mapping[str, Sequence[Outcome]], parts: Sequence[Part]) -> Iterator[str]:
    yield from (f"left out: {part.name}: {part.why}" for part in parts if part.state == "left out")
    rows = {one.requirement.id for one in traced}
    yield from (f"marker without a row: {name}" for name in by_id if name not in rows)
    for one in traced:
        if one.state not in ("proved", "failed"):
            yield f"{one.requirement.id}: {one.state}"
    skipped = {o.test: o for one in traced for o in one.outcomes if o.outcome == "skipped"}
    yield from (f"skipped, and names {', '.join(o.requirements)}: {test}" for test, o in skipped.items())
