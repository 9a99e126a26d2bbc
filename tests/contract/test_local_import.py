"""Importing records (reference/redcap-api.md 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

pytestmark = pytest.mark.requirement("RCP-02", "RCP-01")

START = "start_arm_1"
FORMAT = (
    "The value you provided could not be validated because it does not follow the expected format. Please try again."
)


def lines(message: str) -> list[str]:
    return message.split("\n")


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"sex": "9"}, '"1","sex","9","The value is not a valid category for sex"'),
        ({"sex": "Female"}, '"1","sex","Female","The value is not a valid category for sex"'),
        ({"born": "03-02-1950"}, f'"1","born","03-02-1950","{FORMAT}"'),
        ({"born": "2023-02-30"}, f'"1","born","2023-02-30","{FORMAT}"'),
        ({"intake_complete": "7"}, '"1","intake_complete","7","The value is not a valid category for intake_complete"'),
    ],
)
def test_a_bad_value_is_told_in_four_columns(clinic: Any, row: dict[str, str], line: str) -> None:
    """6.3 [V]."""
    data = [{"record_id": "1", "redcap_event_name": START, **row}]
    assert clinic.admin.refused(content="record", data=data) == line
    assert clinic.admin.rows() == []


def test_every_bad_value_is_told_and_nothing_is_stored(clinic: Any) -> None:
    """6.2 [V]: all or nothing."""
    data = [
        {"record_id": "1", "redcap_event_name": START, "sex": "1"},
        {"record_id": "2", "redcap_event_name": START, "sex": "3", "smoker": "x"},
        {"record_id": "3", "redcap_event_name": "week_1_arm_1", "weight": "22"},
    ]
    told = lines(clinic.admin.refused(content="record", data=data))
    assert [line.split(",")[:2] for line in told] == [['"2"', '"sex"'], ['"2"', '"smoker"'], ['"3"', '"weight"']]
    assert clinic.admin.rows() == []


def test_unknown_columns_and_events_are_told_in_one_sentence(clinic: Any) -> None:
    """2.4 [V]."""
    assert (
        clinic.admin.refused(content="record", data=[{"record_id": "1", "foo": "1", "baz": "2"}])
        == "The following fields were not found in the project as real data fields: foo, baz"
    )
    data = [{"record_id": "1", "redcap_event_name": f"visit_{n}_arm_1"} for n in (11, 12)]
    assert (
        clinic.admin.refused(content="record", data=data)
        == "The following values of redcap_event_name are invalid: visit_11_arm_1, visit_12_arm_1"
    )


def test_a_form_must_be_designated_for_the_event(clinic: Any) -> None:
    """6.3 [V]."""
    data = [{"record_id": "1", "redcap_event_name": "week_1_arm_1", "sex": "1"}]
    assert (
        "This field ('sex') exists on an instrument that is not designated for the event named "
        "'Week 1 (Arm 1: Arm 1)'. You are not allowed to import data for this field into this event."
    ) in clinic.admin.refused(content="record", data=data)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"drug": "A"}, "This field ('drug') exists on a Repeating Instrument named 'medicine'."),
        ({"redcap_repeat_instrument": "medicine", "drug": "A"}, "which are both required"),
        ({"redcap_repeat_instrument": "intake", "redcap_repeat_instance": "1"}, "must be the unique form name"),
        ({"redcap_repeat_instance": "2", "sex": "1"}, "redcap_repeat_instance cannot have a value"),
        ({"redcap_repeat_instrument": "medicine", "redcap_repeat_instance": "0", "drug": "A"}, "whole number"),
        ({"redcap_repeat_instrument": "medicine", "redcap_repeat_instance": "1", "sex": "1"}, "does not belong"),
    ],
)
def test_repeat_columns_must_fit(clinic: Any, row: dict[str, str], words: str) -> None:
    """6.3 [V] for the sentences that are REDCap's."""
    data = [{"record_id": "1", "redcap_event_name": START, **row}]
    assert words in clinic.admin.refused(content="record", data=data)
    assert clinic.admin.rows() == []


def test_a_form_that_does_not_repeat_with_an_instance_is_told_twice(clinic: Any) -> None:
    """Both lines of a real server, in this order (PyCap issue 154)."""
    row = {"record_id": "1", "redcap_repeat_instrument": "Medicine_1", "redcap_repeat_instance": "3", "drug": "A"}
    refused = clinic.admin.refused(content="record", data=[{**row, "redcap_event_name": START}])
    first, second = refused.index("must be the unique form name"), refused.index("cannot have a value since")
    assert first < second


