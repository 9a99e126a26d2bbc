"""Whether somebody guessed the next arm and enrolled by it: R45 and R46.

Both ask how what happened goes with what an insider could foresee, and how often chance alone does as much: by
permutation, seeded, so that the same data give the same answer. R45 after Berger and Exner (reference/randomisation.md
7.4), with the correlation as its measure.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from statistics import correlation, mean

from trialdesk.allocation.foreseeing import foreseen
from trialdesk.envelopes.audit.case import Answer, Case, Opened, Verdict
from trialdesk.model import Pile

PERMUTATIONS = 9_999
SUSPICIOUS = 0.01
FEWEST = 10
"""With fewer patients nothing is asked."""


def guessed(case: Case) -> Iterator[Answer]:
    """R45: for each baseline value, whether it goes with the chance of the first arm; one answer each."""
    chances = {one.opening.patient.record: chance for one, chance in _chances(case)}
    first = case.config.arms[0].name
    if not case.baseline:
        yield Answer("R45", "Does a baseline value go with what could be foreseen?", "no --baseline", "nothing to ask")
    for name, values in case.baseline.items():
        pairs = [(values[record], chance) for record, chance in sorted(chances.items()) if record in values]
        question = f"Does {name} go with the chance of {first} that an insider could foresee?"
        if len(pairs) < FEWEST or len({v for v, _ in pairs}) < 2 or len({c for _, c in pairs}) < 2:
            yield Answer("R45", question, f"{len(pairs)} values: too few, or all alike", "nothing to ask")
            continue
        ours, theirs = [value for value, _ in pairs], [chance for _, chance in pairs]
        found = correlation(ours, theirs)
        likely = _permuted(theirs, partial(correlation, ours), found)
        told = f"correlation {found:+.2f} in {len(pairs)} patients, p = {likely:.3f}"
        yield Answer("R45", question, told, "look at this" if likely < SUSPICIOUS else "as expected")


def turned_away(case: Case) -> Answer:
    """R46: whether those not enrolled came when the next arm of their pile was easier to foresee."""
    question = "Were patients not enrolled when the next arm was easy to foresee?"
    enrolled = [_best(chance) for _, chance in _all_chances(case)]
    others = [_best(_next(case, pile, day)) for pile, day in _not_enrolled(case)]
    if min(len(enrolled), len(others)) < FEWEST:
        told = f"{len(others)} with a stratum not enrolled, {len(enrolled)} enrolled: too few"
        return Answer("R46", question, told, "nothing to ask")
    found = mean(others) - mean(enrolled)
    likely = _permuted(
        [*others, *enrolled], lambda mixed: mean(mixed[: len(others)]) - mean(mixed[len(others) :]), found
    )
    told = (
        f"best guess {mean(others):.2f} in {len(others)} not enrolled, {mean(enrolled):.2f} in {len(enrolled)} enrolled"
    )
    verdict: Verdict = "look at this" if likely < SUSPICIOUS and found > 0 else "as expected"
    return Answer("R46", question, f"{told}, p = {likely:.3f}", verdict)


def _all_chances(case: Case) -> Iterator[tuple[Opened, dict[str, float]]]:
    """Every opened envelope with the chances of its arm as the pile's earlier arms left them."""
    for opened in case.opened.values():
        known = foreseen(case.tables[-1].scheme, [one.made.card.arm for one in opened])
        yield from ((one, dict(chances)) for one, chances in zip(opened, known, strict=False))


def _chances(case: Case) -> Iterator[tuple[Opened, float]]:
    first = case.config.arms[0].code
    return ((one, chances[first]) for one, chances in _all_chances(case))


def _next(case: Case, pile: Pile, day: date) -> dict[str, float]:
    *_, last = foreseen(case.tables[-1].scheme, case.before(pile, day))
    return dict(last)


def _best(chances: dict[str, float]) -> float:
    return max(chances.values())


def _not_enrolled(case: Case) -> Iterator[tuple[Pile, date]]:
    for who in case.patients:
        day = who.consented_on or who.screened_on
        if who.site and who.stratum and day and not who.opened:
            yield Pile(who.site, who.stratum), day


def _permuted(values: Sequence[float], measure: Callable[[list[float]], float], found: float) -> float:
    """How often mixed values are as far from 0 as what was found; what was found counts as one of them."""
    chance, mixed, as_far = random.Random(len(values)), list(values), 1  # noqa: S311 - repeatable, guards nothing
    for _ in range(PERMUTATIONS):
        chance.shuffle(mixed)
        as_far += abs(measure(mixed)) >= abs(found) - 1e-12
    return as_far / (PERMUTATIONS + 1)
