"""Every public method of redcaplite, which always asks for JSON errors, against the local server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redcaplite

from redcap_local import administration

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"
SURVEY = {"record": "1", "instrument": "intake", "event": START}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where downloads go; holds a file to send."""
    folder = tmp_path_factory.mktemp("lite")
    (folder / "note.txt").write_text("hello", encoding="utf-8")
    (folder / "in").mkdir()
    return folder


@pytest.fixture(scope="module")
def client(new_clinic: Any, place: Path) -> Any:
    """Redcaplite on a clinic with two records, a survey and a report."""
    made = new_clinic()
    made.admin.put({"record_id": "1", "sex": "1"}, {"record_id": "2", "redcap_event_name": START})
    with administration.opened(made.db) as connection:
        project = administration.loaded(connection, made.project)
        administration.enable_survey(connection, project, "intake")
        report = administration.save_report(connection, project, "All", ["record_id", "sex"], "")
        administration.allow_groups(connection, project, "site_admin", ["none"])
    found: Any = redcaplite.RedcapClient(made.admin.url, made.admin.token)
    found.saved_report, found.place = report, place
    return found


def both(client: Any, method: str, count: int, **parameters: Any) -> bool:
    """True when the list has so many rows, as JSON and as a data frame."""
    return [len(getattr(client, method)(format=form, **parameters)) for form in ("json", "csv")] == [count, count]


def received(client: Any, method: str, *arguments: Any) -> str:
    """The text of the file a download has left; the file is gone again."""
    folder: Path = client.place / "in"
    getattr(client, method)(*arguments, file_dictionary=str(folder))
    found = next(folder.iterdir())
    text = found.read_bytes().decode("latin-1")
    found.unlink()
    return text


def answered_with_nothing(call: Callable[[], Any]) -> bool:
    """True when the body was empty, as REDCap's is (12 [V]): redcaplite reads it as JSON and stumbles."""
    with pytest.raises(ValueError, match="line 1 column 1"):
        call()
    return True


def documents(client: Any) -> list[Any]:
    return [row["doc_id"] for row in client.list_file_repository() if "doc_id" in row]


