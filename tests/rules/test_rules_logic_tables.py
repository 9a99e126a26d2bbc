"""Whole tables of formulas: every way a column may be filled or given has the answers of its rows one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.logic import compile_table, evaluate, packing, parse
from redcap_rules.logic.casting import numbers_of, seconds_of
from redcap_rules.logic.moments import seconds
from redcap_rules.logic.packing import combine, factorize
from redcap_rules.logic.values import number
from redcap_rules.record import RecordView, Row

ROWS = 2_500
DICTIONARY = Dictionary((Field("id", "f", "text"), Field("a", "f", "text"), Field("b", "f", "text")))
MINUTES = [f"{datetime(2026, 1, 1) + timedelta(minutes=minute):%Y-%m-%d %H:%M}" for minute in range(ROWS)]
FILLED: dict[str, Callable[[np.random.Generator], list[str]]] = {
    "all distinct numbers": lambda _: [f"{row / 1000 - 1:.3f}" for row in range(ROWS)],
    "all distinct moments": lambda chance: chance.permutation(MINUTES).tolist(),
    "all distinct words": lambda _: [f"word {row}" for row in range(ROWS)],
    "all distinct but blanks": lambda chance: [str(row) if chance.random() > 0.01 else "" for row in range(ROWS)],
    "few numbers": lambda chance: chance.choice(["", "0", "1", "07", "-1.5", "1e5"], ROWS).tolist(),
    "few words": lambda chance: chance.choice(["", "1", "yes", "æøå", "a text of many bytes"], ROWS).tolist(),
    "few dates": lambda chance: chance.choice(
        ["", "2026-01-01", "2024-02-29", "31-12-2025", "2026-02-30"], ROWS
    ).tolist(),
    "sorted": lambda _: [str(row // 2) for row in range(ROWS)],
    "all blank": lambda _: [""] * ROWS,
}
FORMULAS = [
    "[a]<>'' and [a]<[b]",
    "[a]='' or [b]=''",
    "[a]=[b]",
    "if([a]>=1,round([a]/2,1),[b])",
    "datediff([a],[b],'d',true)",
    "datediff([a],'today','h')",
    "sum([a],[b],1)",
    "concat([a],[b])",
    "[a] and not [b]",
]


def one_by_one(text: str, a: Sequence[str], b: Sequence[str]) -> list[float | str]:
    """The plain way: every row as a record of its own."""
    expression, today = parse(text), date(2026, 4, 1)
    rows = (Row("1", "", "", 0, {"a": one, "b": other}) for one, other in zip(a, b, strict=True))
    return [evaluate(expression, RecordView([row], DICTIONARY), today=today) for row in rows]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("filled", FILLED)
def test_however_columns_are_filled_the_table_agrees_with_its_rows(filled: str, text: str) -> None:
    """All values distinct, few distinct, and one column of each: each beside every other kind."""
    chance = np.random.default_rng(1)
    run = compile_table(parse(text), today=date(2026, 4, 1))
    a = FILLED[filled](chance)
    for other in FILLED.values():
        b = other(chance)
        places = chance.choice(ROWS, 60, replace=False).tolist()
        found = run({"a": a, "b": b})
        assert len(found) == ROWS
        assert [found[row] for row in places] == one_by_one(
            text, [a[row] for row in places], [b[row] for row in places]
        )


@pytest.mark.parametrize("text", FORMULAS)
def test_a_table_may_have_one_row_or_none(text: str) -> None:
    """The smallest tables have answers too."""
    run = compile_table(parse(text), today=date(2026, 4, 1))
    assert run({"a": [], "b": []}) == []
    for a, b in [("", ""), ("1", "2"), ("x", ""), ("2026-01-01", "2026-01-02 12:00")]:
        assert run({"a": [a], "b": [b]}) == one_by_one(text, [a], [b])


GIVEN: dict[str, Callable[[list[str]], object]] = {
    "tuple": tuple,
    "numpy objects": lambda texts: np.array(texts, dtype=object),
    "numpy texts": np.array,
    "pandas series": pd.Series,
    "series with another index": lambda texts: pd.Series(texts, index=range(5, 5 + len(texts))),
    "series of objects": lambda texts: pd.Series(texts, dtype=object),
    "series with missing for blank": lambda texts: pd.Series([text or None for text in texts]),
    "objects with missing for blank": lambda texts: pd.Series([text or None for text in texts], dtype=object),
    "categorical": pd.Categorical,
    "categorical series": lambda texts: pd.Series(texts, dtype="category"),
    "categories never used": lambda texts: pd.Categorical(texts, ["never", *sorted(set(texts)), "used"]),
    "categories without blank": lambda texts: pd.Categorical([text or None for text in texts]),
}


@pytest.mark.parametrize("form", GIVEN)
@pytest.mark.parametrize("filled", ["few numbers", "few words", "all distinct but blanks"])
def test_a_column_may_be_an_array_of_numpy_or_pandas(filled: str, form: str) -> None:
    """The answers are those of the list of the same texts, and the array is left as it was."""
    a, b = FILLED[filled](np.random.default_rng(1)), FILLED["few numbers"](np.random.default_rng(2))
    given_a, given_b = GIVEN[form](a), GIVEN[form](b)
    before = pd.Series(given_a).copy()
    for text in FORMULAS:
        run = compile_table(parse(text), today=date(2026, 4, 1))
        found = run({"a": given_a, "b": given_b})  # type: ignore[dict-item]  # any of the forms
        assert found == run({"a": a, "b": b})
    pd.testing.assert_series_equal(pd.Series(given_a), before)


PIECES = st.text(st.sampled_from("01 -x\0æ\n€\ud800😀"), max_size=20) | st.sampled_from(
    ["", "0", "123", "1234", "12345"]
)


@given(st.lists(PIECES, max_size=60), st.integers(1, 30))
def test_factorizing_loses_no_text(texts: list[str], times: int) -> None:
    """Zero bytes, texts of three, four, five and more bytes, any alphabet, even halves of characters."""
    column = texts * times
    codes, values = factorize(column)
    assert [values[code] for code in codes.tolist()] == column
    if len(column) <= 900:
        assert len(set(values)) == len(values) == len(set(column))


def test_a_column_of_distinct_texts_is_taken_as_it_is() -> None:
    """Telling apart what never repeats would be wasted."""
    assert factorize(MINUTES)[1] is MINUTES


def test_the_rare_value_the_sample_does_not_show_is_kept() -> None:
    """One long text, or one that holds a zero, among thousands of short ones."""
    for rare in ("a text of many bytes", "0\0", "\ud800", "x" * 100_000):
        column = ["0", "1", ""] * 5_000
        column[7_777] = rare
        codes, values = factorize(column)
        assert [values[code] for code in codes.tolist()] == column
        assert len(values) == 4


@given(st.lists(st.lists(st.integers(0, 3), min_size=7, max_size=7), min_size=1, max_size=40))
def test_combinations_are_told_apart_however_many_there_could_be(parts: list[list[int]]) -> None:
    """Forty columns of four values have more combinations than a whole number has places for."""
    codes, rows = combine([np.array(part, dtype=np.intp) for part in parts])
    combinations = list(zip(*parts, strict=True))
    assert [combinations[rows[code]] for code in codes.tolist()] == combinations
    assert len(rows) == len(set(combinations))


FIGURES = st.text(st.sampled_from("0123.eE+- _xn\u0663"), max_size=6) | st.floats().map(repr)
NUMBERS = FIGURES | st.sampled_from(["", "inf", "nan", "1e400", "-0", ".", "1_0", "9" * 400])
STAMPS = (
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).flatmap(
        lambda at: st.sampled_from(
            [f"{at:%Y-%m-%d}", f"{at:%Y-%m-%d %H:%M}", f"{at:%Y-%m-%d %H:%M:%S}", f"{at:%d-%m-%Y}"]
        )
    )
    | st.from_regex(r"[0-9]{4}-[0-1][0-9]-[0-3][0-9]( [0-2][0-9]:[0-9]{2}(:[0-9]{2})?)?\n?", fullmatch=True)
    | st.sampled_from(["", "0000-01-01", "2026-02-30", "08:30", "\n", "2026-01-01\n2026-01-02", "2026-01-01 24:00"])
)


@given(st.lists(NUMBERS) | st.lists(NUMBERS | st.floats(allow_nan=False, allow_infinity=False)))
def test_many_texts_cast_at_once_are_the_numbers_they_are_alone(values: list[float | str]) -> None:
    """Also where Python's own float would take more than REDCap does."""
    expected = [number(value) for value in values]
    assert [None if np.isnan(found) else found for found in numbers_of(values).tolist()] == expected


@given(st.lists(STAMPS, max_size=4), st.sampled_from(["ymd", "dmy", "mdy"]))
def test_many_texts_cast_at_once_are_the_dates_they_are_alone(values: list[str], order: str) -> None:
    """Also days that no calendar has, and the ends of it."""
    expected = [seconds(value, order) for value in values]
    assert [None if np.isnan(found) else found for found in seconds_of(values, order).tolist()] == expected


@given(st.lists(st.integers(-5, 5) | st.integers(-(2**62), 2**62), max_size=30))
def test_numbers_are_told_apart_the_same_however_many_there_are(numbers: list[int]) -> None:
    """Few are sorted, many are given to pandas: each number has one position, and the list has it there."""
    key = np.array(numbers, dtype=np.intp)
    for large in (0, 50_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(packing, "_LARGE", large)
            codes, found = packing.distinct(key)
        assert found[codes].tolist() == numbers
        assert sorted(found.tolist()) == sorted(set(numbers))
