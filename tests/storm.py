"""Many coordinators at once: so many calls for records of different piles, all begun at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from threading import Barrier, Thread
from typing import TYPE_CHECKING

from trialdesk.envelopes.release import take_back
from trialdesk.errors import ReleaseRefused
from trialdesk.model import Envelope

if TYPE_CHECKING:
    from contract.envelopes.conftest import World

STRATA = tuple(product("12", "12", "01"))
PILES = tuple((site, stratum) for site in ("ODE", "RIG", "HER") for stratum in STRATA)
"""Those of the third site are for worlds of three sites."""


@dataclass(frozen=True)
class Round:
    """Who got an envelope, after how many seconds each, and after how many everybody knew."""

    won: tuple[Envelope, ...]
    after: tuple[float, ...]
    seconds: float


def stormy(desk: World, callers: int, rounds: int, soon: float) -> None:
    """Round after round one of the callers, for records of different piles, has an envelope soon, and never two have.

    Nobody is in another's way but by the rule of one at a time; what stands open afterwards is the winner's alone.
    """
    records = [f"S{number:02}" for number in range(callers)]
    for record, (site, stratum) in zip(records, PILES, strict=False):
        desk.enter(record, site, stratum)
    for _ in range(rounds):
        ended = storm(desk.release, records)
        assert [envelope.record for envelope in ended.won] == [record for _, record in desk.open()]
        assert len(ended.won) == 1
        assert ended.seconds < soon
        take_back(desk.config, desk.trial(), desk.register(), ended.won[0].record)


def storm(call: Callable[[str], Envelope], records: Sequence[str]) -> Round:
    """Each record's call in a thread of its own; other errors than a refusal are raised."""
    together, won, after, wrong = Barrier(len(records)), [], [], []
    begun = time.monotonic()

    def one(record: str) -> None:
        together.wait(timeout=30)
        try:
            won.append(call(record))
            after.append(time.monotonic() - begun)
        except ReleaseRefused:
            return
        except BaseException as error:  # noqa: BLE001 - told in the thread that asked
            wrong.append(error)

    threads = [Thread(target=one, args=(record,)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return Round(tuple(won), tuple(after), time.monotonic() - begun)
