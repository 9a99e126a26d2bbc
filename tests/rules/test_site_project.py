"""Which project may be looked at, and what may not stand in the report that a unit sends back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialdesk.errors import ConfigError
from trialdesk.validation.site.judges import Seen
from trialdesk.validation.site.project import TITLE, foreign, strange
from trialdesk.validation.site.report import Fact, read_facts, report, without

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
