"""The call log: what a failed try leads to, and when to try next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup_records import DONE, entry, planned, pulled, record, sheet, shown, statuses, tried
from trialdesk.config import Config
from trialdesk.findings.dates import date_findings
from trialdesk.followup.attempts import Attempt, Booking, Chase, NextTry, next_try, promised
from trialdesk.followup.opendays import OpenDays
from trialdesk.model import Outcome
from trialdesk.redcap.patients import patients

pytestmark = pytest.mark.requirement("CAL-07")

CALENDAR = OpenDays("DK")
MONDAY = date(2026, 2, 23)
OTHER = "another time of day after"
WEEK_3 = Chase("W03", MONDAY, date(2026, 2, 26))


def attempt(on: date, at: str = "", outcome: Outcome = "no_answer", callback: Booking | None = None) -> Attempt:
    return Attempt("W03", on, time.fromisoformat(at) if at else None, outcome, callback)


@pytest.mark.parametrize(
    ("since", "today", "expected"),
    [
        ([], MONDAY, "2026-02-23: planned"),
        ([], date(2026, 2, 24), "2026-02-24: was planned earlier"),
        ([], date(2026, 2, 27), None),  # its last day was Thursday
        ([attempt(MONDAY, "09:10")], MONDAY, "2026-02-23 from 12:10: second try of the day"),
        ([attempt(MONDAY, "16:00")], MONDAY, "2026-02-24 morning: another time of day after no answer"),
        ([attempt(MONDAY)], MONDAY, "2026-02-24: another time of day after no answer"),
        (
            [attempt(MONDAY, "09:10"), attempt(MONDAY, "12:30", "voicemail")],
            MONDAY,
            "2026-02-24 afternoon: another time of day after voicemail",
        ),
        ([attempt(date(2026, 2, 20), "09:10")], date(2026, 2, 21), f"2026-02-23 midday: {OTHER} no answer"),
        (
            [attempt(MONDAY, at) for at in ("09:10", "13:00", "15:00")],
            date(2026, 2, 24),
            "2026-02-24 morning: another time of day after no answer",
        ),
        ([attempt(date(2026, 2, 26), at) for at in ("09:10", "13:00")], date(2026, 2, 26), None),
        ([attempt(MONDAY, "09:10", "relative")], date(2026, 2, 24), f"2026-02-24 midday: {OTHER} relative answered"),
        (
            [attempt(MONDAY, "09:10", "wrong_number")],
            MONDAY,
            "not yet: wrong number on 2026-02-23: the site corrects it first",
        ),
        (
            [attempt(MONDAY, "09:10", "in_hospital")],
            MONDAY,
            "not yet: in hospital on 2026-02-23: ask the site until when",
        ),
        (
            [attempt(MONDAY, "09:10", "in_hospital", Booking(date(2026, 2, 25)))],
            MONDAY,
            "2026-02-25: in hospital until then",
        ),
    ],
)  # fmt: skip
def test_when_to_try_next(since: Sequence[Attempt], today: date, expected: str | None) -> None:
    """Two tries a day three hours apart, then the next open day at another time of day."""
    found = next_try(WEEK_3, since, CALENDAR, today)
    assert (str(found) if found else None) == expected


def test_a_promise_goes_before_everything_also_when_its_day_has_passed() -> None:
    """Promised for Tuesday at ten; on Wednesday nobody has called yet."""
    chase = replace(WEEK_3, booking=Booking(date(2026, 2, 24), "10:00"))
    wrong = [attempt(MONDAY, "09:10", "wrong_number")]
    for today, on in ((MONDAY, date(2026, 2, 24)), (date(2026, 2, 25), date(2026, 2, 25))):
        assert next_try(chase, wrong, CALENDAR, today) == NextTry(on, "10:00", "promised for 2026-02-24 10:00")


@given(
    st.lists(st.tuples(st.integers(0, 6), st.times(time(8), time(18))), min_size=1, max_size=5),
    st.dates(date(2026, 1, 1), date(2045, 12, 31)),
    st.integers(0, 3),
)
def test_never_more_than_two_tries_a_day_nor_on_a_closed_day(
    tries: list[tuple[int, time]], first: date, later: int
) -> None:
    """Over twenty years of days, Easter, Christmas and both changes of the clock among them."""
    made = (Attempt("W03", first + timedelta(n), at, "no_answer") for n, at in tries)
    since = sorted(made, key=lambda one: (one.on, one.at or time.min))
    today = since[-1].on + timedelta(later)
    found = next_try(Chase("W03", first, first + timedelta(60)), since, CALENDAR, today)
    assert found
    assert found.on
    assert found.on >= today
    same_day = [one for one in since if one.on == found.on]
    assert len(same_day) < 2
    if same_day:
        assert same_day[0].at
        begins = time.fromisoformat(found.when.removeprefix("from "))
        assert begins.hour * 60 + begins.minute >= same_day[0].at.hour * 60 + same_day[0].at.minute + 180
    else:
        assert CALENDAR.is_open(found.on)


TUESDAY = Booking(date(2026, 2, 24), "10:00")


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ((), TUESDAY),
        ((attempt(MONDAY, "15:00"),), TUESDAY),  # before its time
        ((attempt(date(2026, 2, 24), "09:59"),), TUESDAY),
        ((attempt(date(2026, 2, 24), "10:02"),), None),
        ((attempt(date(2026, 2, 24)),), None),  # at a time nobody knows
        ((attempt(date(2026, 2, 24), "10:02", "later", Booking(date(2026, 2, 26))),), Booking(date(2026, 2, 26))),
    ],
)
def test_a_promise_stands_until_somebody_tries_at_its_time(later: Sequence[Attempt], expected: Booking | None) -> None:
    """The latest one counts."""
    first = attempt(MONDAY, "09:00", "later", TUESDAY)
    assert promised((first, *later), "W03") == expected
    assert promised((first, *later), "W04") is None


def code(config: Config, outcome: Outcome) -> str:
    log = config.call_log
    assert log
    return next(code for code, meaning in log.outcomes.items() if meaning == outcome)


def logged(config: Config, outcome: Outcome, contact: str = "W03", **more: str) -> Mapping[str, str]:
    """One try on Mon 23 February at 09:10."""
    return {"contact": contact, "date": "2026-02-23", "time": "09:10", "out": code(config, outcome), **more}


def test_tries_are_counted_and_the_patient_was_reached_last_in_week_1(frozen: Config) -> None:
    """A form that counts its own tries is an earlier one."""
    week_3 = {"nc_stat": "2", "nc_tries": "3"}
    snapshot = tried(pulled({"ODE-1": record(w1=DONE, w3=week_3)}), logged(frozen, "no_answer"))
    found = entry(planned(frozen, snapshot, "2026-02-24"), "W03")
    assert (found.attempts, str(found.tried)) == (1, "2026-02-23 09:10 W03 no answer")
    assert found.reached
    assert (found.reached.said.on, found.reached.rule.code) == (date(2026, 2, 9), "W01")
    assert str(found.next_try) == "2026-02-24 midday: another time of day after no answer"
    assert "earlier tries: 3" in found.flags


def test_a_call_back_of_the_log_is_pinned_on_top(frozen: Config) -> None:
    """Promised for Tuesday at ten: above the primary contact of another patient."""
    asked = logged(frozen, "later", cb_date="2026-02-24", cb_time="10:00")
    snapshot = tried(pulled({"ODE-1": record(), "ODE-2": record("2026-01-27")}), asked)
    plan = planned(frozen, snapshot, "2026-02-24")
    assert entry(plan, "W03").contact.booking == TUESDAY
    assert [line[:2] for line in shown(sheet(frozen, plan, "Today"))] == [("ODE-1", "W03"), ("ODE-2", "W04")]


def test_a_declined_contact_is_missed_and_the_next_is_made(frozen: Config) -> None:
    """As if the form said so."""
    snapshot = tried(pulled({"ODE-1": record()}), logged(frozen, "declines"))
    found = statuses(planned(frozen, snapshot, "2026-02-23"))
    assert (found["W03"], found["W04"]) == ("missed", "upcoming")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("died", "vital status: the call log of 2026-02-23 says died"),
        ("declines_all", "withdrawal: all further calls were declined on 2026-02-23; ask what the patient withdraws"),
    ],
)
def test_died_and_declines_all_stop_every_call_at_once(frozen: Config, outcome: Outcome, said: str) -> None:
    """Until the end of study says what it was."""
    snapshot = tried(pulled({"ODE-1": record()}), logged(frozen, outcome))
    plan = planned(frozen, snapshot, "2026-02-23")
    (hold,) = plan.holds
    assert hold.reasons[0].startswith(said)
    assert {e.status for e in plan.entries if e.contact.window and e.contact.window.chased_until >= MONDAY} == {
        "stopped"
    }
    over = {"dead": {"eos_stat": "4"}, "left": {"eos_stat": "5"}}["dead" if outcome == "died" else "left"]
    ended = planned(frozen, tried(pulled({"ODE-1": record(eos=over)}), logged(frozen, outcome)), "2026-02-23")
    assert ended.holds == ()


def test_who_was_reached_after_declining_everything_is_called_again(frozen: Config) -> None:
    """A change of mind needs no end of study."""
    later = {"nc_stat": "1", "nc_date": "2026-03-02"}
    snapshot = tried(pulled({"ODE-1": record(w4=later)}), logged(frozen, "declines_all"))
    plan = planned(frozen, snapshot, "2026-03-03")
    assert (plan.holds, entry(plan, "W05").status) == ((), "upcoming")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"out": "77"}, "call log: entry 1 has no known outcome; correct it in REDCap"),
        ({"contact": "W99", "date": ""}, "call log: entry 1 has no day, names no contact; correct it in REDCap"),
    ],
)
def test_an_entry_nobody_can_read_is_a_finding_and_checked_first(
    frozen: Config, change: Mapping[str, str], said: str
) -> None:
    """It may say died: nobody calls before it is corrected."""
    snapshot = tried(pulled({"ODE-1": record()}), {**logged(frozen, "no_answer"), **change})
    plan = planned(frozen, snapshot, "2026-02-23")
    assert [hold.reasons for hold in plan.holds] == [(said,)]
    found = date_findings(snapshot, patients(snapshot, frozen), plan, frozen, plan.today)
    assert [(one.rule, one.text) for one in found] == [("R60", said)]


def test_times_that_are_none_make_no_difference_to_the_day(frozen: Config) -> None:
    """Whatever stands in a field, a schedule is made."""
    for on, at, back in product(("2026-02-23", "soon"), ("25:61", ""), ("", "tomorrow")):
        values = {**logged(frozen, "later"), "date": on, "time": at, "cb_date": back, "cb_time": "x"}
        plan = planned(frozen, tried(pulled({"ODE-1": record()}), values), "2026-02-23")
        assert entry(plan, "W03").attempts == (1 if on != "soon" else 0)


def test_a_trial_without_a_log_counts_what_the_form_counts(frozen: Config) -> None:
    """And the date of a form that says not reached is the last try."""
    bare = frozen.model_copy(update={"call_log": None})
    week_3 = {"nc_stat": "2", "nc_date": "2026-02-22", "nc_tries": "3"}
    plan = planned(bare, tried(pulled({"ODE-1": record(w3=week_3)}), logged(frozen, "died")), "2026-02-23")
    found = entry(plan, "W03")
    assert (found.attempts, str(found.tried), plan.holds) == (3, "2026-02-22 W03 not reached", ())


@pytest.mark.parametrize("outcome", ["no_answer", "later", "in_hospital", "wrong_number", "died"])
@pytest.mark.parametrize("on", ["0001-01-01", "2026-02-24", "9999-12-31"])
@pytest.mark.parametrize("callback", ["", "0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("clock", ["", "09:10"])
def test_no_date_of_the_log_however_impossible_stops_the_schedule(
    frozen: Config, outcome: Outcome, on: str, callback: str, clock: str
) -> None:
    """A slip of the pen in a year is a finding (R54) or a remark, and everybody else is called."""
    more = {"cb_date": callback} if callback else {}
    both = pulled({"ODE-1": record(), "ODE-2": record("2026-02-03")})
    snapshot = tried(both, {**logged(frozen, outcome, **more), "date": on, "time": clock})
    plan = planned(frozen, snapshot, "2026-02-23")
    assert [one.record for one in plan.patients] == ["ODE-1", "ODE-2"]
    assert len(plan.of("ODE-2")) == len(plan.of("ODE-1")) > 0
