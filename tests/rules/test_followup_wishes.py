"""What the patient asked for: a promise that was kept, and a wish that changes nothing of the past."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from followup_records import DONE, entry, made, record, sheet, shown
from trialdesk.config import Config

OPEN = {"nc_stat": "2", "nc_date": "2026-02-26"}


@pytest.mark.parametrize(
    ("form", "promised"),
    [
        ({"nc_stat": "1", "nc_date": "2026-03-02", "nc_cb_date": "2026-03-02"}, False),  # called on the day
        ({"nc_stat": "1", "nc_date": "2026-03-03", "nc_cb_date": "2026-03-02"}, False),  # a day late
        ({"nc_stat": "3", "nc_date": "2026-03-02", "nc_cb_date": "2026-03-02"}, False),  # reached, and declined
        ({"nc_stat": "1", "nc_date": "2026-02-28", "nc_cb_date": "2026-03-02"}, True),  # asks to be called again
        ({"nc_stat": "1", "nc_cb_date": "2026-03-02"}, True),  # nobody knows when it was done
        ({"nc_stat": "2", "nc_date": "2026-03-02", "nc_cb_date": "2026-03-02"}, True),  # tried, not reached
    ],
)
def test_a_promise_is_kept_by_the_contact_that_was_made_on_its_day_or_later(
    frozen: Config, form: Mapping[str, str], promised: bool
) -> None:
    """Week 4 of a patient who asked for Mon 2 March: only an unmet promise stands on Today."""
    plan = made(frozen, "2026-03-02", ODE_1=record(w3=DONE, w4=form))
    assert [line[1] for line in shown(sheet(frozen, plan, "Today"))] == (["W04"] if promised else [])
    assert any("asked to be called" in flag for flag in entry(plan, "W04").flags) == (
        promised and form["nc_stat"] != "2"
    )


@pytest.mark.parametrize(("on", "promised"), [("2026-02-27", True), ("2026-02-28", False), ("2026-03-02", False)])
def test_a_promise_is_also_kept_by_a_later_contact(frozen: Config, on: str, promised: bool) -> None:
    """Said in week 3 about Sat 28 Feb, a day of week 4; week 4 was made on the day, after it, or before it."""
    asked = {"nc_stat": "1", "nc_date": "2026-02-23", "nc_cb_date": "2026-02-28"}
    plan = made(frozen, "2026-02-28", ODE_1=record(w3=asked, w4={"nc_stat": "1", "nc_date": on}))
    assert [line[1] for line in shown(sheet(frozen, plan, "Today"))] == (["W03"] if promised else [])


def test_a_control_at_the_surgeon_s_keeps_no_promise_of_the_nurse(frozen: Config) -> None:
    """Another form, another telephone."""
    asked = {"nc_stat": "1", "nc_date": "2026-05-04", "nc_cb_date": "2026-05-06"}
    operated = {"pvp_done": "1", "pvp_date": "2026-02-10"}
    seen = {"sf_stat": "1", "sf_date": "2026-05-06"}
    plan = made(frozen, "2026-05-06", ODE_1=record(op=operated, m3=asked, sc=seen))
    assert [line[1] for line in shown(sheet(frozen, plan, "Today"))] == ["M03"]


def test_a_wish_holds_from_the_contact_it_was_said_in_and_leaves_the_planned_days_before_it(frozen: Config) -> None:
    """Tuesday mornings said in week 1, Thursdays in week 3: week 2 keeps its Tuesday, the time of day stays."""
    first = {**DONE, "nc_pref_day": "2", "nc_pref_time": "1"}
    second = {"nc_stat": "1", "nc_date": "2026-02-23", "nc_pref_day": "4"}
    before = made(frozen, "2026-02-23", ODE_1=record(w1=first))
    after = made(frozen, "2026-02-23", ODE_1=record(w1=first, w3=second))
    codes = ("W01", "W02", "W03", "W04", "W12")

    days = [[str(entry(plan, code).due)[5:] for code in codes] for plan in (before, after)]
    assert days == [["02-10", "02-17", "02-24", "03-03", "04-28"], ["02-10", "02-17", "02-26", "03-05", "04-30"]]
    wishes = [(entry(after, code).contact.weekday, entry(after, code).contact.time) for code in codes]
    assert wishes == [(2, "Morning"), (2, "Morning"), (4, "Morning"), (4, "Morning"), (4, "Morning")]
    assert entry(made(frozen, "2026-02-23", ODE_1=record(w3=second)), "W02").contact.weekday is None