def test_counts_are_of_records_not_rows(clinic: Any) -> None:
    """6.2 [V]: also of records whose values did not change."""
    rows = [{"record_id": "1", "redcap_event_name": e} for e in (START, "week_1_arm_1")] + [{"record_id": "2"}]
    assert clinic.admin.put(*rows) == {"count": 2}
    assert clinic.admin.put(*rows) == {"count": 2}


@pytest.mark.parametrize(
    ("wanted", "form", "body"),
    [
        ("count", "json", '{"count": 2}'),
        ("count", "csv", "2"),
        ("count", "xml", '<?xml version="1.0" encoding="UTF-8" ?><count>2</count>'),
        ("ids", "json", '["1","2"]'),
        ("ids", "csv", "id\n1\n2\n"),
        ("ids", "xml", '<?xml version="1.0" encoding="UTF-8" ?><ids><id>1</id><id>2</id></ids>'),
        ("nothing", "json", ""),
        ("nothing", "csv", ""),
    ],
)
def test_confirmations_are_those_of_each_format(clinic: Any, wanted: str, form: str, body: str) -> None:
    """3.4 [V]."""
    data = [{"record_id": "1"}, {"record_id": "2"}]
    assert clinic.admin.post(content="record", data=data, returnContent=wanted, returnFormat=form).text == body


def test_a_single_object_imports_nothing(clinic: Any) -> None:
    """6.2 [V] PC #103."""
    assert clinic.admin.ok(content="record", data='{"record_id":"1"}') == {"count": 0}
    assert clinic.admin.rows() == []


def test_a_row_without_event_goes_to_the_first_one(clinic: Any) -> None:
    """6.2 [V] PC #142."""
    clinic.admin.put({"record_id": "1", "sex": "1"})
    assert clinic.admin.rows()[0]["redcap_event_name"] == START


def test_a_row_with_only_the_id_makes_the_event(clinic: Any) -> None:
    """6.2 [V]; deleting the event's data removes its row, the record stays."""
    clinic.admin.put({"record_id": "3"}, {"record_id": "3", "redcap_event_name": "week_1_arm_1"})
    assert len(clinic.admin.rows(records=["3"])) == 2
    assert clinic.admin.ok(content="record", action="delete", records=["3"], event="week_1_arm_1") == 1
    assert [row["redcap_event_name"] for row in clinic.admin.rows(records=["3"])] == [START]


def test_numbers_booleans_and_texts_are_all_values(clinic: Any) -> None:
    """6.2 [V]."""
    clinic.admin.put({"record_id": 7, "sex": 1, "smoker": True, "remark": None})
    row = clinic.admin.rows()[0]
    assert (row["record_id"], row["sex"], row["smoker"], row["remark"]) == ("7", "1", "1", "")


def test_blanks_erase_only_when_overwriting(clinic: Any) -> None:
    """6.1: normal ignores blanks, overwrite erases."""
    clinic.admin.put({"record_id": "1", "sex": "1", "name": "Ida", "fears___1": "1", "fears___2": "1"})
    clinic.admin.put({"record_id": "1", "sex": "", "fears___1": "", "fears___2": "0"})
    row = clinic.admin.rows()[0]
    assert (row["sex"], row["name"], row["fears___1"], row["fears___2"]) == ("1", "Ida", "1", "0")
    clinic.admin.put({"record_id": "1", "sex": "", "fears___1": ""}, overwriteBehavior="overwrite")
    row = clinic.admin.rows()[0]
    assert (row["sex"], row["name"], row["fears___1"]) == ("", "Ida", "0")


def test_calculations_follow_what_is_imported(clinic: Any) -> None:
    """6.2: recomputed on import; values sent for them are ignored."""
    clinic.admin.put(
        {"record_id": "1", "redcap_event_name": "week_1_arm_1", "weight": "70.0", "height": "170", "bmi": "1"}
    )
    assert clinic.admin.rows(events=["week_1_arm_1"])[0]["bmi"] == "24.2"
    clinic.admin.put({"record_id": "1", "redcap_event_name": "week_1_arm_1", "height": "180"})
    assert clinic.admin.rows(events=["week_1_arm_1"])[0]["bmi"] == "21.6"
    clinic.admin.put(
        {"record_id": "1", "redcap_event_name": "week_1_arm_1", "height": ""}, overwriteBehavior="overwrite"
    )
    assert clinic.admin.rows(events=["week_1_arm_1"])[0]["bmi"] == ""


