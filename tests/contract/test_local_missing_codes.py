"""Missing-data codes in a project of the local REDCap (reference/redcap-validation-facts.md 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from redcap_local.administration import change_settings, loaded, opened
from redcap_local.messages import AdministrationError
from redcap_rules.logic import evaluate, parse
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.observing import cells
from trialdesk.redcap.patience import Patience
from trialdesk.redcap.snapshot import pull

pytestmark = pytest.mark.requirement("RCP-02")

CODES = "INV, Invalid\nUNK, Unknown"
START = "start_arm_1"


def set_codes(clinic: Any, codes: str) -> None:
    """The project has these missing-data codes."""
    with opened(clinic.db) as connection:
        change_settings(connection, loaded(connection, clinic.project), {"missing_data_codes": codes})


@pytest.fixture
def coded(clinic: Any) -> Any:
    """A clinic with two codes and a record that holds them in fields of several types."""
    set_codes(clinic, CODES)
    clinic.admin.put(
        {"record_id": "1", "born": "UNK", "sex": "INV", "fears___inv": "1", "fears___2": "1", "weight": "UNK"}
    )
    return clinic


def test_every_checkbox_has_a_column_for_each_code_after_its_options(coded: Any) -> None:
    """D.113.100 [V]: `0` where the form has data and nothing is ticked."""
    row = coded.admin.rows(events=START)[0]
    fears = {name: value for name, value in row.items() if name.startswith("fears")}
    assert list(fears) == ["fears___1", "fears___2", "fears____99", "fears___inv", "fears___unk"]
    assert fears == {"fears___1": "0", "fears___2": "1", "fears____99": "0", "fears___inv": "1", "fears___unk": "0"}
    assert (row["born"], row["sex"], row["weight"]) == ("UNK", "INV", "UNK")
    names = [r["export_field_name"] for r in coded.admin.ok(content="exportFieldNames", field="fears")]
    assert names == list(fears)


def test_label_exports_show_the_labels_of_the_codes(coded: Any) -> None:
    """D.113.100 [P]: in any field; in a checkbox like any option."""
    row = coded.admin.rows(events=START, rawOrLabel="label")[0]
    assert (row["born"], row["sex"], row["weight"]) == ("Unknown", "Invalid", "Unknown")
    assert (row["fears___inv"], row["fears___unk"]) == ("Checked", "Unchecked")
    row = coded.admin.rows(events=START, rawOrLabel="label", exportCheckboxLabel="true")[0]
    assert (row["fears___inv"], row["fears___unk"]) == ("Invalid", "")
    text = coded.admin.post(content="record", format="csv", rawOrLabelHeaders="label").text
    assert "Fears (choice=Unknown)" in text.partition("\n")[0]
    pairs = coded.admin.rows(type="eav", fields=["fears"], rawOrLabel="label")
    assert [pair["value"] for pair in pairs] == ["Heights", "Invalid"]
    both = coded.admin.rows(events=START, combineCheckboxOptions="true")[0]["fears"]
    assert both == "2,INV"


@pytest.mark.parametrize("kind", ["flat", "eav"])
def test_what_is_exported_is_taken_back(coded: Any, kind: str) -> None:
    """Also one row a value, where the code is the value of the checkbox."""
    before = coded.admin.rows()
    again = coded.admin.rows(type=kind)
    coded.admin.ok(content="record", action="delete", records=["1"])
    coded.admin.put(*again, type=kind)
    assert coded.admin.rows() == before


def test_a_code_is_no_tick_and_no_status(coded: Any) -> None:
    """A code is an answer to a question; whether an option is ticked has 0 and 1 only."""
    for column in ("fears___1", "fears___inv", "intake_complete"):
        said = coded.admin.refused(content="record", data=[{"record_id": "1", column: "UNK"}])
        assert column in said


def test_a_word_that_is_no_code_is_refused_as_before(coded: Any) -> None:
    """Other texts stay invalid."""
    coded.admin.refused(content="record", data=[{"record_id": "1", "born": "NA"}])
    coded.admin.refused(content="record", data=[{"record_id": "1", "fears___na": "1"}])


def test_filters_and_calculations_know_the_codes(coded: Any) -> None:
    """C.4.18.0300 [P]: a code is not blank, but it is blank or missing code."""
    coded.admin.put({"record_id": "2", "born": "1950-02-03", "fears___1": "1"}, {"record_id": "3", "sex": "1"})
    asked = {
        "isblankormissingcode([born])": ["1", "3"],
        "isblanknotmissingcode([born])": ["3"],
        "ismissingcode([born])": ["1"],
        "hasmissingcode([sex], [born])": ["1"],
        "[fears(INV)] = '1'": ["1"],
    }
    for logic, records in asked.items():
        rows = coded.admin.rows(events=START, fields=["record_id"], forms=["intake"], filterLogic=logic)
        assert [row["record_id"] for row in rows] == records, logic


def test_a_calculation_follows_the_tick_of_a_code(new_project: Any) -> None:
    """The column of a code is a column its field's calculations depend on."""
    made = new_project()
    rows = made.admin.ok(content="metadata")
    blank = dict.fromkeys(rows[0], "")
    more = [
        ("box", "checkbox", "1, A"),
        ("unknown", "calc", "if([box(unk)]='1',1,0)"),
    ]
    keys = ("field_name", "field_type", "select_choices_or_calculations")
    fields = [{**blank, "form_name": "form_1", "field_label": "x", **dict(zip(keys, m, strict=True))} for m in more]
    made.admin.ok(content="metadata", data=[*rows, *fields])
    set_codes(made, "UNK, Unknown")
    made.admin.put({"record_id": "1", "box___unk": "1"})
    assert made.admin.rows()[0]["unknown"] == "1"
    made.admin.put({"record_id": "1", "box___unk": "0"})
    assert made.admin.rows()[0]["unknown"] == "0"


def test_a_project_made_from_xml_has_the_codes_and_what_is_ticked(coded: Any, local_redcap: Any) -> None:
    """Project418 [V]: the data hold items for which there is no ItemDef."""
    xml = coded.admin.post(content="project_xml", format="xml").text
    assert 'ItemOID="fears___inv"' in xml
    assert 'ItemDef OID="fears___inv"' not in xml
    founder = replace(coded.admin, token=local_redcap.super_token)
    made = founder.post(content="project", data=[{"project_title": "Copy", "purpose": "0"}], odm=xml)
    copy = replace(coded.admin, token=made.text)
    assert copy.rows(events=START, fields=["fears"]) == coded.admin.rows(events=START, fields=["fears"])


def test_the_desk_reads_a_project_with_codes_like_any_other(coded: Any) -> None:
    """The columns of the codes belong to their form, and a rule knows the codes, row by row and column-wise."""
    found = pull(Gateway(coded.admin.url, SecretStr(coded.admin.token), patience=Patience(attempts=1)), groups=False)
    assert not found.missing
    assert cells(found)["1"][f"{START} intake"] == 4
    logic = parse("ismissingcode([born]) and [fears(INV)] = '1'")
    assert found.tables.holds(logic, found.tables.kinds[START, ""], date(2026, 1, 1)) == [True]
    assert evaluate(logic, found.view("1"), event=START) == 1.0


def test_codes_that_cannot_be_read_are_refused_from_an_administrator(clinic: Any) -> None:
    """A code stands once."""
    with pytest.raises(AdministrationError, match="missing_data_codes"):
        set_codes(clinic, "UNK, Unknown | UNK, Again")
