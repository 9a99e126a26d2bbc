"""Nothing a client sends brings the server down or is half done."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redcap_local.routing import ROUTES
from redcap_local.server import Running

pytestmark = pytest.mark.requirement("RCP-02")

NAMES = sorted(
    {
        "action", "allRecords", "arm", "arms", "arms[]", "compactDisplay", "csvDelimiter", "dag", "dags[0]", "data",
        "dateFormat", "dateRangeBegin", "dateRangeEnd", "decimalCharacter", "delete_logging", "doc_id", "event",
        "events", "events[0]", "exportBlankForGrayFormStatus", "exportCheckboxLabel", "exportDataAccessGroups", "field",
        "fields", "fields[0]", "filterLogic", "folder_id", "forceAutoNumber", "format", "forms", "instrument",
        "logtype", "name", "new_record_name", "odm", "override", "overwriteBehavior", "randomization_id", "rawOrLabel",
        "record", "records", "records[0]", "repeat_instance", "report_id", "returnContent", "returnFormat",
        "returnAlt", "type",
        "user", "users[0]", "roles[0]", "beginTime", "endTime", "role_id", "dag_id", "backgroundProcess",
    }
)  # fmt: skip
LIKELY = [
    "1", "0", "-1", "true", "TRUE", "json", "csv", "xml", "odm", "eav", "label", "new", "start_arm_1", "record_id",
    "sex", "scan", "visit", "medicine", "99999999999999999999", "[]", "{}", "[{}]", '[{"record_id":"1"}]', "[[1]]",
    "null",
    '[{"record_id":"1","redcap_repeat_instance":"1e9"}]', '[{"arm_num":"x"}]', '[{"username":null}]', "record_id\n1",
    '[{"event_name":"x","day_offset":"nan"}]', "<records><item><record_id>1</record_id></item></records>", "<a>",
    "\x00",
    '[{"form_name":"visit","event_name":"nowhere"}]', "[sex]='1'", "((((", "'\"`;--", "\ud800", "é" * 200, " ", "\n",
    '[{"unique_event_name":"start_arm_1","form":"visit"}]', '[{"data_access_group_name":"x"}]', "2026-01-01 00:00:00",
    '[{"field_name":"x","form_name":"y","field_type":"calc","select_choices_or_calculations":"[x]+1"}]',
    '[{"username":"x","forms":{"visit":"9"}}]', '[{"record_id":"\\ud800","name":"\\u0000"}]', '[{"record_id":1e400}]',
]  # fmt: skip
VALUE = st.one_of(
    st.sampled_from(LIKELY), st.text(max_size=30), st.binary(max_size=20).map(lambda b: b.decode("latin-1"))
)


@pytest.fixture(scope="module")
def shared(new_clinic: Any) -> Any:
    """One clinic for all examples."""
    made = new_clinic()
    made.admin.put({"record_id": "1", "sex": "1"})
    return made


@pytest.fixture
def faults_logged(caplog: pytest.LogCaptureFixture) -> Iterator[list[logging.LogRecord]]:
    """Exceptions that only the last safety net caught."""
    with caplog.at_level(logging.ERROR, "redcap_local"):
        yield caplog.records


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    route=st.sampled_from(sorted(ROUTES)),
    others=st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=6),
    form=st.sampled_from(["json", "csv", "xml"]),
)
def test_any_parameter_may_hold_anything(
    shared: Any, faults_logged: list[logging.LogRecord], route: tuple[str, str], others: dict[str, str], form: str
) -> None:
    """Every content and action answers 200, 400 or 403, and never by the last safety net."""
    content, action = route
    body = {k: v.encode("utf-8", "surrogatepass") for k, v in {"format": form, "returnFormat": form, **others}.items()}
    body = {**body, "content": content.encode(), **({"action": action.encode()} if action != "export" else {})}
    response = shared.admin.raw(body)
    assert response.status_code in {200, 400, 403}, response.text
    assert b"Traceback" not in response.content
    assert not faults_logged, [record.exc_info for record in faults_logged]


@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
def test_the_replacement_character_is_a_character(clinic: Any, form: str) -> None:
    """Text that was once pasted in another encoding holds U+FFFD: it is stored, and goes in again as it came out."""

    def sent(data: str) -> int:
        body = {"token": clinic.admin.token, "content": "record", "format": "csv", "data": data}
        parts = {name: (None, value) for name, value in body.items()}
        how = {"files": parts} if form == "multipart" else {"data": body}
        return requests.post(clinic.admin.url, timeout=10, **how).status_code

    assert sent("record_id,name\n1,caf\ufffd Ærø\n") == 200
    assert [row["name"] for row in clinic.admin.rows()] == ["caf\ufffd Ærø"]
    own = clinic.admin.raw({"content": b"record", "format": b"csv", "type": b"flat"}).text
    assert sent(own) == 200


@pytest.mark.parametrize("form", ["urlencoded", "raw", "multipart"])
@pytest.mark.parametrize("bad", [b"M\xfcller", b"\xed\xa0\x80"])
def test_bytes_that_are_not_utf_8_are_refused_and_not_changed(clinic: Any, form: str, bad: bytes) -> None:
    """Another encoding is told by the name of the parameter; nothing is stored in its place."""
    body = {"token": clinic.admin.token.encode(), "content": b"record", "format": b"csv"}
    body["data"] = b"record_id,name\n1," + bad
    if form == "multipart":
        answer = requests.post(
            clinic.admin.url, files={name: (None, value) for name, value in body.items()}, timeout=10
        )
    elif form == "raw":
        pairs = b"&".join(name.encode() + b"=" + value.replace(b"\n", b"%0A") for name, value in body.items())
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = requests.post(clinic.admin.url, data=pairs, headers=kind, timeout=10)
    else:
        answer = requests.post(clinic.admin.url, data=body, timeout=10)
    assert (answer.status_code, answer.text) == (
        400, 'ERROR: [local] The value of the parameter "data" is not valid: it is not UTF-8',
    )  # fmt: skip
    assert clinic.admin.rows() == []


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("json", '[{"record_id":"1","name":{"a":1}}]', "texts, numbers or booleans"),
        ("xml", "<records><item><record_id>1</record_id><name><a>1</a></name></item></records>", "<name> holds"),
    ],
)
def test_values_that_are_none_are_not_made_into_some(clinic: Any, form: str, text: str, words: str) -> None:
    """An object in place of a text."""
    assert words in clinic.admin.refused(content="record", format=form, data=text, returnFormat="json")
    assert clinic.admin.rows() == []


def test_a_refused_import_leaves_no_trace(clinic: Any) -> None:
    """All or nothing also for structure: the last row is bad, so the first is not there."""
    before = {c: clinic.admin.ok(content=c) for c in ("arm", "event", "formEventMapping", "dag", "user", "userRole")}
    bad = {
        "arm": [{"arm_num": 2, "name": "B"}, {"arm_num": "x", "name": "C"}],
        "event": [{"event_name": "New", "arm_num": 1}, {"event_name": "", "arm_num": 1}],
        "formEventMapping": [
            {"unique_event_name": "start_arm_1", "form": "visit"},
            {"unique_event_name": "start_arm_1", "form": "nonsense"},
        ],
        "dag": [{"data_access_group_name": "A"}, {"data_access_group_name": ""}],
        "user": [{"username": "a"}, {"username": "b", "design": "7"}],
        "userRole": [{"role_label": "a"}, {"unique_role_name": "U-NONE", "role_label": "b"}],
    }
    for content, data in bad.items():
        clinic.admin.refused(content=content, action="import", data=data)
    assert {content: clinic.admin.ok(content=content) for content in bad} == before


def test_secrets_stay_out_of_sight(local_redcap: Running, local_db: Path) -> None:
    """The super token is not in the representation of the server, and its files are their owner's only."""
    assert local_redcap.super_token not in repr(local_redcap)
    kept = local_db.with_name(f"{local_db.name}.super-token")
    assert {oct(path.stat().st_mode & 0o777) for path in (local_db, kept)} == {"0o600"}
