"""A project made from XML in the words a real server exports it in (reference/redcap-api.md 13.4), written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from redcap.project import Project

from redcap_local.server import Running

pytestmark = pytest.mark.requirement("RCP-02")

ODM = Path(__file__).parents[1] / "data" / "visit_project.xml"
ODM_NAME = "{http://www.cdisc.org/ns/odm/v1.3}"
REDCAP = "{https://projectredcap.org}"
# One bare item in XML, as PyCap's own tests create a project.
ITEM = '<?xml version="1.0" encoding="UTF-8" ?><item><project_title>Visits</project_title><purpose>0</purpose></item>'


@pytest.fixture(scope="module")
def visits(local_redcap: Running) -> Any:
    """The project of the file, seen by its creator."""
    body = {
        "token": local_redcap.super_token,
        "content": "project",
        "format": "xml",
        "data": ITEM,
        "odm": ODM.read_text(encoding="utf-8"),
    }
    return Project(local_redcap.url, requests.post(local_redcap.url, data=body, timeout=60).text[-32:])


def test_its_structure_is_that_of_the_file(visits: Any) -> None:
    """Events, fields with their choices, ranges and logic, groups and roles; unknown settings are passed over."""
    fields = {row["field_name"]: row for row in visits.export_metadata()}
    assert list(fields) == ["visit_id", "symptom", "weight", "double", "mood", "note", "scan"]
    assert (
        fields["symptom"]["select_choices_or_calculations"].replace(" |", "|").replace("| ", "|") == "1, Cough|2, Fever"
    )
    assert (fields["weight"]["text_validation_min"], fields["weight"]["required_field"]) == ("30", "y")
    assert (fields["double"]["field_type"], fields["double"]["select_choices_or_calculations"]) == (
        "calc",
        "[weight]*2",
    )
    assert fields["note"]["branching_logic"] == "[mood] = '1'"
    assert [row["unique_event_name"] for row in visits.export_events()] == ["first_arm_1", "last_arm_1"]
    assert [row["data_access_group_name"] for row in visits.export_dags()] == ["North Ward"]
    assert [row["role_label"] for row in visits.export_user_roles()] == ["Reader"]


def test_its_data_are_those_of_the_file(visits: Any) -> None:
    """Two instances of a repeating event, a ticked option, a group, a file, a line break."""
    rows = visits.export_records(export_data_access_groups=True)
    seen = [(r["visit_id"], r["redcap_event_name"], r["redcap_repeat_instance"], r["weight"], r["mood"]) for r in rows]
    assert seen == [
        ("A", "first_arm_1", 1, "70.5", "1"),
        ("A", "first_arm_1", 2, "71", ""),
        ("B", "last_arm_1", "", "", "2"),
    ]
    first = rows[0]
    assert (first["symptom___1"], first["symptom___2"], first["redcap_data_access_group"]) == ("0", "1", "north_ward")
    assert (first["note"], first["scan"]) == ('first line\nand "second"', "bone.txt")
    assert visits.export_file(record="A", field="scan", event="first_arm_1", repeat_instance=1)[0] == b"bones\n"


def test_the_whole_data_set_goes_back_as_it_came(visits: Any) -> None:
    """PyCap test_import_df_no_index [V]: an export with files and calculations can be imported unchanged.

    Calculations are blank until data change: the simple project of PyCap's tests counts 30 values, not 34 (5.6 [V]).
    """
    frame = visits.export_records(
        format_type="df", df_kwargs={"dtype": str, "keep_default_na": False, "index_col": False}
    )
    before = visits.export_records()
    assert [row["double"] for row in before] == ["", "", ""]
    assert visits.import_records(frame, import_format="df") == {"count": 2}
    after = visits.export_records()
    assert [row["double"] for row in after] == ["141", "142", ""]
    assert [{**row, "double": ""} for row in after] == before


SEEN = """<?xml version="1.0" encoding="UTF-8" ?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:redcap="https://projectredcap.org"><Study OID="Project.Seen">
<GlobalVariables><StudyName>Seen</StudyName></GlobalVariables><MetaDataVersion OID="M" Name="Seen">
<FormDef OID="Form.visit" Name="Visit" Repeating="No" redcap:FormName="visit">
<ItemGroupRef ItemGroupOID="visit.id" Mandatory="No"/></FormDef>
<ItemGroupDef OID="visit.id" Name="Visit" Repeating="No">{references}</ItemGroupDef>{items}</MetaDataVersion></Study>
<ClinicalData StudyOID="Project.Seen" MetaDataVersionOID="M"><SubjectData SubjectKey="1" redcap:RecordIdField="id">
<FormData FormOID="Form.visit" FormRepeatKey="1"><ItemGroupData ItemGroupOID="visit.id" ItemGroupRepeatKey="1">
{values}</ItemGroupData></FormData></SubjectData></ClinicalData></ODM>"""
MOMENTS = {  # field: its validation, as a real server writes it in XML, as records hold it
    "id": ("", "1", "1"),
    "at": ("datetime_dmy", "2026-03-01T10:30", "2026-03-01 10:30"),
    "sent": ("datetime_seconds_mdy", "2026-03-01T10:30:05", "2026-03-01 10:30:05"),
    "day": ("date_ymd", "2026-03-01", "2026-03-01"),
    "said": ("", "2026-03-01T10:30", "2026-03-01T10:30"),  # a text without validation is the person's own
}


def test_moments_have_a_t_in_xml_and_a_blank_in_records(local_redcap: Running) -> None:
    """Both ways; and what a project exports goes in again."""
    items = "".join(
        f'<ItemDef OID="{name}" Name="{name}" DataType="text" Length="30" redcap:Variable="{name}"'
        f' redcap:FieldType="text" redcap:TextValidationType="{kind}">'
        f"<Question><TranslatedText>{name}</TranslatedText></Question></ItemDef>"
        for name, (kind, _, _) in MOMENTS.items()
    )
    references = "".join(f'<ItemRef ItemOID="{name}" Mandatory="No" redcap:Variable="{name}"/>' for name in MOMENTS)
    values = "".join(f'<ItemData ItemOID="{name}" Value="{told}"/>' for name, (_, told, _) in MOMENTS.items())
    odm = SEEN.format(references=references, items=items, values=values)
    body = {"token": local_redcap.super_token, "content": "project", "format": "xml", "data": ITEM, "odm": odm}
    project = Project(local_redcap.url, requests.post(local_redcap.url, data=body, timeout=60).text[-32:])
    (row,) = project.export_records()
    assert {name: row[name] for name in MOMENTS} == {name: held for name, (_, _, held) in MOMENTS.items()}
    assert project.import_records([row]) == {"count": 1}
    asked = {"token": project.token, "content": "project_xml", "format": "xml"}
    written = requests.post(local_redcap.url, data=asked, timeout=60).text
    for name, (_, told, _) in MOMENTS.items():
        assert f'ItemOID="{name}" Value="{told}"' in written


def test_items_have_the_types_and_lengths_real_files_give_them(new_project: Any) -> None:
    """99 public files without exception (reference/redcap-validation-facts.md 1)."""
    made = new_project()
    rows = made.admin.ok(content="metadata")
    blank = dict.fromkeys(rows[0], "")
    kinds = [
        ("box", "checkbox", "1, A | 20, B", "", ("boolean", "1", "")),
        ("yes", "yesno", "", "", ("boolean", "1", "")),
        ("so", "truefalse", "", "", ("boolean", "1", "")),
        ("sum", "calc", "1+1", "", ("float", "999", "")),
        ("bar", "slider", "low | mid | high", "number", ("integer", "999", "number")),
        ("pick", "radio", "1, A | 200, B", "", ("text", "3", "")),
        ("drop", "dropdown", "a, A | bc, B", "", ("text", "2", "")),
        ("size", "text", "", "number", ("float", "999", "float")),
        ("whole", "text", "", "integer", ("integer", "999", "int")),
        ("free", "notes", "", "", ("text", "999", "")),
    ]
    keys = ("field_name", "field_type", "select_choices_or_calculations", "text_validation_type_or_show_slider_number")
    fields = [{**blank, "form_name": "form_1", "field_label": "x", **dict(zip(keys, k, strict=False))} for k in kinds]
    made.admin.ok(content="metadata", data=[*rows, *fields])
    root = ElementTree.fromstring(made.admin.post(content="project_xml", format="xml").text)  # noqa: S314 - our own
    items = {item.get(f"{REDCAP}Variable"): item for item in root.iter(f"{ODM_NAME}ItemDef")}
    for name, *_, (data, length, validation) in kinds:
        item = items[name]
        assert (item.get("DataType"), item.get("Length")) == (data, length), name
        assert item.get(f"{REDCAP}TextValidationType", "") == validation, name
