"""What a user may see and do (reference/redcap-api.md 2.5, 11)."""

from __future__ import annotations

from typing import Any

import pytest

from redcap_local.server import running

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"


@pytest.mark.parametrize(
    ("missing", "request_", "message"),
    [
        ("api_import", {"content": "record", "data": [{}]}, "You do not have API Import/Update privileges"),
        ("api_import", {"content": "metadata", "data": [{}]}, "You do not have API Import/Update privileges"),
        ("record_delete", {"content": "record", "action": "delete", "records": ["1"]},
         "You do not have Delete Record privileges"),
        ("record_delete", {"content": "user", "action": "delete", "users": ["x"]},
         "You do not have Delete Record privileges"),
        ("data_access_groups", {"content": "dag"},
         "Insufficient user privileges: You must have 'API Export' privileges and 'Data Access Groups' privileges in "
         "the project."),
        ("api_export", {"content": "record"}, "[local] You do not have API Export privileges"),
        ("user_rights", {"content": "user"}, "[local] You do not have user_rights privileges"),
        ("logging", {"content": "log"}, "[local] You do not have logging privileges"),
        ("random_perform", {"content": "record", "action": "randomize", "record": "1", "randomization_id": 1},
         "[local] You do not have random_perform privileges"),
    ],
)  # fmt: skip
def test_a_missing_right_is_refused_with_403(clinic: Any, missing: str, request_: Any, message: str) -> None:
    """2.4 [V] for REDCap's own sentences."""
    everything = dict.fromkeys(("design", "record_delete", "data_access_groups", "user_rights", "logging"), 1)
    user = clinic.user("limited", **{**everything, missing: 0})
    response = user.post(**request_)
    assert (response.status_code, response.json()["error"]) == (403, message)


@pytest.mark.parametrize(
    ("right", "there", "missing"),
    [
        (1, {"name", "born", "sex", "fears___1", "remark", "intake_complete"}, set[str]()),
        (3, {"born", "sex", "fears___1", "remark", "intake_complete"}, {"name"}),
        (2, {"sex", "smoker", "fears___1", "intake_complete"}, {"name", "born", "remark"}),
        (0, {"weight", "visit_complete"}, {"name", "born", "sex", "fears___1", "remark", "intake_complete"}),
    ],
)
def test_export_rights_drop_columns_silently(clinic: Any, right: int, there: set[str], missing: set[str]) -> None:
    """2.5 [V]: full, no identifiers, de-identified, none; the dictionary still shows every field."""
    clinic.admin.put({"record_id": "1", "name": "Ida", "sex": "1", "born": "1950-02-03", "remark": "free"})
    user = clinic.user("reader", forms_export={"intake": right})
    for parameters in ({}, {"type": "eav"}, {"format": "odm"}):
        text = user.post(content="record", **parameters).text
        assert ("Ida" in text) == (right == 1)
        assert ("1950" in text) == (right in {1, 3})
    columns = set(user.rows()[0])
    assert there <= columns
    assert not missing & columns
    assert "name" in {field["field_name"] for field in user.ok(content="metadata")}


def test_a_field_that_may_not_be_exported_cannot_be_asked_about(clinic: Any) -> None:
    """A filter must not tell what the export leaves out."""
    clinic.admin.put({"record_id": "1", "arm": "1"})
    user = clinic.user("blind", forms_export={"allocation": 0})
    assert "arm" in user.refused(content="record", filterLogic="[arm] = '1'")
    assert "arm" not in user.rows()[0]
    assert user.rows(fields=["record_id", "arm"])[0].keys().isdisjoint({"arm"})
    assert "PVP" not in user.post(content="pdf", record="1", event=START).text
    assert 'ItemOID="arm" Value' not in user.post(content="project_xml").text


def test_a_user_without_any_export_right_gets_an_error(clinic: Any) -> None:
    """2.5: 0 = error."""
    user = clinic.user("nothing", forms_export=dict.fromkeys(("intake", "visit", "medicine", "allocation"), 0))
    assert user.post(content="record").status_code == 403


