"""Files, the repository, surveys, reports, PDF, project XML (reference/redcap-api.md 12, 13)."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
import requests

from redcap_local import administration
from redcap_local.messages import AdministrationError
from redcap_local.survey_responses import Response, record_response

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"
NOW = datetime(2026, 11, 23, 12, 0)


@pytest.fixture
def scanned(clinic: Any) -> Any:
    """A record with a file."""
    clinic.admin.put({"record_id": "1", "name": "Ida"})
    sent = clinic.admin.post(
        content="file",
        action="import",
        record="1",
        field="scan",
        event=START,
        files={"file": ("Røntgen.txt", b"bones")},
    )
    assert (sent.status_code, sent.text) == (200, "")
    return clinic


def test_a_file_comes_back_with_its_name(scanned: Any) -> None:
    """1.1, 12 [V]: the name stands in the content type."""
    found = scanned.admin.post(content="file", action="export", record="1", field="scan", event=START)
    assert found.content == b"bones"
    kind = found.headers["content-type"].encode("latin-1").decode()
    assert kind == 'text/plain; name="Røntgen.txt";charset=UTF-8'


def test_flat_exports_name_the_file_and_eav_its_number(scanned: Any) -> None:
    """5.2 [V]."""
    assert scanned.admin.rows()[0]["scan"] == "Røntgen.txt"
    number = next(r["value"] for r in scanned.admin.rows(type="eav") if r["field_name"] == "scan")
    assert number.isdigit()
    assert f"scan = '{number}'" in scanned.admin.post(content="log", logtype="record_edit").text


def test_a_deleted_file_is_gone(scanned: Any) -> None:
    """12 [V]: empty 200; an empty field is a 400."""
    place = {"content": "file", "record": "1", "field": "scan", "event": START}
    assert scanned.admin.post(**place, action="delete").text == ""
    assert scanned.admin.refused(**place, action="export")
    assert scanned.admin.rows()[0]["scan"] == ""


@pytest.mark.parametrize("field", ["name", "nonsense"])
def test_only_file_fields_hold_files(scanned: Any, field: str) -> None:
    """2.4 [V]."""
    message = scanned.admin.refused(content="file", action="export", record="1", field=field, event=START)
    assert message == f"The field '{field}' does not exist or is not a 'file' field"


def test_the_repository_has_folders_and_documents(clinic: Any) -> None:
    """12 [V]: folders first, ids as numbers."""
    admin = clinic.admin
    folder = admin.ok(content="fileRepository", action="createFolder", name="Plans")[0]["folder_id"]
    for place in ({}, {"folder_id": folder}):
        sent = admin.post(content="fileRepository", action="import", files={"file": ("a.txt", b"x")}, **place)
        assert (sent.status_code, sent.text) == (200, "")
    listed = admin.ok(content="fileRepository", action="list")
    assert [list(row) for row in listed] == [["folder_id", "name"], ["doc_id", "name"]]
    inside = admin.ok(content="fileRepository", action="list", folder_id=folder)[0]
    assert admin.post(content="fileRepository", action="export", doc_id=inside["doc_id"]).content == b"x"
    assert admin.post(content="fileRepository", action="delete", doc_id=inside["doc_id"]).text == ""
    assert admin.ok(content="fileRepository", action="list", folder_id=folder) == []
    assert admin.refused(content="fileRepository", action="list", folder_id=99) == (
        "The File Repository folder folder_id=99 does not exist or else you do not have permission to that folder "
        "because it is DAG-restricted or Role-restricted."
    )


def test_a_folder_of_one_group_is_closed_to_another(clinic: Any) -> None:
    """12: dag_id."""
    groups = [{"data_access_group_name": name, "unique_group_name": ""} for name in ("North", "South")]
    clinic.admin.ok(content="dag", action="import", data=groups)
    ids = {g["unique_group_name"]: g["data_access_group_id"] for g in clinic.admin.ok(content="dag")}
    made = clinic.admin.ok(content="fileRepository", action="createFolder", name="N", dag_id=ids["north"])
    south = clinic.user("sol", data_access_group="south", file_repository=1)
    assert "DAG-restricted" in south.refused(content="fileRepository", action="list", folder_id=made[0]["folder_id"])


@pytest.fixture
def surveyed(clinic: Any) -> Any:
    """The clinic with `intake` as a survey."""
    with administration.opened(clinic.db) as connection:
        administration.enable_survey(connection, administration.loaded(connection, clinic.project), "intake")
    clinic.admin.put(*({"record_id": name} for name in "123"))
    respond(clinic, "1", completed="2026-11-20 09:30:00")
    respond(clinic, "2")
    return clinic


def respond(clinic: Any, record: str, **more: Any) -> None:
    response = Response(**{"record": record, "event": START, "form": "intake", "instance": 1, "completed": "", **more})
    with administration.opened(clinic.db) as connection:
        record_response(connection, administration.loaded(connection, clinic.project), response, NOW)


def test_survey_links_and_codes_have_their_shapes(surveyed: Any) -> None:
    """13.5 [V]."""
    place = {"record": "1", "instrument": "intake", "event": START}
    admin = surveyed.admin
    link = admin.post(content="surveyLink", **place).text
    assert "/surveys/?s=" in link
    assert admin.post(content="surveyLink", **place).text == link
    assert "/surveys/?sq=" in admin.post(content="surveyQueueLink", record="1").text
    assert len(admin.post(content="surveyReturnCode", **place).text) == 8
    assert len(admin.post(content="surveyAccessCode", **place).text) == 9
    assert admin.refused(content="surveyLink", **{**place, "record": "-1"}) == 'The record "-1" does not exist'
    assert "visit" in admin.refused(content="surveyLink", **{**place, "instrument": "visit"})


def test_participants_are_the_records_of_the_event(surveyed: Any) -> None:
    """13.5 [V]: keys and types."""
    rows = surveyed.admin.ok(content="participantList", instrument="intake", event=START)
    assert list(rows[0]) == [
        "email", "email_occurrence", "identifier", "record", "invitation_sent_status", "invitation_send_time",
        "response_status", "survey_access_code", "survey_link",
    ]  # fmt: skip
    assert [(row["record"], row["response_status"]) for row in rows] == [("1", 2), ("2", 1), ("3", 0)]


def test_survey_columns_come_on_request(surveyed: Any) -> None:
    """5.1, 5.2: the identifier after the system columns, the time stamp before the survey's fields."""
    columns = list(surveyed.admin.rows(exportSurveyFields="true")[0])
    assert columns[4:7] == ["redcap_survey_identifier", "intake_timestamp", "name"]
    assert "visit_timestamp" not in columns


