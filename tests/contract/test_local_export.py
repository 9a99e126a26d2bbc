"""Exporting records (reference/redcap-api.md 5)."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"


@pytest.fixture
def filled(clinic: Any) -> Any:
    """Two patients: one with everything, one with a bare start."""
    clinic.admin.put(
        {"record_id": "10", "redcap_event_name": START, "name": "Ida", "sex": "1", "fears___1": "1", "fears____99": "1",
         "smoker": "0", "born": "1950-02-03", "intake_complete": "2"},
        {"record_id": "10", "redcap_event_name": "week_1_arm_1", "weight": "70.0", "height": "170"},
        {"record_id": "10", "redcap_event_name": START, "redcap_repeat_instrument": "medicine",
         "redcap_repeat_instance": "2", "drug": "B"},
        {"record_id": "10", "redcap_event_name": START, "redcap_repeat_instrument": "medicine",
         "redcap_repeat_instance": "1", "drug": "A"},
        {"record_id": "10", "redcap_event_name": "phone_arm_1", "redcap_repeat_instance": "1", "weight": "71.0"},
        {"record_id": "10", "redcap_event_name": "phone_arm_1", "redcap_repeat_instance": "2", "weight": "72.0"},
        {"record_id": "2", "redcap_event_name": START},
    )  # fmt: skip
    return clinic


def places(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    keys = ("record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
    return [tuple(row[key] for key in keys) for row in rows]


def test_rows_come_by_record_then_base_rows_then_repeats(filled: Any) -> None:
    """5.5 [V]: natural order of records, base rows by event, repeats by event, form, instance."""
    assert places(filled.admin.rows()) == [
        ("2", START, "", ""),
        ("10", START, "", ""),
        ("10", "week_1_arm_1", "", ""),
        ("10", START, "medicine", 1),
        ("10", START, "medicine", 2),
        ("10", "phone_arm_1", "", 1),
        ("10", "phone_arm_1", "", 2),
    ]


def test_records_come_in_natural_order(clinic: Any) -> None:
    """5.5 [V]: numbers by size, names of groups together."""
    names = ["20-10", "b", "10", "20-2", "2", "a10", "a9", "3-1"]
    clinic.admin.put(*({"record_id": name} for name in names))
    shown = [row["record_id"] for row in clinic.admin.rows(fields=["record_id"])]
    assert shown == ["2", "3-1", "10", "20-2", "20-10", "a9", "a10", "b"]


def test_a_record_is_listed_only_for_the_arms_it_is_in(clinic: Any) -> None:
    """5.5 [V]; and an arm can be deleted from a record (7)."""
    clinic.admin.ok(content="event", action="import", data=[{"event_name": "Other", "arm_num": 2}])
    clinic.admin.put({"record_id": "1"}, {"record_id": "1", "redcap_event_name": "other_arm_2"}, {"record_id": "2"})
    assert [(row["record_id"], row["redcap_event_name"]) for row in clinic.admin.rows()] == [
        ("1", START),
        ("1", "other_arm_2"),
        ("2", START),
    ]
    clinic.admin.ok(content="record", action="delete", records=["1"], arm=2)
    assert {row["redcap_event_name"] for row in clinic.admin.rows()} == {START}


def test_the_record_id_comes_only_on_request(filled: Any) -> None:
    """5.2 [V]: fields=sex alone gives one column."""
    assert list(filled.admin.rows(fields=["sex"])[0]) == ["sex"]
    assert list(filled.admin.rows(forms=["visit"])[0]) == ["weight", "height", "bmi", "pain", "visit_complete"]
    assert next(iter(filled.admin.rows(forms=["intake"])[0])) == "record_id"


def test_columns_are_in_redcaps_order(filled: Any) -> None:
    """5.2 [V]: id, event, repeat columns, group, then forms with their status."""
    filled.admin.ok(content="dag", action="import", data=[{"data_access_group_name": "North", "unique_group_name": ""}])
    row = filled.admin.rows(exportDataAccessGroups="true")[0]
    assert list(row)[:6] == [
        "record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance",
        "redcap_data_access_group", "name",
    ]  # fmt: skip
    assert [key for key in row if key.startswith("fears")] == ["fears___1", "fears___2", "fears____99"]
    assert list(row)[-2:] == ["arm", "allocation_complete"]


def test_checkboxes_and_statuses_are_zero_where_the_form_applies_and_blank_elsewhere(filled: Any) -> None:
    """5.3, 5.4 [V]."""
    start, week, drug = (filled.admin.rows(records=["10"])[n] for n in (0, 1, 2))
    assert (start["fears___1"], start["fears___2"], start["fears____99"]) == ("1", "0", "1")
    assert (start["intake_complete"], start["visit_complete"], start["medicine_complete"]) == ("2", "0", "")
    assert (week["fears___1"], week["intake_complete"], week["visit_complete"]) == ("", "", "0")
    assert (drug["medicine_complete"], drug["fears___1"], drug["visit_complete"]) == ("0", "", "")


def test_gray_forms_can_be_blank(filled: Any) -> None:
    """5.4 [V]: a touched form keeps its 0."""
    start, week = filled.admin.rows(records=["10"], exportBlankForGrayFormStatus="true")[:2]
    assert (start["visit_complete"], week["visit_complete"], start["allocation_complete"]) == ("", "0", "")


def test_labels_stand_for_codes(filled: Any) -> None:
    """5.1, 5.3 [V]."""
    row = filled.admin.rows(records=["10"], rawOrLabel="label")[0]
    assert (row["sex"], row["smoker"], row["fears___1"], row["fears___2"]) == ("Female", "No", "Checked", "Unchecked")
    assert (row["redcap_event_name"], row["intake_complete"], row["born"]) == ("Start", "Complete", "1950-02-03")
    named = filled.admin.rows(records=["10"], rawOrLabel="label", exportCheckboxLabel="true")[0]
    assert (named["fears___1"], named["fears___2"]) == ("Needles", "")


def test_label_headers_stand_for_names(filled: Any) -> None:
    """5.2 [V]: `Complete?` for every status, `Label (choice=Option)` for a checkbox."""
    text = filled.admin.post(content="record", format="csv", rawOrLabelHeaders="label").text
    header = text.split("\n")[0]
    assert header.startswith('"Record Id","Event Name","Repeat Instrument","Repeat Instance",Name')
    assert '"Fears (choice=Needles)"' in header
    assert header.count("Complete?") == 4


def test_unknown_records_give_no_rows_and_unknown_fields_an_error(filled: Any) -> None:
    """5.1, 2.4 [V]."""
    assert filled.admin.rows(records=["999"]) == []
    message = "The following values in the parameter \"fields\" are not valid: 'a', 'redcap_event_name'"
    assert filled.admin.refused(content="record", fields=["sex", "a", "redcap_event_name"]) == message


def test_unknown_forms_are_dropped_but_never_widen_a_request(filled: Any) -> None:
    """5.1 [I]: an unknown form among known ones is dropped; alone it must not mean everything."""
    assert list(filled.admin.rows(forms=["allocation", "nonsense"])[0]) == ["arm", "allocation_complete"]
    assert "nonsense" in filled.admin.refused(content="record", forms=["nonsense"])


def test_eav_has_one_row_per_stored_value(filled: Any) -> None:
    """5.6 [V]: ticked options by code, the record id and form status as rows, no blanks."""
    rows = filled.admin.rows(records=["10"], events=[START], type="eav")
    assert list(rows[0]) == [
        "record", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "field_name", "value",
    ]  # fmt: skip
    values = sorted((r["field_name"], r["value"]) for r in rows if not r["redcap_repeat_instrument"])
    assert values == [
        ("born", "1950-02-03"), ("fears", "-99"), ("fears", "1"), ("intake_complete", "2"), ("name", "Ida"),
        ("record_id", "10"), ("sex", "1"), ("smoker", "0"),
    ]  # fmt: skip
    assert [(r["redcap_repeat_instance"], r["value"]) for r in rows if r["field_name"] == "drug"] == [
        (1, "A"),
        (2, "B"),
    ]


def test_classic_eav_has_three_columns(new_project: Any) -> None:
    """5.6 [V]."""
    made = new_project()
    made.admin.put({"record_id": "1"})
    text = made.admin.post(content="record", format="csv", type="eav").text
    assert text == "record,field_name,value\n1,record_id,1\n"


@pytest.mark.parametrize(
    ("logic", "kept"),
    [
        ("[weight] > 70.5", [("10", "phone_arm_1", "", 1), ("10", "phone_arm_1", "", 2)]),
        ("[weight] = '70.0'", [("10", "week_1_arm_1", "", "")]),
        ("[drug] = 'B'", [("10", START, "medicine", 2)]),
        ("[height] = 170", [("10", "week_1_arm_1", "", "")]),
    ],
)
def test_filter_logic_is_evaluated_for_every_row(filled: Any, logic: str, kept: list[tuple[Any, ...]]) -> None:
    """5.1: per row, unless it names an event."""
    assert places(filled.admin.rows(filterLogic=logic)) == kept


def test_repeating_rows_see_the_fields_of_their_event(filled: Any) -> None:
    """5.1: a field that does not repeat has one value for all rows of its event."""
    assert len(filled.admin.rows(filterLogic="[fears(1)] = '1'")) == 3


def test_filter_logic_that_names_an_event_keeps_all_rows_of_the_record(filled: Any) -> None:
    """5.1."""
    assert len(filled.admin.rows(filterLogic="[start_arm_1][sex] = '1'")) == 6


@pytest.mark.parametrize("logic", ["[weight] >", "[nonsense] = 1", "((", "[nowhere_arm_1][sex]=1"])
def test_bad_filter_logic_is_an_error(filled: Any, logic: str) -> None:
    """5.1: bad syntax → error."""
    assert "filterLogic" in filled.admin.refused(content="record", filterLogic=logic)


def test_date_ranges_pick_records_by_their_log(filled: Any) -> None:
    """5.1 [V]: a begin in the future gives nothing."""
    assert filled.admin.rows(dateRangeBegin="2100-01-01 00:00:00") == []
    assert len(filled.admin.rows(dateRangeBegin="2020-01-01 00:00:00")) == 7
    assert filled.admin.rows(dateRangeEnd="2020-01-01 00:00:00") == []
    assert "dateRangeBegin" in filled.admin.refused(content="record", dateRangeBegin="yesterday")


def test_csv_delimiter_and_decimal_character_are_obeyed(filled: Any) -> None:
    """5.1 [V]: decimals are forced on calculations and numbers."""
    text = filled.admin.post(
        content="record", format="csv", csvDelimiter="tab", decimalCharacter=",", fields=["record_id", "weight"]
    ).text
    assert "10\tweek_1_arm_1\t\t\t70,0\n" in text


def test_a_narrow_export_still_knows_which_rows_exist(filled: Any) -> None:
    """5.5: repeat rows of forms that were not asked for are dropped, base rows stay."""
    assert places(filled.admin.rows(fields=["record_id", "sex"])) == [
        ("2", START, "", ""),
        ("10", START, "", ""),
        ("10", "week_1_arm_1", "", ""),
        ("10", "phone_arm_1", "", 1),
        ("10", "phone_arm_1", "", 2),
    ]


def test_a_repeating_form_has_a_base_row_in_a_classic_project(classic: Any) -> None:
    """5.5 [V]: base row first, with that form's columns blank."""
    classic.admin.put(
        {"record_id": "1", "redcap_repeat_instrument": "medicine", "redcap_repeat_instance": 1, "drug": "A"}
    )
    rows = classic.admin.rows()
    assert [(r["redcap_repeat_instrument"], r["redcap_repeat_instance"], r["drug"]) for r in rows] == [
        ("", "", ""),
        ("medicine", 1, "A"),
    ]


