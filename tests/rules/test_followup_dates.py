"""Open days, targets and windows: dates a clinician can look up in a calendar."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialdesk.config import Config, ContactRule
from trialdesk.errors import ConfigError
from trialdesk.followup.feasibility import weakest_windows
from trialdesk.followup.opendays import OpenDays, day_text, open_days
from trialdesk.followup.windows import add_months, window

pytestmark = pytest.mark.requirement("CAL-01", "CAL-03")

ENROLLED = st.dates(date(2024, 1, 1), date(2044, 12, 31))


def rule_of(config: Config, code: str) -> ContactRule:
    return next(rule for rule in config.contacts if rule.code == code)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 4, 1), ""),
        (date(2026, 4, 2), "Maundy Thursday"),
        (date(2026, 4, 3), "Good Friday"),
        (date(2026, 4, 6), "Easter Monday"),
        (date(2026, 5, 1), ""),  # 1 May is an ordinary working day
        (date(2026, 5, 14), "Ascension Day"),
        (date(2026, 5, 25), "Pentecost Monday"),
        (date(2023, 5, 5), "Great Prayer Day"),
        (date(2024, 4, 26), ""),  # Great Prayer Day was abolished in 2024
        (date(2026, 6, 5), "a closed day of the trial"),
        (date(2026, 12, 24), "a closed day of the trial"),
        (date(2026, 12, 25), "Christmas Day"),
        (date(2026, 12, 31), "a closed day of the trial"),
        (date(2026, 11, 21), "a Saturday"),
        (date(2026, 11, 22), "a Sunday"),
    ],
)
def test_danish_closed_days_are_known_by_name(frozen: Config, day: date, reason: str) -> None:
    """Public holidays, the trial's own closed days and weekends, each with the word the nurse reads."""
    assert open_days(frozen).reason(day) == reason
    assert open_days(frozen).is_open(day) == (not reason)


def test_a_country_without_a_calendar_is_a_problem_of_the_configuration() -> None:
    """The message says where and what to write instead."""
    with pytest.raises(ConfigError, match="no calendar of public holidays for QQ; use an ISO 3166 code such as DK"):
        OpenDays("QQ").is_open(date(2026, 1, 1))


def test_days_are_written_the_same_on_every_machine() -> None:
    """English names, whatever the machine's locale."""
    assert day_text(date(2026, 4, 2)) == "Thu 2 Apr 2026"
    assert day_text(date(2026, 4, 1), year=False) == "Wed 1 Apr"


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 12, 1), 12, date(2027, 12, 1)),
        (date(2026, 10, 15), 3, date(2027, 1, 15)),
        (date(2026, 5, 15), 0, date(2026, 5, 15)),
    ],
)
def test_months_keep_the_day_number_and_stop_at_month_end(day: date, months: int, expected: date) -> None:
    """Calendar months from the anchor (reference/trial-operations.md 3.2)."""
    assert add_months(day, months) == expected


@pytest.mark.parametrize(
    ("code", "anchor", "days"),
    [
        ("W01", "2026-02-02", "2026-02-06 2026-02-09 2026-02-12 2026-02-12"),
        ("W04", "2026-03-05", "2026-03-30 2026-04-02 2026-04-05 2026-04-05"),
        ("W12", "2026-01-31", "2026-04-22 2026-04-25 2026-04-28 2026-04-28"),
        ("M03", "2026-01-31", "2026-04-29 2026-04-30 2026-05-14 2026-05-28"),
        ("M12", "2028-02-29", "2029-02-14 2029-02-28 2029-03-30 2029-04-29"),
        ("SC12", "2026-02-10", "2026-04-21 2026-05-05 2026-05-19 2026-06-16"),
    ],
)
def test_windows_of_the_trial(frozen: Config, code: str, anchor: str, days: str) -> None:
    """First day, target, last day and last day of grace, all inclusive."""
    found = window(rule_of(frozen, code), date.fromisoformat(anchor))
    assert f"{found.opens} {found.target} {found.closes} {found.chased_until}" == days


@given(enrolled=ENROLLED)
def test_weekly_windows_follow_each_other_without_gap_or_overlap(frozen: Config, enrolled: date) -> None:
    """Every date from day 4 to day 87 belongs to exactly one week; day 28 is the middle of week 4."""
    weeks = [window(rule_of(frozen, f"W{week:02}"), enrolled) for week in range(1, 13)]
    assert weeks[0].opens == enrolled + timedelta(days=4)
    assert weeks[-1].closes == enrolled + timedelta(days=87)
    assert all(later.opens == earlier.closes + timedelta(days=1) for earlier, later in pairwise(weeks))


@given(enrolled=ENROLLED)
def test_month_3_opens_only_after_week_12_has_closed(frozen: Config, enrolled: date) -> None:
    """Two contacts and never one day for both (reference/design.md 6)."""
    assert window(rule_of(frozen, "M03"), enrolled).opens > window(rule_of(frozen, "W12"), enrolled).closes


def test_every_window_holds_a_working_day_for_twenty_years(frozen: Config) -> None:
    """Whatever the day of enrolment or operation, Easter and Christmas included.

    Source: reference/trial-operations.md 0, finding 7.
    """
    found = weakest_windows(frozen, date(2025, 1, 1), date(2044, 12, 31))
    assert [weak.code for weak in found] == [rule.code for rule in frozen.contacts]
    assert {weak.open_days for weak in found if weak.code.startswith("W")} == {2}
    assert {weak.code: weak.open_days for weak in found[12:]} == {"M03": 5, "SC12": 15, "M12": 26}


def test_the_weakest_window_of_an_easter_week_is_found(frozen: Config) -> None:
    """Tuesday to Monday around Good Friday 2026 leaves 31 March and 1 April; ±1 day around it leaves none."""
    narrow = rule_of(frozen, "W01").model_copy(update={"window": (-1, 1)})
    config = frozen.model_copy(update={"contacts": (rule_of(frozen, "W01"), narrow)})
    found = weakest_windows(config, date(2026, 3, 26), date(2026, 3, 29))
    assert [(weak.open_days, weak.anchor) for weak in found] == [(2, date(2026, 3, 27)), (0, date(2026, 3, 27))]
