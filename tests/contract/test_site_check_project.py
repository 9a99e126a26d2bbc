"""The empty project in which a unit looks at what is not yet seen on a real REDCap: the local one makes it whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from redcap_local.server import running

TITLE = "TRIALDESK SITE CHECK"
XML = Path(__file__).parents[2] / "docs" / "validation" / "site-check.xml"


@pytest.fixture(params=["15.0.12", "16.1.9"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A function that asks the project made of the document on a server of one version."""
    with running(tmp_path / "redcap.db", version=request.param) as server:

        def post(token: str, **parameters: str) -> requests.Response:
            body = {"token": token, "format": "json", "returnFormat": "json", **parameters}
            return requests.post(server.url, data=body, timeout=30)

        item = json.dumps([{"project_title": TITLE, "purpose": "0"}])
        made = post(server.super_token, content="project", data=item, odm=XML.read_text(encoding="utf-8"))
        assert made.status_code == 200, made.text
        yield lambda **parameters: post(made.text, **parameters)


def test_the_project_is_three_forms_two_events_and_one_repeating_form(ask: Any) -> None:
    """In development, without surveys, with a secondary unique field, a group, and no record."""
    info = ask(content="project").json()
    assert (info["project_title"], info["in_production"], info["surveys_enabled"]) == (TITLE, 0, 0)
    assert (info["is_longitudinal"], info["secondary_unique_field"]) == (1, "code")
    fields = {row["field_name"]: (row["form_name"], row["field_type"]) for row in ask(content="metadata").json()}
    assert {form for form, _ in fields.values()} == {"entry", "hidden", "readonly"}
    assert fields["total"] == ("entry", "calc")
    places = [(row["unique_event_name"], row["form"]) for row in ask(content="formEventMapping").json()]
    assert places == [
        ("start_arm_1", "entry"), ("start_arm_1", "hidden"), ("later_arm_1", "entry"), ("later_arm_1", "readonly"),
    ]  # fmt: skip
    (repeats,) = ask(content="repeatingFormsEvents").json()
    assert (repeats["event_name"], repeats["form_name"]) == ("later_arm_1", "readonly")
    assert [group["unique_group_name"] for group in ask(content="dag").json()] == ["check_group"]
    assert ask(content="record").json() == []


def test_what_is_to_be_looked_at_can_be_tried_there(ask: Any) -> None:
    """A sum, a repeating row, and a code that is taken."""
    first = {"record_id": "TDSC-1", "redcap_event_name": "start_arm_1", "code": "one"}
    rows = [{**first, "first_number": "2", "second_number": "3"}]
    assert ask(content="record", data=json.dumps(rows)).json() == {"count": 1}
    assert ask(content="record").json()[0]["total"] == "5"
    again = {"record_id": "TDSC-2", "redcap_event_name": "later_arm_1"}
    repeated = {**again, "redcap_repeat_instrument": "readonly", "redcap_repeat_instance": "1", "readonly_word": "x"}
    assert ask(content="record", data=json.dumps([repeated])).json() == {"count": 1}
    taken = ask(content="record", data=json.dumps([{**first, "record_id": "TDSC-3"}]))
    assert taken.status_code == 400
    assert "code" in taken.json()["error"]
