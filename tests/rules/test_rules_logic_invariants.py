"""What holds for every formula and every record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.logic import LogicError, compile_table, evaluate, parse, to_text
from redcap_rules.logic.functions import FUNCTIONS
from redcap_rules.logic.values import BINARY
from redcap_rules.record import RecordView, Row

FIELDS = ("a", "b", "c")
DICTIONARY = Dictionary(
    (
        Field("id", "f", "text"),
        *(Field(name, "f", "text") for name in FIELDS),
        Field("k", "f", "checkbox", choices="1, One | 2, Two"),
    )
)
COLUMNS = (*FIELDS, "k___1", "k___2")
TEXTS = st.sampled_from(
    ["", "0", "1", "2", "3.0", "-1.5", "07", "1e3", "1e308", "x", "X y", "today", "d", "dmy", "NaN"]
)
DATES = st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(str) | st.datetimes(
    datetime(2000, 1, 1), datetime(2030, 1, 1)
).map(lambda moment: f"{moment:%Y-%m-%d %H:%M}")
STORED = TEXTS | DATES | st.floats(-1e6, 1e6).map(str) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LEAVES = (
    st.sampled_from(["[a]", "[b]", "[c]", "[k(1)]", "[k(2)]", "today", "now", "true", "false"])
    | st.integers(0, 1000).map(str)
    | st.floats(0, 1e300, allow_nan=False).map(repr)
    | (TEXTS | DATES | st.text(st.characters(exclude_characters="'\n"), max_size=6)).map(lambda text: f"'{text}'")
)


def compound(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Formulas made of formulas."""
    binary = st.builds("({0}) {1} ({2})".format, parts, st.sampled_from(sorted(BINARY)), parts)
    loose = st.builds("{0} {1} {2}".format, parts, st.sampled_from(sorted(BINARY)), parts)
    prefix = st.builds("{0}({1})".format, st.sampled_from(["not ", "-", "!"]), parts)
    unit = st.sampled_from(["'y'", "'M'", "'d'", "'h'", "'m'", "'s'", "'D'"])
    difference = st.builds("datediff({0},{1},{2},{3})".format, parts, parts, unit, st.sampled_from(["true", "'dmy'"]))
    return binary | loose | prefix | difference | st.sampled_from(sorted(FUNCTIONS)).flatmap(call(parts))


def call(parts: st.SearchStrategy[str]) -> Callable[[str], st.SearchStrategy[str]]:
    """Calls of a function with as many arguments as it takes."""

    def of(name: str) -> st.SearchStrategy[str]:
        least, most = FUNCTIONS[name].least, min(FUNCTIONS[name].most, 4)
        arguments = st.lists(parts, min_size=least, max_size=max(least, most))
        return arguments.map(lambda given: f"{name}({','.join(given)})")

    return of


FORMULAS = st.recursive(LEAVES, compound, max_leaves=12)
TODAY, NOW = date(2026, 4, 1), datetime(2026, 4, 1, 12, 30)


@given(FORMULAS)
def test_writing_and_parsing_a_formula_changes_nothing(text: str) -> None:
    """Parse → to_text → parse is the identity, and writing is stable."""
    expression = parse(text)
    written = to_text(expression)
    assert parse(written) == expression
    assert to_text(parse(written)) == written


