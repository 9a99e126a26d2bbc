"""Envelopes on their way: what coordinator and packer do after a night that asks for parcels, and what goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from rehearsal.day import Cards
from simulated.mistakes import Planted
from simulated.world import World, desk_day
from trialdesk.allocation.making import PackerFiles, make_version, open_tables
from trialdesk.allocation.manifest import from_text
from trialdesk.allocation.versions import MANIFEST, version_folders
from trialdesk.envelopes.filing import file_manifest, read_filed
from trialdesk.envelopes.moving import Said, carry_out, chosen, plan_move
from trialdesk.envelopes.push import plan_push, push
from trialdesk.envelopes.register import NOTE, RECORD_ID, STATUS, read_register
from trialdesk.envelopes.stock import Proposal
from trialdesk.facts.deriving import Facts

_LOST, _IN_PART, _LATE_PACKER, _FORGETS_FILING = 0.15, 0.15, 0.3, 0.2
_UNTOLD = 0.5
"""Of lost parcels: so many are marked in REDCap by hand, without a word about why."""


@dataclass
class Supplies:
    """What is in hand: parcels that were sent, and sites for which the packer was asked."""

    world: World
    planted: list[Planted]
    hand: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """The first parcels are at the sites."""
        world = self.world
        for kind, days in (("packed", 5), ("ship", 8), ("received", 15)):
            world.line.now += timedelta(days=days)
            self._move(kind, [envelope.id for envelope in read_register(world.packer)])

    def look(self, facts: Facts) -> None:
        """What the night asks for is done in the days that follow."""
        for pile in facts.cards.stock:
            if pile.action == "send" and pile.parcel and pile.parcel not in self.hand:
                self.hand.add(pile.parcel)
                self._plan(1, partial(self._ship, pile.parcel))
        for proposal in facts.cards.proposed:
            if proposal.site not in self.hand:
                self.hand.add(proposal.site)
                dice = self.world.chance("packer", proposal.site, self.world.today)
                late = dice.random() < _LATE_PACKER
                self._plan(dice.randint(15, 40) if late else dice.randint(1, 4), partial(self._make, proposal))

    def _plan(self, days: int, act: partial[None]) -> None:
        self.world.plan(desk_day(self.world.today + timedelta(days=days)), act)

    def _move(self, kind: str, names: Sequence[str], reason: str = "") -> None:
        register = self.world.register
        moved = plan_move(kind, names, read_register(register), Said("coordinator", self.world.today, reason))
        carry_out(moved, register)

    def _ship(self, parcel: str) -> None:
        config, today = self.world.stage.config, self.world.today
        names = chosen([parcel], read_filed(config), config.envelopes.domain)
        self._move("ship", names)
        dice = self.world.chance("parcel", parcel)
        fate = dice.random()
        if fate < _LOST:
            self._plan(20, partial(self._lose, parcel, names, told=dice.random() >= _UNTOLD))
        elif fate < _LOST + _IN_PART:
            self._plan(dice.randint(2, 5), partial(self._receive, parcel, names[1:]))
            self._plan(12, partial(self._receive, parcel, names[:1]))
            self.planted.append(
                Planted("a parcel arrived in part", "", ("R29",), today + timedelta(days=10), names[0],
                        desk_day(today + timedelta(days=12)))
            )  # fmt: skip
        else:
            self._plan(dice.randint(2, 5), partial(self._receive, parcel, names))

    def _receive(self, parcel: str, names: Sequence[str]) -> None:
        self._move("received", names)
        self.hand.discard(parcel)

    def _lose(self, parcel: str, names: Sequence[str], *, told: bool) -> None:
        world = self.world
        self.hand.discard(parcel)
        if told:
            self._move("lost", names, "never arrived")
            return
        world.stage.packer_project().import_records([{RECORD_ID: name, STATUS: "lost"} for name in names])
        mended = desk_day(world.today + timedelta(days=6))
        by = world.today + timedelta(days=3)
        self.planted.append(Planted("a parcel lost without a word", "", ("R61",), by, names[0], mended))
        world.plan(mended, partial(self._explain, names))

    def _explain(self, names: Sequence[str]) -> None:
        project = self.world.stage.packer_project()
        project.import_records([{RECORD_ID: name, NOTE: "The parcel never arrived."} for name in names])

    def _make(self, proposal: Proposal) -> None:
        world, config = self.world, self.world.stage.config
        files = PackerFiles(world.stage.identity)
        make_version(config, files, [str(pile) for pile in proposal.piles], bytes, world.today)
        tables = open_tables(config, world.stage.identity)
        push(plan_push(tables, world.packer), tables, world.packer)
        world.cards = Cards(tables)
        self.hand.discard(proposal.site)
        forgets = world.chance("filing", proposal.site, world.today).random() < _FORGETS_FILING
        self._plan(5 if forgets else 0, partial(self._file))

    def _file(self) -> None:
        """Every manifest that is not filed yet, in order."""
        config = self.world.stage.config
        filed = len(read_filed(config))
        for folder in version_folders(config.path(config.folders.tables))[filed:]:
            made = folder / MANIFEST
            file_manifest(config, made, from_text(made.read_text(encoding="utf-8")).merkle_root)
