"""redcaplite, another client, against the local server (it always asks for JSON errors and maps statuses)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

redcaplite = pytest.importorskip("redcaplite")

START = "start_arm_1"
LISTS = """
    get_arms get_dags get_events get_field_names get_form_event_mappings get_instruments get_logs get_metadata
    get_project get_repeating_forms_events get_user_dag_mappings get_user_role_mappings get_user_roles get_users
"""


@pytest.fixture
def client(clinic: Any) -> Any:
    """Redcaplite on a clinic with two records."""
    clinic.admin.put({"record_id": "1", "sex": "1"}, {"record_id": "2", "redcap_event_name": START})
    return redcaplite.RedcapClient(clinic.admin.url, clinic.admin.token)


@pytest.mark.parametrize("method", LISTS.split())
def test_every_list_comes_in_both_formats(client: Any, method: str) -> None:
    """JSON as lists, CSV as data frames."""
    client.import_dags([{"data_access_group_name": "North", "unique_group_name": ""}])
    client.import_user_roles([{"role_label": "Nurse"}])
    for form in ("json", "csv"):
        assert len(getattr(client, method)(format=form)) > 0


ROUND_TRIPS: dict[str, Callable[[Any], Any]] = {
    "records": lambda c: c.import_records([{"record_id": "3", "sex": "2"}], format="json", returnContent="count"),
    "delete": lambda c: c.delete_records(["2"]),
    "rename": lambda c: c.rename_record("1", "one"),
    "arms": lambda c: c.import_arms([{"arm_num": 2, "name": "Two"}]),
    "events": lambda c: c.import_events([{"event_name": "More", "arm_num": 1}]),
    "mappings": lambda c: c.import_form_event_mappings(c.get_form_event_mappings()),
    "repeats": lambda c: c.import_repeating_forms_events(c.get_repeating_forms_events()),
    "settings": lambda c: c.import_project_settings([{"project_title": "Other"}]),
    "users": lambda c: c.import_users([{"username": "ulla"}]),
    "metadata": lambda c: c.import_metadata(c.get_metadata(format="json"), format="json"),
}


@pytest.mark.parametrize("what", ROUND_TRIPS)
def test_changes_are_confirmed(client: Any, what: str) -> None:
    """Each import, delete and rename answers what redcaplite can read."""
    assert ROUND_TRIPS[what](client)


def test_files_go_in_and_out(client: Any, tmp_path: Path) -> None:
    """Uploads are multipart, names come from the content type."""
    source = tmp_path / "note.txt"
    source.write_text("hello", encoding="utf-8")
    client.import_file(str(source), "1", "scan", event=START)
    (tmp_path / "in").mkdir()
    client.get_file("1", "scan", event=START, file_dictionary=str(tmp_path / "in"))
    assert (tmp_path / "in" / "note.txt").read_text(encoding="utf-8") == "hello"
    client.import_file_repository(str(source))
    assert [row["name"] for row in client.list_file_repository()] == ["note.txt"]


def test_refusals_become_its_errors(client: Any) -> None:
    """A 400 is an exception with REDCap's words."""
    with pytest.raises(Exception, match="not a valid category"):
        client.import_records([{"record_id": "1", "sex": "9"}], format="json")
