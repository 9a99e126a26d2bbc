"""Trials as the shipped policy supplies them, and at each opening what two insiders know: one of blocks, one of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, chain, islice
from typing import Literal, NamedTuple
from unittest import mock

import numpy as np

from insider.knowledge import Member, Parcels, next_arm
from insider.piles import Blocks, Window, alone, ways, whole
from trialdesk.allocation import parcels
from trialdesk.allocation.blocks import block_list
from trialdesk.allocation.parcels import DIVIDED, DRAWS, cut, imbalance
from trialdesk.allocation.scheme import Scheme
from trialdesk.envelopes.stock import FEWEST

BATCH, REORDER, LEAD_DAYS, TRIAL_DAYS = 6, 1, 7, 730
SITES, LONG = 9, 60
SHARES = tuple(
    population * levels * former for population in (0.4, 0.6) for levels in (0.45, 0.55) for former in (0.65, 0.35)
)
"""How likely each of the eight strata is: known .40, one level .45, former fractures .35, independent."""
Cut = Literal["parcel", "single", "blocks"]
SURE = 0.999


class Event(NamedTuple):
    """One opening: the arm, and the chance of arm 1 to who knows blocks alone, and to the insider (two halves)."""

    arm: int
    plain: float
    knowing: tuple[float, float]


@dataclass(frozen=True)
class Sent:
    """One parcel: when it arrives, pile to its part, and whether it is exactly divided."""

    due: float
    parts: dict[int, Window]
    divided: bool


@dataclass
class Clinic:
    """What lies at a clinic, what is on its way, and what was opened."""

    lists: list[bytes]
    ends: list[list[int]]
    opened: list[int] = field(default_factory=lambda: [0] * len(SHARES))
    made: list[int] = field(default_factory=lambda: [0] * len(SHARES))
    here: list[int] = field(default_factory=lambda: [0] * len(SHARES))
    coming: list[Sent] = field(default_factory=list)
    parcels: list[Sent] = field(default_factory=list)

    def known(self, pile: int) -> bytes:
        return self.lists[pile][: self.opened[pile]]

    def receive(self, day: float) -> None:
        """What is due is here."""
        for sent in [one for one in self.coming if one.due <= day]:
            self.coming.remove(sent)
            self.parcels.append(sent)
            for pile, part in sent.parts.items():
                self.here[pile] += BATCH + part.step

    def whole_blocks(self, pile: int) -> int:
        """How many numbers the next blocks have that reach a batch."""
        return next(end for end in self.ends[pile] if end >= self.made[pile] + BATCH) - self.made[pile]

    def wanted(self) -> list[int]:
        """The piles of the next parcel, as trialdesk.envelopes.stock proposes it; none where no pile is in need."""
        under_way = {pile for sent in self.coming for pile in sent.parts}
        own = [pile for pile in range(len(SHARES)) if pile not in under_way]
        needy = [pile for pile in own if self.here[pile] <= REORDER]
        own.sort(key=lambda pile: (pile not in needy, self.here[pile]))
        return own[: max(FEWEST, len(needy))] if needy else []


@dataclass(frozen=True)
class Game:
    """How it is played: the block set, how parcels are cut, how many ways are sampled, and the random numbers."""

    blocks: Blocks
    cutting: Cut
    samples: int
    chance: np.random.Generator

    @property
    def scheme(self) -> Scheme:
        return Scheme("INSIDER", "test", (("1", 1), ("2", 1)), tuple((size, 1) for size in self.blocks))

    def send(self, clinic: Clinic, piles: list[int], due: float) -> None:
        """The piles are on their way: in one parcel, or each in one of its own."""
        for some in [piles] if self.cutting == "parcel" else [[pile] for pile in piles]:
            ahead = {str(pile): _words(clinic.lists[pile][clinic.made[pile] :]) for pile in some}
            sizes = self._sizes(ahead, clinic, some)
            parts = {pile: Window(clinic.made[pile], sizes[pile] - BATCH) for pile in some}
            counts = [[ahead[str(pile)][: sizes[pile]].count(arm) for arm in "12"] for pile in some]
            clinic.coming.append(Sent(due, parts, imbalance(counts, self.scheme) == 0))
            for pile in some:
                clinic.made[pile] += sizes[pile]

    def _sizes(self, ahead: dict[str, str], clinic: Clinic, piles: list[int]) -> dict[int, int]:
        if self.cutting == "blocks":
            return {pile: clinic.whole_blocks(pile) for pile in piles}
        key = self.chance.bytes(32)
        with mock.patch.object(parcels, "DIVIDED", DIVIDED if self.cutting == "parcel" else 1):
            return {int(pile): number for pile, number in cut(key, self.scheme, BATCH, ahead).items()}

    def knows(self, clinic: Clinic, pile: int) -> tuple[float, float]:
        """The chance of arm 1 of a pile's next envelope to who sees all of the clinic."""
        plain = alone(self.blocks, clinic.known(pile))
        if plain in (0.0, 1.0):
            return plain, plain
        if self.cutting == "blocks":
            own = max(sent.parts[pile] for sent in clinic.parcels if pile in sent.parts and _begun(clinic, sent, pile))
            inside = clinic.lists[pile][own.start : clinic.opened[pile]]
            chance = whole(self.blocks, inside, BATCH + own.step, BATCH)
            return chance, chance
        alive = [sent for sent in clinic.parcels if _tells(clinic, sent)]
        if self.cutting == "single":
            alive = [sent for sent in alive if pile in sent.parts]
        members = {
            other: self._member(clinic, other, alive)
            for other in range(len(SHARES))
            if other == pile or any(other in sent.parts for sent in alive)
        }
        own_member = members.pop(pile)
        odd = tuple(sum(BATCH + part.step for part in sent.parts.values()) % 2 == 1 for sent in alive)
        return next_arm(list(members.values()), own_member, Parcels(odd, DRAWS), self.samples, self.chance)

    def _member(self, clinic: Clinic, pile: int, alive: list[Sent]) -> Member:
        inside = [(at, sent.parts[pile]) for at, sent in enumerate(alive) if pile in sent.parts]
        told = ways(self.blocks, clinic.known(pile), tuple(part for _, part in inside), BATCH)
        return Member(told, tuple(at for at, _ in inside))


