"""The command the nurse's desk runs: what it writes, says and returns."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

import call_schedule
from frozen import FROZEN
from redcap_rules.dictionary import join, read_dictionary
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.errors import OutputFailed
from trialdesk.facts.pulling import Pull
from trialdesk.followup.keys import Keys
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot

ROOT = Path(__file__).parents[2]
FORMS = sorted((FROZEN / "instruments" / "trial").glob("[0-9]*.csv"))
EVENTS = ("screening_arm_1", "randomisation_arm_1", "pvp_procedure_arm_1", *(f"week_{n}_arm_1" for n in range(1, 13)))

EVENT_IDS = [{"unique_event_name": name, "event_id": str(n)} for n, name in enumerate(EVENTS, 1)]


def snapshot(*, death: bool = False) -> Snapshot:
    """Two patients of two sites, enrolled on Mon 2 Feb 2026; the second may be dead."""
    rows: dict[str, tuple[Row, ...]] = {
        record: (
            Row(record, "screening_arm_1", "", 0, {"elig_site": record[:3]}),
            Row(record, "randomisation_arm_1", "", 0, {"rand_date": "2026-02-02", "rand_arm": "2"}),
        )
        for record in ("ODE-001", "RIG-001")
    }
    if death:
        rows["RIG-001"] += (Row("RIG-001", "logs_arm_1", "", 0, {"eos_dth_date": "2026-02-20"}),)
    dictionary = join(read_dictionary(path.read_text("utf-8"), path.name) for path in FORMS)
    events = (*EVENTS, "month_3_arm_1", "surgeon_control_arm_1", "month_12_arm_1", "logs_arm_1")
    return Snapshot("1", "trial", dictionary, events, rows, {})


def whole(pulled: Snapshot, config: Config) -> Pull:
    return Pull(pulled, patients(pulled, config), (), {"screening_arm_1": ("eligibility",)}, {"events": EVENT_IDS})


def ran(monkeypatch: pytest.MonkeyPatch, pulled: Snapshot, *words: str) -> Result:
    server = SimpleNamespace(version=lambda: "15.0.12")
    monkeypatch.setattr("trialdesk.redcap.gateway.open_gateway", lambda *_: server)
    monkeypatch.setattr("trialdesk.facts.pulling.pull_trial", lambda trial, *_, **__: whole(pulled, trial))
    monkeypatch.setattr("trialdesk.followup.keys.keys", lambda _: Keys(bytes(32)))
    given = ["--config", str(FROZEN / "config.yaml"), "--today", "2026-02-23", *words]
    return CliRunner().invoke(call_schedule.app, given)


def test_the_schedule_is_written_and_summed_up_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both patients are due for week 3."""
    found = ran(monkeypatch, snapshot(), "--out", str(tmp_path / "new" / "calls.xlsx"))
    assert (found.exit_code, found.output.split(": ")[1]) == (0, "2 due, 0 overdue, 4 missed on 2026-02-23\n")
    page = load_workbook(tmp_path / "new" / "calls.xlsx")["Today"]
    assert [page.cell(row, 2).value for row in (5, 6)] == ["ODE-001", "RIG-001"]
    assert page["A5"].hyperlink.target.endswith("DataEntry/index.php?pid=1&id=ODE-001&event_id=6&page=nurse_contact")


def test_a_site_s_file_holds_nothing_of_another_site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not a record number either."""
    found = ran(monkeypatch, snapshot(death=True), "--site", "ODE", "--out", str(tmp_path / "calls.xlsx"))
    assert found.exit_code == 0
    cells = [str(c.value) for page in load_workbook(tmp_path / "calls.xlsx") for row in page.rows for c in row]
    assert "ODE-001" in cells
    assert not any("RIG" in text for text in (*cells, found.output))


def test_someone_to_verify_gives_exit_code_10(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file is written; a scheduler still sees that a person has to look."""
    found = ran(monkeypatch, snapshot(death=True), "--out", str(tmp_path / "calls.xlsx"))
    assert (found.exit_code, "verify first, do not call: RIG-001" in found.output) == (10, True)
    assert (tmp_path / "calls.xlsx").exists()


