"""Every public method of PyCap against the local server."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from redcap.project import Project

from redcap_local import administration

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"
ADMIN_RIGHTS = {"username": "extra", "design": 1}


@pytest.fixture(scope="module")
def pycap(new_clinic: Any) -> Any:
    """PyCap's project on a clinic with a survey, a report, a group, a role and a file."""
    made = new_clinic()
    made.admin.put({"record_id": "1", "sex": "1"}, {"record_id": "2"})
    with administration.opened(made.db) as connection:
        project = administration.loaded(connection, made.project)
        administration.enable_survey(connection, project, "intake")
        report = administration.save_report(connection, project, "All", ["record_id", "sex"], "")
        administration.allow_groups(connection, project, "site_admin", ["none"])
    made.admin.ok(content="dag", action="import", data=[{"data_access_group_name": "North", "unique_group_name": ""}])
    made.admin.ok(content="userRole", data=[{"role_label": "Nurse"}])
    client: Any = Project(made.admin.url, made.admin.token)
    client.saved_report = report
    return client


def file(text: bytes = b"x") -> io.BytesIO:
    return io.BytesIO(text)


# Method -> what is called and what must be true of the answer. Order matters: what is deleted was made before.
CALLS: dict[str, Callable[[Any], bool]] = {
    "export_version": lambda p: str(p.export_version()) == "15.0.12",
    "export_project_info": lambda p: p.export_project_info()["is_longitudinal"] == 1,
    "export_metadata": lambda p: len(p.export_metadata()) == 15,
    "import_metadata": lambda p: p.import_metadata(p.export_metadata("csv"), import_format="csv") == 15,
    "export_field_names": lambda p: len(p.export_field_names()) == 20,
    "export_instruments": lambda p: len(p.export_instruments()) == 4,
    "export_pdf": lambda p: p.export_pdf()[0].startswith(b"%PDF"),
    "export_instrument_event_mappings": lambda p: len(p.export_instrument_event_mappings()) == 6,
    "import_instrument_event_mappings": lambda p: (
        p.import_instrument_event_mappings(p.export_instrument_event_mappings()) == 6
    ),
    "export_arms": lambda p: p.export_arms() == [{"arm_num": 1, "name": "Arm 1"}],
    "import_arms": lambda p: p.import_arms([{"arm_num": 2, "name": "Two"}]) == 1,
    "import_events": lambda p: p.import_events([{"event_name": "Extra", "arm_num": 2}]) == 1,
    "export_events": lambda p: len(p.export_events()) == 4,
    "delete_events": lambda p: p.delete_events(["extra_arm_2"]) == 1,
    "delete_arms": lambda p: p.delete_arms(["2"]) == 1,
    "export_repeating_instruments_events": lambda p: len(p.export_repeating_instruments_events()) == 2,
    "import_repeating_instruments_events": lambda p: (
        p.import_repeating_instruments_events(p.export_repeating_instruments_events()) == 2
    ),
    "export_records": lambda p: len(p.export_records()) == 2 and len(p.export_records(format_type="df")) == 2,
    "import_records": lambda p: p.import_records([{"record_id": "3"}]) == {"count": 1},
    "delete_records": lambda p: p.delete_records(["3"]) == 1,
    "generate_next_record_name": lambda p: p.generate_next_record_name() == "3",
    "import_file": lambda p: p.import_file("1", "scan", "a.txt", file(), event=START) == [{}],
    "export_file": lambda p: p.export_file("1", "scan", event=START) == (b"x", {"name": "a.txt", "charset": "UTF-8"}),
    "delete_file": lambda p: p.delete_file("1", "scan", event=START) == [{}],
    "create_folder_in_repository": lambda p: p.create_folder_in_repository("F")[0]["folder_id"] > 0,
    "import_file_into_repository": lambda p: p.import_file_into_repository("b.txt", file(b"y")) == [{}],
    "export_file_repository": lambda p: [row["name"] for row in p.export_file_repository()] == ["F", "b.txt"],
    "export_file_from_repository": lambda p: (
        p.export_file_from_repository(p.export_file_repository()[1]["doc_id"])[0] == b"y"
    ),
    "delete_file_from_repository": lambda p: (
        p.delete_file_from_repository(p.export_file_repository()[1]["doc_id"]) == [{}]
    ),
    "export_report": lambda p: [row["sex"] for row in p.export_report(str(p.saved_report))] == ["1", ""],
    "export_survey_link": lambda p: "/surveys/?s=" in p.export_survey_link("1", "intake", event=START),
    "export_survey_queue_link": lambda p: "/surveys/?sq=" in p.export_survey_queue_link(record="1"),
    "export_survey_access_code": lambda p: len(p.export_survey_access_code("1", "intake", event=START)) == 9,
    "export_survey_return_code": lambda p: len(p.export_survey_return_code("1", "intake", event=START)) == 8,
    "export_survey_participant_list": lambda p: len(p.export_survey_participant_list("intake", event=START)) == 2,
    "export_logging": lambda p: len(p.export_logging(log_type="record")) > 2,
    "import_users": lambda p: p.import_users([ADMIN_RIGHTS]) == 1,
    "export_users": lambda p: [user["username"] for user in p.export_users()] == ["extra", "site_admin"],
    "import_user_roles": lambda p: p.import_user_roles([{"role_label": "Second"}]) == 1,
    "export_user_roles": lambda p: [role["role_label"] for role in p.export_user_roles()] == ["Nurse", "Second"],
    "import_user_role_assignment": lambda p: (
        p.import_user_role_assignment(
            [{"username": "extra", "unique_role_name": p.export_user_roles()[1]["unique_role_name"]}]
        ) == 1
    ),
    "export_user_role_assignment": lambda p: bool(p.export_user_role_assignment()[0]["unique_role_name"]),
    "delete_user_roles": lambda p: p.delete_user_roles([p.export_user_roles()[1]["unique_role_name"]]) == 1,
    "import_dags": lambda p: p.import_dags([{"data_access_group_name": "B", "unique_group_name": ""}]) == 1,
    "export_dags": lambda p: [dag["unique_group_name"] for dag in p.export_dags()] == ["b", "north"],
    "delete_dags": lambda p: p.delete_dags(["b"]) == 1,
    "import_user_dag_assignment": lambda p: (
        p.import_user_dag_assignment([{"username": "extra", "redcap_data_access_group": "north"}]) == 1
    ),
    "export_user_dag_assignment": lambda p: p.export_user_dag_assignment()[0]["redcap_data_access_group"] == "north",
    "switch_dag": lambda p: p.switch_dag("") == "1",
    "delete_users": lambda p: p.delete_users(["extra"]) == 1,
}  # fmt: skip
HELPERS = {"backfill_fields", "filter_metadata"}


def test_no_public_method_is_forgotten() -> None:
    """The table below names every export, import, delete and other call PyCap has."""
    public = {name for name in dir(Project) if not name.startswith("_") and callable(getattr(Project, name))}
    assert public - HELPERS == set(CALLS)


def test_every_method_gets_what_it_expects_from_a_real_server(pycap: Any) -> None:
    """In the order of the table, since what is deleted was made before."""
    assert [method for method, works in CALLS.items() if not works(pycap)] == []
