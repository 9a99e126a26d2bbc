"""The log of the local REDCap (reference/redcap-validation-facts.md 7, reference/redcap-api.md 13.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from redcap_local.administration import lock_record, opened

pytestmark = pytest.mark.requirement("RCP-02")

START, WEEK, PHONE = "start_arm_1", "week_1_arm_1", "phone_arm_1"
MEDICINE = {"record_id": "1", "redcap_event_name": START, "redcap_repeat_instrument": "medicine"}


def lines(clinic: Any, **asked: Any) -> list[tuple[str, str]]:
    """Action and details, oldest first."""
    entries = clinic.admin.ok(content="log", **asked)
    return [(entry["action"], entry["details"]) for entry in reversed(entries)]


def test_an_import_has_a_line_for_each_event_and_instance(clinic: Any) -> None:
    """B.3.16.2000 [V]: never several events in one line; a repeating row begins with its instance."""
    clinic.admin.put(
        {"record_id": "1", "redcap_event_name": START, "sex": "1", "fears___1": "1"},
        {"record_id": "1", "redcap_event_name": WEEK, "height": "180"},
        {**MEDICINE, "redcap_repeat_instance": 3, "drug": "A"},
        {"record_id": "1", "redcap_event_name": PHONE, "redcap_repeat_instance": 2, "height": "181"},
    )
    found = lines(clinic, logtype="record")
    assert [action for action, _ in found] == ["Create record (API) 1", *["Update record (API) 1"] * 3]
    start, medicine, week, phone = (details for _, details in found)
    assert start.startswith("record_id = '1', ")
    assert "fears(1) = checked" in start
    assert not any(word in start for word in ("drug", "height"))
    assert medicine == "[instance = 3], drug = 'A', medicine_complete = '0'"
    assert "height = '180'" in week
    assert phone.startswith("[instance = 2], ")
    assert "height = '181'" in phone


def test_deleting_a_part_is_an_update_that_names_what_was_emptied(clinic: Any) -> None:
    """B.3.14.1000, B.3.32.0200 [V]: only the whole record is deleted."""
    clinic.admin.put(
        {"record_id": "1", "redcap_event_name": START, "sex": "1", "fears___2": "1", "weight": "70.0"},
        {**MEDICINE, "redcap_repeat_instance": 2, "drug": "B"},
    )
    delete = {"content": "record", "action": "delete", "records": ["1"]}
    clinic.admin.ok(**delete, instrument="medicine", event=START, repeat_instance=2)
    clinic.admin.ok(**delete, instrument="intake", event=START)
    assert lines(clinic, logtype="record_delete") == []
    instance, form = lines(clinic, logtype="record_edit")[-2:]
    assert instance == ("Update record (API) 1", "[instance = 2], drug = '', medicine_complete = ''")
    assert form[0] == "Update record (API) 1"
    assert set(form[1].split(", ")) == {"sex = ''", "fears(2) = unchecked", "intake_complete = ''"}
    clinic.admin.ok(**delete)
    assert lines(clinic, logtype="record_delete") == [("Delete record (API) 1", "record_id = '1'")]


def test_a_record_whose_last_part_is_deleted_is_gone_and_the_log_says_so(clinic: Any) -> None:
    """Nobody looks for it in vain."""
    clinic.admin.put({"record_id": "1", "sex": "1"})
    clinic.admin.ok(content="record", action="delete", records=["1"], arm=1)
    assert clinic.admin.rows() == []
    assert [action for action, _ in lines(clinic, logtype="record")][-2:] == [
        "Update record (API) 1", "Delete record (API) 1",
    ]  # fmt: skip


def test_every_type_holds_what_redcapapi_asserts_of_it(clinic: Any) -> None:
    """Every line of a type says so in its action; what is exported of the design belongs to `manage`."""
    clinic.admin.put({"record_id": "1", "sex": "1"})
    clinic.admin.put({"record_id": "1", "sex": "2"})
    clinic.admin.ok(content="metadata")
    clinic.admin.post(content="pdf")
    clinic.admin.post(content="file", action="import", record="1", field="scan", event=START, files={"file": b"x"})
    clinic.admin.post(content="file", action="export", record="1", field="scan", event=START)
    clinic.admin.post(content="file", action="delete", record="1", field="scan", event=START)
    clinic.user("nurse")
    clinic.admin.rows()
    clinic.admin.ok(content="record", action="delete", records=["1"])
    words = {
        "export": ["export"], "manage": ["Manage"], "user": ["user", "Manage"], "record": ["ecord", "Manage"],
        "record_add": ["Create record"], "record_edit": ["Update record"], "record_delete": ["Delete record"],
    }  # fmt: skip
    for kind, any_of in words.items():
        found = [action for action, _ in lines(clinic, logtype=kind)]
        assert found, kind
        assert all(any(word in action for word in any_of) for action in found), (kind, found)
    assert [action for action, _ in lines(clinic, logtype="export")] == ["Data export (API) "]
    assert ("Manage/Design ", "Export data dictionary (API)") in lines(clinic, logtype="manage")


def test_locking_is_logged(clinic: Any) -> None:
    """C.2.19.0400 [V]."""
    clinic.admin.put({"record_id": "1"})
    with opened(clinic.db) as connection:
        lock_record(connection, clinic.project, "1", datetime(2026, 1, 2, 3, 4), locked=True)
        lock_record(connection, clinic.project, "1", datetime(2026, 1, 2, 3, 5), locked=False)
    assert lines(clinic, logtype="lock_record") == [
        ("Lock/Unlock Record 1", "Action: Lock entire record"),
        ("Lock/Unlock Record 1", "Action: Unlock entire record"),
    ]


@pytest.fixture
def grouped(clinic: Any) -> Any:
    """Two groups, a record in each and one in none."""
    names = [{"data_access_group_name": name, "unique_group_name": ""} for name in ("DAG 1", "DAG 2")]
    clinic.admin.ok(content="dag", action="import", data=names)
    clinic.admin.put(
        {"record_id": "1", "redcap_data_access_group": "dag_1"},
        {"record_id": "2", "redcap_data_access_group": "dag_2"},
        {"record_id": "3"},
    )
    return clinic


def test_a_record_put_into_a_group_has_a_line_of_its_own(grouped: Any) -> None:
    """C.3.30.0600 [V]; none where the group stays."""
    grouped.admin.put({"record_id": "1", "redcap_data_access_group": "dag_1", "sex": "1"})
    grouped.admin.put({"record_id": "3", "redcap_data_access_group": "dag_2"})
    found = [details for _, details in lines(grouped, logtype="record") if "Assign" in details]
    told = "Assign record to Data Access Group (redcap_data_access_group = '{}')"
    assert found == [told.format(name) for name in ("dag_1", "dag_2", "dag_2")]


def test_the_log_of_a_group_is_asked_for_by_name_or_id(grouped: Any) -> None:
    """C.5.22.0100 [V]: what was done to its records, by whomever; an unknown group has no lines."""
    group = grouped.admin.ok(content="dag")[0]["data_access_group_id"]
    for asked in ("dag_1", group):
        entries = grouped.admin.ok(content="log", logtype="record", dag=asked)
        assert {entry["record"] for entry in entries} == {"1"}
    assert grouped.admin.ok(content="log", dag="GarfieldLikesLasagna") == []
    member = grouped.user("member", logging=1, data_access_group="dag_2")
    assert {entry["record"] for entry in member.ok(content="log", logtype="record", dag="dag_1")} == {"2"}


def test_roles_and_users_are_logged_by_label_and_name(clinic: Any) -> None:
    """B.2.6.0100, 0400 [V]."""
    clinic.admin.ok(content="userRole", data=[{"role_label": "Nurse"}])
    role = clinic.admin.ok(content="userRole")[0]["unique_role_name"]
    clinic.admin.ok(content="userRole", data=[{"unique_role_name": role, "role_label": "Nurse", "design": 1}])
    clinic.admin.ok(content="user", data=[{"username": "anne"}])
    clinic.admin.ok(content="user", data=[{"username": "anne", "design": 1}])
    clinic.admin.ok(content="userRole", action="delete", roles=[role])
    clinic.admin.ok(content="user", action="delete", users=["anne"])
    assert lines(clinic, logtype="user") == [
        ("Create user role", "role = 'Nurse'"),
        ("Edit user role", "role = 'Nurse'"),
        ("Add user anne", "user = 'anne'"),
        ("Update user anne", "user = 'anne'"),
        ("Delete user role", "role = 'Nurse'"),
        ("Delete user anne", "user = 'anne'"),
    ]
