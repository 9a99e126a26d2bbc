"""Who is called on a day, in which order, and on which sheets they stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followup_records import DONE, Record, cells, desk, entry, made, planned, pulled, record, sheet, tried
from trialdesk.config import Config, Leave
from trialdesk.followup.columns import Desk
from trialdesk.followup.escalation import escalations
from trialdesk.followup.morning import ahead, load, today
from trialdesk.followup.sheets import callbacks, tables
from trialdesk.workbook import Link
from trialdesk.workbook.measures import widths

pytestmark = pytest.mark.requirement("CAL-05", "CAL-07", "CAL-03")

OPERATED = {"pvp_done": "1", "pvp_date": "2026-02-10"}


def test_one_row_holds_everything_one_day_at_the_hospital_can_serve(frozen: Config) -> None:
    """On Mon 4 May week 12 and month 3 are open, and the surgeon's control after an operation on 10 February."""
    plan = made(frozen, "2026-05-04", ODE_1=record(arm="1", op=OPERATED))
    (call,) = today(plan)
    assert [one.contact.rule.code for one in call.entries] == ["M03", "SC12"]
    early = made(frozen, "2026-04-27", ODE_1=record(arm="1", op=OPERATED))
    assert [one.contact.rule.code for call in today(early) for one in call.entries] == ["W12", "SC12"]


def test_the_morning_goes_from_promises_to_those_who_wait(frozen: Config) -> None:
    """A promised time, the primary week 4, what closes first; a wrong number waits for the site and comes last."""
    booked = {"nc_stat": "2", "nc_date": "2026-02-22", "nc_cb_date": "2026-02-23", "nc_cb_time": "09:15"}
    wrong = {"contact": "W03", "date": "2026-02-20", "time": "10:00", "out": "4"}
    snapshot = pulled(
        {
            "ODE-1": record("2026-02-02"),
            "ODE-2": record("2026-01-30"),
            "ODE-3": record("2026-01-26"),
            "ODE-4": record("2026-02-02", w3=booked),
        }
    )
    plan = planned(frozen, tried(snapshot, wrong, name="ODE-2"), "2026-02-23")
    calls = today(plan)
    assert [call.record for call in calls] == ["ODE-4", "ODE-3", "ODE-1", "ODE-2"]
    assert [call.waits for call in calls] == [False, False, False, True]
    assert str(calls[0].promised) == "2026-02-23 09:15"


def test_a_promise_of_another_day_does_not_make_a_call_of_today_wait(frozen: Config) -> None:
    """Month 3 was promised for Friday; week 12 closes first and is made today."""
    asked = {"nc_stat": "2", "nc_date": "2026-04-24", "nc_cb_date": "2026-05-08"}
    plan = made(frozen, "2026-05-01", ODE_1=record("2026-02-05", m3=asked))
    (call,) = today(plan)
    assert [one.contact.rule.code for one in call.entries] == ["W12"]
    assert (call.promised, call.waits) == (None, False)
    assert [str(one.promised) for one in callbacks(plan)] == ["2026-05-08"]


def test_a_callback_nobody_can_keep_any_more_is_no_callback(frozen: Config) -> None:
    """One for a day no open contact covers is over with its day; one in a window stays until it is kept."""
    stray = {"nc_stat": "1", "nc_date": "2026-02-23", "nc_cb_date": "2026-02-25"}
    for day, expected in (("2026-02-24", 1), ("2026-02-25", 1), ("2026-02-26", 0)):
        assert len(callbacks(made(frozen, day, ODE_1=record(w3=stray)))) == expected
    asked = {"nc_stat": "2", "nc_date": "2026-02-23", "nc_cb_date": "2026-02-25"}
    late = callbacks(made(frozen, "2026-02-26", ODE_1=record(w3=asked)))
    assert [(call.day, str(call.promised)) for call in late] == [(date(2026, 2, 26), "2026-02-25")]


def test_the_record_and_the_contact_are_a_click_from_their_forms(frozen: Config) -> None:
    """What the nurse fills in is the contact's own form in its own event."""
    plan = made(frozen, "2026-02-23", ODE_1=record())
    shown = Desk(frozen, lambda *place: "/".join(("https://r", *place)), lambda *_: "k", frozen.contacts)
    first = tables(plan, shown, datetime(2026, 2, 23, 4, 30))[0]
    row = cells(first, first.lines[0])
    assert row["Record"] == Link("ODE-1", "https://r/ODE-1//")
    assert row["Contact"] == Link("Week 3", "https://r/ODE-1/week_3_arm_1/nurse_contact")
    assert row["Key"] == "k"


