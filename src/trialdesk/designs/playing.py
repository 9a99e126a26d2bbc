"""Many trials of one design, played at once, and what is measured in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from trialdesk.designs.arrivals import Arrivals, arrivals
from trialdesk.designs.balance import worst
from trialdesk.designs.blocks import draw
from trialdesk.designs.guessing import Guesses, informed, tally
from trialdesk.designs.lists import lists_of, own_part, whole_list
from trialdesk.designs.minimisation import minimised, simple
from trialdesk.designs.plan import BY_LIST, Coming, Design, Flags, Floats, Ints
from trialdesk.designs.supply import Supplied, supply


@dataclass(frozen=True, slots=True)
class Measures:
    """One number for every trial; nan where a design has no such thing.

    Attributes:
        overall: The difference between the arms, as of `balance.difference`.
        site: The largest difference at any site.
        stratum: The largest difference in any stratum.
        clinician: The share of right guesses by tally of what the clinician's own site has had of the list.
        observer: The same by one who sees the whole list, such as coordinator or monitor.
        informed: The share of right guesses by one who sees the whole list and knows the block sizes or the method.
        certain: The share of allocations that one knows for certain.
        lists: How many lists were begun.
        unfinished: How many ended inside a block.
        inside: The share of patients in unfinished blocks.
        made: Envelopes made.
        unused: Envelopes made and not opened.
        parcels: Parcels sent.
        blocked: Patients whose pile was empty.
    """

    overall: Floats
    site: Floats
    stratum: Floats
    clinician: Floats
    observer: Floats
    informed: Floats
    certain: Floats
    lists: Floats
    unfinished: Floats
    inside: Floats
    made: Floats
    unused: Floats
    parcels: Floats
    blocked: Floats


@dataclass(frozen=True, slots=True)
class Arms:
    """The arm of every patient of all trials, how it is guessed, and how many lists were begun and left open."""

    arms: Ints
    guesses: Guesses
    lists: Floats
    unfinished: Floats
    inside: Floats


def joined(parts: Sequence[Measures]) -> Measures:
    """The measures of all trials, in the order of the parts."""
    names = [one.name for one in fields(Measures)]
    return Measures(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def play(coming: Coming, design: Design, trials: int, seed: Sequence[int]) -> Measures:
    """So many trials of a design, always the same for a seed.

    Who comes, the arms and the parcels have random numbers of their own: designs compared with the same seed meet the
    same patients.

    Args:
        coming: The patients who are expected.
        design: How they are allocated.
        trials: How many trials.
        seed: What the random numbers are drawn from; different for different parts of one comparison.
    """
    people, cards, parcels = (np.random.default_rng(np.random.SeedSequence([*seed, n])) for n in range(3))
    came = arrivals(coming, trials, people)
    sent = _sent(came, coming, design, parcels)
    taken = sent.taken if sent else np.ones_like(came.site, dtype=np.bool_)
    given = _given(came, taken, coming, design, cards)
    strata, ratio = len(coming.strata), np.array(coming.ratio, dtype=np.int64)
    own = tally(lists_of(own_part(design.structure, came, strata), taken), given.arms, ratio)
    whole = tally(lists_of(whole_list(design.structure, came, strata), taken), given.arms, ratio)
    none = np.full(trials, np.nan)
    return Measures(
        overall=worst(np.zeros_like(came.site), given.arms, ratio),
        site=worst(came.site, given.arms, ratio),
        stratum=worst(came.stratum, given.arms, ratio),
        clinician=_share(own, taken),
        observer=_share(whole, taken),
        informed=_share(given.guesses.right, taken),
        certain=_share(given.guesses.certain, taken),
        lists=given.lists,
        unfinished=given.unfinished,
        inside=given.inside / taken.sum(axis=1),
        made=sent.made.astype(float) if sent else none,
        unused=sent.made - taken.sum(axis=1, dtype=float) if sent else none,
        parcels=sent.parcels.astype(float) if sent else none,
        blocked=(~taken).sum(axis=1, dtype=float) if sent else none,
    )


def _share(right: Floats | Flags, taken: Flags) -> Floats:
    """The mean over the patients of each trial who were randomised."""
    share: Floats = np.where(taken, right.reshape(taken.shape), 0).sum(axis=1) / taken.sum(axis=1)
    return share


def _sent(came: Arrivals, coming: Coming, design: Design, chance: np.random.Generator) -> Supplied | None:
    if design.resupply is None:
        return None
    apart = design.structure == "site-stratum"
    pile = came.stratum if apart else np.zeros_like(came.stratum)
    size = (len(coming.sites), len(coming.strata) if apart else 1)
    return supply(came, pile, size, design.resupply, chance)


def _given(came: Arrivals, taken: Flags, coming: Coming, design: Design, chance: np.random.Generator) -> Arms:
    ratio = np.array(coming.ratio, dtype=np.int64)
    if design.structure not in BY_LIST:
        minimal = design.structure == "minimisation"
        drawn = minimised(came, coming, design.coin, chance) if minimal else simple(came, ratio, chance)
        none = np.full(len(taken), np.nan)
        return Arms(drawn.arms, drawn.guesses, none, none, none)
    lists = lists_of(whole_list(design.structure, came, len(coming.strata)), taken)
    cards = draw(lists, taken.size, design, ratio, chance)
    trial = lists.first // taken.shape[1]
    sums = (
        np.bincount(trial, weights=one, minlength=len(taken)).astype(np.float64)
        for one in (np.ones(len(lists)), cards.unfinished, cards.inside)
    )
    return Arms(cards.arms, informed(lists, cards.arms, design, ratio), *sums)
