"""What the configuration takes a field for: said by check before a night could go wrong."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from frozen import FROZEN
from trialdesk.config import load
from trialdesk.instruments.checks import check_projects
from trialdesk.instruments.fault import Fault

ROOT = Path(__file__).parents[2]
RANDOMISATION = "instruments/trial/12_randomisation.csv"


def faults(tmp_path: Path, old: str, new: str, file: str = "config.yaml") -> list[Fault]:
    """What check says of the trial with one text replaced in its configuration or in one of its files."""
    shutil.copytree(FROZEN / "instruments", tmp_path / "instruments")
    shutil.copy(FROZEN / "config.yaml", tmp_path / "config.yaml")
    path = tmp_path / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    config = load(tmp_path / "config.yaml")
    return [one for one in check_projects(config, ("trial",), tmp_path / "config.yaml") if one.severity == "error"]


def row_of(field: str) -> str:
    rows = (ROOT / RANDOMISATION).read_text(encoding="utf-8").splitlines()
    return next(row for row in rows if row.startswith(f"{field},"))


@pytest.mark.parametrize(
    ("old", "new", "setting", "said"),
    [
        ("[elig_date]\"\n", "[elig_yob]\"\n", "facts.screened_on", "has to be a text field validated as a date"),
        ("[rand_time]", "[rand_date]", "facts.opened_time", "validated as a time"),
        ("weekday: nc_pref_day", "weekday: nc_xo", "contact_forms.call.preferred_weekday", "1 Monday … 5 Friday"),
        ("time: nc_cb_time", "time: nc_cb_date", "contact_forms.call.callback_time", "as a time"),
        ("attempts: nc_tries", "attempts: nc_stat", "contact_forms.call.attempts", "a number or a calculation"),
        ("[rand_released_at]", "[rand_date]", "facts.released_at", "a date with a time"),
        ("form_dates: [an_date", "form_dates: [odi_1, an_date", "crosschecks.form_dates 1", "validated as a date"),
    ],
)  # fmt: skip
def test_a_field_of_another_kind_is_refused_with_its_setting(
    tmp_path: Path, old: str, new: str, setting: str, said: str
) -> None:
    """The line says what the field is and what it has to be."""
    found = [one for one in faults(tmp_path, old, new) if one.rule == "meaning" and one.column == setting]
    assert [said in one.what for one in found if "has to be" in one.what] == [True]


@pytest.mark.parametrize(
    ("old", "new", "setting", "said"),
    [
        ("outcomes: [odi_pct", "outcomes: [odi_percent", "outcomes 1", "there is no field odi_percent"),
        ("outcomes: [odi_pct", "outcomes: [rand_env", "outcomes 1", "rand_env holds no number"),
        ("outcomes: [", 'baseline: ["[screening_arm_1][elig_date]"]\noutcomes: [', "baseline 1", "has no answers"),
        ("outcomes: [", 'baseline: ["[screening_arm_1][elig_years]"]\noutcomes: [', "baseline 1", "elig_years"),
        ("outcomes: [", 'baseline: ["[screening_arm_1][con_phone]"]\noutcomes: [', "baseline 1", "always be blank"),
    ],
)
def test_what_the_closed_report_describes_can_be_counted_or_measured(
    tmp_path: Path, old: str, new: str, setting: str, said: str
) -> None:
    """It would say that nobody was measured, or show blanks."""
    found = [one for one in faults(tmp_path, old, new) if one.column == setting]
    assert any(said in one.what for one in found)


def test_numbers_and_choices_are_described(tmp_path: Path) -> None:
    """The near miss: neither is refused."""
    good = 'baseline: ["[screening_arm_1][elig_sex]", "[baseline_arm_1][odi_pct]"]\noutcomes: ['
    assert [one for one in faults(tmp_path, "outcomes: [", good) if one.column.startswith("baseline")] == []


def test_an_identifier_would_always_be_blank(tmp_path: Path) -> None:
    """Identifiers are never requested: "0 of 60 randomised" would be published night after night."""
    row, header = row_of("rand_date"), (ROOT / RANDOMISATION).read_text(encoding="utf-8").splitlines()[0]
    titles, cells = csv.reader([header, row])
    marked = ",".join(f'"{"y" if title == "Identifier?" else cell}"' for title, cell in zip(titles, cells, strict=True))
    found = [one for one in faults(tmp_path, row, marked, RANDOMISATION) if "it would always be blank" in one.what]
    assert [one.column for one in found] == ["facts.opened_on"]


def test_what_only_a_program_writes_is_read_only_for_people(tmp_path: Path) -> None:
    """A site that types into the released envelope would open the wrong one."""
    row = row_of("rand_env_released")
    found = faults(tmp_path, row, row.replace("@READONLY", ""), RANDOMISATION)
    assert [(one.column, one.way_out) for one in found if one.rule == "meaning"] == [
        ("facts.released_envelope", "give the field the action tag @READONLY")
    ]


@pytest.mark.parametrize(
    ("old", "new", "setting", "said"),
    [
        ("Fit for surgery, logic: \"[screening_arm_1][sa_fit]", "Fit, logic: \"[pvp_procedure_arm_1][pvp_done]",
         "funnel 4.logic", "pvp_procedure holds the date of the procedure"),
        ("completed: \"[logs_arm_1][eos_stat]", "completed: \"[surgeon_control_arm_1][sf_stat]",
         "states.completed", "surgeon_followup is the form of SC12, which counts from the procedure"),
        ("declined: \"[screening_arm_1][elig_outcome]", "declined: \"[randomisation_arm_1][rand_arm]",
         "states.declined", "it is the arm"),
        ("[eos_date]", "[xo_date]", "facts.left_on", "crossover holds the date of the change of arm"),
        ("Eligible, logic: \"[screening_arm_1][elig_ok]", "Eligible, logic: \"[surgeon_control_arm_1][odi_date]",
         "funnel 2.logic", "surgeon_control_arm_1 takes place only because of a treatment"),
    ],
)  # fmt: skip
def test_what_an_open_sheet_would_tell_of_the_arm_is_refused_with_the_reason(
    tmp_path: Path, old: str, new: str, setting: str, said: str
) -> None:
    """The static twin of the blinding proof; the trial as it is frozen passes it."""
    found = [one for one in faults(tmp_path, old, new) if one.rule == "blinding"]
    assert [one.column for one in found] == [setting]
    assert said in found[0].what
    assert found[0].row > 1


def test_a_calculation_tells_what_it_is_made_of(tmp_path: Path) -> None:
    """The chain is told: the field, what it depends on, and why that tells the arm."""
    new = 'Eligible, logic: "[randomisation_arm_1][rand_ref_date]'
    found = faults(tmp_path, 'Eligible, logic: "[screening_arm_1][elig_ok]', new)
    (one,) = [one for one in found if one.rule == "blinding"]
    assert one.what == "[rand_ref_date] tells the arm: it depends on rand_arm, and it is the arm"


@pytest.mark.parametrize(
    ("old", "new", "file", "said"),
    [
        ("logs_arm_1,call_log,[cl_date] [cl_contact]\n", "", "repeating.csv", "would write over the one before"),
        ("W02, Week 2 | ", "", "22_call_log.csv", "W02 can't be chosen"),
        (" | 9, Died", "", "22_call_log.csv", "9 can't be chosen"),
        ("9, Died", "9, Died | 10, Moved", "22_call_log.csv", "10 is not among the outcomes"),
    ],
)  # fmt: skip
def test_the_call_log_repeats_and_offers_what_the_configuration_knows(
    tmp_path: Path, old: str, new: str, file: str, said: str
) -> None:
    """An outcome without a meaning would be read by nobody."""
    assert any(said in one.what for one in faults(tmp_path, old, new, f"instruments/trial/{file}"))