@given(st.text(max_size=40) | FORMULAS.map(lambda text: text[: len(text) // 2]))
def test_no_text_makes_parsing_fail_otherwise_than_with_a_place(text: str) -> None:
    """Whatever somebody typed, the answer is an expression or a LogicError within the text."""
    try:
        parse(text)
    except LogicError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1


def columns(rows: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Rows turned into the columns of COLUMNS; an option nobody ticked is 0, as REDCap exports it."""
    blank = {name: "0" if "___" in name else "" for name in COLUMNS}
    return {name: [row[place] or blank[name] for row in rows] for place, name in enumerate(COLUMNS)}


def seen(row: Sequence[str]) -> RecordView:
    """A record of one row."""
    return RecordView([Row("1", "", "", 0, dict(zip(COLUMNS, row, strict=True)))], DICTIONARY)


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@settings(deadline=None)  # the first table loads numpy and pandas
@given(FORMULAS, st.lists(st.tuples(*[STORED] * len(COLUMNS)), min_size=1, max_size=6), st.integers(1, 60))
def test_a_table_gives_what_its_rows_give_one_by_one(text: str, rows: list[tuple[str, ...]], times: int) -> None:
    """Evaluating never fails, and the fast way has the same answers as the plain one, few rows or many."""
    expression = parse(text)
    one_by_one = [evaluate(expression, seen(row), today=TODAY, now=NOW) for row in rows]
    run = compile_table(expression, today=TODAY, now=NOW)
    assert run(columns(rows * times)) == one_by_one * times


POOL = (
    "", "0", "1", "2", "07", "3.0", "-1.5", "1.005", "-12.25", "0.285", "1e308", "1234567890123456.7",
    "x", "X", "today", "2026-03-31", "2026-02-28 12:00", "31-03-2026", "08:30", "NaN",
)  # fmt: skip
PAIRS = [(one, other, str(place % 3 or ""), "1", "") for one in POOL for place, other in enumerate(POOL)]
RECORDS, TABLE = [seen(row) for row in PAIRS], columns(PAIRS)
OPERATIONS = [
    *(f"{{0}} {symbol} {{1}}" for symbol in sorted(BINARY)),
    *("not {0}", "-{0}", "round({0},2)", "round({0})", "round({0},-1)", "round({0},{1})", "round({0},'x')"),
    *("if({0},{1},{2})", "if({0}={1},{0},1)", "if({0}='','',{1})", "if({2},'yes','no')", "if({2}=1,2,'')"),
    *(f"{name}({{0}},{{1}},{{2}})" for name in ("sum", "mean", "min", "max", "median", "stdev", "concat", "concat_ws")),
    *(f"{name}({{0}})" for name in ("sum", "mean", "min", "max", "abs", "sqrt", "log", "year", "length", "isnumber")),
    *(f"datediff({{0}},{{1}},'{unit}'{more})" for unit in "yMdhmsD" for more in ("", ",true", ",'dmy'", ",'dmy',true")),
    *("datediff({0},{1},{2})", "datediff({0},'today','d',{2})", "contains({0},{1})", "left({0},{2})", "'5'", "{0}"),
    *("[k(2)]='0'", "{0}={0}", "({0}<>'')+({1}<>'')+1", "1<2"),
]
SPELLINGS = {
    "stored": ("[a]", "[b]", "[c]"),
    "computed": ("([a]+0)", "([b]*1)", "([c]-1)"),
    "mixed": ("[a]", "([b]+[c])", "upper([c])"),
}


@pytest.mark.parametrize("operands", SPELLINGS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_on_columns_agrees_on_every_pair_of_values(operation: str, operands: str) -> None:
    """Blanks, numbers in many spellings, texts, dates and overflows, against each other."""
    expression = parse(operation.format(*SPELLINGS[operands]))
    expected = [evaluate(expression, record, today=TODAY, now=NOW) for record in RECORDS]
    assert compile_table(expression, today=TODAY, now=NOW)(TABLE) == expected


def test_a_table_names_the_columns_it_lacks_and_may_be_empty() -> None:
    """References beyond the plain export column have their text as column name."""
    run = compile_table(parse("[week_1_arm_1][a]=[event-name] or [k(1)]"))
    with pytest.raises(LogicError, match=r"no column \[week_1_arm_1\]\[a\]"):
        run({"k___1": ["1"]})
    table = {"[week_1_arm_1][a]": ["x", "y"], "[event-name]": ["x", "x"], "k___1": ["0", ""]}
    assert run(table) == [1.0, 0.0]
    assert run({name: [] for name in table}) == []
    assert compile_table(parse("1+1"))({"a": ["", ""]}) == [2.0, 2.0]


def test_a_table_is_far_faster_than_its_rows_one_by_one() -> None:
    """A score over 100 000 records takes hundredths of a second: 50 to 100 times less on an idle machine."""
    text = (
        "if([a]='' or [b]='','',if([a]>=8,round(100*[b]/(5*[a]),1),if([b]=5,0.22,if([b]=4,0.157,0))+sum([a],[b],[c])))"
    )
    expression = parse(text)
    rows = [(str(n % 11), str(n % 53), str(n % 7), "0", "1") for n in range(100_000)]
    table, run = columns(rows), compile_table(expression)
    run(table)
    sample = rows[:2_000]
    slow = seconds(lambda: [evaluate(expression, seen(row)) for row in sample]) / len(sample)
    fast = min(seconds(lambda: run(table)) for _ in range(3)) / len(rows)
    assert slow > 20 * fast  # what is left of it on a busy one; a coarse clock may read 0 for a run
