"""The command the nurse's desk runs: what it writes, says and returns."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

import call_schedule
from redcap_rules.dictionary import join, read_dictionary
from redcap_rules.record import Row
from trialdesk.redcap.snapshot import Snapshot

ROOT = Path(__file__).parents[2]
FORMS = sorted((ROOT / "instruments" / "trial").glob("[0-9]*.csv"))
EVENTS = ("screening_arm_1", "randomisation_arm_1", "pvp_procedure_arm_1", *(f"week_{n}_arm_1" for n in range(1, 13)))


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


def ran(monkeypatch: pytest.MonkeyPatch, pulled: Snapshot, *words: str) -> Result:
    monkeypatch.setattr("trialdesk.redcap.gateway.open_gateway", lambda *_: None)
    monkeypatch.setattr("trialdesk.redcap.snapshot.pull", lambda *_: pulled)
    given = ["--config", str(ROOT / "config.yaml"), "--today", "2026-02-23", *words]
    return CliRunner().invoke(call_schedule.app, given)


def test_the_schedule_is_written_and_summed_up_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both patients are due for week 3."""
    found = ran(monkeypatch, snapshot(), "--out", str(tmp_path / "new" / "calls.xlsx"))
    assert (found.exit_code, found.output.split(": ")[1]) == (0, "2 due, 0 overdue, 4 missed on 2026-02-23\n")
    page = load_workbook(tmp_path / "new" / "calls.xlsx")["Today"]
    assert [page.cell(row, 1).value for row in (5, 6)] == ["ODE-001", "RIG-001"]


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
