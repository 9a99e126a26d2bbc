"""Facts seen on real servers (marked [V] in reference/redcap-api.md) that no other test of the local server names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from redcap_local.administration import give_token, opened
from redcap_local.server import Running, running

pytestmark = pytest.mark.requirement("RCP-02")

START, WEEK = "start_arm_1", "week_1_arm_1"
GROUPS = [{"data_access_group_name": name, "unique_group_name": ""} for name in ("North", "South")]
PROJECT_KEYS = """
    project_id project_title creation_time production_time in_production project_language purpose purpose_other
    project_notes custom_record_label secondary_unique_field is_longitudinal has_repeating_instruments_or_events
    surveys_enabled scheduling_enabled record_autonumbering_enabled randomization_enabled ddp_enabled project_irb_number
    project_grant_number project_pi_firstname project_pi_lastname project_pi_email display_today_now_button
    missing_data_codes external_modules bypass_branching_erase_field_prompt
"""
USER_KEYS = """
    username email firstname lastname expiration data_access_group data_access_group_id data_access_group_label design
    alerts user_rights data_access_groups reports stats_and_charts manage_survey_participants calendar data_import_tool
    data_comparison_tool logging email_logging file_repository data_quality_create data_quality_execute api_export
    api_import api_modules mobile_app mobile_app_download_data record_create record_rename record_delete
    lock_records_all_forms lock_records lock_records_customization forms forms_export
"""
SETTINGS = {
    "project_title": "T", "project_language": "English", "purpose": 2, "purpose_other": "", "project_notes": "n",
    "custom_record_label": "", "secondary_unique_field": "", "is_longitudinal": 0, "surveys_enabled": 0,
    "scheduling_enabled": 0, "record_autonumbering_enabled": 1, "randomization_enabled": 0, "project_irb_number": "1",
    "project_grant_number": "2", "project_pi_firstname": "A", "project_pi_lastname": "B",
    "display_today_now_button": 1, "bypass_branching_erase_field_prompt": 0,
}  # fmt: skip


@pytest.fixture
def newest(tmp_path: Path) -> Any:
    """A project on a server that reports 16.1.9: a function that posts to it."""
    with running(tmp_path / "new.db", version="16.1.9") as server:
        data = json.dumps([{"project_title": "x", "purpose": 0}])
        body = {"token": server.super_token, "content": "project", "format": "json", "data": data}
        token = requests.post(server.url, data=body, timeout=10).text
        yield lambda **more: requests.post(server.url, data={"token": token, "format": "json", **more}, timeout=10)


def test_forms_and_events_may_be_one_comma_separated_text(clinic: Any) -> None:
    """1 [V]: REDCapR always sends that form."""
    clinic.admin.put({"record_id": "1"}, {"record_id": "1", "redcap_event_name": WEEK})
    rows = clinic.admin.rows(forms="intake,allocation", events=f"{START},{WEEK}")
    assert [row["redcap_event_name"] for row in rows] == [START, WEEK]
    assert {"name", "arm"} <= set(rows[0])
    assert "weight" not in rows[0]


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "1"])
def test_booleans_come_in_any_case(clinic: Any, word: str) -> None:
    """1 [V]: PyCap sends Python's True and False."""
    clinic.admin.put({"record_id": "1"})
    assert clinic.admin.rows(exportBlankForGrayFormStatus=word)[0]["intake_complete"] == ""
    assert clinic.admin.rows(exportBlankForGrayFormStatus="False")[0]["intake_complete"] == "0"


@pytest.mark.parametrize(("form", "kind"), [("json", "application/json"), ("csv", "text/csv")])
def test_content_types_name_the_charset_and_bodies_have_no_byte_order_mark(clinic: Any, form: str, kind: str) -> None:
    """1.1 [V]."""
    answer = clinic.admin.post(content="instrument", format=form)
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_tokens_have_their_shape_and_may_end_in_a_newline(clinic: Any, local_redcap: Running) -> None:
    """2.1 [V]: 32 hexadecimal characters in upper case, 64 for the super token."""
    assert re.fullmatch("[0-9A-F]{32}", clinic.admin.token)
    assert re.fullmatch("[0-9A-F]{64}", local_redcap.super_token)
    body = {"token": f"{clinic.admin.token}\n", "content": "version"}
    assert requests.post(clinic.admin.url, data=body, timeout=10).text == "15.0.12"


def test_rows_of_metadata_stand_on_lines_of_their_own(clinic: Any) -> None:
    """3.1 [V]: elements separated by a comma and a newline; every value a text."""
    text = clinic.admin.post(content="metadata").text
    assert text.count("},\n{") == 14
    assert {type(value) for row in json.loads(text) for value in row.values()} == {str}


