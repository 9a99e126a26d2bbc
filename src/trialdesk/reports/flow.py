"""Participant flow as a tidy list of boxes, pooled over the arms (CONSORT 2025, items 22a and 22b)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialdesk.facts.cohort import Cohort, Member

OUT_OF_ORDER = "Randomised with a step missing"
STEP_BY_STEP = "Randomised step by step"


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its name, the name of the box above ("" for a first one), its number of patients and its depth.

    A `leaf` has no boxes below it.
    """

    name: str
    parent: str
    n: int
    depth: int
    leaf: bool = False


def flow(cohort: Cohort) -> tuple[Box, ...]:
    """The boxes from the record to the end of the trial; the children of a box are exclusive and together make it.

    After each step stand those who stopped there, by reason, zeros too. Randomised is every opened envelope: those
    who came step by step and those who are randomised though a step is missing.
    """
    labels = ["Records", *(step.label for step in cohort.steps[:-1])]
    boxes: list[Box] = []
    for level, label in enumerate(labels):
        here = [member for member in cohort.everyone if _level(member, cohort) >= level]
        boxes.append(Box(label, labels[level - 1] if level else "", len(here), level))
        boxes.extend(_stopped(label, level, [member for member in here if _level(member, cohort) == level], cohort))
    return (*boxes, *_after(cohort))


def unbalanced(boxes: Sequence[Box]) -> tuple[str, ...]:
    """The names of boxes whose children do not add up to them; () when the flow conserves patients."""
    below: Counter[str] = Counter()
    for box in boxes:
        below[box.parent] += box.n
    parents = {box.parent for box in boxes}
    return tuple(box.name for box in boxes if box.name in parents and below[box.name] != box.n)


def _level(member: Member, cohort: Cohort) -> int:
    """Steps reached without a gap; the last step is the opening of the envelope and has its own boxes."""
    return min(member.steps, len(cohort.steps) - 1)


def _stopped(label: str, level: int, members: Sequence[Member], cohort: Cohort) -> Iterator[Box]:
    reasons = Counter(member.reason for member in members if not member.randomised)
    for reason in cohort.reasons:
        yield Box(reason.capitalize(), label, reasons[reason], level + 1, leaf=True)
    here = sum(member.randomised for member in members)
    whole = level == len(cohort.steps) - 1
    yield Box(STEP_BY_STEP if whole else OUT_OF_ORDER, label, here, level + 1, leaf=True)


def _after(cohort: Cohort) -> Iterator[Box]:
    yield Box("Randomised", "", cohort.randomised, 0)
    for state in cohort.words:
        yield Box(state.capitalize(), "Randomised", cohort.states[state], 1, leaf=True)
