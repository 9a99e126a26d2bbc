"""Two projects in the shape real servers export, written by hand (reference/redcap-validation-facts.md 1)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from redcap_local.administration import opened
from redcap_local.storage import randomization, reports
from redcap_local.storage.randomization import Trigger

pytestmark = pytest.mark.requirement("RCP-02")

DATA = Path(__file__).parents[1] / "data"
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
REDCAP = "{https://projectredcap.org}"


@pytest.fixture
def made(clinic: Any, local_redcap: Any) -> Any:
    """A function that makes a project of a document and gives its creator's view."""

    def make(odm: str) -> Any:
        founder = replace(clinic.admin, token=local_redcap.super_token)
        answer = founder.post(content="project", data=[{"project_title": "Made", "purpose": "0"}], odm=odm)
        assert answer.status_code == 200, answer.text
        return replace(clinic.admin, token=answer.text)

    return make


@pytest.fixture
def house(made: Any) -> Any:
    """The classic project."""
    return made((DATA / "household_project.xml").read_text(encoding="utf-8"))


def test_fields_are_those_of_the_dictionary(house: Any) -> None:
    """Formatted labels, both words for a drop-down, a numbered slider, raw line breaks inside attribute values."""
    fields = {row["field_name"]: row for row in house.ok(content="metadata")}
    kinds = {name: row["field_type"] for name, row in fields.items()}
    assert kinds == {
        "house_id": "text", "age": "text", "pets": "checkbox", "heat": "dropdown", "roof": "dropdown",
        "keeper": "yesno", "mood": "slider", "plan": "descriptive", "seen": "text", "mail": "text", "warm": "text",
        "sum": "calc",
    }  # fmt: skip
    assert fields["age"]["field_note"] == "first line\nsecond line"
    assert fields["heat"]["branching_logic"] == "[age] > 1\nand [age] < 900"
    assert fields["pets"]["select_choices_or_calculations"] == "1, Cat | 2, Dog & more"
    assert fields["keeper"]["field_label"].startswith('<div class="rich-text-field-label"><p>Does <strong>')
    validation = "text_validation_type_or_show_slider_number"
    assert [fields[n][validation] for n in ("age", "mood", "warm")] == ["integer", "number", "number"]
    assert house.ok(content="repeatingFormsEvents") == [{"form_name": "visit", "custom_form_label": "[seen]"}]
    roles = house.ok(content="userRole")
    assert [(role["role_label"], role["forms"]) for role in roles] == [("Reader", {"house": 2, "visit": 0})]


def test_data_are_those_of_the_document_however_unfit(house: Any) -> None:
    """Codes that are gone, an e-mail that is none, a missing-data code of a checkbox, an item group without name."""
    base, visit, _, _ = house.rows()
    assert (base["age"], base["heat"], base["house_complete"]) == ("NI", "oil", "2")
    assert [base[f"pets___{code}"] for code in ("1", "2", "ni", "unk")] == ["0", "0", "0", "1"]
    assert (visit["redcap_repeat_instrument"], visit["redcap_repeat_instance"]) == ("visit", 2)
    assert (visit["seen"], visit["mail"], visit["warm"]) == ("2026-03-01 10:30", "HelloWorld", "20.5")


def test_a_report_is_what_its_document_says(house: Any, clinic: Any) -> None:
    """Fields, a form status among them; filter; sorted by two columns, the first downwards."""
    number = house.ok(content="project")["project_id"]
    with opened(clinic.db) as connection:
        (report,) = reports.all_reports(connection, number)
    assert (report.title, report.logic) == ("Old & new", "[age] > 1")
    assert report.fields == ("house_id", "age", "pets", "house_complete")
    assert report.sort == ("-age", "house_id")
    rows = house.ok(content="report", report_id=report.id)
    assert [row["age"] for row in rows][-2:] == ["70", "7"]
    assert "house_complete" in rows[0]


def test_making_a_project_from_xml_is_logged(house: Any) -> None:
    """B.6.4.0900 [P]."""
    entries = house.ok(content="log", logtype="manage")
    assert "Create project using REDCap XML file" in [entry["details"] for entry in entries]


