"""redcap-toolbox, seven command-line tools on PyCap and polars, against the local server."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from redcap_toolbox import update_redcap_diff

from redcap_local import administration

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"


@pytest.fixture
def filled(clinic: Any) -> Any:
    """Two patients, one with a repeating form."""
    clinic.admin.put(
        {"record_id": "1", "name": "Åse", "sex": "1"},
        {"record_id": "1", "redcap_event_name": START, "redcap_repeat_instrument": "medicine",
         "redcap_repeat_instance": 1, "drug": "A"},
        {"record_id": "2", "name": "Bo"},
    )  # fmt: skip
    return clinic


def tool(made: Any, name: str, *arguments: str | Path) -> None:
    """The tool has run on the project and is content with what it got."""
    environment = {**os.environ, "REDCAP_API_URL": made.admin.url, "REDCAP_API_TOKEN": made.admin.token}
    command = [sys.executable, "-m", f"redcap_toolbox.{name}", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_project_can_be_downloaded(filled: Any, tmp_path: Path) -> None:
    """download_redcap: its CSV holds what was imported; with --forms only those forms and the record id."""
    tool(filled, "download_redcap", tmp_path / "all.csv")
    assert [(row["record_id"], row["name"]) for row in rows(tmp_path / "all.csv")] == [
        ("1", "Åse"), ("1", ""), ("2", "Bo"),
    ]  # fmt: skip
    (tmp_path / "forms.txt").write_text("allocation\n", encoding="utf-8")
    tool(filled, "download_redcap", f"--forms={tmp_path / 'forms.txt'}", tmp_path / "some.csv")
    assert list(rows(tmp_path / "some.csv")[0])[-2:] == ["arm", "allocation_complete"]


def test_events_can_be_downloaded_and_data_split_by_them(filled: Any, tmp_path: Path) -> None:
    """download_redcap_events and split_redcap_data: one file per event and repeating form."""
    tool(filled, "download_redcap_events", tmp_path)
    assert rows(tmp_path / "redcap__event_map.csv")[0]["unique_event_name"] == START
    assert rows(tmp_path / "redcap__repeating_event_map.csv")[0]["form_name"] == "medicine"
    tool(filled, "download_redcap", tmp_path / "all.csv")
    (tmp_path / "out").mkdir()
    tool(filled, "split_redcap_data", f"--event-map={tmp_path / 'redcap__event_map.csv'}",
         tmp_path / "all.csv", tmp_path / "out")  # fmt: skip
    assert [row["drug"] for row in rows(tmp_path / "out" / "redcap__Start__medicine.csv")] == ["A"]
    assert [row["name"] for row in rows(tmp_path / "out" / "redcap__Start.csv")] == ["Åse", "Bo"]


def test_changes_are_fetched_alone(filled: Any, tmp_path: Path) -> None:
    """download_redcap_incremental: dateRangeBegin picks what changed, and nothing changed is an empty body."""
    target = tmp_path / "data.csv"
    tool(filled, "download_redcap_incremental", target)
    filled.admin.put({"record_id": "2", "name": "Carl"}, {"record_id": "3", "name": "Dora"})
    tool(filled, "download_redcap_incremental", target)
    assert [row["name"] for row in rows(target) if row["name"]] == ["Åse", "Carl", "Dora"]
    later = {"record_id": "1", "redcap_event_name": "week_1_arm_1", "weight": "70.0"}
    tool(filled, "download_redcap_incremental", "--overlap=0s", target)
    filled.admin.put(later)
    tool(filled, "download_redcap_incremental", target)
    assert [row["weight"] for row in rows(target) if row["weight"]] == ["70.0"]


def test_reports_can_be_downloaded(filled: Any, tmp_path: Path) -> None:
    """download_redcap_report: a file per report; one that is not there is passed over with a warning."""
    with administration.opened(filled.db) as connection:
        project = administration.loaded(connection, filled.project)
        report = administration.save_report(connection, project, "Names", ["record_id", "name"], "[name] = 'Bo'")
    tool(filled, "download_redcap_report", f"--id={report},{10**9}", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"redcap__report_{report}.csv"]
    assert [row["name"] for row in rows(tmp_path / f"redcap__report_{report}.csv")] == ["Bo"]


class NewerPyCap:
    """Sends what a PyCap with `background_process` sends: update_redcap_diff needs it, PyCap 2.7.0 has it not."""

    def __init__(self, made: Any) -> None:
        self._admin = made.admin

    def import_records(self, to_import: list[dict[str, Any]], background_process: bool | None = None) -> Any:
        more = {"backgroundProcess": 1} if background_process else {}
        return self._admin.ok(content="record", data=to_import, overwriteBehavior="normal", **more)


@pytest.mark.parametrize(("background", "batch"), [(False, None), (True, None), (False, 1)])
def test_a_patched_file_updates_what_differs(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, background: bool, batch: int | None
) -> None:
    """patch_redcap_csv and update_redcap_diff: a cell is set, a new row comes in, the rest stays."""
    base, patch, patched = (tmp_path / name for name in ("base.csv", "patch.csv", "patched.csv"))
    tool(filled, "download_redcap", base)
    keys = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance"
    patch.write_text(f"{keys},name\n1,{START},,,Ida\n9,{START},,,Nina\n", encoding="utf-8")
    tool(filled, "patch_redcap_csv", "--allow-new", "-o", patched, base, patch)
    monkeypatch.setattr(update_redcap_diff, "PROJ", NewerPyCap(filled))
    changed = update_redcap_diff.update_redcap_diff(
        str(base), str(patched), dry_run=False, allow_new=True, background_process=background, batch_size=batch
    )
    assert changed == 2
    names = {row["record_id"]: row["name"] for row in filled.admin.rows(events=[START]) if row["name"]}
    assert names == {"1": "Ida", "2": "Bo", "9": "Nina"}
    assert [row["drug"] for row in filled.admin.rows() if row["drug"]] == ["A"]
