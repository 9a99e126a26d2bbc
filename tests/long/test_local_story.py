"""The story of the trial, played at the pages of the local REDCap in a browser and with the desk's own scripts.

A site user screens a patient, takes the consent and fills in baseline; the coordinator releases; the site types arm and
card code; the night runs; the call is tried, logged, and made.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
import typer
from typer.testing import CliRunner

import nightly_sync
import release_envelope
from browser import page_of
from frozen import FROZEN
from redcap_local.server import running
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.formulas import is_computed
from redcap_rules.names import status_field
from rehearsal.admission import admission, before_opening, opening
from rehearsal.cast import ORDINARY
from rehearsal.day import Cards, make_envelopes, send_envelopes, tell_story
from rehearsal.patient import Patient, enter
from rehearsal.people import site_user
from rehearsal.sheets import Sheet
from rehearsal.stage import Stage, fresh_folder, set_stage, write_files
from trialdesk.redcap.gateway import open_gateway

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.requirement("RCP-02")

TODAY = date(2026, 11, 23)


@dataclass
class Site:
    """A clinician at the pages, who has chosen to be that user and opened the trial's project."""

    page: Page
    dictionary: Dictionary

    def enter(self, start: str, user: str) -> None:
        self.page.goto(start)
        self.page.locator(f'button[value="{user}"]').click()
        self.page.get_by_role("link").filter(has_text="rehearsal").first.click()

    def new_record(self) -> str:
        """The record that is added under the next number; it is there once its first form is saved."""
        self.page.get_by_role("link", name="Add new record").click()
        self.page.wait_for_url("**/record_home.php*")
        return self.page.locator("h1").inner_text().removeprefix("Adding new Record ID ")

    def open(self, sheet: Sheet, label: str) -> None:
        """The form of a sheet, by its label in its event, from the record's own page."""
        event = self.page.locator("section.event").filter(has=self.page.get_by_role("heading", name=label, exact=True))
        event.locator(f'li[id^="{sheet.form}-"] a').first.click()

    def type(self, sheet: Sheet) -> None:
        """Everything of the sheet that the form shows is typed, in the form's order, and the form is saved."""
        status = self.page.locator(f'[name="{status_field(sheet.form)}"]')
        status.wait_for()
        for field in self.dictionary.form(sheet.form):
            self._fill(field, sheet)
        status.select_option(sheet.status)
        self.page.get_by_role("button", name="Save & Exit Form").click()
        self.page.wait_for_url(re.compile(r"/record_home\.php|msg=look"))
        if "msg=look" in self.page.url:
            self.page.locator("dialog[open]").get_by_role("button", name="Ignore and go on").click()
        self.page.wait_for_url("**/record_home.php*")

    def _fill(self, field: Field, sheet: Sheet) -> None:
        row = self.page.locator(f'[data-name="{field.name}"]')
        given = {column: sheet.values.get(column, "") for column in field.columns}
        filled = "@TODAY" in field.annotation  # by the page; it is taken out where nothing has happened yet
        if field.kind == "calc" or "@READONLY" in field.annotation or not (filled or any(given.values())):
            return
        if not row.is_visible():
            return
        if field.kind == "checkbox":
            for option, column in zip(field.options, field.columns, strict=True):
                if given[column] == "1":
                    row.locator(f'input[value="{option.code}"]').check()
        elif field.options and field.kind != "dropdown":
            row.locator(f'input[value="{given[field.name]}"]').check()
        elif field.kind == "dropdown":
            row.locator("select").select_option(given[field.name])
        else:
            box = row.locator("input, textarea").first
            box.fill(_shown(field, given[field.name]))
            box.blur()


def _shown(field: Field, value: str) -> str:
    """A stored date in the order in which the field is typed."""
    if not field.validation.endswith("_dmy"):
        return value
    day, _, time = value.partition(" ")
    return "-".join(reversed(day.split("-"))) + (f" {time}" if time else "")