# Method -> what is called and what must be true of the answer. Order matters: what is deleted was made before.
CALLS: dict[str, Callable[[Any], bool]] = {
    "get_version": lambda c: str(c.get_version()) == "15.0.12",
    "get_project": lambda c: c.get_project()["is_longitudinal"] == 1,
    "get_metadata": lambda c: both(c, "get_metadata", 15) and both(c, "get_metadata", 1, fields=["sex"]),
    "import_metadata": lambda c: [int(c.import_metadata(c.get_metadata(format=f), format=f)) for f in ("json", "csv")]
    == [15, 15],
    "get_field_names": lambda c: both(c, "get_field_names", 20) and both(c, "get_field_names", 3, field="fears"),
    "get_instruments": lambda c: both(c, "get_instruments", 4),
    "export_pdf": lambda c: received(c, "export_pdf").startswith("%PDF"),
    "get_project_xml": lambda c: "ODM" in str(c.get_project_xml(returnMetadataOnly=True)),
    "get_form_event_mappings": lambda c: both(c, "get_form_event_mappings", 6),
    "import_form_event_mappings": lambda c: c.import_form_event_mappings(c.get_form_event_mappings()) == 6,
    "import_arms": lambda c: c.import_arms([{"arm_num": 2, "name": "Two"}]) == 1,
    "import_events": lambda c: c.import_events([{"event_name": "More", "arm_num": 2}]) == 1,
    "get_arms": lambda c: both(c, "get_arms", 2) and both(c, "get_arms", 1, arms=[2]),
    "get_events": lambda c: both(c, "get_events", 4) and both(c, "get_events", 1, arms=[2]),
    "delete_events": lambda c: c.delete_events(["more_arm_2"]) == 1,
    "delete_arms": lambda c: c.delete_arms([2]) == 1,
    "get_repeating_forms_events": lambda c: both(c, "get_repeating_forms_events", 2),
    "import_repeating_forms_events": lambda c: c.import_repeating_forms_events(c.get_repeating_forms_events()) == 2,
    "import_project_settings": lambda c: c.import_project_settings([{"project_title": "Other"}]) == 1,
    "import_records": lambda c: (
        c.import_records([{"record_id": "3", "sex": "2"}], format="json", returnContent="count") == {"count": 1}
        and len(c.import_records(c.export_records(fields=["record_id", "sex"], pd_read_csv_kwargs={"dtype": str}))) == 3
    ),
    "export_records": lambda c: both(c, "export_records", 3) and both(c, "export_records", 1, records=["3"]),
    "delete_records": lambda c: c.delete_records(["3"]) == 1,
    "rename_record": lambda c: c.rename_record("2", "4") == 1,
    "generate_next_record_name": lambda c: str(c.generate_next_record_name()) == "5",
    "import_file": lambda c: c.import_file(str(c.place / "note.txt"), "1", "scan", event=START) is not False,
    "get_file": lambda c: received(c, "get_file", "1", "scan", START) == "hello",
    "delete_file": lambda c: (
        answered_with_nothing(lambda: c.delete_file("1", "scan", event=START))
        and c.export_records(format="json", fields=["scan"], records=["1"])[0]["scan"] == ""
    ),
    "create_folder_file_repository": lambda c: c.create_folder_file_repository("F")[0]["folder_id"] > 0,
    "import_file_repository": lambda c: c.import_file_repository(str(c.place / "note.txt")) is not False,
    "list_file_repository": lambda c: [row["name"] for row in c.list_file_repository()] == ["F", "note.txt"],
    "export_file_repository": lambda c: received(c, "export_file_repository", documents(c)[0]) == "hello",
    "delete_file_repository": lambda c: (
        answered_with_nothing(lambda: c.delete_file_repository(documents(c)[0])) and documents(c) == []
    ),
    "get_report": lambda c: both(c, "get_report", 2, report_id=c.saved_report),
    "get_survey_link": lambda c: "/surveys/?s=" in c.get_survey_link(**SURVEY),
    "get_survey_queue_link": lambda c: "/surveys/?sq=" in c.get_survey_queue_link("1"),
    "get_survey_return_code": lambda c: len(str(c.get_survey_return_code(**SURVEY))) == 8,
    "get_participant_list": lambda c: both(c, "get_participant_list", 2, instrument="intake", event=START),
    "import_users": lambda c: c.import_users([{"username": "extra", "design": 1}]) == 1,
    "get_users": lambda c: both(c, "get_users", 2),
    "import_user_roles": lambda c: c.import_user_roles([{"role_label": "Nurse"}]) == 1,
    "get_user_roles": lambda c: both(c, "get_user_roles", 1),
    "import_user_role_mappings": lambda c: (
        c.import_user_role_mappings(
            [{"username": "extra", "unique_role_name": c.get_user_roles()[0]["unique_role_name"]}]
        ) == 1
    ),
    "get_user_role_mappings": lambda c: both(c, "get_user_role_mappings", 2),
    "delete_user_roles": lambda c: c.delete_user_roles([c.get_user_roles()[0]["unique_role_name"]]) == 1,
    "import_dags": lambda c: c.import_dags([{"data_access_group_name": "North", "unique_group_name": ""}]) == 1,
    "get_dags": lambda c: both(c, "get_dags", 1),
    "import_user_dag_mappings": lambda c: (
        c.import_user_dag_mappings([{"username": "extra", "redcap_data_access_group": "north"}]) == 1
    ),
    "get_user_dag_mappings": lambda c: both(c, "get_user_dag_mappings", 2),
    "delete_users": lambda c: c.delete_users(["extra"]) == 1,
    "switch_dag": lambda c: str(c.switch_dag("")) == "1",
    "delete_dags": lambda c: c.delete_dags(["north"]) == 1,
    "get_logs": lambda c: len(c.get_logs(format="json", logtype="record")) > 2 and len(c.get_logs(user="nobody")) == 0,
}  # fmt: skip
# How it sends; and creating a project, whose answer it reads as JSON, although REDCap's is plain text (13.3 [V]).
HELPERS = {"file_download_api", "file_upload_api", "post", "text_api", "create_project"}


def test_no_public_method_is_forgotten() -> None:
    """The table names every export, import, delete and other call redcaplite has."""
    public = {name for name in dir(redcaplite.RedcapClient) if not name.startswith("_")}
    assert public - HELPERS == set(CALLS)


def test_every_method_gets_what_it_expects_from_a_real_server(client: Any) -> None:
    """In the order of the table, since what is deleted was made before."""
    assert [method for method, works in CALLS.items() if not works(client)] == []


def test_refusals_become_its_errors(client: Any) -> None:
    """A 400 is an exception with REDCap's words."""
    with pytest.raises(Exception, match="not a valid category"):
        client.import_records([{"record_id": "1", "sex": "9"}], format="json")
