"""The shipped translations: complete, in the same codes and mark-up, as the paper says it, and taken by REDCap."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from frozen import trial_dictionary
from redcap_local.server import running
from trialdesk.allocation.codes import codes_of, misfits
from trialdesk.config import Config, load
from trialdesk.instruments.applying import push
from trialdesk.instruments.folder import folder_of, read_design
from trialdesk.instruments.plan import make_plan
from trialdesk.redcap.founding import create_project
from trialdesk.redcap.gateway import Gateway

pytestmark = pytest.mark.requirement("INS-01", "INS-03")

CONFIG = Path(os.environ.get("SHIPPED_TRIAL", Path(__file__).parents[2] / "config.yaml"))
Texts = Mapping[tuple[str, str, str], Mapping[str, str]]


@pytest.fixture(scope="module")
def shipped() -> Config:
    """config.yaml as it is shipped, or another trial's."""
    return load(CONFIG)


@pytest.fixture(scope="module")
def language(shipped: Config) -> str:
    """That of the trial's paper."""
    return shipped.trial.language


@pytest.fixture(scope="module")
def said(shipped: Config, language: str) -> Texts:
    """The rows of the trial's translation, read here once more."""
    path = folder_of(shipped, "trial") / f"{language}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["kind"], row["name"], row["part"]): row for row in csv.DictReader(file)}


def coded(cell: str) -> list[str]:
    return [part.partition(",")[0].strip() for part in cell.split("|")]


def test_everything_people_read_is_translated_and_nothing_that_is_licensed(shipped: Config, said: Texts) -> None:
    """Counted here from the files, without the code that checks them."""
    folder = folder_of(shipped, "trial")
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        wanted = {(row["kind"], row["name"], "label"): row["label"] for row in csv.DictReader(file)}
    for field in trial_dictionary(folder).fields:
        licensed = "LICENSED-TEXT" in field.annotation
        parts = {"section": field.section, "label": field.label, "note": field.note, "choices": field.choices}
        for part, text in parts.items():
            bare = re.sub(r"(^|\|)[^,|]*,", "|", text) if part == "choices" and field.options else text
            shown = part != "choices" or field.kind in ("radio", "dropdown", "checkbox", "slider")
            if shown and re.search(r"[^\W\d_]", bare) and not (licensed and part != "section"):
                wanted["field", field.name, part] = text
    assert {key: row["original"] for key, row in said.items()} == wanted


def test_codes_mark_up_and_piped_fields_are_those_of_the_original(said: Texts) -> None:
    """What a patient answered keeps its code, and what REDCap fills in its place."""
    assert all(row["translation"].strip() for row in said.values())
    for key, row in said.items():
        original, translation = row["original"], row["translation"]
        for marks in (r"<[^>]*>", r"\[[^\]]*\]"):
            assert sorted(re.findall(marks, original)) == sorted(re.findall(marks, translation)), key
        if key[2] == "choices" and "," in original:
            assert coded(original) == coded(translation), key


def test_every_row_says_whether_the_trial_team_approved_it(said: Texts) -> None:
    """Machines and programmers approve nothing."""
    assert {row["state"].split()[0] for row in said.values()} <= {"to", "approved"}
    assert all(row["state"] == "to be approved by the trial team" for row in said.values() if row["state"][:2] == "to")


def test_the_arms_are_called_as_on_the_cards(shipped: Config, language: str) -> None:
    """Who opens an envelope ticks the words on the card; a release finds every code of the tables as it was."""
    dictionary = read_design(shipped, "trial", language).dictionary
    assert misfits(codes_of(shipped), shipped, dictionary) == ()
    arms = dictionary.get(shipped.facts.arm.field)
    assert {one.code: one.label for one in arms.options} == {arm.code: arm.labels[language] for arm in shipped.arms}


def test_both_projects_are_pushed_in_the_language_and_then_there_is_nothing_to_plan(
    shipped: Config, language: str, tmp_path: Path
) -> None:
    """Accepted by a server, read back, and another plan only for who asks for the other language."""
    with running(tmp_path / "redcap.sqlite") as server:
        for name in ("trial", "register"):
            about = {"project_title": name, "purpose": "0"}
            gateway = Gateway(server.url, create_project(server.url, SecretStr(server.super_token), about))
            done = push(shipped, name, gateway, language=language)
            assert done.changes and {change.risk for change in done.changes} == {"safe"}
            assert make_plan(name, read_design(shipped, name, language), gateway).empty
            other = make_plan(name, read_design(shipped, name), gateway)
            assert {(one.part, one.kind) for one in other.changes} == {("metadata", "update")}
            assert {one.attribute for one in other.changes} <= {"section", "label", "choices", "note"}
