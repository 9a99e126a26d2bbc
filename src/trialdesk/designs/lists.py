"""The patients of many trials sorted into lists, so that all lists can be gone through side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trialdesk.designs.arrivals import Arrivals
from trialdesk.designs.plan import Flags, Ints, Structure


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists begun in any of the trials, the longest first.

    Attributes:
        places: Where each patient stands among all patients of all trials, list after list, each in its order.
        starts: Where each list begins in `places`.
        lengths: How many patients each list has.
    """

    places: Ints
    starts: Ints
    lengths: Ints

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def first(self) -> Ints:
        """The place of the first patient of each list."""
        return self.places[self.starts]

    def turns(self) -> Iterator[Ints]:
        """The places of all first patients of a list, then of all second ones, and so on.

        Lists stand in their own order, so the lists of a turn are the first ones of all.
        """
        for turn in range(int(self.lengths.max(initial=0))):
            going = np.count_nonzero(self.lengths > turn)
            yield self.places[self.starts[:going] + turn]


def lists_of(group: Ints, taken: Flags) -> Lists:
    """The lists of patients who share trial and group.

    Args:
        group: Trials × patients; patients of a trial with the same number are of one list.
        taken: The patients who are in a list at all.
    """
    trial = np.arange(len(group))[:, None]
    keys = (trial * (int(group.max(initial=0)) + 1) + group).ravel()
    places = np.flatnonzero(taken)
    places = places[np.argsort(keys[places], kind="stable")]
    _, starts, lengths = np.unique(keys[places], return_index=True, return_counts=True)
    longest = np.argsort(-lengths, kind="stable")
    return Lists(places, starts[longest], lengths[longest])


def whole_list(structure: Structure, came: Arrivals, strata: int) -> Ints:
    """Which list a patient's arm comes from; without lists, the whole trial is one."""
    if structure == "site-stratum":
        return came.site * strata + came.stratum
    if structure == "stratum":
        return came.stratum
    return came.site if structure == "site" else np.zeros_like(came.site)


def own_part(structure: Structure, came: Arrivals, strata: int) -> Ints:
    """Which allocations a clinician tallies: those of the list that were made at the own site."""
    return came.site * strata + came.stratum if structure in ("site-stratum", "stratum") else came.site
