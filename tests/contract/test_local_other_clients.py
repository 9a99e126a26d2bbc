"""What clients that are not installed here send, as reference/wire-formats.md describes it: R, PHP, Singer taps."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"


@pytest.fixture
def filled(clinic: Any) -> Any:
    """Two patients, one with a visit."""
    clinic.admin.put(
        {"record_id": "1", "sex": "1", "name": "Åse"},
        {"record_id": "1", "redcap_event_name": "week_1_arm_1", "weight": "70.0"},
        {"record_id": "2"},
    )
    return clinic


def sent(made: Any, **body: str) -> requests.Response:
    """The answer to exactly these form fields beside the token."""
    return requests.post(made.admin.url, data={"token": made.admin.token, **body}, timeout=10)


def in_parts(made: Any, **body: str) -> requests.Response:
    """The answer to the fields as multipart/form-data, as redcapAPI sends every call."""
    parts = {name: (None, value) for name, value in {"token": made.admin.token, **body}.items()}
    return requests.post(made.admin.url, files=parts, timeout=10)


def test_tap_redcap_reads_a_form_as_eav(filled: Any) -> None:
    """A bare form name, a blank list of events, `action=export`."""
    body = {"content": "record", "action": "export", "type": "eav", "forms": "visit", "events": "", "format": "json"}
    rows = sent(filled, **body, returnFormat="json").json()
    assert {(row["record"], row["field_name"], row["value"]) for row in rows} == {
        ("1", "weight", "70.0"), ("1", "visit_complete", "0"),
    }  # fmt: skip


def test_target_redcap_writes_eav_with_american_dates(filled: Any) -> None:
    """`action=import`, `dateFormat=MDY`, `returnContent=count`."""
    rows = [{"record": "1", "redcap_event_name": START, "field_name": "born", "value": "02/03/1950"}]
    body = {"content": "record", "action": "import", "type": "eav", "format": "json", "dateFormat": "MDY"}
    answer = sent(filled, **body, data=json.dumps(rows), returnContent="count", returnFormat="json")
    assert answer.json() == {"count": 1}
    assert filled.admin.rows(records=["1"])[0]["born"] == "1950-02-03"


def test_redcapr_sends_comma_separated_texts_and_blanks(filled: Any) -> None:
    """Everything as CSV; what is blank is not given; upper-case booleans."""
    body = {
        "content": "record", "format": "csv", "type": "flat", "rawOrLabel": "raw", "rawOrLabelHeaders": "raw",
        "exportDataAccessGroups": "FALSE", "exportSurveyFields": "FALSE", "exportCheckboxLabel": "FALSE",
        "records": "1,2", "fields": "record_id,sex", "forms": "", "events": START, "filterLogic": "",
        "dateRangeBegin": "", "dateRangeEnd": "", "exportBlankForGrayFormStatus": "FALSE",
    }  # fmt: skip
    lines = sent(filled, **body).text.splitlines()
    assert lines[0].startswith("record_id,redcap_event_name,")
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2"]
    assert sent(filled, **{**body, "records": "99"}).text.strip() in {"", lines[0]}


def test_redcapapi_deletes_and_renames_without_any_format(filled: Any) -> None:
    """Multipart, neither format nor returnFormat: a plain number comes back."""
    renaming = {"content": "record", "action": "rename", "record": "2", "new_record_name": "5"}
    assert in_parts(filled, **renaming).text == "1"
    deleting = {"content": "record", "action": "delete", "records[0]": "5"}
    assert in_parts(filled, **deleting).text == "1"
    filled.admin.ok(content="user", data=[{"username": "x"}])
    assert in_parts(filled, content="user", action="delete", **{"users[0]": "x"}).text == "1"


def test_redcapapi_reads_utf_8_because_the_content_type_says_so(filled: Any) -> None:
    """Without the charset it would read ISO-8859-1."""
    answer = in_parts(filled, content="record", format="csv", **{"fields[0]": "name", "records[0]": "1"})
    assert "charset=utf-8" in answer.headers["content-type"]
    assert "Åse" in answer.content.decode("utf-8")


def test_phpcap_wraps_a_project_in_a_list_and_settings_in_an_object(filled: Any, local_redcap: Any) -> None:
    """A new project, and its settings: the answer to both is plain text."""
    body = {"token": local_redcap.super_token, "content": "project", "format": "json", "returnFormat": "json"}
    data = json.dumps([{"project_title": "PHP", "purpose": 0}])
    token = requests.post(local_redcap.url, data={**body, "data": data}, timeout=10).text
    assert len(token) == 32
    body = {"content": "project_settings", "format": "json", "data": json.dumps({"project_title": "Other"})}
    assert requests.post(filled.admin.url, data={"token": token, **body}, timeout=10).text == "1"


@pytest.mark.parametrize("action", ["import", "export", "delete"])
def test_pycap_tells_a_file_error_by_its_xml(filled: Any, action: str) -> None:
    """For file fields it sends neither format nor returnFormat and looks for `<error>`."""
    answer = sent(filled, content="file", action=action, record="1", field="name", event=START)
    assert answer.status_code == 400
    assert "<error>The field 'name' does not exist or is not a 'file' field</error>" in answer.text
