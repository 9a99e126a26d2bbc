"""Arithmetic at its edges: blanks, even and odd counts, halves, negative places, and where a number has no answer."""

from __future__ import annotations

import math

import pytest

from redcap_rules.logic.moments import date_order, day, difference, is_signed, month, read_moment, seconds, year
from redcap_rules.logic.numbers import (
    absolute,
    added,
    greatest,
    is_integer,
    is_number,
    least,
    logarithm,
    mean,
    median,
    places_of,
    root,
    rounded,
    rounded_down,
    rounded_up,
    stdev,
    total,
)
from redcap_rules.logic.values import BLANK, Value

pytestmark = pytest.mark.requirement("RCP-01")


@pytest.fixture(autouse=True)
def read_anew() -> None:
    """Nothing is known from a test before."""
    seconds.cache_clear()
    read_moment.cache_clear()


def test_what_is_no_number_is_skipped() -> None:
    """Texts that are numbers count; without any, a sum is 0 and all others are blank."""
    given: tuple[Value, ...] = (2.0, "", "4", "x", 9.0)
    assert (total(*given), mean(*given), median(*given)) == (15.0, 5.0, 4.0)
    assert (least(*given), greatest(*given)) == (2.0, 9.0)
    assert [of("", "x") for of in (total, mean, median, stdev, least, greatest)] == [0.0, *[BLANK] * 5]
    assert added([]) == 0.0
    assert added([0.1, 0.2, 0.3]) == 0.1 + 0.2 + 0.3


def test_a_median_is_the_middle_or_between_two() -> None:
    """Of numbers in any order."""
    assert median(9.0, 1.0, 5.0) == 5.0
    assert median(9.0, 1.0, 4.0, 6.0) == 5.0
    assert median(7.0) == 7.0
    assert median(1.0, 2.0) == 1.5


def test_a_standard_deviation_is_that_of_a_sample() -> None:
    """Of two numbers at least."""
    assert stdev(1.0, 3.0) == math.sqrt(2)
    assert stdev(2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0) == pytest.approx(2.13808993529939)
    assert stdev(3.0) == BLANK
    assert stdev(3.0, 3.0) == 0.0


@pytest.mark.parametrize(
    ("asked", "places"),
    [(2.0, 2), ("3", 3), (2.9, 2), (-2.9, -2), (999.0, 300), (-999.0, -300), ("x", None), ("", None)],
)
def test_places_are_whole_and_bounded(asked: Value, places: int | None) -> None:
    """And None where they are no number."""
    assert places_of(asked) == places


@pytest.mark.parametrize(
    ("number", "places", "near", "up", "down"),
    [
        (2.5, 0.0, 3.0, 3.0, 2.0),
        (-2.5, 0.0, -3.0, -2.0, -3.0),
        (2.4, 0.0, 2.0, 3.0, 2.0),
        (-2.4, 0.0, -2.0, -2.0, -3.0),
        (12.25, 1.0, 12.3, 12.3, 12.2),
        (1250.0, -2.0, 1300.0, 1300.0, 1200.0),
        (-1250.0, -2.0, -1300.0, -1200.0, -1300.0),
        (1234.0, -1.0, 1230.0, 1240.0, 1230.0),
        (122.5 * 0.1, 1.0, 12.3, 12.3, 12.2),
        (0.1 * 3, 1.0, 0.3, 0.3, 0.3),
        (4.35, 1.0, 4.4, 4.4, 4.3),
        (7.0, 2.0, 7.0, 7.0, 7.0),
        (0.0, 0.0, 0.0, 0.0, 0.0),
        (99999999999999.0, 0.0, 99999999999999.0, 99999999999999.0, 99999999999999.0),
        (1e15, 0.0, 1e15, 1e15, 1e15),
        (1234567890123.456, 3.0, 1234567890123.456, 1234567890123.456, 1234567890123.456),
        (1e20, -19.0, 1e20, 1e20, 1e20),
        (5e15, -15.0, 5e15, 5e15, 5e15),
    ],
)
def test_numbers_are_rounded_to_the_nearest_the_next_and_the_last_step(
    number: float, places: float, near: float, up: float, down: float
) -> None:
    """Halves away from zero; a product an ulp below its half counts as it; what is too large has no fraction."""
    assert (rounded(number, places), rounded_up(number, places), rounded_down(number, places)) == (near, up, down)


