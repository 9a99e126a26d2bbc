"""The lookup of a value among the rows of a record, and calculated fields."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frozen import trial_dictionary, trial_rows
from redcap_rules.calculation import CalculationCycle, Calculations, calculation_order
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.logic import LogicError
from redcap_rules.record import RecordView, Row

pytestmark = pytest.mark.requirement("RCP-01")


def field(name: str, form: str = "f", kind: str = "text", **rest: str) -> Field:
    """A field; `rest` are more of its cells."""
    return Field(name, form, kind, **rest)  # type: ignore[arg-type]  # all cells given here are texts


def calc(name: str, formula: str, form: str = "f") -> Field:
    """A calc field."""
    return field(name, form, "calc", choices=formula)


def tagged(annotation: str, validation: str = "") -> Field:
    """The text field y with an action tag."""
    return field("y", annotation=annotation, validation=validation)


def project(*fields: Field) -> Dictionary:
    """A dictionary with a record id before the fields."""
    return Dictionary((field("id"), *fields))


VISITS = project(field("x"), field("k", kind="checkbox", choices="1, A | 2, B"), field("dose", "doses"))


@pytest.mark.parametrize(
    ("name", "event", "more", "expected"),
    [
        ("x", "e1", {}, "base"),
        ("x", "e9", {}, ""),
        ("x", "e1", {"instance": 1}, "base"),
        ("x", "e1", {"instance": 2}, ""),
        ("k", "e1", {"code": "1"}, "1"),
        ("k", "e1", {"code": "2"}, "0"),
        ("k", "e9", {"code": "2"}, ""),
        ("dose", "e1", {}, "10"),
        ("dose", "e1", {"instance": 2}, "20"),
        ("dose", "e1", {"instance": 3}, ""),
        ("x", "e2", {}, "first"),
        ("x", "e2", {"instance": 2}, "second"),
        ("f_complete", "e1", {}, "2"),
    ],
)
def test_a_value_is_found_in_the_row_that_holds_its_form(
    name: str, event: str, more: dict[str, str], expected: str
) -> None:
    """e1 has a repeating instrument, e2 repeats as a whole; a missing row is blank, an unticked option is 0."""
    rows = [
        Row("1", "e1", "", 0, {"x": "base", "k___1": "1", "k___2": "", "f_complete": "2"}),
        Row("1", "e1", "doses", 1, {"dose": "10"}),
        Row("1", "e1", "doses", 2, {"dose": "20"}),
        Row("1", "e2", "", 1, {"x": "first"}),
        Row("1", "e2", "", 2, {"x": "second"}),
    ]
    view = RecordView(rows, VISITS)
    assert view.value(name, event, **more) == expected  # type: ignore[arg-type]  # instance is the one number
    assert (view.instances("e1", "doses"), view.instances("e2", "f"), view.events) == ((1, 2), (1, 2), ("e1", "e2"))


def test_calculations_come_after_what_they_need() -> None:
    """Dependencies first, whatever the order of the dictionary."""
    dictionary = project(calc("c", "[b]+1"), calc("b", "[a]*2"), field("a"), calc("d", "[a]"))
    names = [one.name for one in calculation_order(dictionary)]
    assert sorted(names) == ["b", "c", "d"]
    assert names.index("b") < names.index("c")


def test_calculations_that_need_each_other_are_named() -> None:
    """A ring has no order."""
    dictionary = project(calc("a", "[b]"), calc("b", "[c]"), calc("c", "[a]"))
    with pytest.raises(CalculationCycle, match="depend on each other") as caught:
        calculation_order(dictionary)
    assert sorted(caught.value.fields) == ["a", "b", "c"]


def test_a_total_over_events_is_no_ring() -> None:
    """A calculation may use its own value of an earlier event."""
    dictionary = project(field("x"), calc("total", "sum([previous-event-name][total],[x])"))
    events = ("visit_arm_1", "visit_2_arm_1", "visit_arm_1b")
    calculations = Calculations(dictionary, {"f": events})
    rows = [Row("1", event, "", 0, {"x": str(n)}) for n, event in enumerate(events, start=1)]
    record = RecordView(rows, dictionary, events)
    assert [row.values for row in calculations.recalculate(record)] == [{"total": "1"}, {"total": "3"}, {"total": "6"}]


def test_an_unreadable_formula_is_a_fault_and_the_others_still_calculate() -> None:
    """One wrong formula must not stop an import; asking for the order says what is wrong."""
    dictionary = project(field("x"), calc("bad", "[x]+"), calc("lost", "[nowhere]"), calc("good", "[x]*2"))
    calculations = Calculations(dictionary)
    record = RecordView([Row("1", "", "", 0, {"x": "2", "bad": "old"})], dictionary)
    assert [row.values for row in calculations.recalculate(record)] == [{"good": "4"}]
    assert sorted(calculations.faults) == ["bad", "lost"]
    with pytest.raises(LogicError, match="calculation of bad: the formula ends"):
        calculation_order(dictionary)


@pytest.mark.parametrize(
    ("fields", "values", "expected"),
    [
        ([calc("y", "[x]+0.2")], {"x": "0.1"}, {"y": "0.30000000000000004"}),
        ([calc("y", "[x]*3")], {"x": "1.0"}, {"y": "3"}),
        ([calc("y", "[x]*3")], {"x": "", "y": "9"}, {"y": ""}),
        ([calc("y", "concat([x],'!')")], {"x": "a"}, {}),
        ([calc("y", "")], {"x": "1"}, {}),
        ([calc("y", "[x]+1")], {"x": "1", "y": "2"}, {}),
        ([tagged("@HIDDEN @CALCTEXT(if([x]>1,'big (x)','small, \"x\"')) @READONLY")], {"x": "2"}, {"y": "big (x)"}),
        ([tagged("@CALCTEXT([x]/2)")], {"x": "3"}, {"y": "1.5"}),
        ([tagged("@CALCDATE([x], 7, 'd')", "date_dmy")], {"x": "2026-12-28"}, {"y": "2027-01-04"}),
        ([tagged("@CALCDATE([x],-(2+1),'h')", "datetime_dmy")], {"x": "2026-01-01 01:30"}, {"y": "2025-12-31 22:30"}),
        ([tagged("@CALCDATE([x],1,'m')", "datetime_seconds_ymd")], {"x": "2026-01-01"}, {"y": "2026-01-01 00:01:00"}),
        ([tagged("@CALCDATE(if([x]='','',[x]),max(1,2),'d')")], {"x": "0999-01-01"}, {"y": "0999-01-03"}),
        ([tagged("@CALCDATE([x],1,'d')")], {"x": ""}, {}),
        ([tagged("@CALCDATE([x],9999999,'y')")], {"x": "2026-01-01"}, {}),
        ([calc("y", "[x]+1")], {"x": "1", "hidden": "1"}, {"y": "2"}),
    ],
)  # fmt: skip
def test_a_result_is_stored_as_redcap_writes_it(
    fields: list[Field], values: dict[str, str], expected: dict[str, str]
) -> None:
    """A calc holds numbers only; text and dates have their action tags (reference/instruments.md 2.2)."""
    dictionary = project(field("x"), *fields)
    changes = Calculations(dictionary).recalculate(RecordView([Row("1", "", "", 0, values)], dictionary))
    assert [row.values for row in changes] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("annotation", "message"),
    [("@CALCDATE([x],1)", "not 2 arguments"), ("@CALCTEXT([x]", "never closed"), ("@CALCTEXT([x]+)", "ends where")],
)
def test_a_wrong_action_tag_is_a_fault(annotation: str, message: str) -> None:
    """It is told like any other unreadable formula."""
    faults = Calculations(project(field("x"), field("y", annotation=annotation))).faults
    assert message in str(faults["y"])


def test_a_calculation_hidden_by_branching_still_calculates() -> None:
    """Branching clears values on the entry form only, never on import (reference/instruments.md 2.2)."""
    dictionary = project(field("x"), field("y", kind="calc", choices="[x]+1", branching="[x]='9'"))
    (row,) = Calculations(dictionary).recalculate(RecordView([Row("1", "", "", 0, {"x": "1"})], dictionary))
    assert row.values == {"y": "2"}


def test_only_rows_where_the_form_stands_are_calculated() -> None:
    """Not in other events, and in a repeating form's own rows only."""
    dictionary = project(
        field("x"), calc("y", "sum([x],1)"), field("d", "doses"), calc("double", "sum([d],[d])", "doses")
    )
    calculations = Calculations(dictionary, {"f": {"e1"}, "doses": {"e1", "e2"}}, repeating={("e1", "doses")})
    record = RecordView(
        [
            Row("1", "e1", "", 0, {"x": "1"}),
            Row("1", "e1", "doses", 1, {"d": "3"}),
            Row("1", "e1", "doses", 2, {"d": "4"}),
            Row("1", "e2", "", 0, {"d": "5"}),
        ],
        dictionary,
    )
    assert [(row.event, row.instance, row.values) for row in calculations.recalculate(record)] == [
        ("e1", 0, {"y": "2"}),
        ("e1", 1, {"double": "6"}),
        ("e1", 2, {"double": "8"}),
        ("e2", 0, {"double": "10"}),
    ]