def test_odm_holds_the_same_values(filled: Any) -> None:
    """5.7: CDISC ODM 1.3.1 with ClinicalData; what is exported can be imported again."""
    before = filled.admin.rows()
    text = filled.admin.post(content="record", format="odm").text
    assert 'ODMVersion="1.3.1"' in text
    filled.admin.ok(content="record", action="delete", records=["2", "10"])
    assert filled.admin.rows() == []
    assert filled.admin.ok(content="record", format="odm", data=text) == {"count": 2}
    assert filled.admin.rows() == before


def test_ticked_options_can_be_combined_into_one_column(filled: Any) -> None:
    """5.1 [D]: codes in the order of the options, or labels; the column is named after the field."""
    plain = filled.admin.rows(records=["10"])[0]
    rows = filled.admin.rows(records=["10"], combineCheckboxOptions="true")
    names = [name for name in plain if not name.startswith("fears")]
    assert list(rows[0]) == [*names[: names.index("smoker") + 1], "fears", *names[names.index("smoker") + 1 :]]
    assert [row["fears"] for row in rows[:2]] == ["1,-99", ""]
    named = filled.admin.rows(records=["10"], combineCheckboxOptions="true", rawOrLabel="label")
    assert [row["fears"] for row in named[:2]] == ["Needles,Other", ""]
    assert filled.admin.rows(records=["2"], combineCheckboxOptions="true")[0]["fears"] == ""


