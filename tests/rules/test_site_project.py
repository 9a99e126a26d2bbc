"""Which project may be looked at, and what may not stand in the report that a unit sends back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialdesk.errors import ConfigError
from trialdesk.validation.site.judges import Seen
from trialdesk.validation.site.project import FIELDS, TITLE, Design, foreign, redesigned, strange
from trialdesk.validation.site.report import Fact, read_facts, report, without

CALCULATION, VALIDATION = "select_choices_or_calculations", "text_validation_type_or_show_slider_number"
INFO = {"project_id": 7, "project_title": TITLE, "in_production": 0}


@pytest.mark.parametrize(
    ("a", "b", "others", "why"),
    [
        ({}, {}, [], ""),
        ({}, {}, ["8"], ""),
        ({}, {}, ["7"], "a project of the configuration"),
        ({"project_id": 8}, {}, [], "two projects"),
        ({"project_title": f"{TITLE} 2"}, {}, [], "not titled"),
        ({}, {"project_title": TITLE.lower()}, [], "not titled"),
        ({"in_production": 1}, {}, [], "not in development"),
        ({}, {"in_production": "1"}, [], "not in development"),
        ({"in_production": ""}, {}, [], "not in development"),
        ({"project_id": ""}, {"project_id": ""}, [], "no number"),
    ],
)
def test_another_project_is_not_looked_at(a: dict[str, Any], b: dict[str, Any], others: list[str], why: str) -> None:
    """One sentence for each reason, none for the right one."""
    assert why in "; ".join(found := strange({"A": INFO | a, "B": INFO | b}, others))
    assert len(found) == bool(why)


def told(wanted: Sequence[tuple[str, ...]], *names: str) -> list[dict[str, object]]:
    return [dict(zip(names, row, strict=True)) for row in wanted]


def test_another_design_is_named_part_by_part() -> None:
    """Fields by name, form, type, calculation and validation; events; forms in events; what repeats."""
    names = ("field_name", "form_name", "field_type", CALCULATION, VALIDATION)
    fields = told(FIELDS, *names)
    events = told([("start_arm_1",), ("later_arm_1",)], "unique_event_name")
    forms = [("start_arm_1", "entry"), ("start_arm_1", "hidden"), ("later_arm_1", "entry"), ("later_arm_1", "readonly")]
    places = told(forms, "unique_event_name", "form")
    right = Design(fields, events, places, told([("later_arm_1", "readonly")], "event_name", "form_name"))
    assert redesigned(right) == ()
    for name in names:
        other = replace(right, fields=[{**fields[0], name: "other"}, *fields[1:]])
        assert redesigned(other) == ("its fields are not those of site-check.xml",)
    assert "events" in redesigned(replace(right, events=events[:1]))[0]
    assert "forms in events" in redesigned(replace(right, places=places[1:]))[0]
    assert "repeating" in redesigned(replace(right, repeating=[]))[0]


def test_records_of_others_are_those_without_the_prefix() -> None:
    """As typed: the case counts."""
    assert foreign(["TDSC-1", "tdsc-1", "1", "TDSC-name"]) == ("tdsc-1", "1")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("user 'Anna.Berg' has no right", "user '…' has no right"),
        ("annabel has none", "annabel has none"),
        ("see https://redcap.example.org/redcap/index.php?pid=7 for more", "see … for more"),
        ("REDCAP.example.org says no", "… says no"),
        ("write to help@example.org", "write to …"),
        (f"token {'A' * 32} in {TITLE.title()}", "token … in …"),
        ("record TDSC-1 exists", "record TDSC-1 exists"),
    ],
)
def test_names_and_addresses_are_left_out(text: str, clean: str) -> None:
    """In whatever case; what only contains a name stays."""
    assert without(text, ["anna.berg", "anna", "redcap.example.org", TITLE]) == clean


@given(st.sampled_from(["anna", "a.b", "x|y", "[u]", "q'"]), st.text("ab |'\n[u].", max_size=20))
def test_whatever_redcap_says_the_report_keeps_its_table_and_no_name(name: str, said: str) -> None:
    """One line a fact, with five bars that are no text."""
    fact = Fact("OF-01", "A fact.", "We assume.")
    page = report([(fact, Seen("differs", f"{said} {name} {said}"))], "16.1.9", date(2026, 11, 27), [name])
    assert "REDCap 16.1.9, 2026-11-27. 1 facts: agrees 0, differs 1, could not be told 0." in page
    line = page.splitlines()[-1]
    assert line.startswith("| OF-01 | A fact. | We assume. | differs: ")
    assert line.replace("\\|", "").count("|") == 5
    assert f" {name} " not in line


def test_a_table_of_facts_that_is_none_is_refused(tmp_path: Path) -> None:
    """With its place."""
    with pytest.raises(ConfigError, match="can't be read"):
        read_facts(tmp_path / "facts.csv")
    (tmp_path / "facts.csv").write_text("id,fact\nOF-01,A fact.\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="has not the columns"):
        read_facts(tmp_path / "facts.csv")
