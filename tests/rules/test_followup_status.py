"""One word for every contact on every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialdesk.config import ContactRule
from trialdesk.followup.attempts import Attempt, Booking, History
from trialdesk.followup.contacts import Contact, Said
from trialdesk.followup.halts import Halt, doubts, halt, postdated
from trialdesk.followup.pauses import Pause
from trialdesk.followup.status import status
from trialdesk.followup.windows import window
from trialdesk.model import ContactStatus, Outcome, Patient, Withdrawal

pytestmark = pytest.mark.requirement("CAL-01", "CAL-04")

WEEK = ContactRule(code="W03", label="Week 3", event="w3", form="call", anchor="enrolment", days=21, window=(-3, 3))
MONTH = WEEK.model_copy(update={"code": "M03", "days": None, "months": 3, "window": (-1, 14), "grace": 14})
ENROLLED = date(2026, 2, 2)  # a Monday: week 3 is Mon 23 Feb, from Fri 20 to Thu 26


def contact(rule: ContactRule = WEEK, **given: object) -> Contact:
    made = Contact("ODE-001", "ODE", ENROLLED, rule, window(rule, ENROLLED), Said())
    return replace(made, **given)  # type: ignore[arg-type]  # the table below names fields of Contact


def day(text: str) -> date:
    return date.fromisoformat(f"2026-{text}")


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("02-02", "upcoming"),
        ("02-19", "upcoming"),
        ("02-20", "open"),
        ("02-22", "open"),
        ("02-23", "due"),
        ("02-24", "overdue"),
        ("02-26", "overdue"),
        ("02-27", "missed"),
        ("12-31", "missed"),
    ],
)
def test_a_weekly_call_nobody_has_made(today: str, expected: ContactStatus) -> None:
    """Planned on its target, chased to the end of its window and not a day longer."""
    assert status(contact(), day("02-23"), day(today)) == expected


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("05-01", "open"),
        ("05-02", "due"),
        ("05-16", "overdue"),
        ("05-17", "overdue"),
        ("05-30", "overdue"),
        ("05-31", "missed"),
    ],
)
def test_month_3_is_chased_through_its_days_of_grace(today: str, expected: ContactStatus) -> None:
    """Target 2 May, window to 16 May, grace to 30 May."""
    assert status(contact(MONTH), day("05-02"), day(today)) == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [("02-19", "done early"), ("02-20", "done"), ("02-26", "done"), ("02-27", "done late"), (None, "done")],
)
def test_a_contact_that_was_made_is_done_in_time_early_or_late(on: str | None, expected: ContactStatus) -> None:
    """By the window alone, and whatever else happened later."""
    said = Said(done=True, on=day(on) if on else None)
    for end in (None, Halt("stopped", day("02-01")), Halt("withdrawn", None)):
        assert status(contact(said=said, halt=end), day("02-23"), day("12-31")) == expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (Halt("stopped", day("02-24")), "stopped"),  # died in the window
        (Halt("stopped", day("02-26")), "stopped"),  # died on its last day
        (Halt("stopped", day("02-27")), "missed"),  # the window was over: missed before the death stays missed
        (Halt("withdrawn", day("02-10")), "withdrawn"),
        (Halt("withdrawn", day("03-10")), "missed"),
        (Halt("stopped", None), "stopped"),  # nobody knows since when: nothing is called missed
    ],
)
@pytest.mark.parametrize("today", ["03-10", "12-31"])
def test_what_was_over_before_the_patient_left_stays_missed(end: Halt, expected: ContactStatus, today: str) -> None:
    """Death and withdrawal stop the rest at once, on every day the list is made."""
    assert status(contact(halt=end), day("02-23"), day(today)) == expected


@pytest.mark.parametrize(
    ("today", "expected"), [("02-10", "stopped"), ("02-26", "stopped"), ("02-27", "missed"), ("12-31", "missed")]
)
def test_an_end_dated_after_today_makes_nothing_missed_that_is_still_to_come(
    today: str, expected: ContactStatus
) -> None:
    """A death a year ahead by a slip of the pen: the week is missed only once its last day, Thu 26 Feb, is over."""
    assert status(contact(halt=Halt("stopped", date(2027, 2, 24))), day("02-23"), day(today)) == expected


def test_a_declined_contact_is_missed_at_once_and_the_next_week_is_called() -> None:
    """Declining one call is not withdrawal (reference/trial-operations.md 3.4)."""
    assert status(contact(said=Said(refused=True)), day("02-23"), day("02-21")) == "missed"


def test_a_contact_without_operation_does_not_apply() -> None:
    """No window, no status to chase."""
    assert status(contact(window=None), None, day("02-23")) == "not applicable"


@pytest.mark.parametrize(
    ("today", "expected"), [("02-24", "open"), ("02-25", "due"), ("02-26", "overdue"), ("02-27", "missed")]
)
def test_the_day_the_patient_asked_for_counts_instead_of_the_planned_one(today: str, expected: ContactStatus) -> None:
    """Asked to be called on Wed 25 Feb."""
    assert status(contact(booking=Booking(day("02-25"), "10:30")), day("02-23"), day(today)) == expected


DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(
    done=st.booleans(),
    refused=st.booleans(),
    on=st.none() | DAYS,
    end=st.none() | st.builds(Halt, st.sampled_from(["stopped", "withdrawn"]), st.none() | DAYS),
    rule=st.sampled_from([WEEK, MONTH]),
    today=DAYS,
)
def test_every_contact_has_one_status_and_time_only_moves_it_forward(
    done: bool, refused: bool, on: date | None, end: Halt | None, rule: ContactRule, today: date
) -> None:
    """The function is total; a day later nothing becomes younger."""
    made = contact(rule, said=Said(done=done, refused=refused, on=on), halt=end)
    planned = window(rule, ENROLLED).target
    order = ["upcoming", "open", "due", "overdue", "stopped", "withdrawn", "missed"]
    now, later = status(made, planned, today), status(made, planned, today + timedelta(days=1))
    assert now in get_args(ContactStatus)
    assert now == later or order.index(now) < order.index(later)
    if not done and end and end.since is None and not refused:
        assert now == end.status


def patient(states: tuple[str, ...] = (), withdrawal: Withdrawal = "", **given: object) -> Patient:
    made = Patient("ODE-001", "ODE", "ode", states=frozenset(states), withdrawal=withdrawal, opened_on=ENROLLED)
    return replace(made, **given)  # type: ignore[arg-type]  # the tables below name fields of Patient


DEATH, LEFT = day("03-01"), day("03-03")


@pytest.mark.parametrize(
    ("who", "week", "month"),
    [
        (patient(), None, None),
        (patient(("dead",), died_on=DEATH, left_on=LEFT), Halt("stopped", DEATH), Halt("stopped", DEATH)),
        (patient(("dead",), left_on=LEFT), Halt("stopped", LEFT), Halt("stopped", LEFT)),
        (patient(died_on=DEATH), Halt("stopped", DEATH), Halt("stopped", DEATH)),
        (patient(death_signs=("fatal adverse event",)), Halt("stopped", None), Halt("stopped", None)),
        (patient(("withdrawn_from_treatment",), "treatment", left_on=LEFT), None, None),
        (patient((), "contact", left_on=LEFT), Halt("withdrawn", LEFT), Halt("withdrawn", LEFT)),
        (patient((), "data", left_on=LEFT), Halt("withdrawn", LEFT), Halt("withdrawn", LEFT)),
        (patient((), "data", died_on=DEATH, left_on=LEFT), Halt("stopped", DEATH), Halt("stopped", DEATH)),
        (patient(("lost",), left_on=LEFT), Halt("stopped", LEFT), None),
        (patient(("completed",), left_on=LEFT), Halt("stopped", LEFT), Halt("stopped", LEFT)),
        (patient(("arm_changed",), arm_change_on=LEFT), None, None),
    ],
)
def test_who_is_still_contacted(who: Patient, week: Halt | None, month: Halt | None) -> None:
    """Weekly call and month 3 of one patient: death, three levels of withdrawal, loss, completion, change of arm."""
    doubtful = bool(doubts(who, None, History()))
    assert halt(who, chased=False, doubtful=doubtful) == week
    assert halt(who, chased=True, doubtful=doubtful) == month


@pytest.mark.parametrize(
    ("who", "last_done", "expected"),
    [
        (patient(), DEATH, []),
        (patient(("dead",), died_on=DEATH), DEATH, []),
        (patient(("dead",), died_on=DEATH, death_signs=("fatal adverse event",)), day("02-27"), []),
        (patient(death_signs=("fatal adverse event",)), None, ["vital status: fatal adverse event"]),
        (
            patient(("lost",), died_on=DEATH),
            None,
            ["vital status: a date of death is recorded, but the end of study does not say died"],
        ),
        (
            patient(("dead",), died_on=DEATH),
            LEFT,
            ["vital status: a contact on 2026-03-03 is later than the death on 2026-03-01"],
        ),
        (
            patient(("not_randomised",)),
            None,
            ["enrolment: the end of study says not randomised, but an envelope was opened"],
        ),
    ],
)
def test_contradictions_are_verified_before_anyone_calls(
    who: Patient, last_done: date | None, expected: list[str]
) -> None:
    """One source of death that the end of study does not confirm is enough (death guard)."""
    assert list(doubts(who, last_done, History())) == expected


def tried(outcome: Outcome, on: str) -> Attempt:
    return Attempt("W03", day(on), None, outcome)


@pytest.mark.parametrize(
    ("who", "last_done", "tries", "words"),
    [
        (patient(), None, [tried("died", "02-20")], ["call log of 2026-02-20 says died"]),
        (patient(("dead",)), None, [tried("died", "02-20")], []),
        (patient(), None, [tried("declines_all", "02-20")], ["declined on 2026-02-20"]),
        (patient(), None, [tried("declines_all", "02-20"), tried("declines_all", "02-22")], ["declined on 2026-02-22"]),
        (patient((), "contact"), None, [tried("declines_all", "02-20")], []),
        (patient(("dead",)), None, [tried("declines_all", "02-20")], []),
        (patient(), day("02-19"), [tried("declines_all", "02-20")], ["declined on 2026-02-20"]),
        (patient(), day("02-20"), [tried("declines_all", "02-20")], ["declined on 2026-02-20"]),
        (patient(), day("02-21"), [tried("declines_all", "02-20")], []),
        (patient(), None, [tried("declines", "02-20"), tried("no_answer", "02-21")], []),
        (patient(), None, [tried("died", "02-20"), tried("declines_all", "02-20")], ["says died", "declined on"]),
    ],
)
def test_what_was_heard_on_the_telephone_is_verified_until_it_is_entered(
    who: Patient, last_done: date | None, tries: list[Attempt], words: list[str]
) -> None:
    """A death, or that all further calls are declined; a contact made later, or the end of study, answers it."""
    found = doubts(who, last_done, History(tuple(tries)))
    assert [word in line for word, line in zip(words, found, strict=True)] == [True] * len(words)


def test_entries_of_the_log_nobody_can_read_are_verified_too() -> None:
    """Behind everything else."""
    assert doubts(patient(death_signs=("a sign",)), None, History((), ("unread",))) == (
        "vital status: a sign",
        "unread",
    )


def test_an_end_that_lies_ahead_is_named() -> None:
    """Death and end of study, each by its date; today is not ahead."""
    today = day("03-02")
    assert postdated(patient(), today) == ()
    assert postdated(patient(died_on=today, left_on=today), today) == ()
    death, end = postdated(patient(died_on=day("03-03"), left_on=day("03-04")), today)
    assert (death.startswith("vital status"), "2026-03-03" in death) == (True, True)
    assert (end.startswith("end of study"), "2026-03-04" in end) == (True, True)


AWAY = Pause(day("02-20"), day("02-23"))


@pytest.mark.parametrize(
    ("pause", "planned", "today", "expected"),
    [
        (AWAY, "02-23", "02-10", "paused"),  # planned on a day of the pause
        (AWAY, "02-24", "02-19", "upcoming"),
        (AWAY, "02-24", "02-20", "paused"),  # it could be made today
        (AWAY, "02-24", "02-23", "paused"),
        (AWAY, "02-24", "02-24", "due"),
        (Pause(day("02-26"), day("03-30")), "02-24", "02-26", "paused"),
        (Pause(day("02-26"), day("03-30")), "02-24", "02-27", "missed"),
    ],
)
def test_a_pause_holds_a_contact_on_its_days(pause: Pause, planned: str, today: str, expected: ContactStatus) -> None:
    """From the first day of the window to the last on which it is chased."""
    assert status(contact(pauses=(pause,)), day(planned), day(today)) == expected


def test_a_promised_day_is_kept_in_a_pause() -> None:
    """Who asked to be called on that day is called."""
    booked = contact(pauses=(AWAY,), booking=Booking(day("02-23"), ""))
    assert status(booked, day("02-23"), day("02-23")) == "due"
    assert status(contact(booking=None, window=None), day("02-23"), day("02-23")) == "not applicable"
    assert status(contact(), None, day("02-23")) == "not applicable"


def test_an_appointment_is_held_from_the_first_day_to_the_last_of_grace() -> None:
    """Both included."""
    month = window(MONTH, ENROLLED)
    days = [month.opens - timedelta(days=1), month.opens, month.chased_until, month.chased_until + timedelta(days=1)]
    assert [month.holds_booking(one) for one in days] == [False, True, True, False]


def test_a_contact_on_the_day_itself_has_no_months() -> None:
    """Counted from its anchor by neither days nor months it is meant for that day."""
    bare = WEEK.model_copy(update={"days": None, "months": None})
    assert window(bare, ENROLLED).target == ENROLLED
