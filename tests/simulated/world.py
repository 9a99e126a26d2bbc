"""The trial that is simulated: two projects on a REDCap in this process, the people's ways to it, and what they did."""

from __future__ import annotations

import heapq
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial
from pathlib import Path
from random import Random
from typing import Literal

from pydantic import SecretStr
from redcap.project import Project
from requests import RequestException
from ruamel.yaml import YAML

from frozen import FROZEN
from inprocess import answering
from redcap_local.administration import give_token
from redcap_local.people import CREATOR
from rehearsal.cast import roles
from rehearsal.day import Cards, make_envelopes
from rehearsal.script import Script
from rehearsal.setting import Setting, setting_of
from rehearsal.sheets import Sheet, rows
from rehearsal.stage import BEFORE, Stage, fresh_folder, set_stage, write_files
from rehearsal.story import Story, write_story
from simulated.line import Line
from simulated.sparing import sparing
from trialdesk.config import load
from trialdesk.envelopes.register import RECORD_ID
from trialdesk.instruments.folder import read_design
from trialdesk.redcap.gateway import Gateway, open_gateway
from trialdesk.redcap.patience import Patience
from trialdesk.redcap.tokens import Role, token

STARTS = date(2027, 1, 4)
FIVE_YEARS = 5 * 365
_FOLLOWED = 400
"""Days before the end after which nobody is screened any more, or a third of a shorter trial."""
QUICK = Patience(attempts=2, first_wait=0.01, total=20)
_FRIDAY = 4
_OF_REGISTER: tuple[Role, ...] = ("register", "packer")
_LEFT_OUT = ("analgesia", "qlq_c30", "qlq_my20", "eq5d5l")
"""Forms that the contacts of a simulated trial go without: nothing of a trial's conduct rests on them."""
_NOT_PLAYED = frozenset({"released", "ready"})
"""Parts that leave a release open when the story ends."""
PLACE = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
Act = Callable[[], object]


@dataclass
class Ledger:
    """What people entered, kept beside REDCap: record to place to values. `gone` were deleted."""

    entered: dict[str, dict[tuple[str, str, str], dict[str, str]]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)

    def enter(self, sent: Iterable[Mapping[str, str]], record_id: str) -> None:
        """The rows were sent."""
        for row in sent:
            values = dict(row)
            record = values.pop(record_id)
            event, form, instance = (values.pop(name, "") for name in PLACE)
            place = event, form, instance
            self.entered.setdefault(record, {}).setdefault(place, {}).update(values)
            self.changed.add(record)

    def delete(self, record: str) -> None:
        """The record was deleted."""
        self.entered.pop(record)
        self.gone.add(record)

    def value(self, record: str, event: str, name: str) -> str:
        """What was entered last."""
        return self.entered.get(record, {}).get((event, "", ""), {}).get(name, "")


