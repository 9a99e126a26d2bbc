"""What the rules of reconciliation look at, and what one of them says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trialdesk.config import Config
from trialdesk.envelopes.openings import Opening
from trialdesk.envelopes.proofs import Proofs
from trialdesk.model import Envelope, Patient, Pile


class Hit(NamedTuple):
    """What a rule found: site code, record, text; the envelope it is about, and another record or envelope."""

    site: str
    record: str
    text: str
    envelope: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the rules look at."""

    config: Config
    patients: tuple[Patient, ...]
    envelopes: tuple[Envelope, ...]
    openings: tuple[Opening, ...]
    proofs: Proofs

    @property
    def known(self) -> Iterator[tuple[Opening, Envelope]]:
        """The openings of envelopes that are in the register."""
        return ((opening, opening.envelope) for opening in self.openings if opening.envelope is not None)

    @property
    def piles(self) -> Mapping[Pile, Sequence[tuple[Envelope, Opening | None]]]:
        """Every pile in running order, each envelope with its first opening."""
        first: dict[str, Opening] = {}
        for opening in self.openings:
            first.setdefault(opening.id, opening)
        piles: dict[Pile, list[tuple[Envelope, Opening | None]]] = defaultdict(list)
        for envelope in sorted(self.envelopes):
            piles[envelope.pile].append((envelope, first.get(envelope.id)))
        return piles
