"""The audit as sheets: its answers, the balance, and every list with what was opened of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from trialdesk.envelopes.audit.balance import balanced, left_early, shares
from trialdesk.envelopes.audit.case import Answer, Case
from trialdesk.envelopes.audit.guesses import guessed, turned_away
from trialdesk.envelopes.audit.lists import drift, early_batches, followed, runs
from trialdesk.workbook import Column, Line, SheetTable, Tone, Value

_TONES: dict[str, Tone] = {"look at this": "alarm", "nothing to ask": "quiet"}


def answers(case: Case) -> tuple[Answer, ...]:
    """Every question with its answer, in the order of the rules."""
    found = (
        early_batches(case), left_early(case), balanced(case), followed(case), *guessed(case), turned_away(case),
        drift(case), runs(case),
    )  # fmt: skip
    return tuple(sorted(found, key=lambda one: one.rule))


def audit_sheets(case: Case, said: tuple[Answer, ...]) -> tuple[SheetTable, ...]:
    """The workbook of the audit. It names arms: for the statistician alone."""
    return (
        SheetTable(
            "Answers",
            f"{case.config.trial.id}: audit of the allocation",
            "UNBLINDED: for the statistician alone. Rules as in docs/reference/randomisation.md 5.",
            (Column("Rule"), Column("Question", width=48), Column("Answer", width=60), Column("Verdict", width=16)),
            tuple(Line(tuple(one), _TONES.get(one.verdict, "plain")) for one in said),
        ),
        SheetTable(
            "Balance",
            "Arms by site and by stratum",
            "As rare: the share of trials of this design as far from the ratio or farther, by the farthest arm.",
            (Column("Of", width=18), *(Column(arm.name, "number", 14) for arm in case.config.arms),
             Column("As rare", "number", 10)),
            tuple(Line(row) for row in _balance(case)),
            empty="No envelope was opened.",
        ),
        SheetTable(
            "Lists",
            "Every list as it was made",
            "Opened: of the numbers made. Longest run: of one arm, in the list as made.",
            (Column("Site"), Column("Stratum"), Column("Made", "number"), Column("Opened", "number"),
             Column("Longest run", "number", 12), Column("Opened arms in running order", width=48)),
            tuple(Line(row) for row in _lists(case)),
            empty="No table was made.",
        ),
    )  # fmt: skip


def _balance(case: Case) -> Iterator[tuple[Value, ...]]:
    for share in shares(case):
        yield (share.what, *(share.counts[arm.code] for arm in case.config.arms), round(share.rarity, 5))


def _lists(case: Case) -> Iterator[tuple[Value, ...]]:
    names = {arm.code: arm.name for arm in case.config.arms}
    for pile, made in case.lists.items():
        opened = case.opened.get(pile, ())
        longest = max(len(list(run)) for _, run in groupby(one.card.arm for one in made))
        arms = ", ".join(names[one.made.card.arm] for one in opened)
        yield pile.site, pile.stratum, len(made), len(opened), longest, arms