@pytest.mark.parametrize("content", ["exportFieldNames", "instrument", "log", "repeatingFormsEvents"])
def test_structural_lists_hold_texts_only(clinic: Any, content: str) -> None:
    """3.1 [V]."""
    assert {type(value) for row in clinic.admin.ok(content=content) for value in row.values()} == {str}


def test_numbers_of_the_participant_list_are_numbers(clinic: Any) -> None:
    """3.1 [V]."""
    from redcap_local.administration import enable_survey, loaded

    with opened(clinic.db) as connection:
        enable_survey(connection, loaded(connection, clinic.project), "intake")
    clinic.admin.put({"record_id": "1"})
    row = clinic.admin.ok(content="participantList", instrument="intake", event=START)[0]
    numbers = {"email_occurrence", "invitation_sent_status", "response_status"}
    assert {key for key, value in row.items() if isinstance(value, int)} == numbers


def test_some_csv_bodies_end_in_a_newline_and_some_do_not(clinic: Any) -> None:
    """3.2 [V]."""
    clinic.admin.put({"record_id": "1"})
    contents = ("record", "metadata", "project", "user", "arm", "instrument", "formEventMapping")
    ends = {content: clinic.admin.post(content=content, format="csv").text.endswith("\n") for content in contents}
    assert [content for content, end in ends.items() if end] == ["record", "metadata", "project"]


def test_rights_by_form_are_packed_into_one_cell(clinic: Any) -> None:
    """3.2 [V]."""
    text = clinic.admin.post(content="user", format="csv").text
    packed = '"intake:1,visit:1,medicine:1,allocation:1"'
    assert text.endswith(f"{packed},{packed}")


def test_xml_has_items_with_cdata_under_a_root(clinic: Any) -> None:
    """3.3 [V]."""
    clinic.admin.put({"record_id": "1", "name": "a<b"})
    text = clinic.admin.post(content="record", format="xml", fields=["name"]).text
    prolog = '<?xml version="1.0" encoding="UTF-8" ?>'
    assert text.replace("\n", "") == f"{prolog}<records><item><name><![CDATA[a<b]]></name></item></records>"


@pytest.mark.parametrize("form", ["json", "csv", "xml"])
def test_counts_of_all_but_record_imports_are_bare_numbers(clinic: Any, form: str) -> None:
    """3.4 [V]: whatever the format."""
    said = {"returnFormat": form}
    admin = clinic.admin
    admin.put({"record_id": "1"}, {"record_id": "2"})
    imports: dict[str, Any] = {
        "arm": [{"arm_num": 2, "name": "B"}],
        "event": [{"event_name": "New", "arm_num": 2}],
        "dag": GROUPS[:1],
        "user": [{"username": "x"}],
        "userRole": [{"role_label": "r"}],
        "formEventMapping": admin.ok(content="formEventMapping"),
        "metadata": admin.ok(content="metadata"),
    }
    for content, data in imports.items():
        assert admin.post(content=content, action="import", data=data, **said).text == str(len(data))
    assert admin.post(content="record", action="delete", records=["1", "2"], **said).text == "2"
    assert admin.post(content="user", action="delete", users=["x"], **said).text == "1"


@pytest.mark.parametrize("action", [{}, {"action": "import"}])
def test_data_make_an_import_with_or_without_the_action(clinic: Any, action: dict[str, str]) -> None:
    """4 [V]: PyCap and REDCapR send none for records, redcaplite does; for arms it is the other way round."""
    assert clinic.admin.put({"record_id": "1"}, **action) == {"count": 1}
    for content, row in (("arm", {"arm_num": 3, "name": "C"}), ("user", {"username": "y"})):
        assert clinic.admin.ok(content=content, data=[row], **action) == 1


def test_descriptive_fields_are_no_columns_and_labels_lose_their_html(clinic: Any) -> None:
    """5.2, 5.3 [V]."""
    rows = clinic.admin.ok(content="metadata")
    blank = {**dict.fromkeys(rows[0], ""), "form_name": "allocation"}
    rows += [
        {**blank, "field_name": "hint", "field_type": "descriptive", "field_label": "Read this"},
        {**blank, "field_name": "mood", "field_type": "radio", "field_label": "<b>Mood</b>",
         "select_choices_or_calculations": "1, <i>Good</i> | 2, Bad"},
        {**blank, "field_name": "agree", "field_type": "truefalse", "field_label": "Agree"},
    ]  # fmt: skip
    clinic.admin.ok(content="metadata", data=rows)
    clinic.admin.put({"record_id": "1", "mood": "1", "agree": "0", "smoker": "1"})
    row = clinic.admin.rows(rawOrLabel="label")[0]
    assert "hint" not in row
    assert (row["mood"], row["agree"], row["smoker"]) == ("Good", "False", "Yes")