def test_a_project_in_arms_has_its_events_groups_and_model(made: Any, clinic: Any) -> None:
    """Group by a field, repeating event, moments with seconds, line breaks in values."""
    trial = made((DATA / "two_arm_project.xml").read_text(encoding="utf-8"))
    assert [row["unique_event_name"] for row in trial.ok(content="event")] == [
        "start_arm_1", "visit_arm_1", "start_arm_2",
    ]  # fmt: skip
    assert [row["name"] for row in trial.ok(content="arm")] == ["Treated", "Registry"]
    assert [row["unique_group_name"] for row in trial.ok(content="dag")] == ["site_north", "site_south"]
    rows = trial.rows(exportDataAccessGroups="true")
    seen = [(row["id"], row["redcap_event_name"], row["redcap_repeat_instance"], row["when"]) for row in rows]
    assert ("N-1", "visit_arm_1", 1, "2026-03-01 10:30:05") in seen
    assert ("N-1", "visit_arm_1", 3, "") in seen
    assert {row["pain"] for row in rows} == {"", "none", "first line\nsecond line"}
    assert rows[0]["redcap_data_access_group"] == "site_north"
    number = trial.ok(content="project")["project_id"]
    with opened(clinic.db) as connection:
        (model,) = randomization.models(connection, number)
    assert (model.target_field, model.strata, model.by_group) == ("arm", (("site", "start_arm_1"),), False)
    assert model.trigger == Trigger("allocation", "start_arm_1", "[site] = '1'", everybody=False)


@pytest.mark.parametrize("name", ["household_project.xml", "two_arm_project.xml"])
def test_what_is_written_has_the_words_and_groups_of_what_was_read(made: Any, name: str) -> None:
    """Item groups, items with type, length and words, reports, the order of it all; and it goes in again."""
    text = (DATA / name).read_text(encoding="utf-8")
    source = made(text)
    written = source.post(content="project_xml", format="xml", exportDataAccessGroups="true").text
    before, after = (ElementTree.fromstring(t.encode()) for t in (text, written))  # noqa: S314 - our own files

    def groups(root: Any) -> dict[str, list[str]]:
        return {
            found.get("OID"): [ref.get("ItemOID") for ref in found if ref.get("ItemOID") != "redcap_data_access_group"]
            for found in root.iter(f"{ODM}ItemGroupDef")
        }

    def items(root: Any) -> dict[str, tuple[Any, ...]]:
        keys = ("DataType", "Length", f"{REDCAP}TextValidationType", f"{REDCAP}SectionHeader")
        return {
            found.get("OID"): tuple(found.get(key) for key in keys)
            for found in root.iter(f"{ODM}ItemDef")
            if found.get(f"{REDCAP}FieldType")
        }

    assert groups(after) == groups(before)
    assert items(after) == items(before)
    named = {ref.get("ItemGroupOID") for ref in after.iter(f"{ODM}ItemGroupRef")}
    assert {group.get("ItemGroupOID") for group in after.iter(f"{ODM}ItemGroupData")} <= named == set(groups(after))
    words = ("title", "redcap_reports_fields", "advanced_logic", "orderby_field1", "orderby_sort1")
    for old, new in zip(before.iter(f"{REDCAP}Reports"), after.iter(f"{REDCAP}Reports"), strict=True):
        assert [new.get(word) or "" for word in words] == [old.get(word) or "" for word in words]
    for old, new in zip(before.iter(f"{REDCAP}Randomization"), after.iter(f"{REDCAP}Randomization"), strict=True):
        assert old.attrib.items() - new.attrib.items() <= {("stratified", "0"), ("group_by", "FIELD")}
    order = re.findall(r"<redcap:(\w+Group)>", written)
    assert order == [group for group in re.findall(r"<redcap:(\w+Group)>", text) if group in order]
    assert made(written).rows() == source.rows()


def test_a_formatted_label_is_written_twice(house: Any) -> None:
    """Without tags for other readers, and as it is."""
    text = house.post(content="project_xml", format="xml").text
    assert "<TranslatedText>Does somebody keep it?</TranslatedText><redcap:FormattedTranslatedText>&lt;div" in text