def test_reading_user_rights_is_not_changing_them(clinic: Any) -> None:
    """11.4: user_rights 2 is read only."""
    user = clinic.user("auditor", user_rights=2)
    assert user.ok(content="user")
    assert "user_rights" in user.refused(content="user", data=[{"username": "auditor", "user_rights": 1}])


@pytest.mark.parametrize("right", [0, 2, 128, 129])
def test_forms_without_edit_right_take_no_import(clinic: Any, right: int) -> None:
    """11.4: none and read-only, in both codings."""
    user = clinic.user("watcher", forms={"visit": right})
    message = user.refused(content="record", data=[{"record_id": "1", "weight": "70.0", "sex": "1"}])
    assert '"weight"' in message
    assert '"sex"' not in message
    assert clinic.admin.rows() == []


def test_new_records_need_the_right_to_create_them(clinic: Any) -> None:
    """6.2 [V]."""
    user = clinic.user("editor", record_create=0)
    clinic.admin.put({"record_id": "1"})
    assert user.put({"record_id": "1", "sex": "1"}) == {"count": 1}
    message = user.refused(content="record", data=[{"record_id": "2"}])
    assert "Your user privileges do NOT allow you to create new records." in message


@pytest.fixture
def sites(clinic: Any) -> Any:
    """Two groups with a record each and a user in the first."""
    groups = [{"data_access_group_name": name, "unique_group_name": ""} for name in ("North", "South")]
    clinic.admin.ok(content="dag", action="import", data=groups)
    clinic.admin.put(
        {"record_id": "1", "redcap_data_access_group": "north", "sex": "1"},
        {"record_id": "2", "redcap_data_access_group": "south", "sex": "2"},
    )
    clinic.north = clinic.user(
        "nora", data_access_group="north", data_access_groups=1, record_delete=1, record_rename=1
    )
    return clinic


def test_a_user_in_a_group_sees_only_its_records(sites: Any) -> None:
    """5.5, 15.10: everywhere a record can be named."""
    user = sites.north
    assert [row["record_id"] for row in user.rows()] == ["1"]
    assert user.rows(records=["2"]) == []
    assert "redcap_data_access_group" not in user.rows(exportDataAccessGroups="true")[0]
    assert 'SubjectKey="2"' not in user.post(content="project_xml").text
    assert user.refused(content="pdf", record="2") == 'The record "2" does not exist'
    assert "do not exist: 2" in user.refused(content="record", action="delete", records=["2"])
    renaming = {"content": "record", "action": "rename", "record": "2", "new_record_name": "9"}
    assert user.refused(**renaming) == 'The record "2" does not exist'


def test_a_user_in_a_group_changes_only_its_records(sites: Any) -> None:
    """6.2: new records land in the group; another group's record and the group column are refused."""
    user = sites.north
    user.put({"record_id": "3"})
    assert {r["record_id"]: r["redcap_data_access_group"] for r in sites.admin.rows(exportDataAccessGroups="true")} == {
        "1": "north",
        "2": "south",
        "3": "north",
    }
    assert '"2"' in user.refused(content="record", data=[{"record_id": "2", "sex": "1"}])
    message = user.refused(content="record", data=[{"record_id": "1", "redcap_data_access_group": "south"}])
    assert message == "ERROR: Illegal use of 'redcap_data_access_group' field!"
    assert sites.admin.rows(records=["2"])[0]["sex"] == "2"


def test_next_names_inside_a_group_carry_its_number(sites: Any) -> None:
    """7 [V]: `<group id>-<n>`."""
    group = next(g for g in sites.admin.ok(content="dag") if g["unique_group_name"] == "north")
    name = sites.north.post(content="generateNextRecordName").text
    assert name == f"{group['data_access_group_id']}-1"
    sites.north.put({"record_id": name})
    assert sites.north.post(content="generateNextRecordName").text.endswith("-2")


