"""Dates that can't be right: what they hold up, and what goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from followup_records import Record, entry, made, pulled, record, sheet, shown, statuses
from frozen import trial_rows
from trialdesk.config import Config
from trialdesk.facts.deriving import derive, past
from trialdesk.facts.dueforms import forms_by_event, over
from trialdesk.facts.pulling import Pull
from trialdesk.redcap.patients import patients
from trialdesk.reports.pack import enrolment_packs

pytestmark = pytest.mark.requirement("CAL-11")

FAR = {"pvp_done": "1", "pvp_date": "2006-02-05"}  # meant 2026
FAR_SAID = "procedure: 2006-02-05 is more than 10 years from the start of the trial; correct it in REDCap"
CHECK = (
    "ODE-1",
    "SC12",
    "CHECK DATE",
    f"Only Surgeon control with long-standing radiographs waits for this. Verify {FAR_SAID}",
)


def screened(found: Record) -> Record:
    """The record with a day of screening, as the cohort counts it."""
    return {**found, "screening_arm_1": {**found["screening_arm_1"], "elig_date": "2026-01-20"}}


@pytest.mark.parametrize("operated", ["2006-02-05", "2062-02-05", "9999-12-31", "0001-01-01"])
def test_an_absurd_date_of_procedure_does_not_stop_the_open_reports(frozen: Config, operated: str) -> None:
    """Which contacts of enrolment are over is the same whatever the treatment, so every open pack is proved blind."""
    lives = {
        "ODE-1": record(arm="1", op={**FAR, "pvp_date": operated}),
        "ODE-2": record("2026-02-04"),
        "RIG-1": record("2026-02-09", site="RIG"),
    }
    snapshot = pulled({name: screened(life) for name, life in lives.items()})
    today = date(2026, 6, 1)
    pull = Pull(snapshot, patients(snapshot, frozen), (), forms_by_event(trial_rows("mapping.csv")))
    facts = derive(pull, past(frozen, snapshot), frozen, today)
    packs = enrolment_packs(facts, ["monitor", "site:ODE", "site:RIG"])
    assert {name for name, _ in over(facts.schedule)} == set(lives)
    assert all("Completeness" in [table.name for table in pack] for pack in packs.values())


def test_an_absurd_date_of_procedure_holds_up_the_contacts_counted_from_it_alone(frozen: Config) -> None:
    """Week 3 is called as on any other day; the nurse is told about the surgeon's control until the date is right."""
    plan = made(frozen, "2026-02-23", ODE_1=record(op=FAR))
    others = statuses(made(frozen, "2026-02-23", ODE_1=record()))
    assert statuses(plan) == others
    assert entry(plan, "SC12").flags == (FAR_SAID,)
    assert shown(sheet(frozen, plan, "Today")) == [
        CHECK,
        ("ODE-1", "W03", "due", "2 contacts missed in a row; may change arm from 2026-03-02"),
    ]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (record(op=FAR, eos={"eos_stat": "3", "eos_date": "2026-02-20"}), [CHECK]),  # lost: the control is attempted
        (record(op=FAR, eos={"eos_stat": "4", "eos_dth_date": "2026-02-20"}), []),
        (record(op=FAR, sc={"sf_stat": "1", "sf_date": "2026-02-20"}), []),
    ],
)
def test_nobody_is_told_of_a_date_on_which_nothing_depends_any_more(
    frozen: Config, found: Record, told: list[tuple[str, ...]]
) -> None:
    """Not after a death, nor once the control is done."""
    lines = shown(sheet(frozen, made(frozen, "2026-02-23", ODE_1=found), "Today"))
    assert [line for line in lines if line[2] == "CHECK DATE"] == told


def test_an_absurd_date_of_enrolment_stops_all_calls_and_says_so(frozen: Config) -> None:
    """Nobody knows on which day the patient is, also when the control after a procedure is planned or done."""
    operated = {"pvp_done": "1", "pvp_date": "2026-02-10"}
    for control in ({}, {"sf_stat": "1", "sf_date": "2026-05-05"}):
        plan = made(frozen, "2026-02-23", ODE_1=record("2006-02-02", op=operated, sc=control))
        reason = "enrolment: 2006-02-02 is more than 10 years from the start of the trial; correct it in REDCap"
        assert [(hold.record, hold.reasons, hold.contacts) for hold in plan.holds] == [("ODE-1", (reason,), ())]
        assert not any(e.active for e in plan.entries)


DIED_AHEAD = {"eos_stat": "4", "eos_date": "2026-02-20", "eos_dth_date": "2027-02-18"}  # meant 2026
LEFT_AHEAD = {"eos_date": "2027-02-20"}
DIED = "vital status: the date of death 2027-02-18 lies after today"
LEFT = "end of study: its date 2027-02-20 lies after today"


@pytest.mark.parametrize(
    ("end", "ended", "told"),
    [
        (DIED_AHEAD, "stopped", DIED),
        ({"eos_stat": "4", **LEFT_AHEAD}, "stopped", LEFT),
        ({"eos_stat": "2", "eos_wd_type": "2", **LEFT_AHEAD}, "withdrawn", LEFT),
        ({"eos_stat": "1", **LEFT_AHEAD}, "stopped", LEFT),
    ],
)
def test_an_end_dated_after_today_is_verified_and_makes_no_contact_to_come_missed(
    frozen: Config, end: Mapping[str, str], ended: str, told: str
) -> None:
    """On Mon 23 Feb weeks 1 and 2 are over and stay missed; the rest ends as the form says."""
    plan = made(frozen, "2026-02-23", ODE_1=record(eos=end))
    found = statuses(plan)
    assert [found[code] for code in ("W01", "W02", "W03", "W12", "M03", "M12")] == ["missed"] * 2 + [ended] * 4
    assert shown(sheet(frozen, plan, "Today")) == [("ODE-1", "all", "VERIFY FIRST", f"Do not call. Verify {told}")]


def test_an_end_dated_today_or_before_is_no_question(frozen: Config) -> None:
    """The day itself has happened."""
    for on in ("2026-02-22", "2026-02-23"):
        died = {"eos_stat": "4", "eos_date": on, "eos_dth_date": on}
        assert made(frozen, "2026-02-23", ODE_1=record(eos=died)).holds == ()


def test_an_end_of_treatment_dated_after_today_is_remarked_and_the_calls_go_on(frozen: Config) -> None:
    """Withdrawal from treatment alone stops nothing, whatever its date."""
    called = {"nc_stat": "1", "nc_date": "2026-02-16"}
    end = {"eos_stat": "2", "eos_wd_type": "1", **LEFT_AHEAD}
    plan = made(frozen, "2026-02-23", ODE_1=record(w2=called, eos=end))
    assert plan.holds == ()
    assert shown(sheet(frozen, plan, "Today")) == [
        ("ODE-1", "W03", "due", f"withdrew from treatment; contacts go on; {LEFT}; may change arm from 2026-03-02")
    ]
