"""What REDCap takes without a word, and so does the local one."""

from __future__ import annotations

from typing import Any

import pytest
import requests

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"


def test_the_later_spelling_of_a_parameter_wins(clinic: Any) -> None:
    """As PHP reads a form: `fields[0]=…&fields=…`, the other way round, and an index sent twice."""
    clinic.admin.put({"record_id": "1", "sex": "1"})

    def columns(*pairs: tuple[str, str]) -> set[str]:
        body = [("token", clinic.admin.token), ("content", "record"), ("format", "json"), ("events", START), *pairs]
        return set(requests.post(clinic.admin.url, data=body, timeout=10).json()[0])

    system = {"redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"}
    assert columns(("fields[0]", "sex"), ("fields", "smoker")) - system == {"smoker"}
    assert columns(("fields", "smoker"), ("fields[0]", "sex")) - system == {"sex"}
    assert columns(("fields[0]", "sex"), ("fields[0]", "smoker")) - system == {"smoker"}
    assert columns(("fields[]", "sex"), ("fields[]", "smoker")) - system == {"sex", "smoker"}


def test_any_type_but_eav_is_flat(clinic: Any) -> None:
    """A client that sends the word `type` gets rows."""
    assert clinic.admin.put({"record_id": "1", "sex": "1"}, type="type") == {"count": 1}
    assert clinic.admin.rows(type="type") == clinic.admin.rows()


def test_switches_may_be_true_and_false(new_project: Any) -> None:
    """In settings as in parameters; other words are refused."""
    made = new_project(is_longitudinal="true")
    for name in ("One", "Two"):
        made.admin.ok(content="event", action="import", data=[{"event_name": name, "arm_num": 1}])
    assert made.admin.ok(content="project")["is_longitudinal"] == 1
    made.admin.ok(content="project_settings", data=[{"is_longitudinal": "FALSE"}])
    assert made.admin.ok(content="project")["is_longitudinal"] == 0
    made.admin.refused(content="project_settings", data=[{"is_longitudinal": "perhaps"}])


def test_an_unknown_secondary_unique_field_has_no_effect(clinic: Any) -> None:
    """It is kept and refuses nothing."""
    assert clinic.admin.ok(content="project_settings", data=[{"secondary_unique_field": "nowhere"}]) == 1
    assert clinic.admin.ok(content="project")["secondary_unique_field"] == "nowhere"
    clinic.admin.put({"record_id": "1", "name": "A"}, {"record_id": "2", "name": "A"})


def test_the_log_takes_a_day_as_its_midnight(clinic: Any) -> None:
    """`endTime=1999-01-01`."""
    clinic.admin.put({"record_id": "1"})
    assert clinic.admin.ok(content="log", endTime="1999-01-01") == []
    assert len(clinic.admin.ok(content="log", logtype="record", beginTime="1999-01-01")) == 1


def test_of_two_columns_of_one_name_the_later_counts(clinic: Any) -> None:
    """A spreadsheet with a column twice."""
    text = "record_id,sex,sex\n1,1,2\n"
    assert clinic.admin.ok(content="record", format="csv", data=text) == {"count": 1}
    assert clinic.admin.rows()[0]["sex"] == "2"


def test_deleting_no_events_deletes_none(clinic: Any) -> None:
    """No parameter, no event."""
    before = clinic.admin.ok(content="event")
    assert clinic.admin.ok(content="event", action="delete") == 0
    assert clinic.admin.ok(content="event") == before


def test_a_group_can_be_deleted_with_users_in_it(clinic: Any) -> None:
    """They see all records then; the page would ask first."""
    clinic.admin.ok(content="dag", action="import", data=[{"data_access_group_name": "North", "unique_group_name": ""}])
    clinic.admin.put({"record_id": "1"})
    member = clinic.user("member", data_access_group="north")
    assert member.rows() == []
    assert clinic.admin.ok(content="dag", action="delete", dags=["north"]) == 1
    assert [row["record_id"] for row in member.rows()] == ["1"]


def test_arms_without_events_make_no_longitudinal_project(new_project: Any) -> None:
    """Three arms and nothing in them."""
    made = new_project(is_longitudinal=1)
    for number in (1, 2, 3):
        made.admin.ok(content="arm", action="import", data=[{"arm_num": number, "name": f"Arm {number}"}])
    events = made.admin.post(content="event").json()
    if isinstance(events, list):
        made.admin.ok(content="event", action="delete", events=[event["unique_event_name"] for event in events])
    assert made.admin.ok(content="project")["is_longitudinal"] == 0
    made.admin.ok(content="event", action="import", data=[{"event_name": "One", "arm_num": 2}])
    assert made.admin.ok(content="project")["is_longitudinal"] == 1


def test_unticked_options_alone_leave_a_gray_form(clinic: Any) -> None:
    """Nobody has opened it; a tick or a value makes it incomplete."""
    clinic.admin.put({"record_id": "1", "fears___1": "0"}, {"record_id": "2", "fears___1": "1"})
    rows = clinic.admin.rows(events=START, exportBlankForGrayFormStatus="true")
    assert [row["intake_complete"] for row in rows] == ["", "0"]