def test_asking_for_groups_needs_the_right_to_them(sites: Any) -> None:
    """2.4 [V]: current versions refuse the export, with the words of the group methods."""
    user = sites.user("olga")
    message = user.refused(content="record", exportDataAccessGroups="true")
    assert message.startswith("Insufficient user privileges: You must have 'API Export' privileges and")
    assert len(user.rows()) == 2


def test_groups_are_closed_to_who_is_in_one(sites: Any) -> None:
    """2.4 [I]: with REDCap's own typing error."""
    message = (
        "You do not have permission to export/import/delete Data Access Groups because you have beed assigned to a "
        "Data Access Group.."
    )
    assert sites.north.refused(content="dag") == message
    assert sites.north.refused(content="userDagMapping") == message


def test_who_is_in_a_group_moves_nobody(sites: Any) -> None:
    """11.1, 11.2: else the right to users would open every other group."""
    rita = sites.user("rita", data_access_group="north", user_rights=1)
    for group in ("south", ""):
        row = {"username": "rita", "user_rights": 1, "data_access_group": group}
        assert "beed assigned" in rita.refused(content="user", data=[row])
    stays = {"username": "rita", "user_rights": 1, "data_access_group": "north", "email": "r@x.dk"}
    assert rita.ok(content="user", data=[stays]) == 1
    assert [row["record_id"] for row in rita.rows(fields=["record_id"])] == ["1"]


def test_a_role_moves_nobody_out_of_a_group_either(sites: Any) -> None:
    """11.3: since 15.8.2 the assignment of roles names a group too."""
    rita = sites.user("rita", data_access_group="north", user_rights=1)
    mapping = [{"username": "rita", "unique_role_name": "", "data_access_group": "south"}]
    with running(sites.db, version="16.1.9") as server:
        newer = type(rita)(server.url, rita.token)
        assert "beed assigned" in newer.refused(content="userRoleMapping", action="import", data=mapping)
        admin = type(rita)(server.url, sites.admin.token)
        assert admin.ok(content="userRoleMapping", action="import", data=mapping) == 1
    assert [row["record_id"] for row in rita.rows(fields=["record_id"])] == ["2"]


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "31-12-2026"])
def test_an_expiration_is_a_day(clinic: Any, day: str) -> None:
    """11.2: what is no day would never expire."""
    message = clinic.admin.refused(content="user", data=[{"username": "x", "expiration": day}])
    assert day in message


def test_an_unknown_group_is_an_error(sites: Any) -> None:
    """6.2 [I]."""
    message = sites.admin.refused(content="record", data=[{"record_id": "1", "redcap_data_access_group": "east"}])
    assert '"redcap_data_access_group","east"' in message


def test_switching_needs_the_groups_to_be_open(sites: Any) -> None:
    """11.1: dag.switch moves the user between groups they are allowed in."""
    from redcap_local.administration import allow_groups, loaded, opened

    assert "south" in sites.north.refused(content="dag", action="switch", dag="south")
    with opened(sites.db) as connection:
        allow_groups(connection, loaded(connection, sites.project), "nora", ["north", "south", "none"])
    assert sites.north.post(content="dag", action="switch", dag="south").text == "1"
    assert [row["record_id"] for row in sites.north.rows()] == ["2"]
    assert sites.north.post(content="dag", action="switch", dag="").text == "1"
    assert len(sites.north.rows()) == 2


def test_roles_replace_personal_rights_while_they_last(clinic: Any) -> None:
    """11.2 [I]: a role's rights stand in for personal ones."""
    user = clinic.user("rolf")
    clinic.admin.ok(content="userRole", data=[{"role_label": "Nothing"}])
    role = clinic.admin.ok(content="userRole")[0]["unique_role_name"]
    assert role.startswith("U-")
    clinic.admin.ok(content="userRoleMapping", action="import", data=[{"username": "rolf", "unique_role_name": role}])
    assert user.post(content="record").status_code == 403
    shown = next(u for u in clinic.admin.ok(content="user") if u["username"] == "rolf")
    assert shown["api_export"] == 0
    clinic.admin.ok(content="userRoleMapping", action="import", data=[{"username": "rolf", "unique_role_name": ""}])
    assert user.post(content="record").status_code == 403
    clinic.user("rolf")
    assert user.rows() == []


