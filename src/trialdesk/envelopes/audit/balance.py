"""Whether the arms are as balanced as the design makes them: R43, exact; and who left early, by arm: R42."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from trialdesk.allocation.foreseeing import counted
from trialdesk.envelopes.audit.case import Answer, Case, Opened
from trialdesk.model import Patient, Pile

ALARM = 0.001
"""A balance that so few trials of the design would reach is an alarm (reference/randomisation.md 5, R43)."""
EARLY = timedelta(days=28)
_ROUNDING = 1e-9


class Share(NamedTuple):
    """The arms of some piles: what for, numbers by arm code, and how rarely the design is so far from its ratio."""

    what: str
    counts: Counter[str]
    rarity: float


def shares(case: Case) -> list[Share]:
    """The whole trial, each site, each stratum; the arms are those on the cards.

    What was opened of a pile counts as the first numbers of its list.
    """
    piles = list(case.opened)
    groups = [("whole trial", piles)]
    groups += [(f"site {site}", [p for p in piles if p.site == site]) for site in sorted({p.site for p in piles})]
    groups += [
        (f"stratum {stratum}", [p for p in piles if p.stratum == stratum])
        for stratum in sorted({p.stratum for p in piles})
    ]
    return [_share(case, what, own) for what, own in groups if own]


def balanced(case: Case) -> Answer:
    """R43: no imbalance beyond what 99.9 % of trials of this design stay within."""
    question = "Is the balance of the arms one that the design gives?"
    found = shares(case)
    if not found:
        return Answer("R43", question, "no envelope was opened", "nothing to ask")
    rare = [share for share in found if share.rarity < ALARM]
    whole = ", ".join(f"{case.config.arms_by_code[a].name} {n}" for a, n in sorted(found[0].counts.items()))
    told = f"{whole}; so far off or further: {found[0].rarity:.3f} of such trials"
    told += "".join(f"; {share.what}: {share.rarity:.5f}" for share in rare)
    return Answer("R43", question, told, "look at this" if rare else "as expected")


def left_early(case: Case) -> Answer:
    """R42: who died, left or withdrew within 28 days of the opening, by arm; nobody says what is too many."""
    arms = case.config.arms_by_code
    every = Counter(one.opening.patient.arm for one in case.all_opened)
    early = Counter(one.opening.patient.arm for one in case.all_opened if _gone(one.opening.patient))
    told = "; ".join(f"{arms[a].name}: {early[a]} of {n}" for a, n in sorted(every.items()) if a in arms)
    question = f"Who died, left or withdrew within {EARLY.days} days of the opening?"
    return Answer("R42", question, told or "no envelope was opened", "as expected" if told else "nothing to ask")


def _gone(who: Patient) -> bool:
    ends = [day for day in (who.died_on, who.left_on) if day]
    return bool(ends and who.opened_on and min(ends) - who.opened_on <= EARLY)


def _share(case: Case, what: str, piles: Sequence[Pile]) -> Share:
    opened: list[Opened] = [one for pile in piles for one in case.opened[pile]]
    counts = Counter(one.made.card.arm for one in opened)
    return Share(what, counts, min(_rarities(case, piles, counts)))


def _rarities(case: Case, piles: Sequence[Pile], counts: Counter[str]) -> Iterator[float]:
    """For each arm, how likely the design is at least as far from its expected number; at most 1."""
    scheme = case.tables[-1].scheme
    for arm, _ in scheme.arms:
        chances = [1.0]
        for pile in piles:
            chances = _convolved(chances, counted(scheme, arm, len(case.opened[pile])))
        mean = sum(number * chance for number, chance in enumerate(chances))
        off = abs(counts[arm] - mean) - _ROUNDING
        yield min(1.0, sum(chance for number, chance in enumerate(chances) if abs(number - mean) >= off))


def _convolved(one: Sequence[float], other: Sequence[float]) -> list[float]:
    made = [0.0] * (len(one) + len(other) - 1)
    for at, chance in enumerate(one):
        if chance:
            for on, more in enumerate(other):
                made[at + on] += chance * more
    return made
