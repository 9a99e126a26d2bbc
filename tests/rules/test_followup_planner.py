"""Which day a contact gets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialdesk.config import Config, ContactRule
from trialdesk.followup.attempts import Booking
from trialdesk.followup.contacts import Contact, Said, record_order
from trialdesk.followup.opendays import OpenDays, open_days
from trialdesk.followup.planner import Planned, plan
from trialdesk.followup.windows import window

pytestmark = pytest.mark.requirement("CAL-01", "CAL-03")

DENMARK = OpenDays("DK", frozenset({(12, 24), (12, 31), (6, 5)}))
OWN = "a closed day of the trial"
WEEK_1 = ContactRule(code="W01", label="Week 1", event="w1", form="call", anchor="enrolment", days=7, window=(-3, 3))


def contact(enrolled: date, record: str = "ODE-001", rule: ContactRule = WEEK_1, **given: object) -> Contact:
    made = Contact(record, record[:3], enrolled, rule, window(rule, enrolled), Said())
    return replace(made, **given)  # type: ignore[arg-type]  # the tables below name fields of Contact


def patient(config: Config, record: str, enrolled: date, weekday: int | None = None) -> list[Contact]:
    rules = (rule for rule in config.contacts if rule.anchor == "enrolment")
    return [contact(enrolled, record, rule, weekday=weekday) for rule in rules]


@pytest.mark.parametrize(
    ("target", "weekday", "planned", "why"),
    [
        (date(2026, 2, 9), None, date(2026, 2, 9), ""),
        (date(2026, 2, 14), None, date(2026, 2, 13), "target Sat 14 Feb 2026 is a Saturday; moved to Fri 13 Feb"),
        (date(2026, 2, 15), None, date(2026, 2, 16), "target Sun 15 Feb 2026 is a Sunday; moved to Mon 16 Feb"),
        (date(2026, 4, 2), None, date(2026, 4, 1), "target Thu 2 Apr 2026 is Maundy Thursday; moved to Wed 1 Apr"),
        (date(2026, 4, 4), None, date(2026, 4, 1), "target Sat 4 Apr 2026 is a Saturday; moved to Wed 1 Apr"),
        (date(2026, 4, 5), None, date(2026, 4, 7), "target Sun 5 Apr 2026 is Easter Sunday; moved to Tue 7 Apr"),
        (date(2026, 5, 14), None, date(2026, 5, 13), "target Thu 14 May 2026 is Ascension Day; moved to Wed 13 May"),
        (date(2026, 12, 25), None, date(2026, 12, 23), "target Fri 25 Dec 2026 is Christmas Day; moved to Wed 23 Dec"),
        (date(2026, 12, 31), None, date(2026, 12, 30), f"target Thu 31 Dec 2026 is {OWN}; moved to Wed 30 Dec"),
        (date(2026, 6, 5), None, date(2026, 6, 4), f"target Fri 5 Jun 2026 is {OWN}; moved to Thu 4 Jun"),
        (date(2026, 2, 9), 3, date(2026, 2, 11), "target Mon 9 Feb 2026; moved to Wed 11 Feb, the preferred weekday"),
        (date(2026, 2, 11), 3, date(2026, 2, 11), ""),
        (date(2026, 2, 9), 5, date(2026, 2, 6), "target Mon 9 Feb 2026; moved to Fri 6 Feb, the preferred weekday"),
        (date(2026, 4, 3), 5, date(2026, 4, 1), "target Fri 3 Apr 2026 is Good Friday; moved to Wed 1 Apr"),
    ],
)  # fmt: skip
def test_the_nearest_open_day_earlier_on_a_tie_and_the_preferred_weekday(
    target: date, weekday: int | None, planned: date, why: str
) -> None:
    """A call seven days after enrolment, window ±3; each moved date says why in one sentence."""
    made = contact(target - timedelta(days=7), weekday=weekday)
    assert plan([made], DENMARK, 12)[made.key] == Planned(planned, why)


def test_a_window_without_an_open_day_stays_on_its_target_and_says_so() -> None:
    """Easter Saturday ±1: Good Friday, Saturday, Easter Sunday."""
    made = contact(date(2026, 3, 28), rule=WEEK_1.model_copy(update={"window": (-1, 1)}))
    why = "no open day from Fri 3 Apr 2026 to Sun 5 Apr 2026; left on the target"
    assert plan([made], DENMARK, 12)[made.key] == Planned(date(2026, 4, 4), why)


def test_a_full_day_hands_the_later_enrolled_to_the_emptiest_day_near_the_target() -> None:
    """Two calls a day; five patients enrolled on Wed 4 Feb are due on Wed 11 Feb."""
    found = plan([contact(date(2026, 2, 4), f"ODE-{n:03}") for n in range(1, 6)], DENMARK, 2)
    assert [found[f"ODE-{n:03}", "W01"].on for n in range(1, 6)] == [date(2026, 2, d) for d in (11, 11, 10, 12, 9)]
    assert found["ODE-003", "W01"].why == "Wed 11 Feb 2026 is full with 2 contacts; moved to Tue 10 Feb"


def test_nobody_is_moved_to_a_day_that_is_as_full() -> None:
    """One call a day and five open days around Wed 11 Feb: the sixth patient stays on the target, the seventh goes."""
    found = plan([contact(date(2026, 2, 4), f"ODE-{n:03}") for n in range(1, 8)], DENMARK, 1)
    assert [found[f"ODE-{n:03}", "W01"].on.day for n in range(1, 8)] == [11, 10, 12, 9, 13, 11, 10]


@pytest.mark.parametrize(
    ("given", "planned"),
    [
        ({"rule": WEEK_1.model_copy(update={"primary": True})}, date(2026, 2, 11)),
        ({"weekday": 3}, date(2026, 2, 11)),
        ({"booking": Booking(date(2026, 2, 13))}, date(2026, 2, 11)),
        ({}, date(2026, 2, 10)),
    ],
)
def test_levelling_leaves_primary_contacts_preferences_and_bookings_alone(
    given: dict[str, object], planned: date
) -> None:
    """The day is full; only the ordinary call gives way."""
    first, second = contact(date(2026, 2, 4), "ODE-001"), contact(date(2026, 2, 4), "ODE-002", **given)  # type: ignore[arg-type]  # the table names its arguments
    assert plan([first, second], DENMARK, 1)[second.key].on == planned


def test_a_booked_call_takes_its_room_on_the_day_it_is_booked_for() -> None:
    """Capacity 1: the booking of 12 Feb leaves 11 Feb free and makes 12 Feb full."""
    booked = contact(date(2026, 2, 4), "ODE-001", booking=Booking(date(2026, 2, 12)))
    free, late = contact(date(2026, 2, 4), "ODE-002"), contact(date(2026, 2, 5), "ODE-003")
    found = plan([booked, free, late], DENMARK, 1)
    assert found[free.key].on == date(2026, 2, 11)
    assert found[late.key].on == date(2026, 2, 13)


def test_contacts_of_another_form_do_not_fill_the_nurse_s_day() -> None:
    """The surgeon's controls are counted by themselves."""
    control = WEEK_1.model_copy(update={"form": "control", "code": "SC"})
    first, second = contact(date(2026, 2, 4), "ODE-001", control), contact(date(2026, 2, 4), "ODE-002")
    assert plan([first, second], DENMARK, 1)[second.key] == Planned(date(2026, 2, 11))