def test_what_is_printed_is_at_most_140_characters_wide(frozen: Config) -> None:
    """So that it stands on A4 across at 11 points; what is not printed stands to its right."""
    plan = made(frozen, "2026-02-23", ODE_1=record())
    for table in tables(plan, desk(frozen), datetime(2026, 2, 23, 4, 30)):
        assert sum(widths(table)[: table.printed or None]) <= 140, table.name
    printed = {t.name: [c.title for c in t.columns[: t.printed]] for t in tables(plan, desk(frozen), datetime.now())}
    assert printed["Today"][:7] == ["Contact", "Record", "Last day", "Promised", "Last attempt", "Next try", "Remark"]
    assert printed["Today"][7:] == [
        *("Outcome", "Clock time", "Call back at"),
        *("Outcome 2", "Clock time 2", "Call back at 2"),
    ]


def test_every_contact_of_a_patient_is_a_letter(frozen: Config) -> None:
    """One row a patient; for a site without the contacts that one arm alone has."""
    plan = made(frozen, "2026-02-23", ODE_1=record(w1=DONE), ODE_2=record())
    shown = sheet(frozen, plan, "Patients")
    assert [[cells(shown, line)[code] for code in ("W01", "W02", "W03", "W04", "SC12")] for line in shown.lines] == [
        ["D", "M", "T", "·", "–"],
        ["M", "M", "T", "·", "–"],
    ]


@pytest.mark.parametrize(("day", "listed"), [("2026-03-14", True), ("2026-03-15", False)])
def test_what_is_over_for_a_month_leaves_the_list_of_all_contacts(frozen: Config, day: str, listed: bool) -> None:
    """Week 1 ended on Thu 12 February; by hand the whole can be asked for."""
    plan = made(frozen, day, ODE_1=record())
    every = {w: next(t for t in tables(plan, desk(frozen), datetime.now(), whole=w) if t.name == "All contacts")
             for w in (False, True)}  # fmt: skip
    words = {w: [cells(table, line)["Contact"] for line in table.lines] for w, table in every.items()}
    assert ("Week 1" in words[False], "Week 1" in words[True]) == (listed, True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dates(date(2026, 1, 1), date(2026, 3, 20)), min_size=1, max_size=12), st.integers(0, 60))
def test_the_load_of_four_weeks_is_that_of_the_calls(frozen: Config, enrolled: list[date], later: int) -> None:
    """Each patient counts once a day, and no day before today has any."""
    day = date(2026, 3, 20) + timedelta(later)
    records = {f"ODE-{n}": record(str(on)) for n, on in enumerate(enrolled)}
    plan = planned(frozen, pulled(records), str(day))
    table = load(plan)
    assert [week.weekday() for week, _ in table] == [0] * 4
    for week, counts in table:
        for number, count in enumerate(counts):
            on = week + timedelta(number)
            expected = {one.contact.record for one in plan.entries if on in one.calls and on >= day}
            assert count == len(expected)
    soon = {(call.day, call.record) for call in ahead(plan)}
    assert all(day < on <= day + timedelta(14) for on, _ in soon)


def missing(weeks: int) -> Record:
    """A patient enrolled on Mon 2 February who was reached in every week but the last so many before week 6."""
    days = {f"week_{n}_arm_1": str(date(2026, 2, 2) + timedelta(7 * n)) for n in range(1, 6 - weeks)}
    return {**record(), **{event: {"nc_stat": "1", "nc_date": on} for event, on in days.items()}}


@pytest.mark.parametrize(("weeks", "step"), [(1, []), (2, ["coordinator"]), (3, ["site"]), (4, ["site"])])
def test_two_missed_in_a_row_go_to_the_coordinator_three_to_the_site(
    frozen: Config, weeks: int, step: list[str]
) -> None:
    """On the day of week 6 (reference/trial-operations.md 3.4)."""
    plan = made(frozen, "2026-03-16", ODE_1=missing(weeks))
    found = escalations(plan)
    assert [one.step for one in found] == step
    assert [len(one.missed) for one in found] == ([weeks] if step else [])


