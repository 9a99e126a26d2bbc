"""Exported records as csv: what is a table, what is none, and how many records are asked for at once."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redcap_rules.record import Row
from trialdesk.redcap.answers import Untrue, read_table
from trialdesk.redcap.batches import AIM, MOST, Batch

HEADER = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,a,b___1\n"
)
WHOLE = HEADER + 'X-1,e_arm_1,,,ode,"1, ""or"" 2\r\nlines",0\nX-1,e_arm_1,log,2,ode,,1\n'


def test_rows_are_without_blanks_and_their_places_stand_apart() -> None:
    """Commas, quotes and line ends inside a text stay; an option that is not ticked goes only where that is asked."""
    found = read_table(WHOLE, "record_id")
    assert found.rows[0] == Row("X-1", "e_arm_1", "", 0, {"a": '1, "or" 2\r\nlines', "b___1": "0"})
    assert found.rows[1] == Row("X-1", "e_arm_1", "log", 2, {"b___1": "1"})
    assert (found.groups, found.columns[-1]) == ({"X-1": "ode"}, "b___1")
    assert read_table(WHOLE, "record_id", {"b___1"}).rows[0].values.keys() == {"a"}


@pytest.mark.parametrize("cut", range(len(HEADER) + 1, len(WHOLE)))
def test_a_table_cut_anywhere_is_no_table(cut: int) -> None:
    """But after a whole line, where the records that are asked for are counted instead."""
    text = WHOLE[:cut]
    if text in (WHOLE[: WHOLE.index("X-1,e_arm_1,log")], HEADER):
        assert len(read_table(text, "record_id").rows) < 2
    else:
        with pytest.raises(Untrue):
            read_table(text, "record_id")


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html>\n<html></html>\n",
        '{"error":"You do not have permissions"}\n',
        "ERROR: The value of the parameter is not valid\n",
        "[]\n",
        "record\nX-1\n",
        "record_id,a,a\nX-1,1,2\n",
        "record_id,a\nX-1,1,2\n",
        'record_id,a\nX-1,"1\n',
        "record_id,a\n,1\n",
        "record_id,redcap_repeat_instance\nX-1,first\n",
        "record_ids\nX-1\n",
    ],
)
def test_what_is_no_table_of_the_project_is_told_from_data(text: str) -> None:
    """Pages, messages, another project's table, a line too long; and nothing of it is said again."""
    with pytest.raises(Untrue) as refused:
        read_table(text, "record_id")
    assert "X-1" not in str(refused.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_a_project_s_own_delimiter_is_understood(delimiter: str) -> None:
    """Projects may have another than the comma, and some servers use it in the API too."""
    text = "\ufeff" + f'"record_id"{delimiter}a\nX-1{delimiter}1\n'
    assert read_table(text, "record_id").rows == (Row("X-1", "", "", 0, {"a": "1"}),)


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=2, max_size=2)))
def test_every_text_comes_back_as_it_was_written(cells: list[list[str]]) -> None:
    """Whatever people type."""
    text = io.StringIO(newline="")
    table = [["record_id", "a", "b"], *([f"X-{number}", *line] for number, line in enumerate(cells))]
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
    found = read_table(text.getvalue(), "record_id").rows
    assert [[row.values.get("a", ""), row.values.get("b", "")] for row in found] == cells


@given(st.lists(st.floats(0, 1000), max_size=30), st.integers(1, 500))
def test_batches_grow_slowly_and_never_vanish(seconds: list[float], first: int) -> None:
    """At most twice as large as the one before, at least half as large, and one record at the least."""
    batch = Batch(first)
    for took in seconds:
        after = batch.after(took)
        assert 1 <= after.size <= MOST
        assert batch.size // 2 <= after.size <= max(1, 2 * batch.size) or after.size == 1
        assert took >= AIM or after.size >= min(batch.size, MOST)
        batch = after


def test_what_was_too_much_once_is_not_tried_again() -> None:
    """A server without memory for 400 records is asked for 200, and never for more than that."""
    batch = Batch(400).too_much()
    assert (batch.size, batch.after(0.1).size, batch.too_much().after(0.1).size) == (200, 200, 100)
