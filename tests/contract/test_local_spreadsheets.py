"""What a spreadsheet leaves in an import file, and background imports (reference/redcap-validation-facts.md 3)."""

from __future__ import annotations

from typing import Any

import pytest

from redcap_local.intake.dates import stored_date
from redcap_rules.dictionary import Field

pytestmark = pytest.mark.requirement("RCP-02")

WRONG = (
    "The value you provided could not be validated because it does not follow the expected format. Please try again."
)
FIELDS = [
    ("record_id", "intake", "text", ""),
    ("born", "intake", "text", "date_dmy"),
    ("seen", "intake", "text", "datetime_seconds_mdy"),
    ("met", "intake", "text", "datetime_ymd"),
    ("phone", "intake", "text", "phone_uk"),
    ("weight", "intake", "text", "number"),
    ("height", "intake", "text", "integer"),
    ("mail", "intake", "text", "email"),
    ("pain", "intake", "slider", "number"),
    ("free", "intake", "text", ""),
]


@pytest.fixture
def sheet(new_project: Any) -> Any:
    """A project with a field of every type that matters here."""
    made = new_project()
    keys = ("field_name", "form_name", "field_type", "text_validation_type_or_show_slider_number")
    blank = dict.fromkeys(made.admin.ok(content="metadata")[0], "")
    rows = [{**blank, "field_label": row[0], **dict(zip(keys, row, strict=True))} for row in FIELDS]
    made.admin.ok(content="metadata", data=rows)
    return made


@pytest.mark.parametrize(
    ("field", "value"),
    [("weight", "heavy"), ("height", "1.5"), ("mail", "HelloWorld"), ("born", "yesterday"), ("pain", "much")],
)
def test_a_value_that_does_not_fit_gets_one_message_whatever_the_type(sheet: Any, field: str, value: str) -> None:
    """B.3.16.1400 [V]: the other sentences belong to the page."""
    said = sheet.admin.refused(content="record", data=[{"record_id": "1", field: value}])
    assert said == f'"1","{field}","{value}","{WRONG}"'


def test_lines_of_nothing_but_delimiters_are_skipped(sheet: Any) -> None:
    """B.3.16.1000 [P]; also before and between rows."""
    text = ",,\nrecord_id,weight,free\n1,70,a\n,,\n  , ,\n2,71,b\n,,\n"
    assert sheet.admin.ok(content="record", format="csv", data=text) == {"count": 2}
    assert [(row["record_id"], row["weight"]) for row in sheet.admin.rows()] == [("1", "70"), ("2", "71")]


def test_blanks_around_a_validated_value_do_no_harm(sheet: Any) -> None:
    """B.3.16.0700 [P]; free text keeps its own, and blanks alone are no value."""
    row = {"record_id": "1", "phone": " +44 7911 123456", "born": "1950-02-03 ", "weight": " 70 ", "free": " a "}
    sheet.admin.put(row)
    found = sheet.admin.rows()[0]
    assert (found["phone"], found["born"], found["weight"]) == ("+44 7911 123456", "1950-02-03", "70")
    assert found["free"] == " a "
    sheet.admin.put({"record_id": "1", "weight": "  "})
    assert sheet.admin.rows()[0]["weight"] == "70"
    sheet.admin.put({"record_id": "1", "weight": "  "}, overwriteBehavior="overwrite")
    assert sheet.admin.rows()[0]["weight"] == ""


def test_dates_come_as_a_spreadsheet_saves_them(sheet: Any) -> None:
    """B.3.16.0400 to 1000 [I]: no leading zeros, two digits of the year, no seconds; the request's order counts."""
    sheet.admin.put(
        {"record_id": "1", "born": "7/9/1940", "seen": "7/31/2023 14:49", "met": "2/25/43 9:05"},
        {"record_id": "2", "born": "8/18/23", "seen": "7/31/2023 14:49:07"},
        dateFormat="MDY",
    )
    first, second = sheet.admin.rows()
    assert (first["born"], first["seen"], first["met"]) == ("1940-07-09", "2023-07-31 14:49:00", "1943-02-25 09:05")
    assert (second["born"], second["seen"]) == ("2023-08-18", "2023-07-31 14:49:07")
    sheet.admin.put({"record_id": "1", "born": "7/9/40"}, dateFormat="DMY")
    assert sheet.admin.rows()[0]["born"] == "1940-09-07"
    for wrong in ("13/13/2020", "7/31/023", "7/31/2023 14:60"):
        assert WRONG in sheet.admin.refused(content="record", data=[{"record_id": "1", "met": wrong}], dateFormat="MDY")


@pytest.mark.parametrize(("year", "whole"), [("26", "2026"), ("27", "1927"), ("00", "2000"), ("99", "1999")])
def test_two_digits_mean_the_latest_year_that_is_not_ahead(year: str, whole: str) -> None:
    """Patients are not born tomorrow."""
    from datetime import date

    field = Field("born", "intake", "text", validation="date_mdy")
    assert stored_date(field, f"1/2/{year}", "MDY", date(2026, 11, 27)) == f"{whole}-01-02"
    assert stored_date(field, f"1/2/{year}", "YMD", date(2026, 11, 27)) == f"1/2/{year}"


def test_a_background_import_stores_what_is_right_and_names_the_rest(sheet: Any) -> None:
    """B.3.16.1400 [V] of the page: a record with a fault is left out whole, the others are stored."""
    sheet.admin.ok(content="project_settings", data=[{"secondary_unique_field": "mail"}])
    sheet.admin.put({"record_id": "0", "mail": "a@b.dk"})
    rows = [
        {"record_id": "1", "weight": "70"},
        {"record_id": "2", "weight": "heavy", "height": "180"},
        {"record_id": "3", "mail": "a@b.dk", "weight": "72"},
        {"record_id": "4", "weight": "73"},
    ]
    assert sheet.admin.ok(content="record", data=rows, backgroundProcess=1) == {"success": True}
    assert [(row["record_id"], row["weight"]) for row in sheet.admin.rows()] == [("0", ""), ("1", "70"), ("4", "73")]
    log = sheet.admin.ok(content="log", user="SYSTEM (site_admin)")
    assert [entry["action"] for entry in log[1:]] == ["Create record (API) 4", "Create record (API) 1"]
    first, *faults = log[0]["details"].splitlines()
    assert "2 records stored, 2 left out" in first
    assert faults[0] == f'"2","weight","heavy","{WRONG}"'
    assert faults[1].startswith('"3","mail","a@b.dk"')
    assert len(faults) == 2