def test_a_change_recalculates_what_depends_on_it_and_nothing_else() -> None:
    """Through other calculations and from checkbox columns too."""
    dictionary = project(
        field("x"),
        field("k", kind="checkbox", choices="1, A"),
        calc("a", "[x]+1"),
        calc("b", "[a]+[k(1)]"),
        calc("c", "5"),
    )
    calculations = Calculations(dictionary)
    record = RecordView([Row("1", "", "", 0, {"x": "1", "k___1": "1"})], dictionary)
    changed = {name: calculations.recalculate(record, changed=[name]) for name in ("x", "k___1", "a", "id")}
    assert [[dict(row.values) for row in rows] for rows in changed.values()] == [[{"a": "2", "b": "3"}], [], [], []]
    also = calculations.recalculate(record, changed=[], also=["a", "c"])
    assert [row.values for row in also] == [{"a": "2", "b": "3", "c": "5"}]
    ticked = RecordView([Row("1", "", "", 0, {"a": "2", "k___1": "1"})], dictionary)
    assert [row.values for row in calculations.recalculate(ticked, changed=["k___1"])] == [{"b": "3"}]


def test_the_clock_is_given_by_the_caller() -> None:
    """A calculation with today in it never reads the clock itself."""
    dictionary = project(field("x"), calc("y", "datediff([x],'today','d')"), calc("z", "datediff([x],'now','h')"))
    record = RecordView([Row("1", "", "", 0, {"x": "2026-01-01"})], dictionary)
    calculations = Calculations(dictionary)
    (row,) = calculations.recalculate(record, today=date(2026, 1, 3), now=datetime(2026, 1, 1, 6))
    assert row.values == {"y": "2", "z": "6"}
    with pytest.raises(LogicError, match="asks for today"):
        calculations.recalculate(record)