def test_texts_keep_their_line_breaks_and_tabs(clinic: Any) -> None:
    """5.3 [V]."""
    clinic.admin.put({"record_id": "1", "remark": "a\r\nb\tc"})
    assert clinic.admin.rows()[0]["remark"] == "a\r\nb\tc"


def test_a_repeating_row_never_stands_alone_in_its_event(clinic: Any) -> None:
    """5.5 [V]: the base row is there although its values are blank, and the group stands on every row."""
    clinic.admin.ok(content="dag", action="import", data=GROUPS)
    place = {"redcap_event_name": START, "redcap_repeat_instrument": "medicine", "redcap_repeat_instance": 1}
    clinic.admin.put({"record_id": "3", **place, "drug": "A", "redcap_data_access_group": "north"})
    rows = clinic.admin.rows(exportDataAccessGroups="true")
    assert [(row["redcap_repeat_instrument"], row["redcap_data_access_group"]) for row in rows] == [
        ("", "north"),
        ("medicine", "north"),
    ]


def test_a_record_whose_first_form_repeats_has_its_base_row(classic: Any) -> None:
    """5.5 [V]: with that form's columns blank."""
    classic.admin.ok(content="repeatingFormsEvents", data=[{"form_name": "intake", "custom_form_label": ""}])
    place = {"redcap_repeat_instrument": "intake", "redcap_repeat_instance": 1}
    classic.admin.put({"record_id": "1", **place, "name": "Ida"})
    rows = classic.admin.rows()
    assert [(row["record_id"], row["redcap_repeat_instance"], row["name"]) for row in rows] == [
        ("1", "", ""),
        ("1", 1, "Ida"),
    ]


def test_eav_knows_no_groups_and_no_gray_forms_and_tells_options_by_text(clinic: Any) -> None:
    """5.6 [V]."""
    clinic.admin.ok(content="dag", action="import", data=GROUPS)
    clinic.admin.put({"record_id": "1", "fears___1": "1", "sex": "2", "redcap_data_access_group": "north"})
    plain = clinic.admin.rows(type="eav")
    assert clinic.admin.rows(type="eav", exportDataAccessGroups="true", exportBlankForGrayFormStatus="true") == plain
    labels = {row["field_name"]: row["value"] for row in clinic.admin.rows(type="eav", rawOrLabel="label")}
    assert (labels["fears"], labels["sex"]) == ("Needles", "Female" if labels["sex"] == "1" else "Male")


@pytest.mark.parametrize("value", ["99", "yes", "2"])
def test_a_tick_is_0_or_1(clinic: Any, value: str) -> None:
    """6.2 [V]: anything else is an error."""
    assert '"fears___1"' in clinic.admin.refused(content="record", data=[{"record_id": "1", "fears___1": value}])


def test_a_status_is_set_by_its_column_and_0_without_it(clinic: Any) -> None:
    """6.2 [V]."""
    clinic.admin.put({"record_id": "1", "sex": "1", "weight": "70.0", "visit_complete": "1"})
    row = clinic.admin.rows(exportBlankForGrayFormStatus="true")[0]
    assert (row["intake_complete"], row["visit_complete"], row["allocation_complete"]) == ("0", "1", "")


def test_error_lines_follow_the_word_error_in_csv(clinic: Any) -> None:
    """6.3 [V]."""
    data = [{"record_id": "1", "sex": "9", "smoker": "9"}]
    answer = clinic.admin.post(content="record", data=data, returnFormat="csv")
    assert answer.status_code == 400
    assert answer.text == (
        'ERROR: "1","sex","9","The value is not a valid category for sex"\n'
        '"1","smoker","9","The value is not a valid category for smoker"'
    )


def test_project_xml_carries_models_but_no_allocations(clinic: Any) -> None:
    """8.2 [V]."""
    from datetime import datetime

    from redcap_local.administration import loaded
    from redcap_local.randomization_setup import Upload, define_randomization, upload_allocations
    from redcap_local.storage.randomization import Model, models

    with opened(clinic.db) as connection:
        project, now = loaded(connection, clinic.project), datetime(2026, 1, 1)
        define_randomization(connection, project, Model(0, "name", START, (("sex", START),), by_group=False), now)
        table = "redcap_randomization_number,redcap_randomization_group,sex\nE-4711,1,1\n"
        model = models(connection, clinic.project)[0]
        upload_allocations(connection, project, model, table, Upload(production=False, version="15.0.12", now=now))
    text = clinic.admin.post(content="project_xml").text
    found = re.search("<redcap:RandomizationGroup>.*</redcap:RandomizationGroup>", text)
    assert found
    assert 'target_field="name"' in found[0]
    assert f'source_field1="sex" source_event1="{START}"' in found[0]
    assert "4711" not in text
    details = [entry["details"] for entry in clinic.admin.ok(content="log", logtype="manage")]
    assert f"Save randomization model - blinded (rid={model.id})" in details


