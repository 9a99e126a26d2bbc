"""Forms expected by now: a small trial of two patients and one event, counted by hand."""

from __future__ import annotations

from datetime import date

import pytest

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from trialdesk.config import Config, load
from trialdesk.facts.cards import Cards
from trialdesk.facts.deriving import Past, derive
from trialdesk.facts.dueforms import DueForm, FormCount, count, due_forms, forms_by_event, missing
from trialdesk.facts.pulling import Pull
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.listings import completeness
from trialdesk.reports.profiles import profile

pytestmark = pytest.mark.requirement("REP-03")

CONFIG: Config = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
WEEK = "week_2_arm_1"
CONTROL = "surgeon_control_arm_1"
DAY = date(2026, 7, 1)
MAPPING = {WEEK: ("analgesia", "vas_pain", "nurse_contact"), CONTROL: ("surgeon_followup",)}


def pull(values: dict[str, str]) -> Snapshot:
    """One record with one row in week 2."""
    return Snapshot("1", "", DICTIONARY, (WEEK, CONTROL), {"ODE-001": (Row("ODE-001", WEEK, "", 0, values),)}, {})


def states(values: dict[str, str], treatment: frozenset[str] = frozenset()) -> list[tuple[str, bool, bool]]:
    forms = due_forms(pull(values), [("ODE-001", WEEK)], MAPPING, treatment)
    return [(form.form, form.entered, form.complete) for form in forms]


def test_a_form_is_entered_with_data_and_complete_by_its_status() -> None:
    """Pain is entered and complete, the contact entered only, analgesia has nothing but unticked boxes."""
    values = {"vas_back": "50", "vas_pain_complete": "2", "nc_stat": "1", "nurse_contact_complete": "0"}
    assert states({**values, "an_op___1": "0", "an_op___2": "0"}) == [
        ("analgesia", False, False),
        ("vas_pain", True, True),
        ("nurse_contact", True, False),
    ]


def test_a_status_without_data_is_not_a_form() -> None:
    """Somebody pressed Complete on an empty form: it is missing."""
    assert states({"vas_pain_complete": "2"})[1] == ("vas_pain", False, False)


def test_an_answer_only_one_arm_is_asked_for_does_not_make_a_form_entered() -> None:
    """Otherwise the number entered would tell the arm."""
    assert states({"nc_xo": "1"}, frozenset({"nc_xo"}))[2] == ("nurse_contact", False, False)


def test_a_record_without_a_row_misses_every_form_and_only_what_is_due_counts() -> None:
    """Nothing is expected of an event that is not over."""
    forms = due_forms(pull({}), [("ODE-002", WEEK), ("ODE-002", WEEK)], MAPPING, frozenset())
    assert [(form.form, form.entered) for form in forms] == [(form, False) for form in MAPPING[WEEK]]
    assert {tuple(records) for records in forms.values()} == {("ODE-002",)}
    assert due_forms(pull({"vas_back": "1"}), [], MAPPING, frozenset()) == {}


def test_counts_are_of_the_named_records_and_zeros_are_there() -> None:
    """Four forms due, one of a record that is not counted, one form kind not due at all."""
    forms = {
        DueForm(WEEK, "odi", entered=True, complete=True): ["a", "c"],
        DueForm(WEEK, "odi", entered=False, complete=False): ["b"],
        DueForm(WEEK, "odi", entered=True, complete=False): ["d"],
    }
    counted = list(count(forms, {"a", "b", "d"}, [(WEEK, "odi"), (WEEK, "vas_pain")]))
    assert counted == [FormCount(WEEK, "odi", 3, 2, 1), FormCount(WEEK, "vas_pain", 0, 0, 0)]
    assert [one.missing for one in counted] == [1, 0]
    assert missing(forms, {"a": "ODE", "b": "RIG"}) == {("RIG", WEEK, "odi"): 1}


def test_redcaps_mapping_is_read_in_its_order() -> None:
    """Event to forms."""
    rows = [{"unique_event_name": WEEK, "form": form, "arm_num": "1"} for form in ("b", "a")]
    assert forms_by_event(rows) == {WEEK: ("b", "a")}


def test_events_after_a_procedure_are_for_the_closed_report() -> None:
    """How many surgeon controls are expected says how many were operated on."""
    events = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
    snapshot = Snapshot("1", "", DICTIONARY, events, {}, {})
    facts = derive(Pull(snapshot, (), (), MAPPING), Past(), CONFIG, DAY, cards=Cards())
    shown = {
        name: {line.values[1] for line in completeness(facts, facts.cohort, profile(name, CONFIG)).lines}
        for name in ("monitor", "site:ODE", "closed")
    }
    open_forms = {"Pain medication", "Pain (VAS)", "Contact by the nurse"}
    assert shown == {"monitor": open_forms, "site:ODE": open_forms, "closed": open_forms | {"Control by the surgeon"}}
