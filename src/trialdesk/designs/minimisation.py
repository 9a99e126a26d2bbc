"""Arms that follow no list: minimisation (Pocock and Simon 1975) and the plain coin, as yardsticks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialdesk.designs.arrivals import Arrivals
from trialdesk.designs.guessing import Guesses, hits
from trialdesk.designs.plan import Coming, Floats, Ints


@dataclass(frozen=True, slots=True)
class Assigned:
    """The arm of every patient of all trials, and how one who knows the method and all patients so far guesses it."""

    arms: Ints
    guesses: Guesses


def coin_after(coin: float, ratio: Ints) -> Floats:
    """Preferred arm × arm: how likely each arm is.

    Biased coins that keep the ratio (Han, Enas and McEntegart 2009): the preferred arm of the smallest ratio is given
    with `coin`, another one's chance to be missed is in proportion to what the other arms weigh; what is missed falls
    to the others in their ratio.
    """
    others = ratio.sum() - ratio
    missed = (1 - coin) * others / others.max()
    likely: Floats = missed[:, None] * ratio / others[:, None]
    np.fill_diagonal(likely, 1 - missed)
    return likely


def minimised(came: Arrivals, coming: Coming, coin: float, chance: np.random.Generator) -> Assigned:
    """Each patient gets, by a biased coin, the arm that leaves the smallest sum of ranges.

    The ranges are those of the arms' counts (each divided by its ratio) among the patients of the same site, and of the
    same level of each factor, as if the patient had that arm. Arms that do equally well are preferred in their ratio.
    """
    ratio = np.array(coming.ratio, dtype=np.int64)
    cells = _cells(came, coming)
    given = np.zeros((len(cells), int(cells.max(initial=0)) + 1, len(ratio)), dtype=np.int64)
    after = coin_after(coin, ratio)
    likely = np.empty((*came.site.shape, len(ratio)))
    arms = np.empty_like(came.site)
    trial = np.arange(len(cells))
    for patient in range(arms.shape[1]):
        own = given[trial[:, None], cells[:, patient]]
        likely[:, patient] = _preference(own, ratio) @ after
        arms[:, patient] = _pick(likely[:, patient], chance)
        given[trial[:, None], cells[:, patient], arms[:, patient, None]] += 1
    return _assigned(arms, likely)


def simple(came: Arrivals, ratio: Ints, chance: np.random.Generator) -> Assigned:
    """Each patient gets an arm by the ratio alone, whatever came before."""
    likely = np.broadcast_to(ratio / ratio.sum(), (*came.site.shape, len(ratio)))
    return _assigned(_pick(likely, chance), likely)


def _cells(came: Arrivals, coming: Coming) -> Ints:
    """Trials × patients × (site, levels): which counts a patient belongs to, numbered through."""
    many = np.array([len(coming.sites), *(len(shares) for shares in coming.factors)])
    levels = coming.levels[came.stratum]
    cells: Ints = np.concatenate([came.site[..., None], levels], axis=2) + (np.cumsum(many) - many)
    return cells


def _preference(own: Ints, ratio: Ints) -> Floats:
    """Trials × arms: how likely each arm is the preferred one, from the counts of trials × cells × arms."""
    # whole numbers, so that equal sums are equal: counts are divided by the ratio times their common multiple
    scale = np.lcm.reduce(ratio) // ratio
    sums = np.stack(
        [np.ptp((own + (np.arange(len(ratio)) == arm)) * scale, axis=2).sum(axis=1) for arm in range(len(ratio))],
        axis=1,
    )
    worth = np.where(sums == sums.min(axis=1, keepdims=True), ratio, 0)
    preferred: Floats = worth / worth.sum(axis=1, keepdims=True)
    return preferred


def _pick(likely: Floats, chance: np.random.Generator) -> Ints:
    """One arm each, by its chance along the last axis."""
    bounds = likely.cumsum(axis=-1)[..., :-1]
    arms: Ints = (chance.random(likely.shape[:-1])[..., None] >= bounds).sum(axis=-1)
    return arms


def _assigned(arms: Ints, likely: Floats) -> Assigned:
    flat, arm = likely.reshape(-1, likely.shape[-1]), arms.ravel()
    most = flat.max(axis=1, keepdims=True)
    return Assigned(arm, Guesses(hits(flat >= most - 1e-9, arm), most[:, 0] > 1 - 1e-9))
