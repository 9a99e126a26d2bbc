"""Where the envelopes of the first batches are before the first patient comes, as rows for the register."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby

from rehearsal.days import open_day
from rehearsal.story import Story
from trialdesk.allocation.numbering import parse_envelope_id
from trialdesk.model import Pile

_WORDS = {
    "lost": "Not in the parcel that reached the site.",
    "void": "Damaged when the parcel was opened; destroyed with a witness.",
    "returned": "Returned to the packer unopened.",
}
# The busiest pile is left empty, the second with one envelope: what the story does not use is gone.
_LEFT = (("lost", 0), ("returned", 1))
_STRAY = ("lost", "void", "returned")  # the last envelope of one unused pile each
_ON_THE_WAY = ("packed", "dispatched")  # one unused pile each has not reached its site


def logistics(story: Story, envelopes: Iterable[str]) -> list[dict[str, str]]:
    """The import rows of the register, one an envelope: packed, dispatched and received before the first patient.

    Nothing the story is going to use is missing, and the lowest number of every pile stays the next one.

    Args:
        story: The story to be played with these envelopes.
        envelopes: Every envelope number of the register.
    """
    piles = _by_pile(envelopes)
    use = story.use()
    status = dict.fromkeys((envelope for pile in piles.values() for envelope in pile), "received")
    busy = sorted(use, key=lambda pile: (-use[pile], pile))
    for pile, (gone, left) in zip(busy, _LEFT, strict=False):
        status.update(dict.fromkeys(piles.get(pile, [])[use[pile] + left :], gone))
    unused = [pile for pile in sorted(piles) if not use[pile]]
    for pile, gone in zip(unused, _STRAY, strict=False):
        status[piles[pile][-1]] = gone
    for pile, stage in zip(reversed(unused), _ON_THE_WAY, strict=False):
        status.update(dict.fromkeys(piles[pile], stage))
    return [_row(story, envelope, status[envelope]) for envelope in sorted(status)]


def _by_pile(envelopes: Iterable[str]) -> dict[Pile, list[str]]:
    """Pile to its envelope numbers in rising order."""
    placed = sorted((*parse_envelope_id(envelope), envelope) for envelope in envelopes)
    return {pile: [envelope for _, _, envelope in group] for pile, group in groupby(placed, key=lambda place: place[0])}


def _row(story: Story, envelope: str, status: str) -> dict[str, str]:
    days = {
        name: open_day(story.first_day - timedelta(days=before), -1).isoformat()
        for name, before in (("env_packed_on", 24), ("env_dispatched_on", 17), ("env_received_on", 13))
    }
    steps = 1 if status == "packed" else 2 if status in {"dispatched", "lost"} else 3
    return {
        "env_id": envelope,
        "env_status": status,
        **dict(list(days.items())[:steps]),
        "env_note": _WORDS.get(status, ""),
        "envelope_complete": "1",
    }