def test_calctext_and_calcdate_follow_too(new_project: Any) -> None:
    """The computed text fields of the dictionary's action tags."""
    made = new_project()
    rows = made.admin.ok(content="metadata")
    blank = dict.fromkeys(rows[0], "")
    fields = [
        {"field_name": "a", "text_validation_type_or_show_slider_number": "date_ymd"},
        {"field_name": "b", "field_annotation": "@CALCTEXT(if([a]='','none','some'))"},
        {
            "field_name": "c",
            "field_annotation": "@CALCDATE([a],7,'d')",
            "text_validation_type_or_show_slider_number": "date_ymd",
        },
    ]
    rows += [{**blank, "form_name": "form_1", "field_type": "text", "field_label": "x", **f} for f in fields]
    made.admin.ok(content="metadata", data=rows)
    made.admin.put({"record_id": "1", "a": "2026-02-25"})
    assert made.admin.rows()[0] | {"form_1_complete": "0"} == {
        "record_id": "1", "a": "2026-02-25", "b": "some", "c": "2026-03-04", "form_1_complete": "0",
    }  # fmt: skip


def test_an_export_can_be_imported_again(clinic: Any) -> None:
    """6.2 [V]: files, calculations and blanks in a round trip do no harm, in any format."""
    clinic.admin.put(
        {"record_id": "1", "sex": "1", "fears___2": "1", "remark": 'a,b\n"c" <d> & æ'},
        {"record_id": "1", "redcap_event_name": "week_1_arm_1", "weight": "70.0", "height": "170"},
        {"record_id": "1", "redcap_event_name": "phone_arm_1", "redcap_repeat_instance": 1, "weight": "70.0"},
    )
    clinic.admin.post(content="file", action="import", record="1", field="scan", event=START,
                      files={"file": ("a.txt", b"x")})  # fmt: skip
    before = clinic.admin.rows()
    for form in ("json", "csv", "xml"):
        text = clinic.admin.post(content="record", format=form).text
        assert clinic.admin.ok(content="record", format=form, data=text) == {"count": 1}
        assert clinic.admin.rows() == before


@pytest.mark.parametrize(("order", "text"), [("MDY", "02/03/1950"), ("DMY", "03/02/1950"), ("DMY", "3/2/1950")])
def test_dates_may_come_in_another_order(clinic: Any, order: str, text: str) -> None:
    """6.1: dateFormat."""
    clinic.admin.put({"record_id": "1", "born": text}, dateFormat=order)
    assert clinic.admin.rows()[0]["born"] == "1950-02-03"


def test_new_instances_follow_the_highest(clinic: Any) -> None:
    """6.2 [D]: redcap_repeat_instance=new appends."""
    row = {"record_id": "1", "redcap_event_name": START, "redcap_repeat_instrument": "medicine"}
    clinic.admin.put({**row, "redcap_repeat_instance": "3", "drug": "C"})
    clinic.admin.put(*({**row, "redcap_repeat_instance": "new", "drug": drug} for drug in "DE"))
    found = [(r["redcap_repeat_instance"], r["drug"]) for r in clinic.admin.rows() if r["drug"]]
    assert found == [(3, "C"), (4, "D"), (5, "E")]


def test_eav_imports_take_both_spellings_of_a_checkbox(clinic: Any) -> None:
    """6.2 [D], and the rows of an EAV export."""
    rows = [
        {"record": "1", "redcap_event_name": START, "field_name": "fears___1", "value": "1"},
        {"record": "1", "redcap_event_name": START, "field_name": "fears", "value": "-99"},
        {"record": "1", "redcap_event_name": START, "field_name": "sex", "value": "2"},
    ]
    assert clinic.admin.put(*rows, type="eav") == {"count": 1}
    row = clinic.admin.rows()[0]
    assert (row["fears___1"], row["fears___2"], row["fears____99"], row["sex"]) == ("1", "0", "1", "2")


