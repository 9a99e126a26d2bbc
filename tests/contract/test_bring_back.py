"""A sheet filled in and brought back, by the commands people run, with the caller's own token over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from redcap.project import Project
from typer.testing import CliRunner, Result

import call_schedule
from frozen import FROZEN
from redcap_local.server import running
from rehearsal.stage import Stage, fresh_folder, set_stage, write_files
from trialdesk.errors import NotAllowed
from trialdesk.redcap.gateway import open_gateway
from trialdesk.redcap.tokens import token

pytestmark = pytest.mark.requirement("CAL-08", "INS-04")

FIRST = {"redcap_repeat_instrument": "call_log", "redcap_repeat_instance": "1"}


def day_there() -> date:
    """Today where the trial is: for an hour or two before midnight UTC that is tomorrow."""
    return datetime.now(ZoneInfo("Europe/Copenhagen")).date()


@dataclass
class Clinic:
    """A stage with two patients in week 3, one of whom asked to be called today."""

    stage: Stage
    url: str
    folder: Path

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(call_schedule.app, [*words])

    def sheet(self) -> Path:
        path = self.folder / "calls.xlsx"
        made = self.run("--config", str(self.stage.config_file), "--out", str(path))
        assert made.exit_code in (0, 10), made.output
        return path

    def bring(self, path: Path, *words: str) -> Result:
        return self.run("import", str(path), "--config", str(self.stage.config_file), *words)

    def log(self) -> list[dict[str, Any]]:
        secret = token(self.stage.config, "trial", {}).get_secret_value()
        rows = Project(self.url, secret).export_records(forms=["call_log"])
        return [row for row in rows if row["redcap_repeat_instrument"] == "call_log"]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("calls")
    today = day_there()
    with running(folder / "redcap.db") as server:
        files = write_files(FROZEN / "config.yaml", fresh_folder(folder / "files"), server.url, today)
        stage = set_stage(files, server, folder / "redcap.db", lambda plan: plan.digest)
        site = stage.project_of("ODE")
        enrolled = {"rand_date": str(today - timedelta(21)), "rand_arm": "2"}
        asked = {"nc_stat": "2", "nc_date": str(today - timedelta(1)), "nc_pref_time": "1"}
        for name in ("ODE-001", "ODE-002"):
            site.import_records([{"record_id": name, "redcap_event_name": "screening_arm_1", "elig_site": "ODE"}])
            site.import_records([{"record_id": name, "redcap_event_name": "randomisation_arm_1", **enrolled}])
            site.import_records([{"record_id": name, "redcap_event_name": "week_3_arm_1", **asked}])
            again = {"cl_contact": "W03", "cl_date": str(today - timedelta(1)), "cl_time": "09:00", "cl_out": "1"}
            again |= {"cl_cb_date": str(today), **FIRST}
            site.import_records([{"record_id": name, "redcap_event_name": "logs_arm_1", **again}])
        yield Clinic(stage, server.url, folder)


def fill(path: Path, record: str, **cells: str) -> None:
    book = load_workbook(path)
    page = book["Today"]
    titles = {page.cell(4, n).value: n for n in range(1, page.max_column + 1)}
    row = next(row for row in range(5, page.max_row + 1) if page.cell(row, titles["Record"]).value == record)
    for title, value in cells.items():
        page.cell(row, titles[title.replace("_", " ")]).value = value
    book.save(path)


def test_a_try_is_shown_then_written_once_however_often_it_is_brought(clinic: Clinic) -> None:
    """Nothing is written without --apply; two blocks become two instances after the one that was there."""
    path = clinic.sheet()
    fill(path, "ODE-001", Outcome="No answer", Clock_time="0:01", Outcome_2="Voicemail", Clock_time_2="0:02")
    shown = clinic.bring(path)
    assert (shown.exit_code, "2 to write, 0 already there, 0 left" in shown.output) == (10, True)
    assert len(clinic.log()) == 2
    written = clinic.bring(path, "--apply")
    assert (written.exit_code, "2 written, 0 already there, 0 left" in written.output) == (0, True)
    own = [row for row in clinic.log() if row["record_id"] == "ODE-001"]
    assert [(row["redcap_repeat_instance"], row["cl_time"], row["cl_out"]) for row in own] == [
        (1, "09:00", "1"), (2, "00:01", "2"), (3, "00:02", "3")
    ]  # fmt: skip
    again = clinic.bring(path, "--apply")
    assert (again.exit_code, "0 written, 2 already there, 0 left" in again.output) == (0, True)
    assert len(clinic.log()) == 4
    following = load_workbook(clinic.sheet())["Today"]
    assert any("00:02 W03 voicemail" in str(cell.value) for row in following.rows for cell in row)


def test_what_another_nurse_wrote_meanwhile_is_not_overtaken(clinic: Clinic) -> None:
    """The sheet was printed, then somebody typed a later try into REDCap."""
    path = clinic.sheet()
    fill(path, "ODE-002", Outcome="No answer", Clock_time="0:01")
    later = {"cl_contact": "W03", "cl_date": str(day_there()), "cl_time": "00:05", "cl_out": "2",
             "redcap_repeat_instrument": "call_log", "redcap_repeat_instance": "2"}  # fmt: skip
    clinic.stage.project_of("ODE").import_records(
        [{"record_id": "ODE-002", "redcap_event_name": "logs_arm_1", **later}]
    )
    before = clinic.log()
    left = clinic.bring(path, "--apply")
    assert (left.exit_code, "REDCap holds a try of then or later" in left.output) == (10, True)
    assert clinic.log() == before


def test_call_backs_of_the_forms_are_shown_then_copied_once(clinic: Clinic) -> None:
    """An older project's field, filled in by the site; the log then holds it with its source."""
    today = day_there()
    asked = {"nc_stat": "2", "nc_date": str(today - timedelta(1)), "nc_cb_date": str(today + timedelta(1))}
    where = {"record_id": "ODE-002", "redcap_event_name": "week_4_arm_1"}
    clinic.stage.project_of("ODE").import_records([{**where, **asked}])
    words = ("callbacks", "--config", str(clinic.stage.config_file))
    shown, before = clinic.run(*words), len(clinic.log())
    assert (shown.exit_code, "would write: ODE-002 W04" in shown.output) == (10, True)
    written, again = clinic.run(*words, "--apply"), clinic.run(*words, "--apply")
    assert (written.exit_code, "1 written, 0 already there" in written.output) == (0, True)
    assert (again.exit_code, "0 written, 1 already there" in again.output) == (0, True)
    rows = clinic.log()
    assert len(rows) == before + 1
    (copied,) = (row for row in rows if row["cl_note"])
    assert (copied["cl_note"], copied["cl_cb_date"]) == ("Copied from nc_cb_date in week_4_arm_1", asked["nc_cb_date"])
    assert (copied["cl_date"], copied["cl_time"], copied["cl_out"]) == (asked["nc_date"], "", "1")


def test_the_caller_s_token_writes_calls_and_nothing_else(clinic: Clinic) -> None:
    """The role of roles.csv: no other form can be read or written with it."""
    secret = token(clinic.stage.config, "caller", {}).get_secret_value()
    rows = Project(clinic.url, secret).export_records(fields=["elig_site", "rand_arm", "nc_stat", "cl_out"])
    assert {name for row in rows for name in row} & {"elig_site", "rand_arm"} == set()
    gateway = open_gateway(clinic.stage.config, "caller")
    with pytest.raises(NotAllowed):
        gateway.users()


def test_a_file_that_is_none_is_wrong_use(clinic: Clinic) -> None:
    """One line, exit code 2, and REDCap is not asked."""
    (clinic.folder / "none.xlsx").write_text("x", encoding="utf-8")
    found = clinic.bring(clinic.folder / "none.xlsx")
    assert (found.exit_code, "can't be read as a workbook" in " ".join(found.output.replace("│", "").split())) == (
        2,
        True,
    )
