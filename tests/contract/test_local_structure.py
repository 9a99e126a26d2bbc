"""Dictionary, events, groups, users, project information (reference/redcap-api.md 9 to 11, 13)."""

from __future__ import annotations

from typing import Any

import pytest

from redcap_rules.dictionary import API_COLUMNS

pytestmark = pytest.mark.requirement("RCP-02")


def test_metadata_come_back_as_they_were_sent(clinic: Any) -> None:
    """9 [V]: 18 keys in order; the answer of an import is the number of fields."""
    before = clinic.admin.ok(content="metadata")
    assert list(before[0]) == list(API_COLUMNS)
    for form in ("json", "csv", "xml"):
        text = clinic.admin.post(content="metadata", format=form).text
        assert clinic.admin.ok(content="metadata", format=form, data=text) == len(before)
    assert clinic.admin.ok(content="metadata") == before
    assert [f["field_name"] for f in clinic.admin.ok(content="metadata", forms=["allocation"])] == ["arm"]
    assert [f["field_name"] for f in clinic.admin.ok(content="metadata", fields=["sex"])] == ["sex"]


def test_dropped_fields_orphan_their_data(clinic: Any) -> None:
    """9: not deleted: with the field the data come back."""
    rows = clinic.admin.ok(content="metadata")
    clinic.admin.put({"record_id": "1", "sex": "1"})
    clinic.admin.ok(content="metadata", data=[row for row in rows if row["field_name"] != "sex"])
    assert "sex" not in clinic.admin.rows()[0]
    clinic.admin.ok(content="metadata", data=rows)
    assert clinic.admin.rows()[0]["sex"] == "1"


def test_a_faulty_dictionary_is_refused_whole(clinic: Any) -> None:
    """9: every fault is told and nothing changes."""
    before = clinic.admin.ok(content="metadata")
    doubled = [*before, before[3]]
    assert before[3]["field_name"] in clinic.admin.refused(content="metadata", data=doubled)
    assert clinic.admin.refused(content="metadata", data=[{**before[0], "field_type": "dial"}])
    assert clinic.admin.refused(content="metadata", data=[])
    assert clinic.admin.ok(content="metadata") == before


@pytest.mark.parametrize(
    ("row", "column", "value", "sentence"),
    [
        (4, "field_name", "sex", "The following variable/field names were duplicated. Please rename these field names"),
        (4, "form_name", "", "Each row MUST have a form name, but the following cells have a form name missing: B6"),
        (
            9,
            "form_name",
            "intake",
            "Form names must be sequential and cannot repeat again after being used for another",
        ),
        (4, "field_type", "dial", "The only valid field types are text, notes, radio, dropdown, calc, file, checkbox,"),
    ],
)
def test_faults_of_a_dictionary_are_told_in_redcaps_words(
    clinic: Any, row: int, column: str, value: str, sentence: str
) -> None:
    """9 [V] PC #190: with spreadsheet cells."""
    rows = clinic.admin.ok(content="metadata")
    rows[row][column] = value
    assert sentence in clinic.admin.refused(content="metadata", data=rows)


@pytest.mark.parametrize("name", ["a___b", "a__b", "a_", "redcap_event_name", "visit_complete", "visit_timestamp"])
def test_a_field_cannot_be_called_like_another_column(clinic: Any, name: str) -> None:
    """9: the values of `a___b` would be taken for ticks, and a 0 lost."""
    rows = clinic.admin.ok(content="metadata")
    rows[-1]["field_name"] = name
    assert clinic.admin.refused(content="metadata", data=rows).endswith(": A16")
    assert clinic.admin.ok(content="metadata")[-1]["field_name"] == "arm"


def test_field_names_leave_out_files_and_split_checkboxes(clinic: Any) -> None:
    """9 [V]: statuses and calculations are in, files and descriptive fields out."""
    rows = clinic.admin.ok(content="exportFieldNames")
    names = [row["export_field_name"] for row in rows]
    assert "scan" not in names
    assert {"bmi", "visit_complete"} <= set(names)
    assert [r for r in rows if r["original_field_name"] == "fears"][-1] == {
        "original_field_name": "fears", "choice_value": "-99", "export_field_name": "fears____99",
    }  # fmt: skip
    assert len(clinic.admin.ok(content="exportFieldNames", field="fears")) == 3


def test_unique_event_names_are_slugs_cut_at_eighteen(clinic: Any) -> None:
    """10 [V]: collisions add a letter."""
    events = [{"event_name": "Deadline to opt out of study", "arm_num": 2}] * 2
    assert clinic.admin.ok(content="event", action="import", data=events) == 2
    names = [event["unique_event_name"] for event in clinic.admin.ok(content="event", arms=["2"])]
    assert names == ["deadline_to_opt_ou_arm_2", "deadline_to_opt_ou_arm_2b"]