def test_to_whole_numbers_is_meant_where_nothing_is_said() -> None:
    """And a blank stays one, as number or as places."""
    assert (rounded(2.6), rounded_up(2.2), rounded_down(2.8)) == (3.0, 3.0, 2.0)
    for of in (rounded, rounded_up, rounded_down):
        assert (of("", 1.0), of(1.0, "x")) == (BLANK, BLANK)


def test_roots_and_logarithms_are_blank_where_there_are_none() -> None:
    """Below zero, of zero, and to the base 1."""
    assert (root(9.0), root(0.0), root(-0.1), root("")) == (3.0, 0.0, BLANK, BLANK)
    assert (logarithm(math.e), logarithm(8.0, 2.0), logarithm(1.0)) == (1.0, 3.0, 0.0)
    assert logarithm(0.25, 0.5) == 2.0
    for number, base in ((0.0, 2.0), (-1.0, 2.0), (8.0, 0.0), (8.0, -2.0), (8.0, 1.0), ("", 2.0), (8.0, "")):
        assert logarithm(number, base) == BLANK


def test_signs_and_kinds_of_numbers() -> None:
    """A text that is a number is one."""
    assert (absolute(-3.0), absolute(3.0), absolute("x")) == (3.0, 3.0, BLANK)
    assert [is_number(value) for value in (1.0, "2", "x", "")] == [1.0, 1.0, 0.0, 0.0]
    assert [is_integer(value) for value in (1.0, "2", 2.5, "x", "")] == [1.0, 1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00", 0.0),
        ("01:02", 3720.0),
        ("1:02:03", 3723.0),
        ("0001-01-01", 86400.0),
        ("0001-01-01 01:02:03", 90123.0),
        ("0001-01-02 00:01", 172860.0),
        ("25:00:00:00", None),
        ("word", None),
    ],
)
def test_a_moment_is_counted_in_seconds(text: str, expected: float | None) -> None:
    """A time alone from midnight, a day from the first of the calendar."""
    assert seconds(text) == expected


def test_parts_of_a_date_are_read_in_its_order() -> None:
    """A stored date is year first, whatever is asked; what is none has no parts."""
    assert (year("2026-03-31 14:30"), month("2026-03-31"), day("2026-03-31")) == (2026.0, 3.0, 31.0)
    assert (year("x"), month(""), day("2026-02-30")) == (BLANK, BLANK, BLANK)
    assert [of("31-03-2026") for of in (year, month, day)] == [BLANK] * 3  # the order is not given
    for order, text in (("dmy", "31-03-2026"), ("mdy", "03-31-2026"), ("dmy", "2026-03-31")):
        moment = read_moment(text, order)
        assert moment is not None
        assert f"{moment:%Y-%m-%d}" == "2026-03-31"


def test_a_difference_has_a_unit_an_order_and_a_sign() -> None:
    """Options in any order; without the sign it is a length."""
    assert difference("2026-03-31", "2026-03-01", "d") == 30.0
    assert difference("2026-03-31", "2026-03-01", "d", 1.0) == -30.0
    assert difference("01-03-2026", "31-03-2026", "d", "DMY", "TRUE") == 30.0
    assert difference("2026-03-01", "2026-03-02", "h") == 24.0
    assert difference("2026-03-01 10:00", "2026-03-01 10:01:30", "s") == 90.0
    assert difference("2026-03-01", "x", "d") == difference("x", "2026-03-01", "d") == BLANK
    assert difference("2026-03-01", "2026-03-02", "D") == BLANK
    assert date_order(("x", "MDY", "dmy")) == "mdy"
    assert date_order((1.0,)) == "ymd"
    assert [is_signed((option,)) for option in (1.0, "true", "True", "1", 0.0, "false", "x")] == [True] * 4 + [
        False
    ] * 3
