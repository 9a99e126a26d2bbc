"""How far the arms are apart: in the trial, and where it is worst."""

from __future__ import annotations

import numpy as np

from trialdesk.designs.plan import Floats, Ints


def difference(counts: Ints, ratio: Ints) -> Floats:
    """How many patients the arms differ by: the range of the counts, each divided by its ratio.

    Ratios are taken as multiples of their mean, so with equal arms it is the largest count less the smallest.
    """
    apart: Floats = np.ptp(counts / (ratio / ratio.mean()), axis=-1)
    return apart


def worst(group: Ints, arms: Ints, ratio: Ints) -> Floats:
    """The largest difference in any group of patients, in each trial.

    Args:
        group: Trials × patients: the site, the stratum, or the same for all.
        arms: The arm of every patient of all trials; -1 where there is none.
        ratio: The ratio of each arm.
    """
    trials, groups = len(group), int(group.max(initial=0)) + 1
    cell = (np.arange(trials)[:, None] * groups + group).ravel() * len(ratio) + arms
    counts = np.bincount(cell[arms >= 0], minlength=trials * groups * len(ratio))
    most: Floats = difference(counts.reshape(trials, groups, len(ratio)), ratio).max(axis=1)
    return most