def test_a_survey_shows_when_it_was_completed_or_that_it_was_not(surveyed: Any) -> None:
    """5.3 [V]: blank where nobody responded; on request only, whatever the labels."""
    for labels in ("raw", "label"):
        rows = surveyed.admin.rows(exportSurveyFields="true", rawOrLabel=labels)
        assert [row["intake_timestamp"] for row in rows] == ["2026-11-20 09:30:00", "[not completed]", ""]
    assert [row["intake_complete"] for row in surveyed.admin.rows()] == ["2", "0", "0"]
    assert "intake_timestamp" not in surveyed.admin.rows()[0]
    assert surveyed.admin.rows(type="eav", exportSurveyFields="true") == surveyed.admin.rows(type="eav")
    respond(surveyed, "2", completed="2026-11-21 10:00:00")
    assert surveyed.admin.rows(exportSurveyFields="true")[1]["intake_timestamp"] == "2026-11-21 10:00:00"


def test_a_repeating_survey_has_a_time_for_every_instance(clinic: Any) -> None:
    """5.3, 5.5 [V]: on the row of the instance, for forms and events that repeat."""
    with administration.opened(clinic.db) as connection:
        for form in ("medicine", "visit"):
            administration.enable_survey(connection, administration.loaded(connection, clinic.project), form)
    clinic.admin.put({"record_id": "1"})
    respond(clinic, "1", form="medicine", instance=2, completed="2026-11-20 09:30:00")
    respond(clinic, "1", form="visit", event="phone_arm_1", instance=3)
    rows = clinic.admin.rows(exportSurveyFields="true")
    assert [(r["redcap_event_name"], r["redcap_repeat_instance"], r["medicine_timestamp"], r["visit_timestamp"])
            for r in rows] == [
        (START, "", "", ""),
        (START, 2, "2026-11-20 09:30:00", ""),
        ("phone_arm_1", 3, "", "[not completed]"),
    ]  # fmt: skip