def trial() -> tuple[Dictionary, dict[str, set[str]], list[str]]:
    """The trial's dictionary, where its forms stand and its events in order."""
    events: dict[str, set[str]] = {}
    for row in trial_rows("mapping.csv"):
        events.setdefault(row["form"], set()).add(row["unique_event_name"])
    order = [row["unique_event_name"] for row in trial_rows("events.csv")]
    return trial_dictionary(), events, order


TRIAL, MAPPING, ORDER = trial()
CALCULATIONS = Calculations(TRIAL, MAPPING)
INPUTS = [f"odi_{n}" for n in range(1, 11)] + ["odi_date"]


def test_a_date_in_one_event_moves_the_day_numbers_of_all_others() -> None:
    """nc_day and its like count from the randomisation."""
    rows = [
        Row("1", "randomisation_arm_1", "", 0, {"rand_date": "2026-03-02"}),
        Row("1", "week_1_arm_1", "", 0, {"nc_date": "2026-03-09"}),
        Row("1", "week_2_arm_1", "", 0, {"nc_date": "2026-03-17"}),
    ]
    changes = CALCULATIONS.recalculate(RecordView(rows, TRIAL, ORDER), changed=["rand_date"])
    assert [(row.event, row.values) for row in changes] == [
        ("week_1_arm_1", {"nc_day": "7"}),
        ("week_2_arm_1", {"nc_day": "15"}),
    ]


@given(
    st.dictionaries(st.sampled_from(INPUTS), st.integers(0, 5).map(str)),
    st.dictionaries(st.sampled_from(INPUTS), st.integers(0, 5).map(str) | st.just(""), min_size=1),
)
def test_following_a_change_gives_the_same_as_calculating_everything(
    before: dict[str, str], change: dict[str, str]
) -> None:
    """And a record that is right has nothing to change."""

    def view(values: dict[str, str]) -> RecordView:
        return RecordView([Row("1", "baseline_arm_1", "", 0, values)], TRIAL, ORDER)

    def applied(values: dict[str, str], changed: list[str] | None = None) -> dict[str, str]:
        return values | {
            k: v for row in CALCULATIONS.recalculate(view(values), changed=changed) for k, v in row.values.items()
        }

    settled = applied(before)
    edited = settled | change
    assert applied(edited, list(change)) == applied(edited)
    assert CALCULATIONS.recalculate(view(settled)) == ()