@pytest.mark.parametrize(
    ("delimiter", "cell"), [(",", '"1,-99"'), (";", '"1;-99"'), ("tab", '"1\t-99"'), ("|", "1|-99")]
)
def test_combined_options_are_joined_with_the_delimiter(filled: Any, delimiter: str, cell: str) -> None:
    """5.1 [D]: one delimited value, in csv and xml too; label headers name the field."""
    asked = {"content": "record", "records": ["10"], "events": [START], "fields": ["fears"], "csvDelimiter": delimiter}
    csv = filled.admin.post(**asked, combineCheckboxOptions="true", format="csv", rawOrLabelHeaders="label").text
    head, first = csv.splitlines()[:2]
    assert (head, first.strip('"')) == ("Fears", cell.strip('"'))
    xml = filled.admin.post(**asked, combineCheckboxOptions="true", format="xml").text
    assert f"<fears><![CDATA[{first.strip(chr(34))}]]></fears>" in xml


def test_combining_options_leaves_filters_and_eav_as_they_are(filled: Any) -> None:
    """5.1, 5.6: a filter looks at single options; EAV has one row per ticked option anyway."""
    asked = {"combineCheckboxOptions": "true", "fields": ["record_id", "fears"]}
    kept = filled.admin.rows(**asked, filterLogic="[fears(-99)] = '1'", events=[START])
    assert [row["fears"] for row in kept if not row["redcap_repeat_instrument"]] == ["1,-99"]
    assert filled.admin.rows(type="eav", **asked) == filled.admin.rows(type="eav", fields=["record_id", "fears"])