@dataclass
class World:
    """One simulated trial. `queue` holds what people will do, `line.now` the moment."""

    seed: int
    stage: Stage
    story: Story
    line: Line
    cards: Cards
    database: Path
    ledger: Ledger = field(default_factory=Ledger)
    queue: list[tuple[datetime, int, Act]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    _number: int = 0

    @property
    def setting(self) -> Setting:
        """The trial as the rehearsal knows it."""
        return self.story.setting

    @property
    def today(self) -> date:
        """The day in the trial."""
        return self.line.now.date()

    @cached_property
    def trial(self) -> Gateway:
        """The trial project with the coordinator's token."""
        return open_gateway(self.stage.config, "trial", QUICK)

    @cached_property
    def register(self) -> Gateway:
        """The register with the coordinator's token."""
        return open_gateway(self.stage.config, "register", QUICK)

    @cached_property
    def packer(self) -> Gateway:
        """The register with the packer's token."""
        return open_gateway(self.stage.config, "packer", QUICK)

    @cached_property
    def sites(self) -> Mapping[str, Project]:
        """The trial project as each site sees it."""
        return {site: self.stage.project_of(site) for site in self.setting.sites}

    @cached_property
    def administrator(self) -> Project:
        """The trial project with every right."""
        number = int(self.trial.project()["project_id"])
        secret = SecretStr(give_token(self.database, number, CREATOR))
        return Project(self.stage.config.redcap.url, secret.get_secret_value(), timeout=(10, 60))

    def chance(self, *key: object) -> Random:
        """Dice whose throws depend on the seed and this key alone."""
        return Random(":".join(map(str, (self.seed, *key))))

    def plan(self, when: datetime | date, act: Act) -> None:
        """Somebody does this then; on a day without a time at noon."""
        moment = when if isinstance(when, datetime) else datetime.combine(when, time(12))
        self._number += 1
        heapq.heappush(self.queue, (max(moment, self.line.now), self._number, act))

    def acts(self, until: datetime) -> Iterator[Act]:
        """What is done before a moment, in order; the clock stands where each is done."""
        while self.queue and self.queue[0][0] < until:
            self.line.now, _, act = heapq.heappop(self.queue)
            yield act
        self.line.now = until

    def enter(self, site: str, record: str, sheets: Iterable[Sheet]) -> None:
        """The site enters forms."""
        self.send(site, rows(record, sheets, self.setting.dictionary.record_id), "normal")

    def correct(self, site: str, record: str, event: str, values: Mapping[str, str]) -> None:
        """The site enters these values of an event and nothing else; a blank erases."""
        self.send(site, [{self.setting.dictionary.record_id: record, PLACE[0]: event, **values}], "overwrite")

    def send(self, site: str, sent: list[dict[str, str]], overwrite: Literal["normal", "overwrite"]) -> None:
        """The site's rows are entered; a week later where somebody has put the record into another group."""
        try:
            self.sites[site].import_records(sent, overwrite=overwrite)
        except RequestException as error:
            if "another data access group" not in str(error):
                raise
            self.plan(self.line.now + timedelta(days=7), partial(self.send, site, sent, overwrite))
        else:
            self.ledger.enter(sent, self.setting.dictionary.record_id)


def desk_day(day: date) -> date:
    """The Friday, not before that day, on which forms are entered, mistakes put right and parcels moved."""
    return day + timedelta(days=(_FRIDAY - day.weekday()) % 7)


def days_of(sheets: Iterable[Sheet]) -> Mapping[date, list[Sheet]]:
    """The sheets by their day."""
    found: dict[date, list[Sheet]] = defaultdict(list)
    for sheet in sheets:
        found[sheet.on].append(sheet)
    return found


@contextmanager
def world(home: Path, seed: int, patients: int, days: int = FIVE_YEARS) -> Iterator[World]:
    """The trial before its first day: projects, people and rights are there, the first tables pushed and filed."""
    shutil.copytree(FROZEN, home, dirs_exist_ok=True)
    _thin(home / "instruments" / "trial" / "mapping.csv")
    _batch(home / "config.yaml", Random(seed).choice((3, 4, 6)))
    folder, line = fresh_folder(home / "rehearsal"), Line(datetime.combine(STARTS - timedelta(days=40), time(8)))
    database = folder / "redcap.sqlite"
    with answering(database, clock=line.clock, through=line.through) as server:
        files = write_files(home / "config.yaml", folder, server.url, STARTS + BEFORE)
        stage = set_stage(files, server, database, lambda plan: plan.digest)
        story = _story(stage, seed, patients, days)
        # one version, as for a story without lives: more is made when piles run out
        cards, _ = make_envelopes(stage, replace(story, lives=()), line.now.date())
        line.settled, line.named_by = True, (RECORD_ID, story.setting.dictionary.record_id)
        line.register = frozenset(token(stage.config, role).get_secret_value() for role in _OF_REGISTER)
        with sparing(line):
            yield World(seed, stage, story, line, cards, database)


def _thin(mapping: Path) -> None:
    """The contacts have fewer forms."""
    lines = mapping.read_text(encoding="utf-8").splitlines(keepends=True)
    mapping.write_text("".join(line for line in lines if not _is_left_out(line)), encoding="utf-8")


def _is_left_out(line: str) -> bool:
    *_, event, form = line.strip().split(",")
    return event.startswith(("week", "month")) and form in _LEFT_OUT


def _batch(path: Path, size: int) -> None:
    """Parcels of another size, so that piles run out."""
    yaml = YAML()
    tree = yaml.load(path.read_text(encoding="utf-8"))
    tree["envelopes"]["batch"] = size
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(tree, stream)


def _story(stage: Stage, seed: int, patients: int, days: int) -> Story:
    """So many screened patients over the whole trial, in the parts of the rehearsal's script."""
    age, script = (days - 30, min(_FOLLOWED, days // 3)), stage.script
    known = roles(script, stage.config)
    parts = {name: role.part.model_copy(update={"age": age}) for name, role in known.items()}
    bill = tuple(name for name in script.bill or known if name not in _NOT_PLAYED)
    own: Script = script.model_copy(update={"parts": parts, "bill": bill})
    setting = setting_of(load(stage.config_file), read_design(stage.config, "trial"), own)
    return write_story(seed, patients, STARTS + timedelta(days=days), setting)
