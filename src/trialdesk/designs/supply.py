"""Envelopes on their way and in their piles at the sites, in many trials at once (reference/design.md 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialdesk.designs.arrivals import Arrivals
from trialdesk.designs.plan import Flags, Floats, Ints, Resupply


@dataclass(frozen=True, slots=True)
class Supplied:
    """What became of the patients and the envelopes.

    Attributes:
        taken: Trials × patients; whether an envelope lay in the patient's pile. Who finds none is not randomised.
        made: How many envelopes were made, in each trial.
        parcels: How many parcels were sent, the first to each site included.
    """

    taken: Flags
    made: Ints
    parcels: Ints


@dataclass(frozen=True, slots=True)
class Piles:
    """Trials × sites × piles: what lies there, what is on its way, and when it comes."""

    here: Ints
    coming: Ints
    due: Floats


def supply(
    came: Arrivals, pile: Ints, size: tuple[int, int], policy: Resupply, chance: np.random.Generator
) -> Supplied:
    """The trials, with a shipment of every pile at every site before the first patient.

    Args:
        came: Site and day of every patient.
        pile: Which pile of the site a patient's envelope comes from.
        size: The number of sites and of piles at each.
        policy: When and how much is sent.
        chance: The random numbers.
    """
    trials, patients = came.site.shape
    shape = (trials, *size)
    piles = Piles(_batches(policy, shape, chance), np.zeros(shape, dtype=np.int64), np.zeros(shape))
    made, parcels = piles.here.sum(axis=(1, 2)), np.full(trials, size[0], dtype=np.int64)
    taken = np.zeros((trials, patients), dtype=np.bool_)
    every = np.arange(trials)
    for patient in range(patients):
        site, day = came.site[:, patient], came.day[:, patient]
        _receive(piles, site, day)
        own = (every, site, pile[:, patient])
        taken[:, patient] = piles.here[own] > 0
        piles.here[own] -= taken[:, patient]
        order = np.flatnonzero(_low(piles, own, policy))
        made[order] += _send(piles, (order, site[order]), day[order] + policy.delivery_days, policy, chance)
        parcels[order] += 1
    return Supplied(taken, made, parcels)


def _batches(policy: Resupply, shape: tuple[int, ...], chance: np.random.Generator) -> Ints:
    return chance.integers(policy.batch - policy.vary, policy.batch + policy.vary, size=shape, endpoint=True)


def _receive(piles: Piles, site: Ints, day: Floats) -> None:
    """What is due at the site lies there."""
    at = (np.arange(len(site)), site)
    come = np.where(piles.due[at] <= day[:, None], piles.coming[at], 0)
    piles.here[at] += come
    piles.coming[at] -= come


def _low(piles: Piles, own: tuple[Ints, Ints, Ints], policy: Resupply) -> Flags:
    """Whether the pile, or the whole site, has come down to the level, and nothing is on its way."""
    one = policy.when == "pile"
    here = piles.here[own] if one else piles.here[own[:2]].sum(axis=1)
    coming = piles.coming[own] if one else piles.coming[own[:2]].sum(axis=1)
    low: Flags = (here <= policy.reorder_at) & (coming == 0)
    return low


def _send(piles: Piles, at: tuple[Ints, Ints], due: Floats, policy: Resupply, chance: np.random.Generator) -> Ints:
    """A parcel is on its way to each of these sites; how many envelopes are in it."""
    here, coming = piles.here[at], piles.coming[at]
    most = policy.piles if policy.when == "pile" else here.shape[1]
    # those with least first; what is on its way is not sent again
    rank = np.argsort(np.argsort(np.where(coming > 0, np.iinfo(np.int64).max, here), axis=1, kind="stable"), axis=1)
    sent = np.where((rank < most) & (coming == 0), _batches(policy, here.shape, chance), 0)
    piles.coming[at] += sent
    piles.due[at] = np.where(sent > 0, due[:, None], piles.due[at])
    many: Ints = sent.sum(axis=1)
    return many