def test_suspended_expired_and_revoked_tokens_are_void(clinic: Any) -> None:
    """2.1 [V]: 403 for an account that is expired or suspended, and for a revoked token."""
    from redcap_local.administration import opened, revoke_token
    from redcap_local.storage import people

    user = clinic.user("sven")
    assert user.post(content="version").status_code == 200
    for suspended, status in ((True, 403), (False, 200)):
        with opened(clinic.db) as connection:
            people.suspend(connection, "sven", suspended)
        assert user.post(content="version").status_code == status
    clinic.user("sven", expiration="2020-01-01")
    assert user.post(content="version").status_code == 403
    clinic.user("sven", expiration="")
    with opened(clinic.db) as connection:
        revoke_token(connection, clinic.project, "sven")
    assert user.post(content="version").status_code == 403


def test_a_hashed_name_stands_for_a_record_id_that_is_an_identifier(new_project: Any) -> None:
    """2.5: de-identified exports hash a record id tagged identifier."""
    made = new_project()
    rows = made.admin.ok(content="metadata")
    made.admin.ok(content="metadata", data=[{**rows[0], "identifier": "y"}])
    made.admin.put({"record_id": "1234"})
    user = made.user("reader", forms_export={"form_1": 2})
    name = user.rows()[0]["record_id"]
    assert len(name) == 32
    assert user.rows(type="eav")[0]["record"] == name
    assert "1234" not in user.post(content="record", format="odm").text


def test_nothing_structural_changes_in_production(clinic: Any) -> None:
    """9, 15.19: metadata, arms, events and mappings are fixed."""
    from datetime import datetime

    from redcap_local.administration import loaded, opened
    from redcap_local.production import move_to_production

    with opened(clinic.db) as connection:
        move_to_production(connection, loaded(connection, clinic.project), datetime(2026, 1, 2, 3, 4))
    for content in ("metadata", "arm", "event", "formEventMapping", "repeatingFormsEvents"):
        assert "production" in clinic.admin.refused(content=content, action="import", data=[])
    info = clinic.admin.ok(content="project")
    assert (info["in_production"], info["production_time"]) == (1, "2026-01-02 03:04:00")
    assert clinic.admin.put({"record_id": "1"}) == {"count": 1}


@pytest.mark.parametrize("content", ["project", "project_xml", "generateNextRecordName", "surveyAccessCode"])
def test_what_a_project_is_made_of_needs_the_right_to_export(clinic: Any, content: str) -> None:
    """A6: a token without any right learns nothing."""
    bare = clinic.user("bare", api_export=0)
    answer = bare.post(content=content, instrument="intake")
    assert answer.status_code == 403
    assert "API Export" in answer.json()["error"]
    seeing = clinic.user("seeing", api_export=1).post(content=content, instrument="intake")
    assert seeing.status_code != 403


@pytest.mark.parametrize(("right", "there"), [(1, True), (2, False), (3, False)])
def test_who_answered_a_survey_is_an_identifier(clinic: Any, right: int, there: bool) -> None:
    """B.2.6.0300, B.5.21.0100 [P]: time stamps stay."""
    from redcap_local.administration import enable_survey, loaded, opened

    with opened(clinic.db) as connection:
        enable_survey(connection, loaded(connection, clinic.project), "visit")
    clinic.admin.put({"record_id": "1"})
    forms = [form["instrument_name"] for form in clinic.admin.ok(content="instrument")]
    reader = clinic.user("reader", forms_export={**dict.fromkeys(forms, 1), "visit": right})
    row = reader.rows(exportSurveyFields="true")[0]
    assert ("redcap_survey_identifier" in row) is there
    assert "visit_timestamp" in row
    assert ("redcap_survey_identifier" in reader.rows(exportSurveyFields="true", forms=["intake"])[0]) is True


