"""Calculations: their order, who follows whom, what is stored, and where a fault is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import pytest

from redcap_rules.calculation import CalculationCycle, Calculations, calculation_order
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.formulas import formula_of, is_computed
from redcap_rules.logic import LogicError
from redcap_rules.record import RecordView, Row

pytestmark = pytest.mark.requirement("RCP-01")

ID = Field("id", "f", "text")
X, Z = Field("x", "f", "text"), Field("z", "g", "text")


def calc(name: str, formula: str, form: str = "f") -> Field:
    return Field(name, form, "calc", choices=formula)


def tagged(annotation: str, kind: str = "text", validation: str = "") -> Field:
    return Field("y", "f", kind, annotation=annotation, validation=validation)


def project(*fields: Field) -> Dictionary:
    return Dictionary((ID, *fields))


def changes(
    dictionary: Dictionary, *rows: Row, events: Mapping[str, tuple[str, ...]] | None = None,
    repeating: tuple[tuple[str, str], ...] = (), **given: object,
) -> list[tuple[str, str, int, dict[str, str]]]:  # fmt: skip
    """The rows a recalculation changes, with just what it changes."""
    names = tuple(dict.fromkeys(row.event for row in rows))
    calculations = Calculations(dictionary, events, repeating)
    done = calculations.recalculate(RecordView(list(rows), dictionary, names), **given)  # type: ignore[arg-type]
    return [(row.event, row.instrument, row.instance, dict(row.values)) for row in done]


def row(event: str = "", instrument: str = "", instance: int = 0, **values: str) -> Row:
    return Row("1", event, instrument, instance, values)


def test_a_ring_is_told_from_a_field_to_itself() -> None:
    """In the order in which one needs the next."""
    ring = CalculationCycle(("a", "b"))
    assert ring.fields == ("a", "b")
    assert "a → b → a;" in str(ring)
    with pytest.raises(CalculationCycle) as caught:
        calculation_order(project(calc("a", "[b]"), calc("b", "[a]"), calc("c", "[x]"), X))
    assert sorted(caught.value.fields) == ["a", "b"]


def test_a_calculation_of_another_event_is_no_ring_and_comes_later_where_it_can() -> None:
    """`[e][total]` is another value; without a ring the order counts across events and instances too."""
    totals = project(X, calc("a", "[e1][b]+[x]"), calc("b", "[a]+1"))
    assert [one.name for one in calculation_order(totals)] == ["a", "b"]
    chained = project(X, calc("a", "[e1][b]"), calc("b", "[x]+1"))
    assert [one.name for one in calculation_order(chained)] == ["b", "a"]
    counted = project(X, calc("a", "[b][last-instance]+[x]"), calc("b", "[a]+1"))
    assert [one.name for one in calculation_order(counted)] == ["a", "b"]


def test_a_fault_is_told_with_its_field_and_place() -> None:
    """Line and column of the formula."""
    with pytest.raises(LogicError, match="calculation of y: there is no field 'nowhere'") as caught:
        calculation_order(project(X, calc("y", "[x]+\n  [nowhere]")))
    assert (caught.value.line, caught.value.column) == (2, 3)


def test_the_status_of_a_form_is_a_field_like_any_other() -> None:
    """A formula may ask for it, and follows it."""
    dictionary = project(X, calc("y", "[f_complete]*2"))
    assert changes(dictionary, row(x="1", f_complete="2")) == [("", "", 0, {"y": "4"})]
    assert changes(dictionary, row(f_complete="2"), changed=["f_complete"]) == [("", "", 0, {"y": "4"})]


def test_only_what_follows_a_change_is_calculated() -> None:
    """Directly or through others, by the field or by a column of its options; of nothing changed, nothing."""
    box = Field("k", "f", "checkbox", choices="1, A | 2, B")
    dictionary = project(X, box, calc("a", "[x]+1"), calc("b", "[a]+1"), calc("c", "[k(1)]"), calc("d", "7"))
    held = row(x="1", k___1="1")
    assert changes(dictionary, held) == [("", "", 0, {"a": "2", "b": "3", "c": "1", "d": "7"})]
    assert changes(dictionary, held, changed=["x"]) == [("", "", 0, {"a": "2", "b": "3"})]
    assert changes(dictionary, held, changed=["k___1"]) == [("", "", 0, {"c": "1"})]
    assert changes(dictionary, held, changed=["k___1", "x", "unknown"])[0][3].keys() == {"a", "b", "c"}
    assert changes(dictionary, row(x="1", a="5"), changed=["a"]) == [("", "", 0, {"b": "6"})]
    assert changes(dictionary, held, changed=["id"]) == changes(dictionary, held, changed=[]) == []


def test_a_form_is_calculated_where_it_stands() -> None:
    """In its events, in its own rows where it repeats, and nowhere else; rows come in their order."""
    dictionary = project(X, Z, calc("y", "[x]+1"), calc("v", "[z]+1", "g"))
    rows = (
        row("e1", x="1"),
        row("e1", "g", 1, z="1"),
        row("e1", "g", 2, z="5"),
        row("e2", x="3", z="4"),
        row("e3", x="9", z="9"),
    )
    events = {"f": ("e1", "e2"), "g": ("e1", "e2")}
    assert changes(dictionary, *rows, events=events, repeating=(("e1", "g"),)) == [
        ("e1", "", 0, {"y": "2"}),
        ("e1", "g", 1, {"v": "2"}),
        ("e1", "g", 2, {"v": "6"}),
        ("e2", "", 0, {"y": "4", "v": "5"}),
    ]
    assert changes(dictionary, *rows[:1], events={"g": ("e1",)}) == []  # a form that stands nowhere


def test_the_event_before_is_that_of_the_project() -> None:
    """Whatever the order of the rows."""
    dictionary = project(X, calc("y", "sum([previous-event-name][x],[x])"))
    record = RecordView([row("e2", x="5"), row("e1", x="1")], dictionary, ("e1", "e2"))
    done = Calculations(dictionary).recalculate(record)
    assert {one.event: one.values["y"] for one in done} == {"e1": "1", "e2": "6"}


def test_a_result_that_is_right_already_is_no_change() -> None:
    """Neither is a blank that stays blank; one that is not any more is emptied."""
    dictionary = project(X, calc("y", "[x]+1"))
    assert changes(dictionary, row(x="1", y="2")) == []
    assert changes(dictionary, row(x="")) == []
    assert changes(dictionary, row(y="2")) == [("", "", 0, {"y": ""})]
    assert changes(project(X), row(x="1")) == []


def test_today_and_now_are_the_callers() -> None:
    """And without them a formula that asks for one is an error."""
    dictionary = project(X, calc("y", "datediff([x],'today','d')"), calc("v", "datediff([x],'now','h')"))
    held = row(x="2026-03-01")
    found = changes(dictionary, held, today=date(2026, 3, 4), now=datetime(2026, 3, 1, 5))
    assert found == [("", "", 0, {"y": "3", "v": "5"})]
    with pytest.raises(LogicError):
        changes(dictionary, held, today=date(2026, 3, 4))
    with pytest.raises(LogicError):
        changes(dictionary, held, now=datetime(2026, 3, 4))


@pytest.mark.parametrize(
    ("field", "computed"),
    [
        (None, False),
        (calc("y", ""), True),
        (X, False),
        (tagged("@CALCTEXT([x])"), True),
        (tagged("@HIDDEN @CALCDATE ([x],1,'d')", "notes"), True),
        (tagged("@CALCTEXT([x])", "radio"), False),
        (tagged("@CALCTEXT"), False),
        (tagged("calctext([x])"), False),
    ],
)
def test_what_the_server_works_out_is_a_calc_or_has_its_tag(field: Field | None, computed: bool) -> None:
    """A tag without its parenthesis, or on choices, is none."""
    assert is_computed(field) is computed


def test_a_field_without_formula_has_none() -> None:
    """A blank calc, or a field that nobody computes."""
    assert formula_of(calc("y", "  ")) is None
    assert formula_of(X) is None
    formula = formula_of(calc("y", "[x]+[z]"))
    assert formula is not None
    assert [one.field for one in formula.references] == ["x", "z"]
    dated = formula_of(tagged("@CALCDATE([x],[z],'d')"))
    assert dated is not None
    assert [one.field for one in dated.references] == ["x", "z"]


@pytest.mark.parametrize(
    ("annotation", "words", "column"),
    [
        ("@A @CALCDATE([x],1)", "not 2 arguments", 4),
        ("@CALCDATE([x],1,'d',2)", "not 4 arguments", 1),
        ("@A @CALCTEXT([x]", "never closed", 13),
    ],
)
def test_a_fault_of_a_tag_is_told_with_its_column(annotation: str, words: str, column: int) -> None:
    """In the annotation."""
    with pytest.raises(LogicError, match=words) as caught:
        formula_of(tagged(annotation))
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("concat('a,b',[x])", "a,b1"),
        ("concat(\"(\",[x],')')", "(1)"),
        ("if([x]=1,max(2,3),min(4,(5)))", "3"),
        ("[x]) @OTHER(", "1"),
    ],
)
def test_a_tag_ends_at_its_own_parenthesis(arguments: str, expected: str) -> None:
    """Not at one in a text or of a function, and its commas are its own."""
    assert changes(project(X, tagged(f"@CALCTEXT({arguments})")), row(x="1")) == [("", "", 0, {"y": expected})]


@pytest.mark.parametrize(
    ("arguments", "validation", "expected"),
    [
        ("[x],1,'d'", "", "2026-03-02"),
        ("[x],1,'d'", "date_mdy", "2026-03-02"),
        ("[x],90,'s'", "datetime_ymd", "2026-03-01 10:01"),
        ("[x],90,'s'", "datetime_seconds_dmy", "2026-03-01 10:01:30"),
        ("[x],-1,'M'", "", "2026-01-29"),
        ("[x],1,'D'", "", ""),
        ("[x],'x','d'", "", ""),
        ("'x',1,'d'", "", ""),
        ("[x],99999,'y'", "", ""),
    ],
)
def test_a_date_is_moved_by_an_offset_in_a_unit(arguments: str, validation: str, expected: str) -> None:
    """As much of it is stored as the field holds; blank where there is no such day."""
    dictionary = project(X, tagged(f"@CALCDATE({arguments})", validation=validation))
    found = changes(dictionary, row(x="2026-03-01 10:00"))
    assert found == ([("", "", 0, {"y": expected})] if expected else [])


def test_a_formula_sees_its_own_event_form_and_instance() -> None:
    """In each row of a form that repeats, and in each event."""
    dictionary = project(X, Z, calc("v", "[z]*10", "g"), calc("y", "[current-instance]+0", "g"))
    rows = (row("e1", x="1"), row("e1", "g", 1, z="1"), row("e1", "g", 2, z="2"), row("e2", "g", 1, z="3"))
    found = changes(dictionary, *rows, repeating=(("e1", "g"), ("e2", "g")))
    assert [one[3]["v"] for one in found] == ["10", "20", "30"]
    assert [one[3]["y"] for one in found] == ["1", "2", "1"]
