"""Many coordinators at once: so many calls for records of different piles, all begun at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Barrier, Thread

from trialdesk.errors import ReleaseRefused
from trialdesk.model import Envelope


@dataclass(frozen=True)
class Round:
    """Who got an envelope, and after how many seconds everybody knew."""

    won: tuple[Envelope, ...]
    seconds: float


def storm(call: Callable[[str], Envelope], records: Sequence[str]) -> Round:
    """Each record's call in a thread of its own; other errors than a refusal are raised."""
    together, won, wrong = Barrier(len(records)), [], []
    begun = time.monotonic()

    def one(record: str) -> None:
        together.wait(timeout=30)
        try:
            won.append(call(record))
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
    return Round(tuple(won), time.monotonic() - begun)