def test_an_import_keeps_a_response_and_a_delete_takes_it(surveyed: Any) -> None:
    """5.3, 7: a time stamp sent is ignored; it goes with its form."""
    row = {"record_id": "1", "intake_timestamp": "2001-01-01 00:00:00", "name": "Ida"}
    surveyed.admin.put(row, overwriteBehavior="overwrite")
    shown = surveyed.admin.rows(records=["1"], exportSurveyFields="true")[0]
    assert (shown["name"], shown["intake_timestamp"]) == ("Ida", "2026-11-20 09:30:00")
    surveyed.admin.ok(content="record", action="delete", records=["1"], event=START, instrument="intake")
    assert surveyed.admin.rows(records=["1"], exportSurveyFields="true")[0]["intake_timestamp"] == ""


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"record": "9"}, "no record '9'"),
        ({"form": "visit"}, "not enabled as a survey"),
        ({"event": "week_1_arm_1"}, "not designated"),
        ({"event": "nowhere"}, "not designated"),
        ({"instance": 2}, "does not repeat"),
        ({"completed": "yesterday"}, "is no time"),
    ],
)
def test_a_response_needs_its_record_survey_and_time(surveyed: Any, wrong: dict[str, Any], words: str) -> None:
    """5.3: what an administrator mistypes changes nothing."""
    before = surveyed.admin.rows(exportSurveyFields="true")
    with pytest.raises(AdministrationError, match=words):
        respond(surveyed, wrong.pop("record", "1"), **wrong)
    assert surveyed.admin.rows(exportSurveyFields="true") == before


def test_a_locked_record_takes_no_response(surveyed: Any) -> None:
    """6.2: no value within it can be modified."""
    with administration.opened(surveyed.db) as connection:
        administration.lock_record(connection, surveyed.project, "3", datetime(2026, 1, 2, 3, 4), locked=True)
    with pytest.raises(AdministrationError, match="locked"):
        respond(surveyed, "3")


def test_surveys_off_is_an_error(clinic: Any) -> None:
    """13.5 [V]."""
    clinic.admin.put({"record_id": "1"})
    assert clinic.admin.refused(content="surveyLink", record="1", instrument="intake", event=START)
    assert clinic.admin.refused(content="surveyQueueLink", record="1")


def test_a_report_has_its_own_fields_and_filter(clinic: Any) -> None:
    """13.5 [V]: always flat, the report's order."""
    clinic.admin.put({"record_id": "1", "sex": "1"}, {"record_id": "2", "sex": "2", "smoker": "1"})
    with administration.opened(clinic.db) as connection:
        project = administration.loaded(connection, clinic.project)
        report = administration.save_report(connection, project, "Women", ["record_id", "smoker", "sex"], "[sex]='2'")
    rows = clinic.admin.ok(content="report", report_id=report, type="eav", exportSurveyFields="true")
    assert [list(row)[-2:] for row in rows] == [["smoker", "sex"]]
    assert rows[0]["record_id"] == "2"
    assert clinic.admin.refused(content="report", report_id=10**9)


def test_a_report_can_combine_options_and_be_sorted_by_one(clinic: Any) -> None:
    """5.1 [D], 13.5: the column stands where the report has the field."""
    clinic.admin.put({"record_id": "1", "fears___1": "1", "fears___2": "1"}, {"record_id": "2", "fears____99": "1"})
    with administration.opened(clinic.db) as connection:
        project = administration.loaded(connection, clinic.project)
        fields = ["record_id", "fears", "sex"]
        report = administration.save_report(connection, project, "Fears", fields, "", ["-fears____99"])
    rows = clinic.admin.ok(content="report", report_id=report, combineCheckboxOptions="true", rawOrLabel="label")
    assert list(rows[0])[-2:] == ["fears", "sex"]
    assert [(row["record_id"], row["fears"]) for row in rows] == [("2", "Other"), ("1", "Needles,Heights")]


