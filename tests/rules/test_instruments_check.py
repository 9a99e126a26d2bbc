"""`check`: every rule fires on its fault, names the place and the way out, and is silent on a clean folder."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from frozen import FROZEN
from redcap_rules.dictionary import Dictionary, Field, write_dictionary
from redcap_rules.logic import parse
from trialdesk.config import Config, load
from trialdesk.errors import InstrumentError
from trialdesk.instruments.checks import check, check_projects, to_json
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.folder import PROJECTS, ProjectName, folder_of, read_folder, sites_as_groups, survey

pytestmark = pytest.mark.requirement("INS-03")

FIELDS = (
    Field("id", "visit", "text", label="Record"),
    Field("seen", "visit", "text", label="Day of visit", validation="date_dmy", maximum="today"),
    Field("pain", "visit", "radio", label="Pain", choices="1, None | 2, Some | 3, Much", required=True),
    Field("signs", "visit", "checkbox", label="Signs", choices="1, Fever | 2, Fall", annotation="@NONEOFTHEABOVE='1'"),
    Field("why", "visit", "text", label="Why", branching="[pain]='3' and [signs(2)]='1'"),
    Field("total", "visit", "calc", label="Total", choices="[pain]+1"),
    Field("m1", "visit", "radio", label="One", choices="1, A | 2, B", matrix="mx"),
    Field("m2", "visit", "radio", label="Two", choices="1, A | 2, B", matrix="mx"),
    Field("weight", "visit", "text", label="Weight", validation="number", minimum="30", maximum="200"),
    Field("what", "log", "text", label="What", branching="[first_arm_1][pain]<>''"),
    Field("when", "log", "text", label="When", validation="date_dmy"),
    Field(
        "item_1", "log", "radio", label="C30 item 1 [PF2]", choices="1, 1 | 2, 2", annotation="LICENSED-TEXT qlq_c30"
    ),
)
BRANCHING, CHOICES = "Branching Logic (Show field only if...)", "Choices, Calculations, OR Slider Labels"
FILES = {
    "events.csv": "event_name,arm_num,day_offset,unique_event_name\nFirst,1,0,first_arm_1\nSecond,1,7,second_arm_1\n",
    "mapping.csv": "arm_num,unique_event_name,form\n1,first_arm_1,visit\n1,second_arm_1,visit\n1,second_arm_1,log\n",
    "repeating.csv": "event_name,form_name,custom_form_label\nsecond_arm_1,log,\n",
    "dq_rules.csv": "rule_name,rule_logic,real_time_execution\nR1 Much pain,[pain]='3',n\n",
    "labels.csv": "kind,name,label\ninstrument,visit,Visit\ninstrument,log,Log\nevent,first_arm_1,First\n"
    "event,second_arm_1,Second\n",
    "display_logic.csv": "form_name,event_name,control_condition\nlog,second_arm_1,[first_arm_1][pain]='3'\n",
}


def found(
    folder: Path, fields: Sequence[Field] = FIELDS, files: Mapping[str, str] | None = None, config: Config | None = None
) -> list[Fault]:
    forms = list(dict.fromkeys(field.form for field in fields))
    for number, form in enumerate(forms, start=1):
        part = Dictionary(tuple(field for field in fields if field.form == form))
        (folder / f"{number:02}_{form}.csv").write_text(write_dictionary(part), encoding="utf-8")
    for name, text in {**FILES, **(files or {})}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return list(check(Subject(survey(folder, ("ODE",)), config)))


def changed(name: str, /, **attributes: Any) -> tuple[Field, ...]:
    return tuple(replace(field, **attributes) if field.name == name else field for field in FIELDS)


def added(*fields: Field) -> tuple[Field, ...]:
    """The clean fields with more of the first form behind it."""
    return (*FIELDS[:9], *fields, *FIELDS[9:])


def test_a_clean_folder_has_no_fault(tmp_path: Path) -> None:
    """Every rule stays silent where nothing is wrong."""
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "attributes", "column", "words"),
    [
        ("pain", {"name": "pa__in"}, "Variable / Field Name", "double and trailing underscores"),
        ("weight", {"name": "redcap_event_name"}, "Variable / Field Name", "REDCap uses this name itself"),
        ("weight", {"name": "visit_complete"}, "Variable / Field Name", "REDCap uses this name itself"),
        ("weight", {"name": "signs___1"}, "Variable / Field Name", "also that of signs"),
        ("weight", {"name": "w" * 27}, "Variable / Field Name", "27 characters"),
        ("why", {"choices": "1, A"}, CHOICES, "no choices of its own"),
        ("total", {"choices": ""}, CHOICES, "there is no formula"),
        ("weight", {"kind": "sql"}, "Field Type", "only administrators"),
        ("signs", {"required": True}, "Required Field?", "a required checkbox has no effect"),
        ("why", {"label": ""}, "Field Label", "there is no label"),
        ("m2", {"choices": "1, A | b c, B", "matrix": ""}, CHOICES, "'b c'"),
        ("weight", {"validation": "numbr"}, "Text Validation Type OR Show Slider Number", "'numbr' is no validation"),
        ("pain", {"validation": "integer"}, "Text Validation Type OR Show Slider Number", "of a radio field"),
        ("weight", {"minimum": "300"}, "Text Validation Min", "the minimum 300 is above the maximum 200"),
        ("weight", {"maximum": "much"}, "Text Validation Max", "'much' is not a number value"),
        ("seen", {"maximum": "31-12-2030"}, "Text Validation Max", "is not a date value"),
        ("why", {"maximum": "3"}, "Text Validation Max", "limits work for"),
        ("why", {"label": "E-mail"}, "Identifier?", "looks personal"),
        ("why", {"validation": "phone"}, "Identifier?", "looks personal"),
        ("id", {"identifier": True}, "Identifier?", "the record id is marked"),
        ("pain", {"ranking": True}, "Matrix Ranking?", "only a radio row of a matrix"),
        ("m2", {"choices": "1, A | 3, C"}, CHOICES, "not those of m1"),
        ("m2", {"kind": "checkbox"}, "Field Type", "has radio rows"),
        ("m2", {"section": "Head"}, "Section Header", "splits it in two"),
        ("m1", {"kind": "dropdown"}, "Matrix Group Name", "can't stand in a matrix"),
        ("weight", {"matrix": "mx", "kind": "radio", "choices": "1, A | 2, B", "validation": "", "minimum": "",
                    "maximum": "", "section": ""}, None, ""),  # a third row is no fault
        ("why", {"annotation": "@READNLY"}, "Field Annotation", "did you mean @READONLY?"),
        ("why", {"annotation": "@DEFAULT"}, "Field Annotation", "stands without a value"),
        ("why", {"annotation": "@MAXCHECKED=2"}, "Field Annotation", "does nothing on a text field"),
        ("why", {"annotation": "@IF([pain]='1' and, @TODAY, '')"}, "Field Annotation", "the condition of @IF"),
        ("why", {"annotation": "mail me@HOME.dk @HIDDEN"}, None, ""),  # an address is no tag
        ("why", {"branching": "[pain]=='3'"}, BRANCHING, "line 1, column 8"),
        ("why", {"branching": "[pain]='3"}, BRANCHING, "never closed"),
        ("why", {"branching": "[pian]='3'"}, BRANCHING, "there is no such field"),
        ("why", {"branching": "[signs]='1'"}, BRANCHING, "a checkbox needs a code"),
        ("why", {"branching": "[signs(9)]='1'"}, BRANCHING, "no choice 9"),
        ("why", {"branching": "[pain(1)]='1'"}, BRANCHING, "no codes in parentheses"),
        ("why", {"branching": "[pain]='4'"}, BRANCHING, "is never '4'"),
        ("why", {"branching": "'4'=[pain]"}, BRANCHING, "is never '4'"),
        ("why", {"branching": "[signs(1)]='2'"}, BRANCHING, "is never '2'"),
        ("why", {"branching": "[pain]<>'' and [pain:label]='Much'"}, None, ""),
        ("why", {"branching": "[why]='x'"}, BRANCHING, "its own answer"),
        ("why", {"branching": "[third_arm_1][pain]='3'"}, BRANCHING, "no such event"),
        ("why", {"branching": "[first_arm_1][what]='a'"}, BRANCHING, "does not hold"),
        ("why", {"branching": "[what]='a'"}, BRANCHING, "does not stand in first_arm_1"),
        ("why", {"branching": "[second_arm_1][what]='a'"}, BRANCHING, "first instance"),
        ("why", {"branching": "[second_arm_1][what][1]='a'"}, None, ""),
        ("why", {"branching": "[first-event-name][pain]='3'"}, None, ""),
        ("what", {"branching": "[pain]='3'"}, None, ""),  # `visit` stands wherever `log` does
        ("what", {"branching": "[second_arm_1][visit_complete]='2'"}, None, ""),
        ("total", {"choices": "[pain]+"}, CHOICES, "line 1, column 8"),
        ("total", {"choices": "[paine]+1"}, CHOICES, "there is no such field"),
        ("total", {"choices": "[total]+1"}, CHOICES, "total → total"),
        ("total", {"choices": "datediff([seen],'today','d')"}, CHOICES, "today"),
        ("total", {"choices": "datediff([seen],[seen],'D')+1"}, CHOICES, "line 1, column 24: datediff has no unit 'D'"),
        ("total", {"choices": "datediff([seen],[seen],if([pain]=1,'M','x'),true)"}, None, ""),  # not known beforehand
        ("why", {"annotation": "@CALCTEXT(if([pian]='1','a','b'))"}, "Field Annotation", "there is no such field"),
        ("item_1", {"label": "Do you have any trouble"}, "Field Label", "not the neutral label"),
        ("item_1", {"choices": "1, Not at all | 2, A lot"}, CHOICES, "in words"),
        ("item_1", {"note": "During the past week"}, "Field Note", "a note on an item"),
        ("item_1", {"label": "I have pain"}, "Field Label", "not the neutral label"),
        ("item_1", {"label": "EQ-5D-5L pain or discomfort"}, None, ""),
        ("item_1", {"label": "ODI section 8 (sex life, optional)"}, None, ""),
        ("item_1", {"label": "EQ VAS (0-100)"}, None, ""),
    ],
)  # fmt: skip
def test_a_fault_in_one_field_is_found_in_its_cell(
    name: str, attributes: dict[str, Any], column: str | None, words: str, tmp_path: Path
) -> None:
    """File, row, column, what is wrong and the way out; None where nothing may be said."""
    faults = found(tmp_path, changed(name, **attributes))
    if column is None:
        assert faults == []
        return
    fault = next(fault for fault in faults if words in str(fault))
    assert fault.column == column
    row = next(
        n for n, f in enumerate((f for f in FIELDS if f.form == FIELDS_BY[name].form), start=2) if f.name == name
    )
    assert (fault.file, fault.row) == ("01_visit.csv" if FIELDS_BY[name].form == "visit" else "02_log.csv", row)
    assert fault.way_out


FIELDS_BY = {field.name: field for field in FIELDS}


EVENT, SLOT, RULE = "event_name,arm_num", "unique_event_name,form", "rule_name,rule_logic"
SHOWN = "form_name,event_name,control_condition"
LONG = "A very long label number"


@pytest.mark.parametrize(
    ("file", "lines", "row", "words"),
    [
        (
            "events",
            [f"{EVENT},unique_event_name", "First,1,first_arm_1", "Second,1,later_arm_1"],
            3,
            "REDCap makes second_arm_1",
        ),
        ("events", [f"{EVENT},day_offset", "First,1,0", "Second,1,0"], 3, "by alphabet"),
        ("events", [f"{EVENT},day_offset", "First,1,0", "Second,1,soon"], 3, "'soon' is no number of days"),
        ("events", [EVENT, "First,1", '"Second,1'], 1, "close every quote"),
        ("mapping", [SLOT, "first_arm_1,visit", "second_arm_1,visit,log"], 3, "3 cells under 2 headers"),
        ("licences", ["licence,label", "odi,ODI (", "qlq_c30,C30 .*"], 2, "'ODI (' is no regular expression"),
        (
            "licences",
            ["licence,label", "qlq_c30,C30 .*", "qlq-c30,C30 .*"],
            3,
            "no field is marked LICENSED-TEXT qlq-c30",
        ),
        ("arms", ["arm_num,name", "1,Main", "2,Extra"], 3, "arm 2 has no event"),
        ("licences", ["licence,label", "qlq_c30,C30 item 7.*"], 4, "not the neutral label of qlq_c30"),
        (
            "events",
            [EVENT, f"{LONG} one,1", f"{LONG} two,1", "First,1", "Second,1"],
            1,
            "2 events get the name a_very_long",
        ),
        ("mapping", [SLOT, "first_arm_1,visit", "third_arm_1,visit", "second_arm_1,log"], 3, "no event third_arm_1"),
        ("mapping", [SLOT, "first_arm_1,visit", "second_arm_1,visits", "second_arm_1,log"], 3, "no form visits"),
        ("mapping", [f"arm_num,{SLOT}", "2,first_arm_1,visit", "1,second_arm_1,log"], 2, "is in arm 1"),
        ("mapping", [SLOT, "second_arm_1,visit", "second_arm_1,log"], 1, "first_arm_1 holds no form"),
        ("mapping", [SLOT, "first_arm_1,visit", "second_arm_1,visit"], 2, "the form log stands in no event"),
        ("repeating", ["event_name,form_name", "first_arm_1,log"], 2, "first_arm_1 does not hold 'log'"),
        ("repeating", ["event_name,form_name", "third_arm_1,log"], 2, "no event 'third_arm_1'"),
        ("repeating", ["event_name,form_name", "second_arm_1,", "second_arm_1,log"], 3, "already repeats as a whole"),
        ("dq_rules", [RULE, "R1 Bad,[pain"], 2, "R1: line 1, column 1"),
        ("dq_rules", [RULE, "R1 Bad,[second_arm_1][what]<>'' and [pain]='7'"], 2, "never '7'"),
        ("display_logic", [SHOWN, "logs,,[first_arm_1][pain]='3'"], 2, "no form 'logs'"),
        ("display_logic", [SHOWN, "log,first_arm_1,[first_arm_1][pain]='3'"], 2, "does not hold log"),
    ],
)
def test_a_fault_of_structure_is_found_in_its_row(
    file: str, lines: list[str], row: int, words: str, tmp_path: Path
) -> None:
    """Events, mapping, repeats and rules are checked against the dictionary and one another."""
    faults = found(tmp_path, files={f"{file}.csv": "\n".join(lines)})
    fault = next(fault for fault in faults if words in str(fault))
    assert fault.row == row


def test_a_rule_no_event_can_answer_is_found(tmp_path: Path) -> None:
    """Unprefixed fields of forms that never meet in one event."""
    other = Field("alone", "other", "text", label="Alone")
    mapping = "unique_event_name,form\nfirst_arm_1,other\nsecond_arm_1,visit\nsecond_arm_1,log\n"
    rules = "rule_name,rule_logic\nR1 Never,[alone]<>'' and [what]<>''\n"
    faults = found(tmp_path, (*FIELDS, other), {"mapping.csv": mapping, "dq_rules.csv": rules})
    assert any("no event holds log and other, so the rule never fires" in str(fault) for fault in faults)


def test_a_rule_on_an_identifier_is_named(tmp_path: Path) -> None:
    """Identifiers are never pulled, so such a rule would be silent for ever."""
    faults = found(tmp_path, changed("why", identifier=True), {"dq_rules.csv": f"{RULE}\nR1 Why,[why]<>''\n"})
    assert [fault.severity for fault in faults if "never pulled" in str(fault)] == ["warning"]


def test_a_ring_of_calculations_is_named_in_full(tmp_path: Path) -> None:
    """Each waits for the other."""
    other = Field("b", "visit", "calc", label="B", choices="[total]+1")
    faults = found(tmp_path, (*changed("total", choices="[b]+1")[:9], other, *FIELDS[9:]))
    assert any("b → total → b" in str(f) or "total → b → total" in str(f) for f in faults)


def test_an_item_that_lost_its_mark_is_found(tmp_path: Path) -> None:
    """Named like the licensed items beside it."""
    bare = Field("item_2", "log", "radio", label="Anything at all", choices="1, Yes | 2, No")
    assert any("not marked LICENSED-TEXT" in str(fault) for fault in found(tmp_path, (*FIELDS, bare)))


def test_a_matrix_that_begins_twice_is_found(tmp_path: Path) -> None:
    """Rows of a matrix stand together."""
    third = Field("m3", "visit", "radio", label="Three", choices="1, A | 2, B", matrix="mx")
    assert any("begins a second time" in str(fault) for fault in found(tmp_path, added(third)))


@pytest.mark.parametrize("project", ["trial", "register"])
def test_the_shipped_instruments_are_clean(project: ProjectName) -> None:
    """Not one error and not one warning."""
    assert check_projects(load(FROZEN / "config.yaml"), (project,)) == ()


def frozen(**changes: Any) -> list[Fault]:
    config = load(FROZEN / "config.yaml").model_copy(update=changes)
    return list(check(Subject(read_folder(folder_of(config, "trial"), sites_as_groups(config, "trial")), config)))


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("signs", {"required": True}),
        ("why", {"label": ""}),
        ("seen", {"validation": "datetime_ymd", "maximum": "8/31/23 1:59"}),
        ("signs", {"choices": "1-a, A | 2, B"}),
        ("why", {"annotation": "@INSTANCETABLE='log'"}),
        ("why", {"annotation": "@READNLY"}),
        ("weight", {"kind": "sql", "validation": "autocomplete", "minimum": "", "maximum": "", "choices": "select 1"}),
    ],
)
def test_what_redcap_takes_is_a_warning(name: str, attributes: dict[str, Any], tmp_path: Path) -> None:
    """Its own upload accepts these, so nobody needs --force: the unwise is told, and stays a person's choice."""
    mine = [fault for fault in found(tmp_path, changed(name, **attributes)) if f" {name}: " in f" {fault.what}"]
    assert {fault.severity for fault in mine} == {"warning"}, mine