def test_an_arm_without_events_is_not_exported(clinic: Any) -> None:
    """10 [V]."""
    clinic.admin.ok(content="arm", action="import", data=[{"arm_num": 2, "name": "Drug B"}])
    assert [arm["arm_num"] for arm in clinic.admin.ok(content="arm")] == [1]
    clinic.admin.ok(content="event", action="import", data=[{"event_name": "Only", "arm_num": 2}])
    assert clinic.admin.ok(content="arm")[1] == {"arm_num": 2, "name": "Drug B"}
    assert clinic.admin.ok(content="arm", action="delete", arms=["2"]) == 1
    assert len(clinic.admin.ok(content="event")) == 3


def test_overriding_arms_takes_events_and_mappings_along(clinic: Any) -> None:
    """10."""
    arms = [{"arm_num": 1, "name": "A"}]
    assert clinic.admin.ok(content="arm", action="import", override=1, data=arms) == 1
    assert clinic.admin.refused(content="event") == "You cannot export events for classic projects"
    assert "no events" in clinic.admin.refused(content="record", data=[{"record_id": "1"}])
    assert clinic.admin.rows() == []


def test_renaming_an_event_keeps_its_data(clinic: Any) -> None:
    """10: a row with a known unique name changes that event."""
    clinic.admin.put({"record_id": "1", "sex": "1"})
    row = {"event_name": "Begin", "arm_num": 1, "unique_event_name": "start_arm_1", "custom_event_label": "[name]"}
    clinic.admin.ok(content="event", action="import", data=[row])
    assert clinic.admin.rows()[0]["sex"] == "1"
    event = clinic.admin.ok(content="event")[0]
    assert (event["event_name"], event["unique_event_name"], event["custom_event_label"]) == (
        "Begin", "start_arm_1", "[name]",
    )  # fmt: skip


def test_day_offsets_show_only_with_scheduling(clinic: Any) -> None:
    """10."""
    assert "day_offset" not in clinic.admin.ok(content="event")[0]
    clinic.admin.ok(content="project_settings", data=[{"scheduling_enabled": 1}])
    row = {"event_name": "Week 2", "arm_num": 1, "day_offset": "14", "offset_min": "3", "offset_max": "3"}
    clinic.admin.ok(content="event", action="import", data=[row])
    found = next(e for e in clinic.admin.ok(content="event") if e["event_name"] == "Week 2")
    assert (found["day_offset"], found["offset_min"], found["offset_max"]) == ("14", "3", "3")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("arm", "You cannot export arms for classic projects"),
        ("event", "You cannot export events for classic projects"),
        ("formEventMapping", "You cannot export form/event mappings for classic projects"),
        (
            "repeatingFormsEvents",
            "You cannot export repeating instruments and events because the project does not contain any repeating "
            "instruments and events",
        ),
    ],
)
def test_classic_projects_have_no_events(new_project: Any, content: str, message: str) -> None:
    """2.4 [V]; a project is longitudinal only with more than one event or arm (10 [V])."""
    for settings in ({}, {"is_longitudinal": 1}):
        made = new_project(**settings)
        assert made.admin.refused(content=content) == message
        assert made.admin.ok(content="project")["is_longitudinal"] == 0


def test_mappings_and_repeats_replace_what_was_there(clinic: Any) -> None:
    """10."""
    one = [{"arm_num": 1, "unique_event_name": "start_arm_1", "form": "visit"}]
    assert clinic.admin.ok(content="formEventMapping", data=one) == 1
    assert clinic.admin.ok(content="formEventMapping") == one
    repeats = clinic.admin.ok(content="repeatingFormsEvents")
    assert [list(row) for row in repeats] == [["event_name", "form_name", "custom_form_label"]] * 2
    assert clinic.admin.ok(content="repeatingFormsEvents", data=[]) == 0
    assert "not designated" in clinic.admin.refused(content="repeatingFormsEvents", data=repeats[:1])


def test_project_information_has_redcaps_keys(clinic: Any) -> None:
    """13.2 [V]."""
    info = clinic.admin.ok(content="project")
    assert list(info)[:5] == ["project_id", "project_title", "creation_time", "production_time", "in_production"]
    assert (info["is_longitudinal"], info["has_repeating_instruments_or_events"], info["purpose"]) == (1, 1, 0)
    assert len(info) == 26
    assert clinic.admin.ok(content="project_settings", data={"project_title": "New", "purpose": "2"}) == 2
    assert clinic.admin.ok(content="project")["project_title"] == "New"
    assert clinic.admin.refused(content="project_settings", data=[{"is_longitudinal": "maybe"}])