def test_overriding_events_answers_how_many_there_are(clinic: Any) -> None:
    """10 [V]: and their mapping comes back whole."""
    events, mapping = clinic.admin.ok(content="event"), clinic.admin.ok(content="formEventMapping")
    rows = [{"event_name": event["event_name"], "arm_num": event["arm_num"]} for event in events]
    assert clinic.admin.ok(content="event", action="import", override=1, data=rows) == len(events)
    assert clinic.admin.ok(content="formEventMapping", data=mapping) == len(mapping)
    assert [event["unique_event_name"] for event in clinic.admin.ok(content="event")] == [
        event["unique_event_name"] for event in events
    ]


def test_users_have_their_keys_in_order(newest: Any) -> None:
    """11.2 [V]: of 16.x, without the modules that are off."""
    assert list(newest(content="user").json()[0]) == USER_KEYS.split()


def test_roles_are_named_by_the_server_and_given_to_users(newest: Any) -> None:
    """11.3 [V]: `U-` and capitals or digits; a blank role takes it away, and its rights stay (B.2.6.0500)."""
    newest(content="userRole", data=json.dumps([{"role_label": "Nurse", "design": 1}]))
    role = newest(content="userRole").json()[0]["unique_role_name"]
    assert re.fullmatch("U-[0-9A-Z]+", role)
    newest(content="user", data=json.dumps([{"username": "x"}]))
    for name in (role, ""):
        mapping = [{"username": "x", "unique_role_name": name}]
        assert newest(content="userRoleMapping", action="import", data=json.dumps(mapping)).text == "1"
        row = newest(content="userRoleMapping").json()[-1]
        assert row == {"username": "x", "unique_role_name": name, "data_access_group": ""}
        assert newest(content="user").json()[-1]["design"] == 1


@pytest.mark.parametrize("code", [0, 1, 2, 3, 128, 129, 130, 138, 154])
def test_form_rights_are_taken_in_both_codings(clinic: Any, code: int) -> None:
    """11.4 [V]: and exported as they were saved."""
    clinic.admin.ok(content="user", data=[{"username": "x", "forms": {"visit": code}, "lock_records": 2}])
    user = next(user for user in clinic.admin.ok(content="user") if user["username"] == "x")
    assert (user["forms"]["visit"], user["lock_records"]) == (code, 2)


def test_the_repository_lists_folder_document_and_name(clinic: Any, newest: Any) -> None:
    """12 [V]: CSV, since 16.0.8 with role and group."""
    clinic.admin.ok(content="fileRepository", action="createFolder", name="F")
    text = clinic.admin.post(content="fileRepository", action="list", format="csv").text
    assert text.splitlines()[0] == "folder_id,doc_id,name"
    newest(content="fileRepository", action="createFolder", name="F")
    assert newest(content="fileRepository", action="list", format="csv").text.splitlines()[0] == (
        "folder_id,doc_id,name,role,dag"
    )


def test_the_log_is_newest_first_and_keeps_its_odd_spaces(clinic: Any) -> None:
    """13.1 [V]: `Manage/Design ` and `Data export (API) `; time stamps to the minute."""
    clinic.admin.put({"record_id": "1"})
    clinic.admin.rows()
    clinic.admin.ok(content="instrument")
    entries = clinic.admin.ok(content="log")
    assert [(entry["action"], entry["details"]) for entry in entries[:2]] == [
        ("Manage/Design ", "Export instruments (API)"),
        ("Data export (API) ", "Export 1 records (API)"),
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", entries[0]["timestamp"])


def test_project_information_has_27_keys_in_order(newest: Any) -> None:
    """13.2 [V]."""
    info = newest(content="project").json()
    assert list(info) == PROJECT_KEYS.split()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", info["creation_time"])
    assert info["production_time"] == ""


def test_all_editable_settings_are_accepted(clinic: Any, newest: Any) -> None:
    """13.3 [V]: 18 of 18, 19 with the e-mail address."""
    assert clinic.admin.ok(content="project_settings", data=[SETTINGS]) == 18
    more = json.dumps([{**SETTINGS, "project_pi_email": "a@b.dk"}])
    assert newest(content="project_settings", data=more).text == "19"


def test_a_token_of_the_command_line_is_the_users_one(clinic: Any) -> None:
    """2.1 [V]: one per user per project."""
    assert give_token(clinic.db, clinic.project, "site_admin") == clinic.admin.token