def test_a_hyphen_in_a_code_of_a_radio_is_no_fault(tmp_path: Path) -> None:
    """Registries use codes such as 1002-5; logic and exports carry them."""
    faults = found(tmp_path, changed("pain", choices="1002-5, A | 3, B"))
    assert not [fault for fault in faults if "1002-5" in fault.what]


def test_a_site_that_cannot_be_chosen_is_found() -> None:
    """The site field carries the codes of the configuration, no more and no fewer."""
    sites = load(FROZEN / "config.yaml").sites
    fewer = [str(fault) for fault in frozen(sites=sites[1:])]
    assert any("ODE is not among the sites of config.yaml" in text for text in fewer)
    more = [str(fault) for fault in frozen(sites=(*sites, sites[0].model_copy(update={"code": "NEW"})))]
    assert any("sites of config.yaml NEW can't be chosen" in text for text in more)


def test_a_field_the_configuration_names_and_nobody_has_is_found() -> None:
    """Facts, contacts and logic of config.yaml are looked up like any reference."""
    config = load(FROZEN / "config.yaml")
    facts = config.facts.model_copy(update={"consented_on": type(config.facts.site)("screening_arm_1", "con_dato")})
    rule = config.contacts[0].model_copy(update={"event": "logs_arm_1"})
    release = (config.release[0].model_copy(update={"require": parse("[screening_arm_1][elig_okay]='1'")}),)
    texts = [str(fault) for fault in frozen(facts=facts, contacts=(rule,), release=release)]
    assert any(text.startswith("config.yaml row 1, release 1.require: ") for text in texts)
    assert any(text.startswith("config.yaml row 1, facts.consented_on") for text in texts)
    assert any("W01: logs_arm_1 does not hold nurse_contact" in text for text in texts)