@dataclass
class Story:
    """The patient, the people around it, and what is done with the desk's scripts."""

    patient: Patient
    stage: Stage
    cards: Cards
    site: Site
    record: str = ""

    def rows(self) -> dict[str, dict[str, str]]:
        """The record as the site reads it through the API, by event."""
        found = self.stage.project_of(self.patient.life.site).export_records(records=[self.record])
        return {row["redcap_event_name"]: row for row in found if not row.get("redcap_repeat_instrument")}

    def enter(self, *sheets: Sheet) -> None:
        """The site has typed the sheets."""
        events = open_gateway(self.stage.config, "trial").events()
        labels = {row["unique_event_name"]: row["event_name"] for row in events}
        for sheet in sheets:
            self.site.open(sheet, labels[sheet.event])
            self.site.type(sheet)

    def types(self, app: typer.Typer, at: datetime, *words: str) -> str:
        """What a script of the desk prints at that time."""
        with time_machine.travel(at.replace(tzinfo=self.stage.config.trial.zone)):
            done = CliRunner().invoke(app, [*words, "--config", str(self.stage.config_file)])
        assert done.exit_code in {0, 10}, done.output
        return str(done.output)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = tmp_path_factory.mktemp("story")
    shutil.copytree(FROZEN, home, dirs_exist_ok=True)
    folder = fresh_folder(home / "demo")
    with running(folder / "redcap.sqlite") as server, page_of() as page:
        files = write_files(home / "config.yaml", folder, server.url, TODAY)
        stage = set_stage(files, server, folder / "redcap.sqlite", lambda plan: plan.digest)
        told = tell_story(stage, 1, 12, TODAY)
        cards, _ = make_envelopes(stage, told, TODAY)
        send_envelopes(stage, told)
        life = max((life for life in told.lives if life.role.name == ORDINARY), key=lambda life: life.opened)
        page.set_default_timeout(15_000)
        site = Site(page, told.setting.dictionary)
        site.enter(server.start(), site_user(life.site))
        yield Story(enter(told, life), stage, cards, site)


def test_the_trial_is_played_at_the_pages(story: Story) -> None:
    """From the screening to the first call, and every value stands as it was typed."""
    life = story.patient.life
    story.record = story.site.new_record()
    sheets = [*admission(story.patient), before_opening(story.patient)]
    story.enter(*sheets)
    _stands_as_typed(story, sheets)

    said = story.types(release_envelope.app, life.released, story.record)
    envelope = story.rows()["randomisation_arm_1"]["rand_env_released"]
    assert envelope in said
    opened = opening(story.patient, envelope, story.cards.open(envelope))
    story.enter(opened)
    _stands_as_typed(story, [opened])

    week = life.opened + timedelta(days=7)
    night = (week.replace(hour=5), "--once", "--today", f"{week:%Y-%m-%d}")
    story.types(nightly_sync.app, *night)
    assert story.rows()["randomisation_arm_1"]["cp_next"] == "W01"
    day, attempt = f"{week:%Y-%m-%d}", {"cl_contact": "W01", "cl_time": "09:30", "cl_out": "2"}
    story.enter(Sheet(week.date(), "logs_arm_1", "call_log", {**attempt, "cl_date": day}))
    asked = dict.fromkeys(("nc_ae", "nc_newpain", "nc_hosp", "nc_tx"), "0")
    call = {"nc_stat": "1", "nc_date": day, "nc_mode": "1", "nc_mob": "1", "nc_redflag___0": "1", **asked}
    story.enter(Sheet(week.date(), "week_1_arm_1", "nurse_contact", call))
    story.types(nightly_sync.app, night[0] + timedelta(days=1), *night[1:])
    assert story.rows()["week_1_arm_1"]["nc_user"] == site_user(life.site)
    assert story.rows()["week_1_arm_1"]["nc_day"] == "7"
    assert story.rows()["randomisation_arm_1"]["cp_next"] == "W02"


def _stands_as_typed(story: Story, sheets: Iterable[Sheet]) -> None:
    """Every value that the forms showed is stored as the same sheet sent through the API would be."""
    rows, dictionary = story.rows(), story.site.dictionary
    for sheet in sheets:
        stored = rows[sheet.event]
        shown = [field for field in dictionary.form(sheet.form) if not is_computed(field) and not field.identifier]
        typed = {column: sheet.values.get(column, "") for field in shown for column in field.columns}
        wrong = {name: (text, stored[name]) for name, text in typed.items() if text not in {"", stored[name]}}
        assert not wrong, sheet.form
        assert stored[status_field(sheet.form)] == sheet.status