def test_an_unknown_site_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the sites there are."""
    found = ran(monkeypatch, snapshot(), "--site", "XXX")
    assert (found.exit_code, "ODE, RIG, HER" in found.output) == (2, True)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--today", "2026-02-23"], "call_schedule.xlsx"),
        (["--today", "2026-02-20"], "call_schedule_2026-02-20.xlsx"),
        (["--site", "ODE"], "call_schedule_ODE.xlsx"),
        (["--site", "ODE", "--today", "2026-12-23"], "call_schedule_ODE_2026-12-23.xlsx"),
    ],
)
def test_another_day_or_site_never_replaces_today_s_list(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], name: str
) -> None:
    """The file that is named by default says what is different about it; it is Mon 23 Feb 2026."""
    settings = (FROZEN / "config.yaml").read_text("utf-8")
    (tmp_path / "config.yaml").write_text(settings, encoding="utf-8")
    with time_machine.travel(datetime(2026, 2, 23, 7, tzinfo=UTC), tick=False):
        found = ran(monkeypatch, snapshot(), "--config", str(tmp_path / "config.yaml"), *words)
    assert (found.exit_code, [path.name for path in (tmp_path / "reports").iterdir()]) == (0, [name])


@pytest.mark.parametrize("day", ["9999-12-31", "2039-01-06", "2025-01-04", "0001-01-01"])
def test_a_day_that_is_not_of_this_trial_is_wrong_usage_and_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, day: str
) -> None:
    """From a year before the trial starts to ten years after it ends; REDCap is not asked."""
    monkeypatch.setattr("trialdesk.redcap.gateway.open_gateway", lambda *_: pytest.fail("REDCap was asked"))
    given = ["--config", str(FROZEN / "config.yaml"), "--out", str(tmp_path / "calls.xlsx"), "--today", day]
    found = CliRunner().invoke(call_schedule.app, given)
    assert (found.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "2025-01-05 to 2039-01-05" in " ".join(found.output.replace("│", "").split())


@pytest.mark.parametrize(("day", "code"), [("2025-01-05", 10), ("2039-01-05", 0)])
def test_the_first_and_the_last_day_of_a_trial_are_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, day: str, code: int
) -> None:
    """Both ends are included; before the patient's opening its date has to be checked."""
    found = ran(monkeypatch, snapshot(), "--today", day, "--out", str(tmp_path / "calls.xlsx"))
    assert (found.exit_code, (tmp_path / "calls.xlsx").exists()) == (code, True)


def test_a_folder_that_can_t_be_made_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file stands where the folder should be: no traceback."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    found = ran(monkeypatch, snapshot(), "--out", str(tmp_path / "taken" / "calls.xlsx"))
    assert isinstance(found.exception, OutputFailed)
    assert "can't be written" in str(found.exception)


def test_a_patient_in_no_site_s_list_is_counted_and_gives_exit_code_10(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The record is in the list of all sites; the list of a site does not name it, nor does its output."""
    pulled = replace(snapshot(), groups={"ODE-001": "rig", "RIG-001": "rig"})
    for words, listed in (((), True), (("--site", "ODE"), False), (("--site", "RIG"), False)):
        found = ran(monkeypatch, pulled, *words, "--out", str(tmp_path / "calls.xlsx"))
        assert (found.exit_code, "named in Remark of the list of all sites: 1" in found.output) == (10, True)
        cells = [c.value for page in load_workbook(tmp_path / "calls.xlsx") for row in page.rows for c in row]
        assert ("ODE-001" in cells, "ODE-001" in found.output) == (listed, False)


def test_a_date_to_check_is_no_reason_not_to_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A procedure of 2006: the record is named, its calls go on."""
    pulled = snapshot()
    far = Row("ODE-001", "pvp_procedure_arm_1", "", 0, {"pvp_done": "1", "pvp_date": "2006-02-10"})
    pulled = replace(pulled, rows={**pulled.rows, "ODE-001": (*pulled.rows["ODE-001"], far)})
    found = ran(monkeypatch, pulled, "--out", str(tmp_path / "calls.xlsx"))
    assert (found.exit_code, found.output.split(": ", 1)[1].splitlines()) == (
        10,
        ["2 due, 0 overdue, 4 missed on 2026-02-23", "check a date in REDCap: ODE-001"],
    )


def test_without_a_token_one_line_says_what_to_do() -> None:
    """No traceback, exit code 20, and nothing heavy loaded for the help text."""
    script = str(ROOT / "scripts" / "call_schedule.py")
    refused = subprocess.run(
        [sys.executable, script], cwd=ROOT, env={"PYTHONPATH": "src"}, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, len(refused.stderr.splitlines())) == (20, 1)
    assert "TRIALDESK_TRIAL_TOKEN" in refused.stderr
    begun = time.perf_counter()
    subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, check=True)
    assert time.perf_counter() - begun < 2  # 0.12 s on an idle machine; pandas alone would take longer than this allows