@pytest.mark.parametrize(
    ("promised", "planned"),
    [
        (date(2026, 2, 10), Planned(date(2026, 2, 10), "stays on Tue 10 Feb 2026, as planned before")),
        (date(2026, 2, 11), Planned(date(2026, 2, 11))),
        (date(2026, 2, 14), Planned(date(2026, 2, 11))),  # a Saturday
        (date(2026, 2, 20), Planned(date(2026, 2, 11))),  # outside the window
    ],
)
def test_a_promised_day_stays_while_it_is_an_open_day_of_the_window(promised: date, planned: Planned) -> None:
    """What REDCap already shows is not planned anew each night."""
    made = contact(date(2026, 2, 4))
    assert plan([made], DENMARK, 12, {made.key: promised})[made.key] == planned


PEOPLE = st.lists(
    st.tuples(st.dates(date(2026, 1, 5), date(2026, 3, 1)), st.sampled_from([None, None, 2, 5])),
    min_size=1,
    max_size=12,
)


@given(people=PEOPLE, a_day=st.integers(1, 3), data=st.data())
def test_every_day_lies_in_its_window_and_on_an_open_day_in_whatever_order_patients_come(
    frozen: Config, people: list[tuple[date, int | None]], a_day: int, data: st.DataObject
) -> None:
    """Shuffling patients changes nothing."""
    contacts = [c for n, (day, weekday) in enumerate(people) for c in patient(frozen, f"ODE-{n}", day, weekday)]
    found = plan(contacts, open_days(frozen), a_day)
    for made in contacts:
        assert made.window is not None
        assert found[made.key].on in made.window
        assert open_days(frozen).is_open(found[made.key].on)
    assert plan(data.draw(st.permutations(contacts)), open_days(frozen), a_day) == found


@given(people=PEOPLE, a_day=st.integers(1, 3), newcomer=st.dates(date(2026, 1, 5), date(2026, 3, 1)))
def test_a_new_patient_moves_no_promised_day_and_nobody_enrolled_before(
    frozen: Config, people: list[tuple[date, int | None]], a_day: int, newcomer: date
) -> None:
    """Even an enrolment entered late finds its room around what was promised."""
    contacts = [c for n, (day, weekday) in enumerate(people) for c in patient(frozen, f"ODE-{n}", day, weekday)]
    calendar = open_days(frozen)
    before = plan(contacts, calendar, a_day)
    promised = {made.key: before[made.key].on for made in contacts if made.rule.code == "W02"}
    after = plan([*contacts, *patient(frozen, "ZZZ-1", newcomer)], calendar, a_day, promised)
    for made in contacts:
        if made.key in promised or made.enrolled_on <= newcomer:
            assert after[made.key].on == before[made.key].on


def test_the_days_before_christmas_are_not_buried_in_calls(frozen: Config) -> None:
    """Three enrolments on every working day of autumn: no day gets more than 12 calls while there is room."""
    days = (date(2026, 9, 28) + timedelta(days=n) for n in range(70))
    starts = [day for day in days if open_days(frozen).is_open(day)]
    contacts = [c for n, day in enumerate(starts) for k in range(3) for c in patient(frozen, f"ODE-{n}-{k}", day)]
    levelled, piled = (
        max(Counter(planned.on for planned in plan(contacts, open_days(frozen), a_day).values()).values())
        for a_day in (40, 10_000)
    )
    assert levelled < piled


def test_records_sort_as_people_count() -> None:
    """ODE-2 comes before ODE-10."""
    assert sorted(["ODE-10", "ODE-2", "AAR-3"], key=record_order) == ["AAR-3", "ODE-2", "ODE-10"]
