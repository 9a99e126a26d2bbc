"""A pause: its weeks are not missed, calls are planned around it, and the windows stay where they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from followup_records import DONE, entry, made, planned, pulled, record, statuses, tried
from trialdesk.config import Config
from trialdesk.followup.callplan import renewals

WEEK_1 = {**DONE, "nc_pause_from": "2026-02-19", "nc_pause_until": "2026-02-27"}
"""Over the whole of week 3 (20 to 26 February), the last day of week 2, the first two days of week 4."""


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2026-02-15", {"W02": "open", "W03": "paused", "W04": "upcoming"}),
        ("2026-02-18", {"W02": "overdue", "W03": "paused", "W04": "upcoming"}),
        ("2026-02-19", {"W02": "paused", "W03": "paused", "W04": "upcoming"}),
        ("2026-02-20", {"W02": "missed", "W03": "paused", "W04": "upcoming"}),
        ("2026-02-27", {"W02": "missed", "W03": "paused", "W04": "paused"}),
        ("2026-02-28", {"W02": "missed", "W03": "paused", "W04": "open"}),
        ("2026-03-30", {"W02": "missed", "W03": "paused", "W04": "missed"}),
    ],
)
def test_a_week_in_a_pause_is_never_missed(frozen: Config, today: str, expected: Mapping[str, str]) -> None:
    """What was due before the pause and not made is; what goes on after it is made then."""
    found = statuses(made(frozen, today, ODE_1=record(w1=WEEK_1)))
    assert {code: found[code] for code in expected} == expected


def test_calls_are_planned_around_a_pause_and_windows_do_not_move(frozen: Config) -> None:
    """From Sat 28 Feb to Mon 2 March nobody is called: week 4 is Tuesday's, not Monday's."""
    week_3 = {**DONE, "nc_date": "2026-02-23", "nc_pause_from": "2026-02-28", "nc_pause_until": "2026-03-02"}
    found = entry(made(frozen, "2026-02-24", ODE_1=record(w3=week_3)), "W04")
    assert found.planned
    assert (found.planned.on, found.status) == (date(2026, 3, 3), "upcoming")
    assert found.planned.why == "target Mon 2 Mar 2026 is in a pause; moved to Tue 3 Mar"
    assert found.contact.window == entry(made(frozen, "2026-02-24", ODE_1=record()), "W04").contact.window


def test_a_promised_day_in_a_pause_is_kept(frozen: Config) -> None:
    """The patient asked for it."""
    asked = {**WEEK_1, "nc_cb_date": "2026-02-24"}
    assert entry(made(frozen, "2026-02-24", ODE_1=record(w1=asked)), "W03").status == "due"


def test_a_pause_without_an_end_goes_on_and_says_so(frozen: Config) -> None:
    """Until somebody types the last day."""
    plan = made(frozen, "2026-02-24", ODE_1=record(w1={**DONE, "nc_pause_from": "2026-02-19"}))
    assert {e.status for e in plan.entries[2:] if e.contact.window} == {"paused"}
    assert entry(plan, "M12").flags == ("paused from 2026-02-19 without an end",)


def test_a_stay_in_hospital_with_an_end_is_a_pause(frozen: Config) -> None:
    """In hospital on Thu 19 February, at home again on Fri 27."""
    stay = {"contact": "W03", "date": "2026-02-19", "time": "09:00", "out": "6", "cb_date": "2026-02-27"}
    found = statuses(planned(frozen, tried(pulled({"ODE-1": record(w1=DONE)}), stay), "2026-02-24"))
    assert (found["W03"], found["W04"]) == ("paused", "upcoming")


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        ("2026-02-27", "2026-02-19", "pause: it ends on 2026-02-19, before it begins on 2026-02-27"),
        ("", "2026-02-27", "pause: it ends on 2026-02-27 and has no first day"),
    ],
)  # fmt: skip
def test_a_pause_that_can_t_be_is_remarked_and_changes_nothing(
    frozen: Config, begins: str, ends: str, said: str
) -> None:
    """A silent guess would lose calls."""
    wrong = {**DONE, "nc_pause_from": begins, "nc_pause_until": ends}
    plan = made(frozen, "2026-02-24", ODE_1=record(w1=wrong))
    assert (entry(plan, "W03").status, f"CHECK FIRST: {said}; correct it in REDCap" in entry(plan, "W03").flags) == (
        "overdue",
        True,
    )


def test_paused_weeks_are_not_missed_in_a_row(frozen: Config) -> None:
    """Week 2 missed, week 3 paused, week 4 missed: two in a row."""
    pause = {**DONE, "nc_pause_from": "2026-02-20", "nc_pause_until": "2026-02-26"}
    plan = made(frozen, "2026-03-09", ODE_1=record(w1=pause))
    assert "2 contacts missed in a row" in entry(plan, "W05").flags


@pytest.mark.parametrize(
    ("begins", "ends", "left_out"),
    [("2026-02-19", "2026-02-27", ["W03"]), ("2026-05-04", "2026-05-12", []), ("2026-02-10", "2026-03-20", [])],
)
def test_a_pause_makes_no_more_than_one_change_a_contact(
    frozen: Config, begins: str, ends: str, left_out: list[str]
) -> None:
    """REDCap goes from contact to contact and never back, night after night; month 3 waits for the end of its pause."""
    stored: Mapping[str, str] = {}
    seen: list[str] = []
    form = {"nc_stat": "3", "nc_pause_from": begins, "nc_pause_until": ends}
    for day in (date(2026, 2, 2) + timedelta(days=n) for n in range(130)):
        found = record(w1=form, plan=stored)
        for one in renewals(made(frozen, str(day), ODE_1=found), pulled({"ODE-1": found}), frozen.call_plan):
            stored = one.values
            seen.append(stored["cp_next"])
    assert len(seen) == len(set(seen))
    assert not set(left_out) & set(seen)
    assert {"M03", "M12"} <= set(seen)
