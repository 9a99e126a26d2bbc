"""The rehearsal played for real: plain PyCap, site users, a server over HTTP."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

import pytest
from redcap.project import Project

from frozen import FROZEN
from redcap_local.server import running
from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import evaluate, is_true
from redcap_rules.record import RecordView, Row
from rehearsal.cast import Reach
from rehearsal.play import play
from rehearsal.setting import setting_of
from rehearsal.stage import Stage, fresh_folder, set_stage, write_files
from rehearsal.story import Story, write_story
from trialdesk.allocation.numbering import envelope_id
from trialdesk.instruments.folder import read_design
from trialdesk.model import Pile
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.tokens import token

pytestmark = pytest.mark.requirement("INT-02", "SCR-01", "SCR-02", "QOL-01")

CONFIG = FROZEN / "config.yaml"
TODAY = date(2026, 11, 20)
PATIENTS = 30
PLACE = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")


@dataclass
class Played:
    """A story that was played, what REDCap holds of it, and what stood against each release."""

    story: Story
    stage: Stage
    dictionary: Dictionary
    coordinator: Project
    refusals: dict[str, list[str]] = field(default_factory=dict)
    numbers: Counter[Pile] = field(default_factory=Counter)

    def release(self, record: str, _now: datetime) -> str:
        """The next envelope of the pile; what config.yaml would refuse is noted."""
        view = self.records([record])[record]
        required = self.stage.config.release
        self.refusals[record] = [r.otherwise for r in required if not is_true(evaluate(r.require, view))]
        life = next(life for life in self.story.lives if life.record == record)
        self.numbers[life.pile] += 1
        return envelope_id(life.pile, self.numbers[life.pile])

    def records(self, names: list[str] | None = None) -> dict[str, RecordView]:
        rows: dict[str, list[Row]] = defaultdict(list)
        for raw in self.coordinator.export_records(records=names):
            event, instrument, instance = (str(raw.pop(name)) for name in PLACE)
            rows[raw["record_id"]].append(Row(raw["record_id"], event, instrument, int(instance or 0), raw))
        return {record: RecordView(found, self.dictionary) for record, found in rows.items()}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("rehearsal")
    with running(folder / "redcap.db") as server:
        files = write_files(CONFIG, fresh_folder(folder / "files"), server.url, TODAY)
        stage = set_stage(files, server, folder / "redcap.db", lambda plan: plan.digest)
        secret = token(stage.config, "trial", {})
        dictionary = Gateway(server.url, secret).dictionary()
        setting = setting_of(stage.config, read_design(stage.config, "trial"), stage.script)
        story = write_story(11, PATIENTS, TODAY, setting)
        performance = Played(story, stage, dictionary, Project(server.url, secret.get_secret_value()))
        play(story, stage.project_of, performance.release, lambda name: ("12"[len(name) % 2], "7K3M9QX2ABCD"), seen)
        yield performance


def seen(_done: int, _total: int) -> None:
    """Nobody watches."""


def test_every_patient_is_in_redcap_in_the_group_of_the_site(played: Played) -> None:
    """A record lands in the data access group of the user who imports it (reference/redcap-api.md 6.2)."""
    rows = played.coordinator.export_records(fields=["record_id"], export_data_access_groups=True)
    groups = {row["record_id"]: row["redcap_data_access_group"] for row in rows}
    assert groups == {life.record: life.site.lower() for life in played.story.lives}


def test_every_release_meets_what_the_configuration_requires(played: Played) -> None:
    """At the moment of asking the record, calculations included, meets each line of `release:`."""
    assert len(played.refusals) > 8
    assert {record: lines for record, lines in played.refusals.items() if lines} == {}


def test_the_opened_envelopes_stand_in_the_records(played: Played) -> None:
    """Every opened patient has day 0, arm and code; nobody else has."""
    views = played.records()
    opened = {life.record for life in played.story.lives if life.role.reach == Reach.OPENED}
    for column in ("rand_date", "rand_arm", "rand_code", "rand_env"):
        assert {r for r, view in views.items() if view.value(column, "randomisation_arm_1")} == opened


def test_a_site_sees_its_own_patients_only(played: Played) -> None:
    """The play works with limited tokens: what one site entered, no other site can read."""
    mine = {life.record for life in played.story.lives if life.site == "ODE"}
    rows = played.stage.project_of("ODE").export_records(fields=["record_id"])
    assert {row["record_id"] for row in rows} == mine