def test_groups_are_named_by_slugs_and_renaming_changes_them(clinic: Any) -> None:
    """11.1 [V]."""

    def groups() -> list[str]:
        return [group["unique_group_name"] for group in clinic.admin.ok(content="dag")]

    rows = [{"data_access_group_name": "Integration test dag-a", "unique_group_name": ""}]
    assert clinic.admin.ok(content="dag", action="import", data=rows) == 1
    assert groups() == ["integration_test_d"]
    rows = [{"data_access_group_name": "dag-a", "unique_group_name": "integration_test_d"}]
    clinic.admin.ok(content="dag", action="import", data=rows)
    assert groups() == ["daga"]
    clinic.user("gus", data_access_group="daga")
    assert clinic.admin.ok(content="userDagMapping", action="import",
                           data=[{"username": "gus", "redcap_data_access_group": ""}]) == 1  # fmt: skip
    assert clinic.admin.ok(content="dag", action="delete", dags=["daga"]) == 1
    assert groups() == []


def test_a_new_user_has_no_rights_until_given(clinic: Any) -> None:
    """11.2 [V]: minimal import; key order; forms as maps."""
    assert clinic.admin.ok(content="user", data=[{"username": "New.One"}]) == 1
    user = next(u for u in clinic.admin.ok(content="user") if u["username"] == "new.one")
    assert list(user)[:7] == [
        "username", "email", "firstname", "lastname", "expiration", "data_access_group", "data_access_group_id",
    ]  # fmt: skip
    assert list(user)[-2:] == ["forms", "forms_export"]
    assert (user["design"], user["api_export"], user["forms"]["visit"], user["forms_export"]["visit"]) == (0, 0, 0, 0)
    text = clinic.admin.post(content="user", format="csv").text
    assert '"intake:0,visit:0,medicine:0,allocation:0"' in text or "intake:0,visit:0" in text
    assert clinic.admin.ok(content="user", format="csv", data=text) == 2
    assert clinic.admin.ok(content="user", action="delete", users=["new.one"]) == 1


def test_rights_of_the_module_show_only_with_the_module(clinic: Any) -> None:
    """11.2."""
    assert "random_perform" not in clinic.admin.ok(content="user")[0]
    clinic.admin.ok(content="project_settings", data=[{"randomization_enabled": 1}])
    assert clinic.admin.ok(content="user")[0]["random_perform"] == 1


def test_new_forms_are_open_to_the_users_there_are(clinic: Any) -> None:
    """In development, a new instrument is given to every user."""
    clinic.user("una", forms={"visit": 2}, forms_export={"visit": 0})
    rows = clinic.admin.ok(content="metadata")
    clinic.admin.ok(content="metadata", data=[*rows, {**rows[-1], "field_name": "extra", "form_name": "extra_form"}])
    user = next(u for u in clinic.admin.ok(content="user") if u["username"] == "una")
    assert (user["forms"]["extra_form"], user["forms"]["visit"], user["forms_export"]["visit"]) == (1, 2, 0)


PAGE_HEADERS = [
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
]  # fmt: skip


@pytest.mark.parametrize("headers", [PAGE_HEADERS, [f"column {n}" for n in range(8)]])
def test_a_dictionary_with_the_headers_of_the_download_is_read_by_position(clinic: Any, headers: list[str]) -> None:
    """PyCap issue 190: the place of a column counts, not what stands above it."""
    lines = [
        headers,
        ["record_id", "visit", "", "text", "Record"],
        ["age", "visit", "", "text", "Age", "", "", "integer"],
    ]
    text = "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines)
    assert clinic.admin.ok(content="metadata", format="csv", data=text) == 2
    rows = clinic.admin.ok(content="metadata")
    named = [(row["field_name"], row["text_validation_type_or_show_slider_number"]) for row in rows]
    assert named == [("record_id", ""), ("age", "integer")]


def test_a_dictionary_in_the_names_of_the_api_may_have_its_columns_in_any_order(clinic: Any) -> None:
    """What redcapAPI and REDCapR write from a data frame."""
    text = "form_name,field_name,field_label,field_type\nvisit,record_id,Record,text\n"
    assert clinic.admin.ok(content="metadata", format="csv", data=text) == 1
    assert clinic.admin.ok(content="metadata")[0]["form_name"] == "visit"


def test_a_dictionary_without_its_first_column_is_told_what_slipped(clinic: Any) -> None:
    """PyCap issue 190: form names stand where field names are looked for, types where section headers are."""
    text = "form_name,section_header,field_type,field_label\nvisit,,text,Record\nvisit,,text,Age\n"
    said = clinic.admin.refused(content="metadata", format="csv", data=text)
    assert "duplicated" in said
    assert "B2, B3" in said
