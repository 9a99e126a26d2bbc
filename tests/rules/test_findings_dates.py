"""A date that can't be right hides nothing: the patient is counted, and the date is a finding in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.dictionary import Dictionary
from redcap_rules.record import Row
from trialdesk.config import load
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.facts.todo import SETTING, tasks
from trialdesk.findings.dates import dated_fields
from trialdesk.instruments.checks.configuration import codes, swapped
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.design import Design
from trialdesk.instruments.folder import Folder, Origin
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.pack import enrolment_packs

pytestmark = pytest.mark.requirement("CAL-11")

CONFIG = load(FROZEN / "config.yaml")
TODAY = date(2026, 7, 1)
SCREENING, RANDOMISATION, LOGS = "screening_arm_1", "randomisation_arm_1", "logs_arm_1"
LIFE: Mapping[str, Mapping[str, str]] = {
    SCREENING: {
        "elig_site": "ODE", "elig_date": "2026-02-01", "elig_ok": "1", "con_given": "1", "con_date": "2026-02-02",
        "sa_fit": "1",
    },
    RANDOMISATION: {"rand_date": "2026-03-02", "rand_arm": "1"},
    "week_2_arm_1": {"nc_stat": "1", "nc_date": "2026-03-16"},
}  # fmt: skip


def facts(changes: Mapping[str, Mapping[str, str]], group: str = "ode") -> Facts:
    """One record of the frozen trial with these values changed."""
    life = {event: {**LIFE.get(event, {}), **changes.get(event, {})} for event in {**LIFE, **changes}}
    rows = {"ODE-001": tuple(Row("ODE-001", event, "", 0, values) for event, values in life.items())}
    events = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
    snapshot = Snapshot("1", "trial", trial_dictionary(), events, rows, {"ODE-001": group})
    pull = Pull(snapshot, patients(snapshot, CONFIG), (), forms_by_event(trial_rows("mapping.csv")))
    return derive(pull, past(CONFIG, snapshot), CONFIG, TODAY)


def told(found: Facts) -> set[tuple[str, str, str]]:
    """Rule, place and field of the findings about dates and sites."""
    wanted = {"R52", "R54", "R55", "R56", "R57", "R58"}
    return {(one.rule, one.where, one.field) for one in found.findings if one.rule in wanted}


@pytest.mark.parametrize(
    ("week", "rule", "text"),
    [
        (
            {"nc_stat": "1", "nc_date": "2026-02-27"},
            "R62",
            "Week 2 is dated 2026-02-27, before the enrolment on 2026-03-02",
        ),
        (
            {"nc_stat": "2", "nc_date": "2026-02-27"},
            "R62",
            "Week 2 is dated 2026-02-27, before the enrolment on 2026-03-02",
        ),
        (
            {"nc_stat": "1", "nc_date": "2026-03-23"},
            "R63",
            "Week 2 is dated 2026-03-23, in the window of Week 3: check which",
        ),
        (
            {"nc_pause_from": "2026-05-02", "nc_pause_until": "2026-05-01"},
            "R64",
            "pause: it ends on 2026-05-01, before it",
        ),
        ({"nc_pause_until": "2026-05-01"}, "R64", "pause: it ends on 2026-05-01 and has no first day"),
        ({"nc_stat": "1", "nc_date": "2026-03-02"}, "", ""),  # the day itself, and no window's
        ({"nc_pause_from": "2026-05-02", "nc_pause_until": "2026-05-02"}, "", ""),
    ],
)
def test_what_can_t_be_right_about_a_contact_is_a_finding(week: Mapping[str, str], rule: str, text: str) -> None:
    """With its near misses; the patient is called all the same."""
    found = facts({"week_2_arm_1": week})
    odd = [one for one in found.findings if one.rule in ("R62", "R63", "R64")]
    assert [one.rule for one in odd] == ([rule] if rule else [])
    assert all(one.text.startswith(text) and one.where == "week_2_arm_1" for one in odd)
    assert found.schedule.holds == ()


def test_a_plausible_record_has_no_finding_about_dates() -> None:
    """Neither has a call-back that lies ahead, or a call plan."""
    ahead = {"week_2_arm_1": {"nc_cb_date": "2026-07-09"}, RANDOMISATION: {"cp_planned": "2026-09-01"}}
    assert told(facts(ahead)) == set()


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (SCREENING, "elig_date"),
        (SCREENING, "con_date"),
        (SCREENING, "elig_pain_onset"),
        (RANDOMISATION, "rand_date"),
        ("week_2_arm_1", "nc_date"),
        ("week_4_arm_1", "odi_date"),
        ("pvp_procedure_arm_1", "pvp_date"),
        (LOGS, "xo_date"),
        (LOGS, "eos_date"),
        (LOGS, "eos_dth_date"),
    ],
)
@pytest.mark.parametrize("typed", ["2026-07-02", "2026-08-01", "2027-07-01"])
def test_a_date_after_today_is_named_and_the_patient_stays(event: str, field: str, typed: str) -> None:
    """A day, a month, a year ahead: one screened, one randomised, and an error that says which field it is."""
    found = facts({event: {field: typed}})
    assert ("R54", event, field) in told(found)
    assert (len(found.cohort.members), found.cohort.randomised, found.cohort.later) == (1, 1, 0)
    (finding,) = (one for one in found.findings if one.rule == "R54")
    assert (finding.severity, finding.text) == ("error", f"{typed} lies after {TODAY}")


@pytest.mark.parametrize("field", ["pvp_date", "xo_date"])
def test_a_date_of_treatment_ahead_tells_an_open_report_nothing(field: str) -> None:
    """It is pooled with the findings about treatment; the proof of blindness holds."""
    event = {"pvp_date": "pvp_procedure_arm_1", "xo_date": LOGS}[field]
    found = facts({event: {field: "2026-08-01"}})
    assert found.found
    assert [one.rule for one in found.found.treatment if one.rule == "R54"] == ["R54"]
    listed = enrolment_packs(found, ["monitor"])["monitor"]
    assert field not in str(listed)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({RANDOMISATION: {"rand_date": "2026-01-04"}}, "R56"),
        ({LOGS: {"eos_stat": "4", "eos_dth_date": "2026-03-01"}}, "R57"),
        ({"week_2_arm_1": {"nc_date": ""}}, "R58"),
        ({SCREENING: {"elig_site": ""}}, "R52"),
    ],
)
def test_what_contradicts_itself_is_named(changes: Mapping[str, Mapping[str, str]], rule: str) -> None:
    """Before the trial, dead before enrolment, done without a date, a group without a site."""
    assert rule in {name for name, _, _ in told(facts(changes))}


def test_an_opening_before_the_site_opened_is_named() -> None:
    """Every site of the frozen trial opens with the trial, so that here one opens later."""
    fresh = load(FROZEN / "config.yaml")
    opens = {"opens": date(2026, 4, 1)}
    later = fresh.model_copy(update={"sites": tuple(site.model_copy(update=opens) for site in fresh.sites)})
    snapshot = facts({}).snapshot
    pull = Pull(snapshot, patients(snapshot, later), (), forms_by_event(trial_rows("mapping.csv")))
    found = derive(pull, past(later, snapshot), later, TODAY)
    assert ("R55", RANDOMISATION, "rand_date") in told(found)


def test_every_date_bounded_by_today_is_looked_at() -> None:
    """And the dates of facts, contacts and cross-checks; never what lies ahead by its nature."""
    dictionary = trial_dictionary()
    bounded = {field.name for field in dictionary.fields if field.maximum == "today"}
    names = dated_fields(dictionary, CONFIG)
    assert bounded <= names
    assert not names & {"nc_cb_date", "cp_next", "cp_target", "cp_opens", "cp_closes", "cp_planned"}


def test_missing_data_codes_that_are_switched_on_stand_on_the_list() -> None:
    """A code such as -99 is a number to every formula (docs/reference/design.md 11)."""
    snapshot = replace(facts({}).snapshot, missing_codes="-99, Asked but unknown")
    pull = Pull(snapshot, patients(snapshot, CONFIG), (), forms_by_event(trial_rows("mapping.csv")))
    found = tasks(derive(pull, past(CONFIG, snapshot), CONFIG, TODAY))
    assert [task.why for task in found if task.kind == SETTING] == [
        "missing data codes are switched on (-99, Asked but unknown): formulas take them for values"
    ]


def test_arms_whose_labels_are_swapped_in_redcap_are_refused() -> None:
    """A site would tick the wrong arm; so are codes that can't be chosen."""
    dictionary = trial_dictionary()
    arm = dictionary.get(CONFIG.facts.arm.field)
    one, two = arm.options

    def faults(choices: str) -> list[str]:
        fields = tuple(replace(f, choices=choices) if f is arm else f for f in dictionary.fields)
        places = {field.name: Origin("REDCap", 0) for field in fields}
        subject = Subject(Folder(Path(), Design(Dictionary(fields)), places, {}), CONFIG)
        return [fault.what for fault in (*codes(subject), *swapped(subject)) if fault.severity == "error"]

    assert not any("labelled" in fault for fault in faults(arm.choices))
    assert len([f for f in faults(f"1, {two.label} | 2, {one.label}") if "labelled as another arm" in f]) == 2
    assert any("can't be chosen" in fault for fault in faults(f"1, {one.label} | 3, {two.label}"))
