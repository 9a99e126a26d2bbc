"""Who comes, where and when: many trials at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialdesk.designs.plan import Coming, Floats, Ints


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Site, stratum and day of every patient, in the order in which they come; trials × patients."""

    site: Ints
    stratum: Ints
    day: Floats


def arrivals(coming: Coming, trials: int, chance: np.random.Generator) -> Arrivals:
    """The patients of so many trials.

    Site and stratum are independent of each other and of those before. The days are those of a Poisson process that
    brought just so many: independent and uniform over the recruitment, in order.
    """
    size = (trials, coming.patients)
    return Arrivals(
        chance.choice(len(coming.sites), size=size, p=coming.sites),
        chance.choice(len(coming.strata), size=size, p=coming.strata),
        np.sort(chance.uniform(0, coming.days, size=size), axis=1),
    )
