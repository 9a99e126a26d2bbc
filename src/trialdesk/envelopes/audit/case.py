"""What the audit looks at: the lists as they were made, and what records say was opened of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple

from trialdesk.allocation.tables import Allocation, Table, by_pile
from trialdesk.config import Config
from trialdesk.envelopes.openings import Opening, openings
from trialdesk.model import Patient, Pile

Verdict = Literal["as expected", "look at this", "nothing to ask"]


class Answer(NamedTuple):
    """What one question of the audit came to: rule, question, answer in words, and a verdict."""

    rule: str
    question: str
    answer: str
    verdict: Verdict


class Opened(NamedTuple):
    """One opened envelope: its place in its list, the arm the list has there, and the record's opening."""

    made: Allocation
    opening: Opening

    @property
    def right(self) -> bool:
        """Whether the record has the arm of the list."""
        return self.opening.patient.arm == self.made.card.arm


@dataclass(frozen=True)
class Case:
    """The tables of a trial and its patients; `baseline` is what was measured before, by name and record."""

    config: Config
    tables: tuple[Table, ...] = field(repr=False)
    patients: tuple[Patient, ...]
    baseline: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @cached_property
    def lists(self) -> Mapping[Pile, tuple[Allocation, ...]]:
        """Every list as far as it was made."""
        return by_pile(self.tables)

    @cached_property
    def opened(self) -> Mapping[Pile, tuple[Opened, ...]]:
        """What was opened of each pile, in running order; an envelope that two records name counts once."""
        made = {one.envelope.id: one for pile in self.lists.values() for one in pile}
        found: dict[str, Opened] = {}
        for opening in openings(self.patients, [one.envelope for one in made.values()], self.config.envelopes.domain):
            if opening.id in made:
                found.setdefault(opening.id, Opened(made[opening.id], opening))
        piles: dict[Pile, list[Opened]] = defaultdict(list)
        for one in sorted(found.values(), key=lambda one: one.made.envelope):
            piles[one.made.envelope.pile].append(one)
        return {pile: tuple(own) for pile, own in piles.items()}

    @property
    def all_opened(self) -> Sequence[Opened]:
        """Everything that was opened."""
        return [one for pile in sorted(self.opened) for one in self.opened[pile]]

    def before(self, pile: Pile, day: date) -> list[str]:
        """The arms that were known of a pile at the beginning of a day, in running order."""
        return [one.made.card.arm for one in self.opened.get(pile, ()) if (on := _day(one)) and on < day]


def _day(one: Opened) -> date | None:
    return one.opening.patient.opened_on