def test_a_label_that_is_another_options_code_stays_a_label(new_project: Any) -> None:
    """5.1 [D]: every option of a combined value is shown once."""
    made = new_project()
    rows = made.admin.ok(content="metadata")
    choices = {"field_type": "checkbox", "select_choices_or_calculations": "1, 2 | 2, 3 | 10, 1"}
    box = {**dict.fromkeys(rows[0], ""), "field_name": "box", "form_name": "form_1", "field_label": "Box", **choices}
    made.admin.ok(content="metadata", data=[*rows, box])
    made.admin.put({"record_id": "1", "box___10": "1", "box___2": "1", "box___1": "1"})
    assert made.admin.rows(combineCheckboxOptions="true")[0]["box"] == "1,2,10"
    assert made.admin.rows(combineCheckboxOptions="true", rawOrLabel="label")[0]["box"] == "2,3,1"


def test_fields_and_forms_make_a_union(filled: Any) -> None:
    """5.2 [V]: fields come without their status, forms with it."""
    columns = list(filled.admin.rows(fields=["record_id", "sex"], forms=["allocation"])[0])
    assert columns[-3:] == ["sex", "arm", "allocation_complete"]


@pytest.mark.parametrize("logic", ["[drug] = 'B'", "[weight] > 70.5", "[start_arm_1][sex] = '1'"])
def test_eav_is_filtered_as_flat_is(filled: Any, logic: str) -> None:
    """5.1: the same rows, value by value."""
    flat = {(r["redcap_event_name"], r["redcap_repeat_instance"]) for r in filled.admin.rows(filterLogic=logic)}
    eav = filled.admin.rows(filterLogic=logic, type="eav")
    assert {(r["redcap_event_name"], r["redcap_repeat_instance"]) for r in eav} == flat
    whole = filled.admin.rows(type="eav")
    assert [row for row in whole if row in eav] == eav
    assert len(eav) < len(whole)


def test_calculated_values_are_exported_as_they_are_stored(new_project: Any) -> None:
    """5.3 [V]: the shortest text of the float."""
    made = new_project()
    rows = made.admin.ok(content="metadata")
    blank = {**dict.fromkeys(rows[0], ""), "form_name": "form_1", "field_label": "x"}
    rows += [
        {**blank, "field_name": "a", "field_type": "text"},
        {**blank, "field_name": "b", "field_type": "calc", "select_choices_or_calculations": "[a]/23"},
        {**blank, "field_name": "c", "field_type": "calc", "select_choices_or_calculations": "[a]*0.03"},
    ]
    made.admin.ok(content="metadata", data=rows)
    made.admin.put({"record_id": "1", "a": "100"})
    assert (made.admin.rows()[0]["b"], made.admin.rows()[0]["c"]) == ("4.3478260869565215", "3")