def test_a_map_of_rights_is_whole_and_a_column_that_is_not_sent_stays(clinic: Any) -> None:
    """11.2: redcapAPI asserts that leaving an instrument off, or all, is no access."""

    def rights() -> tuple[dict[str, int], dict[str, int]]:
        row = next(user for user in clinic.admin.ok(content="user") if user["username"] == "x")
        return row["forms"], row["forms_export"]

    whole = {form["instrument_name"]: 1 for form in clinic.admin.ok(content="instrument")}
    none = dict.fromkeys(whole, 0)
    clinic.admin.ok(content="user", data=[{"username": "x", "forms": whole, "forms_export": whole}])
    clinic.admin.ok(content="user", data=[{"username": "x", "design": 1}])
    assert rights() == (whole, whole)
    clinic.admin.ok(content="user", data=[{"username": "x", "forms": {"visit": 2}, "forms_export": ""}])
    assert rights() == ({**none, "visit": 2}, none)
    clinic.admin.ok(content="user", format="csv", data='username,forms,forms_export\nx,visit:1,"visit:1,intake:3"\n')
    assert rights() == ({**none, "visit": 1}, {**none, "visit": 1, "intake": 3})


def test_who_leaves_a_role_keeps_its_rights(clinic: Any) -> None:
    """B.2.6.0500 [I]: also when the role is deleted."""
    for label in ("Left", "Deleted"):
        clinic.admin.ok(content="userRole", data=[{"role_label": label, "logging": 1, "forms": {"visit": 2}}])
    roles = {row["role_label"]: row["unique_role_name"] for row in clinic.admin.ok(content="userRole")}
    for user, label in (("one", "Left"), ("two", "Deleted")):
        clinic.user(user)
        row = {"username": user, "unique_role_name": roles[label]}
        clinic.admin.ok(content="userRoleMapping", action="import", data=[row])
    clinic.admin.ok(content="userRoleMapping", action="import", data=[{"username": "one", "unique_role_name": ""}])
    clinic.admin.ok(content="userRole", action="delete", roles=[roles["Deleted"]])
    users = {row["username"]: row for row in clinic.admin.ok(content="user")}
    for user in ("one", "two"):
        assert (users[user]["logging"], users[user]["api_export"], users[user]["forms"]["visit"]) == (1, 0, 2)
        assert users[user]["forms"]["intake"] == 0


def test_a_folder_inside_another_groups_folder_is_as_closed_as_that(clinic: Any) -> None:
    """A6: nothing in it is listed, read or written."""
    names = [{"data_access_group_name": name, "unique_group_name": ""} for name in ("North", "South")]
    clinic.admin.ok(content="dag", action="import", data=names)
    north = clinic.admin.ok(content="dag")[0]["data_access_group_id"]
    repository = {"content": "fileRepository"}
    outer = clinic.admin.ok(**repository, action="createFolder", name="Outer", dag_id=north)[0]["folder_id"]
    inner = clinic.admin.ok(**repository, action="createFolder", name="Inner", folder_id=outer)[0]["folder_id"]
    clinic.admin.post(**repository, action="import", folder_id=inner, files={"file": ("x.txt", b"x")})
    document = clinic.admin.ok(**repository, action="list", folder_id=inner)[0]["doc_id"]
    south = clinic.user("south", data_access_group="south", file_repository=1)
    assert "folder_id" in south.refused(**repository, action="list", folder_id=inner)
    assert "doc_id" in south.refused(**repository, action="export", doc_id=document)
    member = clinic.user("north", data_access_group="north", file_repository=1)
    assert len(member.ok(**repository, action="list", folder_id=inner)) == 1