def test_a_file_that_excel_saved_as_plain_csv_is_read(tmp_path: Path) -> None:
    """Windows-1252 and semicolons, as a Danish Windows writes it; and the names of groups alike."""
    text = "field_name;form_name;field_type;field_label\r\nid;f;text;Løbenummer – “id”\r\n"
    (tmp_path / "01_f.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "groups.csv").write_bytes("data_access_group_name\nKøge\n".encode("cp1252"))
    design = read_folder(tmp_path).design
    assert design.dictionary.get("id").label == "Løbenummer – “id”"
    assert design.groups == ("Køge",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        ("field_label\næ".encode() + "ø".encode("latin-1"), "not UTF-8 text"),
        (b"field_label\n\x81", "not UTF-8 text"),
        (b'field_name,form_name,field_type\nid,f,"text', "not a CSV"),
        (b"field_name,form_name\nid,f\n", "the column is missing"),
        ("field_name,form_name,field_type\nid,f,text\n".encode("utf-16"), "not UTF-8 text"),
        (b"field_name,form_name,field_type\nid,f,te\x00xt\n", "row 2: a NUL character"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_so_in_one_line(content: bytes, words: str, tmp_path: Path) -> None:
    """No traceback, and nothing else is guessed."""
    (tmp_path / "01_f.csv").write_bytes(content)
    with pytest.raises(InstrumentError, match=words) as caught:
        read_folder(tmp_path)
    assert "01_f.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "label", "other"),
    [
        ("08_odi.csv", "ODI section 1 (pain)", "ODI section 1 pain"),
        ("09_eq5d5l.csv", "EQ VAS (0-100)", "EQ VAS (0-99)"),
        ("10_qlq_c30.csv", "C30 item 1 [PF2]", "C30 item 1 pf"),
        ("11_qlq_my20.csv", "MY20 item 31 [DS]", "MY20 item 31 [DS2]"),
    ],
)
def test_a_licensed_item_of_the_trial_has_the_label_of_its_own_questionnaire(
    file: str, label: str, other: str, tmp_path: Path
) -> None:
    """Each questionnaire has its pattern.

    (reference/instruments.md 10.3), and what looks neutral elsewhere does not pass.
    """
    copytree(FROZEN / "instruments" / "trial", tmp_path / "trial")
    path = tmp_path / "trial" / file
    path.write_text(path.read_text(encoding="utf-8").replace(label, other), encoding="utf-8")
    (fault,) = check(Subject(read_folder(tmp_path / "trial")))
    assert (fault.file, fault.column, fault.rule) == (file, "Field Label", "licensed")


def test_a_file_that_cannot_be_read_hides_nothing_of_the_others(tmp_path: Path) -> None:
    """All findings at once; what may stand in the unreadable file is not said to be missing."""
    found(tmp_path, changed("why", branching="[item_1]='1' and [pain]='9'"))
    (tmp_path / "02_log.csv").write_bytes(b"\x81")
    texts = [str(fault) for fault in check(Subject(survey(tmp_path)))]
    assert len(texts) == 2
    assert texts[0].startswith("01_visit.csv row 6, Branching")
    assert texts[1].startswith("02_log.csv row 1: byte 0x81")


def test_without_the_first_file_nothing_is_said_of_the_record_id(tmp_path: Path) -> None:
    """The first field of the second file is not it."""
    fields = [replace(field, kind="notes", identifier=True) if field.name == "what" else field for field in FIELDS]
    found(tmp_path, fields)
    (tmp_path / "01_visit.csv").write_bytes(b"\x81")
    assert [fault.file for fault in check(Subject(survey(tmp_path)))] == ["01_visit.csv"]


def test_a_fault_in_a_role_hides_nothing_of_the_forms(tmp_path: Path) -> None:
    """Nothing refers to roles."""
    roles = "role_label,forms,forms_export\nNurse,visits:1,visit:1\n"
    texts = [str(fault) for fault in found(tmp_path, changed("why", branching="[pian]='1'"), {"roles.csv": roles})]
    assert any("there is no form 'visits'" in text for text in texts)
    assert any("[pian]: there is no such field" in text for text in texts)


def test_a_field_of_two_files_is_named_where_it_stands_the_second_time(tmp_path: Path) -> None:
    """Not as a row of files nobody has open."""
    (fault,) = found(
        tmp_path, FIELDS, {"03_again.csv": "field_name,form_name,field_type\nx,again,text\nwhen,again,text"}
    )
    assert (fault.file, fault.row) == ("03_again.csv", 3)
    assert "'when' is already a field" in fault.what


def test_an_instrument_file_with_a_capital_extension_is_read(tmp_path: Path) -> None:
    """Left out, the plan would delete its form."""
    found(tmp_path)
    (tmp_path / "02_log.csv").rename(tmp_path / "02_log.CSV")
    assert read_folder(tmp_path).design.dictionary.forms == ("visit", "log")


def test_a_fault_in_the_configuration_is_named_with_its_line(tmp_path: Path) -> None:
    """The line of the setting in the file that was read, whatever its name."""
    text = (FROZEN / "config.yaml").read_text(encoding="utf-8").replace("[con_date]", "[con_dato]")
    other = tmp_path / "other.yaml"
    other.write_text(text, encoding="utf-8")
    config = load(other).model_copy(update={"home": FROZEN})
    faults = check_projects(config, PROJECTS, other)
    assert faults
    lines = text.splitlines()
    for fault in faults:
        assert fault.file == "other.yaml"
        assert "con_dato" in "".join(lines[fault.row - 1 : fault.row + 2]), fault


def test_an_empty_folder_is_said_so(tmp_path: Path) -> None:
    """The wrong folder is the usual reason."""
    with pytest.raises(InstrumentError, match="there is no instrument"):
        read_folder(tmp_path)


def test_an_excel_export_is_read_as_it_comes(tmp_path: Path) -> None:
    """Byte-order mark, semicolons, Windows line ends, line breaks in cells, blank rows; rows count as in Excel."""
    header = "\ufeffVariable / Field Name;Form Name;Field Type;Field Label"
    text = "\r\n".join((header, "id;f;text;Record", ";;;", 'a_;f;text;"A\r\nB"', ""))
    (tmp_path / "f.csv").write_bytes(text.encode())
    (tmp_path / "labels.csv").write_text("kind,name,label\ninstrument,f,Form\n", encoding="utf-8")
    assert [fault.row for fault in check(Subject(read_folder(tmp_path)))] == [4]


def test_ten_thousand_fields_are_checked_in_seconds(tmp_path: Path) -> None:
    """A dictionary of any size is read; a formula a thousand deep is answered."""
    fields = [Field("id", "f", "text", label="Record")]
    fields += [Field(f"a{n}", "f", "text", label="A", branching=f"[a{n - 1}]<>''" if n else "") for n in range(9_998)]
    deep = "(" * 1000 + "[a0]" + "+1)" * 1000
    fields += [Field("deep", "f", "calc", label="Deep", choices=deep)]
    (tmp_path / "f.csv").write_text(write_dictionary(Dictionary(tuple(fields))), encoding="utf-8")
    (tmp_path / "labels.csv").write_text("kind,name,label\ninstrument,f,Form\n", encoding="utf-8")
    started = time.perf_counter()
    assert check(Subject(read_folder(tmp_path))) == ()
    assert time.perf_counter() - started < 20


def test_the_findings_are_there_for_a_machine(tmp_path: Path) -> None:
    """Rule, severity and place, sorted."""
    told = json.loads(to_json(found(tmp_path, changed("why", branching="[pian]='3'"))))
    assert told == [
        {
            "file": "01_visit.csv",
            "row": 6,
            "column": "Branching Logic (Show field only if...)",
            "rule": "branching",
            "what": "why: line 1, column 1: [pian]: there is no such field",
            "way_out": "correct the name",
            "severity": "error",
        }
    ]