def test_auto_numbers_replace_the_names_sent(new_project: Any) -> None:
    """3.4, 6.1 [V]: auto_ids are pairs of new and old."""
    made = new_project(record_autonumbering_enabled=1)
    made.admin.put({"record_id": "41"})
    pairs = made.admin.put({"record_id": "a"}, {"record_id": "b"}, forceAutoNumber="true", returnContent="auto_ids")
    assert pairs == ["42,a", "43,b"]
    made = new_project()
    assert made.admin.put({"record_id": "9"}, forceAutoNumber="true", returnContent="auto_ids") == ["9,9"]


def test_missing_data_codes_fit_any_field(clinic: Any) -> None:
    """5.3: exported as the raw code inside any type."""
    from redcap_local.administration import change_settings, loaded, opened

    with opened(clinic.db) as connection:
        change_settings(connection, loaded(connection, clinic.project), {"missing_data_codes": "NA, Not asked"})
    clinic.admin.put({"record_id": "1", "sex": "NA", "born": "NA"})
    assert clinic.admin.rows()[0]["born"] == "NA"
    assert clinic.admin.rows(rawOrLabel="label")[0]["sex"] == "Not asked"


def test_a_secondary_unique_value_is_used_once(clinic: Any) -> None:
    """6.2: duplicates are rejected, within a request and against what is stored."""
    clinic.admin.ok(content="project_settings", data=[{"secondary_unique_field": "name"}])
    clinic.admin.put({"record_id": "1", "name": "Ida"})
    assert '"2","name","Ida"' in clinic.admin.refused(content="record", data=[{"record_id": "2", "name": "Ida"}])
    both = [{"record_id": n, "name": "Bo"} for n in "34"]
    assert len(lines(clinic.admin.refused(content="record", data=both))) == 2
    assert clinic.admin.put({"record_id": "1", "name": "Ida"}) == {"count": 1}


def test_locked_records_refuse_every_value(clinic: Any) -> None:
    """6.3 [V]."""
    from redcap_local.administration import lock_record, opened

    clinic.admin.put({"record_id": "1"})
    with opened(clinic.db) as connection:
        lock_record(connection, clinic.project, "1", datetime(2026, 1, 2, 3, 4), locked=True)
    sentence = "This record has been locked at the record level. No value within this record can be modified."
    assert sentence in clinic.admin.refused(content="record", data=[{"record_id": "1", "sex": "1"}])
    part = {"content": "record", "action": "delete", "records": ["1"], "event": START}
    assert clinic.admin.refused(**part) == sentence
    assert clinic.admin.refused(content="record", action="rename", record="1", new_record_name="2") == sentence


def test_background_imports_are_answered_with_success(clinic: Any) -> None:
    """6.1 [D]: whatever returnContent says."""
    body = {"content": "record", "data": [{"record_id": "1"}], "backgroundProcess": 1, "returnContent": "ids"}
    assert clinic.admin.ok(**body) == {"success": True}
    assert len(clinic.admin.rows()) == 1


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("json", "[{"),
        ("json", '["a"]'),
        ("json", '[{"record_id":["a"]}]'),
        ("json", "[" * 100_000),
        ("csv", 'record_id\n"1'),
        ("csv", "record_id,sex\n1,2,3"),
        ("xml", "<records><item>"),
        ("xml", '<!DOCTYPE a [<!ENTITY b "c">]><records/>'),
        ("json", '[{"sex":"1"}]'),
        ("json", '[{"record_id":""}]'),
        ("json", '[{"record_id":"' + "x" * 101 + '"}]'),
    ],
)
def test_data_that_cannot_be_read_is_refused(clinic: Any, form: str, text: str) -> None:
    """Bad input is 400, never a half import."""
    response = clinic.admin.post(content="record", format=form, data=text)
    assert response.status_code == 400
    assert clinic.admin.rows() == []


