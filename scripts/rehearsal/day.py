"""The rehearsal from tables to the last patient: packer, coordinator and sites at work on a stage that is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256

from rehearsal.logistics import logistics
from rehearsal.play import play
from rehearsal.setting import setting_of
from rehearsal.stage import Stage
from rehearsal.story import Deviation, Story, write_story
from trialdesk.allocation.making import PackerFiles, make_version, open_tables
from trialdesk.allocation.manifest import from_text
from trialdesk.allocation.tables import Table, by_pile
from trialdesk.config import Config
from trialdesk.envelopes.filing import FOLDER, file_manifest
from trialdesk.envelopes.push import plan_push, push
from trialdesk.envelopes.register import read_register
from trialdesk.envelopes.release import release
from trialdesk.instruments.folder import folder_of, read_design
from trialdesk.instruments.rules import read_rules
from trialdesk.redcap.gateway import open_gateway


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards in the packer's envelopes: what a site sees when it opens one."""

    tables: tuple[Table, ...]

    def open(self, envelope: str) -> tuple[str, str]:
        """Arm and card code in an envelope."""
        made = (allocation for table in self.tables for allocation in table.allocations)
        card = next(allocation.card for allocation in made if allocation.envelope.id == envelope)
        return card.arm, card.code


def make_envelopes(stage: Stage, story: Story, today: date) -> tuple[Cards, str]:
    """Enough tables for the story are sealed and in the register; returns the cards and a sentence of counts."""
    config, files = stage.config, PackerFiles(stage.identity)
    short: list[str] = []
    while True:
        make_version(config, files, short, lambda: _master(story.seed), today, freeze=True)
        tables = open_tables(config, stage.identity)
        piles = by_pile(tables)
        short = [str(pile) for pile, number in story.use().items() if len(piles[pile]) < number]
        if not short:
            break
    forget_filed(config)
    packer = open_gateway(config, "packer")
    push(plan_push(tables, packer), tables, packer)
    for made in sorted(config.path(config.folders.tables).glob("v*/manifest.json")):
        file_manifest(config, made, from_text(made.read_text(encoding="utf-8")).merkle_root)
    envelopes = sum(len(made) for made in piles.values())
    return Cards(tables), f"{envelopes} envelopes in {len(piles)} piles, sealed and in the register"


def forget_filed(config: Config) -> None:
    """What an earlier rehearsal filed is filed no more; a manifest of the trial itself stays, and ends this one."""
    for path in (config.state / FOLDER).glob("v*.json"):
        if from_text(path.read_text(encoding="utf-8")).domain == "dev":
            path.unlink()


def _master(seed: int) -> bytes:
    """A rehearsal repeats: its lists, of the domain `dev`, follow from the seed. Real ones are drawn from chance."""
    return sha256(f"rehearsal {seed}".encode()).digest()


def tell_story(stage: Stage, seed: int, patients: int, today: date) -> Story:
    """The story of the rehearsal, as configuration, instruments and script have it."""
    setting = setting_of(stage.config, read_design(stage.config, "trial"), stage.script)
    return write_story(seed, patients, today, setting)


def send_envelopes(stage: Stage, story: Story) -> None:
    """The first shipments are packed, sent and received before the first patient comes."""
    ids = [envelope.id for envelope in read_register(open_gateway(stage.config, "packer"))]
    stage.packer_project().import_records(logistics(story, ids))


def perform(stage: Stage, story: Story, cards: Cards, progress: Callable[[int, int], None]) -> tuple[Deviation, ...]:
    """Every patient of the story is in REDCap, entered by site users and released by the coordinator.

    Returns:
        The planted deviations by the rules the nightly run tells them by.
    """
    trial, register = open_gateway(stage.config, "trial"), open_gateway(stage.config, "register")

    def released(record: str, now: datetime) -> str:
        return release(stage.config, trial, register, record, now).id

    planted = play(story, stage.project_of, released, cards.open, progress)
    rules = read_rules(folder_of(stage.config, "trial"), story.setting.dictionary, stage.config)
    told = (replace(one, rule=rules.class_of(one.rule).same_as or one.rule) for one in planted)
    return tuple(dict.fromkeys(told))