def test_odm_brings_no_file_where_none_may_be_put(scanned: Any) -> None:
    """5.7, 11.4: who may not edit the form, and an event that is not there; nothing of the request is kept."""
    text = scanned.admin.post(content="project_xml", exportFiles="true").text
    part = text[: text.index("<Study ")] + text[text.index("<ClinicalData") :]
    reader = scanned.user("reader", forms={"intake": 2})
    bare = re.sub(r'<ItemData ItemOID="(name|intake_complete)"[^>]*/>', "", part)
    for data in (part, bare):
        assert "edit rights" in reader.refused(content="record", format="odm", data=data, returnFormat="json")
    unknown = {"data": part.replace(START, "nowhere"), "content": "record", "format": "odm", "returnFormat": "json"}
    assert scanned.admin.refused(**unknown) == "The following values of redcap_event_name are invalid: nowhere"
    assert scanned.admin.ok(content="record", format="odm", data=part, returnFormat="json") == {"count": 1}


def test_a_report_sorts_its_rows(clinic: Any) -> None:
    """13.5 [V]: by several columns, numbers by size, blanks first; an order the user may not see is not shown."""
    weights = {"1": "70.0", "2": "9.5", "3": "70.0", "4": "", "10": "100.0"}
    clinic.admin.put(*({"record_id": n, "weight": w, "sex": "1"} for n, w in weights.items()))

    def order(sort: list[str], asking: Any = clinic.admin) -> list[str]:
        with administration.opened(clinic.db) as connection:
            project = administration.loaded(connection, clinic.project)
            report = administration.save_report(connection, project, "R", ["record_id"], "", sort)
        return [row["record_id"] for row in asking.ok(content="report", report_id=report)]

    assert order([]) == ["1", "2", "3", "4", "10"]
    assert order(["weight"]) == ["4", "2", "1", "3", "10"]
    assert order(["-weight", "-record_id"]) == ["10", "3", "1", "2", "4"]
    blind = clinic.user("blind", forms_export={"visit": 0})
    assert order(["weight"], blind) == ["1", "2", "3", "4", "10"]


def test_a_pdf_is_a_pdf(clinic: Any) -> None:
    """1.1, 13.5 [V]: text/html, body begins %PDF-1.3."""
    clinic.admin.put({"record_id": "1", "name": "Åse (Ø)", "sex": "1"})
    blank = clinic.admin.post(content="pdf")
    assert blank.headers["content-type"].startswith("text/html")
    assert blank.content.startswith(b"%PDF-1.3")
    assert blank.content.rstrip().endswith(b"%%EOF")
    filled = clinic.admin.post(content="pdf", record="1", event=START, instrument="intake").content
    assert "Åse \\(Ø\\)".encode("cp1252") in filled
    assert b"Female" in filled
    assert b"Female" in clinic.admin.post(content="pdf", allRecords="").content


def test_a_project_made_from_its_own_xml_is_the_same(scanned: Any, local_redcap: Any) -> None:
    """13.4: structure, groups, roles, repeats, files and data survive."""
    admin = scanned.admin
    admin.ok(content="dag", action="import", data=[{"data_access_group_name": "North", "unique_group_name": ""}])
    admin.ok(content="userRole", data=[{"role_label": "Nurse & <co>", "design": 1, "forms": {"visit": 2}}])
    admin.put(
        {"record_id": "1", "redcap_data_access_group": "north", "remark": 'a "b" <c>\nd'},
        {"record_id": "1", "redcap_event_name": "week_1_arm_1"},
        {"record_id": "1", "redcap_event_name": "phone_arm_1", "redcap_repeat_instance": 2, "height": 170},
    )
    text = admin.post(content="project_xml", exportFiles="true", exportDataAccessGroups="true").text
    data = json.dumps([{"project_title": "Copy", "purpose": 0}])
    body = {"token": local_redcap.super_token, "content": "project", "format": "json", "data": data, "odm": text}
    token = requests.post(local_redcap.url, data=body, timeout=30).text
    assert len(token) == 32
    copy = type(admin)(admin.url, token)
    for content in ("metadata", "arm", "formEventMapping", "repeatingFormsEvents", "instrument", "userRole"):
        assert copy.ok(content=content) == admin.ok(content=content)
    assert copy.rows(exportDataAccessGroups="true") == admin.rows(exportDataAccessGroups="true")
    assert copy.post(content="file", action="export", record="1", field="scan", event=START).content == b"bones"
    assert "ClinicalData" not in admin.post(content="project_xml", returnMetadataOnly="true").text
