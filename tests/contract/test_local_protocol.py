"""How the local server speaks: transport, errors, formats (reference/redcap-api.md 1 to 3)."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from redcap_local.server import Running, running

pytestmark = pytest.mark.requirement("RCP-02")


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"returnFormat": "json"}, '{"error":"You do not have permissions to use the API"}'),
        ({"returnFormat": "csv"}, "ERROR: You do not have permissions to use the API"),
        ({"format": "csv"}, "ERROR: You do not have permissions to use the API"),
        (
            {},
            '<?xml version="1.0" encoding="UTF-8" ?><hash><error>You do not have permissions to use the API'
            "</error></hash>",
        ),
    ],
)
def test_errors_follow_return_format_then_format_then_xml(
    local_redcap: Running, given: dict[str, str], body: str
) -> None:
    """2.3 [V]: three bodies, chosen by returnFormat, format, xml."""
    response = requests.post(local_redcap.url, data={"token": "A" * 32, "content": "version", **given}, timeout=10)
    assert (response.status_code, response.text) == (403, body)


@pytest.mark.parametrize("token", ["", "short", "A" * 32, "A" * 33, "G" * 64, "é" * 32])
def test_a_token_that_is_none_is_refused_with_403(local_redcap: Running, token: str) -> None:
    """2.1 [V]: unknown, malformed or missing token: 403, never 401."""
    response = requests.post(local_redcap.url, data={"token": token, "content": "version"}, timeout=10)
    assert response.status_code == 403


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
def test_only_post_is_implemented(local_redcap: Running, verb: str) -> None:
    """1 [I]: any other verb gives 501 in XML."""
    response = requests.request(verb, local_redcap.url, timeout=10)
    assert response.status_code == 501
    assert "<error>The requested method is not implemented.</error>" in response.text


def test_the_address_needs_its_slash(local_redcap: Running) -> None:
    """1 [V]: `/api` is answered with a redirect, which drops the body of a POST."""
    response = requests.post(
        local_redcap.url.rstrip("/"), data={"content": "version"}, allow_redirects=False, timeout=10
    )
    assert response.status_code in {301, 302, 307, 308}


def test_headers_are_those_recorded(clinic: Any) -> None:
    """1.1 [V]."""
    headers = clinic.admin.post(content="instrument").headers
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["expires"] == "0"
    assert headers["cache-control"] == "no-store, no-cache, must-revalidate"
    assert headers["x-xss-protection"] == "1;  mode=block"
    assert headers["access-control-allow-origin"] == "*"
    assert set(headers["redcap-random-text"]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_unknown_content_is_named(clinic: Any) -> None:
    """2.4 [V]."""
    assert clinic.admin.refused(content="nonsense") == 'The value of the parameter "content" is not valid'


def test_unknown_parameters_are_ignored(clinic: Any) -> None:
    """1 [V]."""
    assert clinic.admin.post(content="version", from_the_future="1").text == "15.0.12"


def test_lists_come_bracketed_or_comma_separated_or_empty(clinic: Any) -> None:
    """1 [V]; reference/wire-formats.md: empty means not given."""
    clinic.admin.put(*({"record_id": n} for n in "123"))
    assert [r["record_id"] for r in clinic.admin.rows(records=["1", "3"], fields=["record_id"])] == ["1", "3"]
    assert [r["record_id"] for r in clinic.admin.rows(records="1,3", fields="record_id")] == ["1", "3"]
    assert len(clinic.admin.rows(records="", events="", filterLogic="", fields="record_id")) == 3


def test_multipart_bodies_work_for_everything(clinic: Any) -> None:
    """1 [V]: redcapAPI sends multipart/form-data for every call."""
    parts = {name: (None, value) for name, value in {"token": clinic.admin.token, "content": "version"}.items()}
    assert requests.post(clinic.admin.url, files=parts, timeout=10).text == "15.0.12"


def test_json_is_compact_with_escaped_slashes_and_ascii(clinic: Any) -> None:
    """3.1 [V]."""
    clinic.admin.put({"record_id": "1", "remark": "a/b æ"})
    text = clinic.admin.post(content="record", fields=["remark"], events=["start_arm_1"]).text
    assert text == '[{"remark":"a\\/b \\u00e6"}]'


def test_csv_is_quoted_as_php_does(clinic: Any) -> None:
    """3.2 [V]: quotes around delimiter, quote, backslash, line break, tab or space; not otherwise."""
    remarks = ["plain", "two words", 'a"b', "a\\b", "a,b", "a\nb", "a+b"]
    clinic.admin.put(*({"record_id": str(n), "remark": text} for n, text in enumerate(remarks)))
    text = clinic.admin.post(content="record", format="csv", fields=["remark"]).text
    assert text == 'remark\nplain\n"two words"\n"a""b"\n"a\\b"\n"a,b"\n"a\nb"\na+b\n'


def test_instrument_labels_are_always_quoted_in_csv(clinic: Any) -> None:
    """3.2 [V]: and there is no newline at the end."""
    text = clinic.admin.post(content="instrument", format="csv").text
    assert text.splitlines()[1] == 'intake,"Intake"'
    assert not text.endswith("\n")


def test_empty_results_are_empty_in_every_format(clinic: Any) -> None:
    """3.1, 3.2 [V]."""
    assert clinic.admin.post(content="record", format="json").text == "[]"
    assert clinic.admin.post(content="record", format="csv").text.strip() == ""
    assert "<item>" not in clinic.admin.post(content="record", format="xml").text


def test_types_are_those_of_each_endpoint(clinic: Any) -> None:
    """3.1 [V]."""
    admin = clinic.admin
    assert isinstance(admin.ok(content="project")["is_longitudinal"], int)
    assert isinstance(admin.ok(content="arm")[0]["arm_num"], int)
    event = admin.ok(content="event")[0]
    assert isinstance(event["event_id"], int)
    assert event["custom_event_label"] is None
    user = admin.ok(content="user")[0]
    assert (user["design"], user["forms"]["intake"]) == (1, 1)
    admin.ok(content="userRole", data=[{"role_label": "Nurse"}])
    assert admin.ok(content="userRole")[0]["design"] == "0"
    assert isinstance(admin.ok(content="formEventMapping")[0]["arm_num"], int)


def test_more_than_a_thousand_fields_and_a_megabyte_fit_in_a_request(clinic: Any) -> None:
    """reference/dependencies.md 2: full exports name every field, imports are one big field."""
    many = ["record_id"] * 1500
    clinic.admin.put({"record_id": "1", "remark": "x" * 2_000_000})
    assert len(clinic.admin.rows(fields=many, events=["start_arm_1"])) == 1


def test_a_body_of_junk_is_refused_and_not_a_fault(local_redcap: Running) -> None:
    """Bad input: never a 500."""
    target = urlsplit(local_redcap.url)
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", ""):
        connection = http.client.HTTPConnection(str(target.hostname), target.port, timeout=10)
        connection.request("POST", target.path, body=b"\xff\xfe\x00%%%&=&[]=1", headers={"Content-Type": kind})
        assert connection.getresponse().status in {400, 403}
        connection.close()


def test_version_is_told_to_a_super_token_too(local_redcap: Running) -> None:
    """13.5 [V]."""
    body = {"token": local_redcap.super_token, "content": "version"}
    assert requests.post(local_redcap.url, data=body, timeout=10).text == "15.0.12"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"project_title": "x", "purpose": 1}, "You must provide some text for 'purpose_other'"),
        ({"project_title": "x"}, "purpose is missing"),
        ({"purpose": 0}, "project_title is missing"),
    ],
)
def test_a_project_needs_title_and_purpose(local_redcap: Running, item: dict[str, Any], message: str) -> None:
    """2.4 [V], 13.3."""
    body = {"token": local_redcap.super_token, "content": "project", "format": "json", "data": json.dumps([item])}
    response = requests.post(local_redcap.url, data=body, timeout=10)
    assert response.status_code == 400
    assert message in response.json()["error"]


@pytest.mark.parametrize(
    ("content", "line", "newline"),
    [
        ("arm", '1,"Arm 1"', False),
        ("event", '"Start",1,start_arm_1,,', False),
        ("formEventMapping", "1,start_arm_1,intake", False),
        ("metadata", "record_id,intake,,text,", True),
        ("record", "", True),
    ],
)
def test_each_csv_has_its_own_quoting_and_ending(clinic: Any, content: str, line: str, newline: bool) -> None:
    """3.2 [V]: arm and event names are always quoted; structural exports have no final newline."""
    clinic.admin.put({"record_id": "1"})
    text = clinic.admin.post(content=content, format="csv").text
    assert text.splitlines()[1].startswith(line)
    assert text.endswith("\n") == newline


def test_delete_answers_a_bare_number_in_every_format(clinic: Any) -> None:
    """3.4 [V] PC."""
    for form in ("json", "csv", "xml"):
        clinic.admin.put({"record_id": "1"})
        answer = clinic.admin.post(content="record", action="delete", records=["1"], format=form, returnFormat=form)
        assert answer.text == "1"


@pytest.mark.parametrize(
    ("version", "content", "there"),
    [
        ("14.5.10", {"content": "record", "action": "randomize"}, False),
        ("15.0.12", {"content": "record", "action": "randomize"}, True),
        ("14.5.10", {"content": "surveyAccessCode"}, False),
        ("16.1.9", {"content": "surveyAccessCode"}, True),
    ],
)
def test_methods_exist_from_their_version_on(
    tmp_path: Path, version: str, content: dict[str, str], there: bool
) -> None:
    """14: what an older server does not know is a wrong action or content."""
    with running(tmp_path / "old.db", version=version) as server:
        assert _created(server, "version") == version
        message = _created(server, **content)
        assert ("is not valid" in message and "randomization_id" not in message) != there


def test_keys_exist_from_their_version_on(tmp_path: Path) -> None:
    """14: project_pi_email, data_access_group_label, api_modules, email_logging."""
    keys = {}
    for version in ("13.0.0", "14.5.10", "16.1.9"):
        with running(tmp_path / f"{version}.db", version=version) as server:
            keys[version] = (_created(server, "project"), _created(server, "user"))
    assert ["project_pi_email" in project for project, _ in keys.values()] == [False, False, True]
    assert ["data_access_group_label" in user for _, user in keys.values()] == [False, False, True]
    assert ["api_modules" in user for _, user in keys.values()] == [False, True, True]
    assert ["email_logging" in user for _, user in keys.values()] == [False, True, True]


def _created(server: Running, content: str, **parameters: str) -> str:
    """The answer to a request in a project made for it."""
    data = json.dumps([{"project_title": "x", "purpose": 0}])
    body = {"token": server.super_token, "content": "project", "format": "json", "data": data}
    token = requests.post(server.url, data=body, timeout=10).text
    asked = {"token": token, "content": content, "format": "json", **parameters}
    return requests.post(server.url, data=asked, timeout=10).text