def test_what_people_do_to_records_is_logged(clinic: Any) -> None:
    """13.1 [V]: wording and details."""
    clinic.admin.put({"record_id": "1", "sex": "1", "fears___1": "1"})
    clinic.admin.put({"record_id": "1", "fears___1": "0"})
    clinic.admin.ok(content="record", action="delete", records=["1"])
    entries = clinic.admin.ok(content="log", logtype="record")
    assert [entry["action"] for entry in entries] == [
        "Delete record (API) 1", "Update record (API) 1", "Create record (API) 1",
    ]  # fmt: skip
    assert entries[1]["details"] == "fears(1) = unchecked"
    assert "sex = '1'" in entries[2]["details"]
    assert "fears(1) = checked" in entries[2]["details"]
    assert list(entries[0]) == ["timestamp", "username", "action", "details", "record"]
    assert clinic.admin.ok(content="log", logtype="record_delete", record="1")[0]["username"] == "site_admin"
    assert clinic.admin.ok(content="log", logtype="record", endTime="2020-01-01 00:00") == []


def test_deleting_what_is_not_there_is_refused_for_all(clinic: Any) -> None:
    """2.4, 7 [V]."""
    clinic.admin.put({"record_id": "2"})
    message = clinic.admin.refused(content="record", action="delete", records=["1", "2"])
    assert message == (
        "One or more of the records provided cannot be deleted because they do not exist in the project. "
        "The following records do not exist: 1"
    )
    assert len(clinic.admin.rows()) == 1


def test_parts_of_a_record_can_be_deleted(clinic: Any) -> None:
    """7: by form and instance, by arm, by event."""
    row = {"record_id": "1", "redcap_event_name": START}
    repeat = {**row, "redcap_repeat_instrument": "medicine"}
    clinic.admin.put(
        {**row, "sex": "1", "weight": "70.0"},
        *({**repeat, "redcap_repeat_instance": n, "drug": "A"} for n in (1, 2)),
    )
    delete = {"content": "record", "action": "delete", "records": ["1"]}
    assert "event" in clinic.admin.refused(**delete, instrument="visit")
    clinic.admin.ok(**delete, instrument="medicine", event=START, repeat_instance=1)
    assert [r["redcap_repeat_instance"] for r in clinic.admin.rows()] == ["", 2]
    clinic.admin.ok(**delete, instrument="visit", event=START)
    assert (clinic.admin.rows()[0]["weight"], clinic.admin.rows()[0]["sex"]) == ("", "1")
    clinic.admin.ok(**delete, arm=1)
    assert clinic.admin.rows() == []


def test_records_can_be_renamed_but_not_onto_another(clinic: Any) -> None:
    """7 [V]."""
    clinic.admin.put({"record_id": "1", "sex": "1"}, {"record_id": "2"})
    rename = {"content": "record", "action": "rename"}
    assert clinic.admin.post(**rename, record="1", new_record_name="one").text == "1"
    assert clinic.admin.rows(records=["one"])[0]["sex"] == "1"
    assert "2" in clinic.admin.refused(**rename, record="one", new_record_name="2")
    assert "nobody" in clinic.admin.refused(**rename, record="nobody", new_record_name="3")


def test_a_record_in_two_arms_is_not_renamed_in_one(clinic: Any) -> None:
    """7: `arm`; doing it in all arms would be more than was asked."""
    clinic.admin.ok(content="event", action="import", data=[{"event_name": "Other", "arm_num": 2}])
    clinic.admin.put({"record_id": "1"}, {"record_id": "1", "redcap_event_name": "other_arm_2"}, {"record_id": "2"})
    rename = {"content": "record", "action": "rename"}
    assert "arm 2" in clinic.admin.refused(**rename, record="1", new_record_name="9", arm=1)
    assert clinic.admin.post(**rename, record="2", new_record_name="8", arm=1).text == "1"
    assert clinic.admin.post(**rename, record="1", new_record_name="9").text == "1"


def test_next_names_follow_the_highest_number(clinic: Any) -> None:
    """7 [V]: 1 when there is none, then highest plus one."""
    assert clinic.admin.post(content="generateNextRecordName").text == "1"
    clinic.admin.put(*({"record_id": name} for name in ("7", "x", "3")))
    assert clinic.admin.post(content="generateNextRecordName").text == "8"


def test_the_log_of_a_deleted_record_can_be_blanked(clinic: Any) -> None:
    """7: delete_logging=1 leaves the lines without their details."""
    clinic.admin.put({"record_id": "1", "name": "Ida"})
    clinic.admin.ok(content="record", action="delete", records=["1"], delete_logging=1)
    entries = clinic.admin.ok(content="log", logtype="record", record="1")
    assert [entry["action"] for entry in entries] == ["Delete record (API) 1", "Create record (API) 1"]
    assert "Ida" not in str(entries)