def play(game: Game, patients: int) -> tuple[list[Event], list[bool], list[bool]]:
    """One trial: every opening, and whether each first and each later parcel was exactly divided."""
    sizes = 1 / np.arange(1, SITES + 1)
    site = game.chance.choice(SITES, patients, p=sizes / sizes.sum())
    stratum = game.chance.choice(len(SHARES), patients, p=SHARES)
    day = np.sort(game.chance.random(patients) * TRIAL_DAYS)
    clinics = [_clinic(game) for _ in range(SITES)]
    for clinic in clinics:
        game.send(clinic, list(range(len(SHARES))), 0.0)
    events: list[Event] = []
    for place, pile, when in zip(site, stratum, day, strict=True):
        events += _arrival(game, clinics[place], int(pile), float(when))
    every = [clinic.parcels + clinic.coming for clinic in clinics]
    return events, [own[0].divided for own in every], [one.divided for own in every for one in own[1:]]


def _arrival(game: Game, clinic: Clinic, pile: int, when: float) -> Iterator[Event]:
    clinic.receive(when)
    if not clinic.here[pile]:
        return
    arm = clinic.lists[pile][clinic.opened[pile]]
    yield Event(arm, alone(game.blocks, clinic.known(pile)), game.knows(clinic, pile))
    clinic.opened[pile] += 1
    clinic.here[pile] -= 1
    if piles := clinic.wanted():
        game.send(clinic, piles if game.cutting == "parcel" else [p for p in piles if clinic.here[p] <= REORDER],
                  when + LEAD_DAYS)  # fmt: skip


def _clinic(game: Game) -> Clinic:
    drawn = [list(islice(block_list(game.scheme, game.chance.bytes(32)), LONG)) for _ in SHARES]
    lists = [bytes(int(arm) for arm in chain.from_iterable(blocks)) for blocks in drawn]
    return Clinic(lists, [list(accumulate(map(len, blocks))) for blocks in drawn])


def _tells(clinic: Clinic, sent: Sent) -> bool:
    """Whether a number that entered the choice of its cut is not yet opened."""
    return any(clinic.opened[pile] < part.start + BATCH + 1 for pile, part in sent.parts.items())


def _begun(clinic: Clinic, sent: Sent, pile: int) -> bool:
    return sent.parts[pile].start <= clinic.opened[pile]


def _words(arms: bytes) -> str:
    return "".join(str(arm) for arm in arms)