TRIES = [("2026-02-24", "09:10"), ("2026-02-24", "13:00"), ("2026-03-03", "09:10"), ("2026-03-03", "13:00"),
         ("2026-03-10", "09:10"), ("2026-03-10", "13:00")]  # fmt: skip


@pytest.mark.parametrize(
    ("tries", "step"),
    [
        (TRIES, "lost"),
        (TRIES[:5], "site"),  # five tries are not enough
        ([(on, "09:10") for on, _ in TRIES], "site"),  # one time of day alone
        ([("2026-03-03", "09:10"), ("2026-03-03", "13:00")] * 3, "site"),  # one day alone
    ],
)
def test_a_patient_is_suspected_lost_after_six_tries_on_three_days_at_two_times(
    frozen: Config, tries: list[tuple[str, str]], step: str
) -> None:
    """Three contacts were missed; only a person says that the patient is lost."""
    log = [{"contact": "W03", "date": on, "time": at, "out": "2"} for on, at in tries]
    plan = planned(frozen, tried(pulled({"ODE-1": missing(3)}), *log), "2026-03-16")
    assert [one.step for one in escalations(plan)] == [step]


def test_who_declined_or_has_nothing_to_come_is_not_suspected_lost(frozen: Config) -> None:
    """A patient who said no was reached; and nobody is told of one whose contacts are over."""
    log = [{"contact": "W03", "date": on, "time": at, "out": "2"} for on, at in TRIES]
    declined = {**missing(3), "week_4_arm_1": {"nc_stat": "3"}}
    plan = planned(frozen, tried(pulled({"ODE-1": declined}), *log), "2026-03-16")
    assert [one.step for one in escalations(plan)] == ["site"]
    dead = {**missing(3), "logs_arm_1": {"eos_stat": "4", "eos_date": "2026-03-15", "eos_dth_date": "2026-03-15"}}
    assert escalations(planned(frozen, pulled({"ODE-1": dead}), "2026-03-16")) == ()


def test_who_is_declared_lost_is_not_suspected_any_more(frozen: Config) -> None:
    """A person has decided it; month 12 is attempted all the same."""
    log = [{"contact": "W03", "date": on, "time": at, "out": "2"} for on, at in TRIES]
    lost = {**missing(3), "logs_arm_1": {"eos_stat": "3", "eos_date": "2026-03-15"}}
    plan = planned(frozen, tried(pulled({"ODE-1": lost}), *log), "2026-03-16")
    assert any(one.coming for one in plan.entries)
    assert escalations(plan) == ()


def test_a_pause_ends_no_row_of_missed_contacts_and_adds_none(frozen: Config) -> None:
    """Week 2 was missed, week 3 paused, week 4 missed: two."""
    gone = {"nc_stat": "1", "nc_date": "2026-02-09", "nc_pause_from": "2026-02-20", "nc_pause_until": "2026-02-26"}
    plan = made(frozen, "2026-03-09", ODE_1=record(w1=gone))
    assert [entry(plan, code).status for code in ("W02", "W03", "W04")] == ["missed", "paused", "missed"]
    assert [[one.contact.rule.code for one in found.missed] for found in escalations(plan)] == [["W02", "W04"]]


def test_leave_closes_days_everywhere_or_at_one_site(frozen: Config) -> None:
    """Nobody calls from 16 to 18 February; at Odense not on the 19th either."""
    away = (
        Leave(first=date(2026, 2, 16), last=date(2026, 2, 18), why="course"),
        Leave(first=date(2026, 2, 19), last=date(2026, 2, 19), why="the clinic moves", site="ODE"),
    )
    config = frozen.model_copy(update={"calls": frozen.calls.model_copy(update={"leave": away})})
    plan = made(config, "2026-02-10", ODE_1=record(), RIG_1=record(site="RIG"))
    at = {name: entry(plan, "W02", name).planned for name in ("ODE-1", "RIG-1")}
    assert {name: one and one.on for name, one in at.items()} == {
        "ODE-1": date(2026, 2, 13),
        "RIG-1": date(2026, 2, 13),
    }
    assert str(at["ODE-1"] and at["ODE-1"].why).startswith("target Mon 16 Feb 2026 is closed (course)")
    wide = replace(plan, today=date(2026, 2, 16))
    closed = next(t for t in tables(wide, desk(config), datetime.now()) if t.name == "Load")
    assert closed.lines[0].values[1:6] == ("closed", "closed", "closed", 0, 0)
