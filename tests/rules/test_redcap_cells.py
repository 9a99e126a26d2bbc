"""The values of rows, kept small: whatever reads them must find what a dict would tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redcap_rules.record import Row
from trialdesk.redcap.cells import Cells, Pool, texts_in

VALUES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["", "0", "1", "long text"]))


@given(values=VALUES, name=st.sampled_from("abcdefg"))
def test_cells_answer_as_the_dict_they_are_made_of(values: dict[str, str], name: str) -> None:
    """In every way in which rules, reports and snapshots ask; what is blank is not there."""
    held = {name: text for name, text in values.items() if text}
    cells = Pool().of(values)
    assert (cells == held, len(cells), dict(cells), dict(cells.items())) == (True, len(held), held, held)
    assert (list(cells), list(cells.values())) == (list(held), list(held.values()))
    assert (cells.get(name), cells.get(name, ""), name in cells) == (held.get(name), held.get(name, ""), name in held)
    assert (cells.keys() & {"a", "b"}, cells.keys().isdisjoint({"c"})) == (held.keys() & {"a", "b"}, "c" not in held)
    assert repr(cells) == repr(held)


def test_a_column_that_holds_nothing_is_an_error_as_in_a_dict() -> None:
    """Whoever takes it for granted has to learn that it is not there."""
    with pytest.raises(KeyError):
        Pool().of({"a": ""})["a"]


def test_names_and_texts_are_kept_once() -> None:
    """Two rows with the same columns share a shape, and equal texts are one."""
    pool = Pool()
    one, two, other = (pool.of({name: "".join(("2026-", "11")) for name in names}) for names in ("ab", "ab", "ba"))
    assert one.shape is two.shape
    assert one.shape is not other.shape
    assert one["a"] is two["b"] is other["a"]


@given(rows=st.lists(VALUES, max_size=5), small=st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_column_of_rows_small_or_not_is_what_each_row_tells(rows: list[dict[str, str]], small: list[bool]) -> None:
    """Rows of a test or of a person's correction are dicts; both may stand in one table."""
    pool = Pool()
    made = [Row("1", "", "", 0, pool.of(v) if s else v) for v, s in zip(rows, small, strict=False)]
    assert texts_in(made, "a", "-") == [values.get("a") or "-" for values in rows]
    assert {type(row.values) for row in made} <= {Cells, dict}
