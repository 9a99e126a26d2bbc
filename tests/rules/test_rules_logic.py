"""REDCap's logic language: what a formula means, and where a wrong one is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from redcap_rules.choices import parse_choices
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.logic import (
    LogicError,
    Reference,
    compile_table,
    evaluate,
    is_true,
    number_text,
    parse,
    references,
    to_text,
)
from redcap_rules.record import RecordView, Row

pytestmark = pytest.mark.requirement("RCP-01")

DICTIONARY = Dictionary(
    (
        Field("id", "visit", "text"),
        *(Field(name, "visit", "text") for name in ("a", "b", "blank", "zero", "word", "day", "then", "when")),
        Field("sex", "visit", "radio", choices="1, Female | 2, Male"),
        Field("drugs", "visit", "checkbox", choices="1, One | 2, Two | -9, None"),
        Field("comma", "visit", "text", validation="number_1dp_comma_decimal"),
        Field("dose", "doses", "text"),
        Field("mood", "diary", "text"),
    )
)
EVENTS = ("first_arm_1", "second_arm_1", "diary_arm_1", "last_arm_1", "other_arm_2")
VALUES = {
    "a": "7", "b": "2.5", "zero": "0", "word": "Abc", "day": "2026-03-31", "then": "2026-02-28", "sex": "2",
    "when": "2026-03-31 18:30", "drugs___1": "1", "drugs___2": "", "comma": "1,5", "visit_complete": "2",
}  # fmt: skip
RECORD = RecordView(
    [
        Row("12", "first_arm_1", "", 0, VALUES),
        Row("12", "second_arm_1", "", 0, {"a": "8"}),
        Row("12", "last_arm_1", "", 0, {"a": "9"}),
        *(Row("12", "first_arm_1", "doses", n, {"dose": f"{n}0"}) for n in (1, 2, 4)),
        *(Row("12", "diary_arm_1", "", n, {"mood": f"m{n}", "a": str(n)}) for n in (1, 2)),
    ],
    DICTIONARY,
    EVENTS,
)
TODAY, NOW = date(2026, 4, 1), datetime(2026, 4, 1, 12, 30)


def value(text: str, event: str = "first_arm_1", instrument: str = "", instance: int = 0) -> str:
    """What the formula gives in the record above, as REDCap would store it."""
    result = evaluate(parse(text), RECORD, event=event, instrument=instrument, instance=instance, today=TODAY, now=NOW)
    return number_text(result)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1+2*3", "7"),
        ("(1+2)*3", "9"),
        ("10-4-3", "3"),
        ("2^3^2", "512"),
        ("-2^2", "-4"),
        ("(2)^(-1)", "0.5"),
        ("7 % 4", "3"),
        ("8/2/2", "2"),
        ("2*-3", "-6"),
        ("+5", "5"),
        ("0.1+0.2", "0.30000000000000004"),
        ("1 or 0 and 0", "1"),
        ("not 1 or 1", "1"),
        ("not (1 or 1)", "0"),
        ("!0 && !0", "1"),
        ("0 || 1 AND 1", "1"),
        ("not 2=3", "1"),
        ("1+1=2", "1"),
        ("3>2 and 2>=2 and 1<2 and 2<=2", "1"),
        ("1<>2 and 1!=2", "1"),
    ],
)
def test_operators_bind_as_in_arithmetic(text: str, expected: str) -> None:
    """Or < and < not < comparison < + - < * / % < sign < power."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a]+[b]", "9.5"),
        ("[a]+[blank]", ""),
        ("sum([a],[blank])", "7"),
        ("sum([blank],[blank])", "0"),
        ("mean([a],[b],[blank])", "4.75"),
        ("mean([blank])", ""),
        ("min([a],[b],[blank])", "2.5"),
        ("max([a],[b],[blank])", "7"),
        ("min([blank])", ""),
        ("median(1,9,4)", "4"),
        ("median(1,2,3,[blank],10)", "2.5"),
        ("stdev(2,4,4,4,5,5,7,9)", "2.138089935299395"),
        ("stdev(2,[blank])", ""),
        ("[a]*[word]", ""),
        ("1/0", ""),
        ("sqrt(-1)", ""),
        ("10^400", ""),
        ("(0-8)^(0.5)", ""),
        ("-[blank]", ""),
    ],
)
def test_plus_needs_every_part_and_sum_skips_blanks(text: str, expected: str) -> None:
    """reference/instruments.md 2.2; what has no answer is blank, never an error."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[blank]=''", "1"),
        ("[blank]<>''", "0"),
        ("[zero]=''", "0"),
        ("[blank]=0", "0"),
        ("[blank]='0'", "0"),
        ("[blank]=[blank]", "1"),
        ("[blank]=NaN", "1"),
        ('[blank]="NaN"', "1"),
        ("[a]='7'", "1"),
        ("[a]=7.0", "1"),
        ("[a]='07'", "1"),
        ("[word]='Abc'", "1"),
        ("[word]='abc'", "0"),
        ("[a]>10", "0"),
        ("[a]>'10'", "0"),
        ("[day]>[then]", "1"),
        ("[blank]<5", "1"),
        ("[blank]>=5", "0"),
        ("[blank]>=0", "1"),
        ("[blank]>-1", "1"),
        ("5>[blank]", "1"),
        ("[blank]<'a'", "1"),
        ("[word]", "Abc"),
        ('"it\'s"', "it's"),
    ],
)
def test_numbers_compare_as_numbers_and_a_blank_equals_only_a_blank(text: str, expected: str) -> None:
    """Two numbers compare by size however spelled; beside < and > a blank counts as 0 (reference/instruments.md 6)."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("round(12.25,1)", "12.3"),
        ("round(122.5*0.1,1)", "12.3"),
        ("round(-12.25,1)", "-12.3"),
        ("round(1.005,2)", "1.01"),
        ("round(2.5)", "3"),
        ("round(1250,-2)", "1300"),
        ("round(1234567890123456,2)", "1234567890123456"),
        ("roundup(1234567890123456,0)", "1234567890123456"),
        ("round(1.5,'x')", ""),
        ("roundup(1.5,'x')", ""),
        ("rounddown(-1250,-2)", "-1300"),
        ("round([blank],1)", ""),
        ("roundup(14.384,1)", "14.4"),
        ("rounddown(14.384,1)", "14.3"),
        ("roundup(14.3,1)", "14.3"),
        ("rounddown(0.1*3,1)", "0.3"),
        ("sqrt(16)", "4"),
        ("abs(-3)", "3"),
        ("log(8,2)", "3"),
        ("log(1)", "0"),
        ("log(0)", ""),
        ("mod(7,4)", "3"),
        ("isnumber('1e3')", "1"),
        ("isnumber([word])", "0"),
        ("isinteger('3.0')", "1"),
        ("isinteger(3.5)", "0"),
    ],
)
def test_rounding_goes_half_away_from_zero(text: str, expected: str) -> None:
    """reference/instruments.md 2.2: Python's own round does not."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("datediff([then],[day],'d',true)", "31"),
        ("datediff([day],[then],'d',true)", "-31"),
        ("datediff([day],[then],'d')", "31"),
        ("datediff([day],[then],'d',false)", "31"),
        ("datediff([day],[then],'d','dmy',true)", "-31"),
        ("datediff([day],[then],'d',\"mdy\")", "31"),
        ("datediff('31-03-2026',[day],'d','dmy')", "0"),
        ("datediff('03/31/2026',[day],'d','mdy')", "0"),
        ("datediff('31-03-2026',[day],'d')", ""),
        ("datediff([day],[when],'h',true)", "18.5"),
        ("datediff([day],[when],'m',true)", "1110"),
        ("datediff([day],[when],'s',true)", "66600"),
        ("datediff('08:00','09:30','m')", "90"),
        ("round(datediff('2000-04-01',[day],'y'),2)", "26"),
        ("round(datediff([then],[day],'M'),2)", "1.02"),
        ("datediff([day],'today','d',true)", "1"),
        ("datediff([when],'now','h',true)", "18"),
        ("datediff([day],today,'d',true)", "1"),
        ("datediff([day],[blank],'d')", ""),
        ("datediff([day],[word],'d')", ""),
        ("datediff([day],[then],'D')", ""),
        ("datediff('2026-02-29',[day],'d')", ""),
        ("year([day])", "2026"),
        ("month([day])", "3"),
        ("day([when])", "31"),
        ("year([blank])", ""),
        ("[day]<today", "1"),
        ("[word]='today'", "0"),
    ],
)
def test_dates_subtract_in_every_unit_and_format(text: str, expected: str) -> None:
    """Second minus first, signed on request; units are case-sensitive, a year is 365.2425 and a month 30.44 days."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("left([word],2)", "Ab"),
        ("right([word],2)", "bc"),
        ("right([word],9)", "Abc"),
        ("right([word],0)", ""),
        ("mid('abcdef',2,3)", "bcd"),
        ("length([word])", "3"),
        ("length([blank])", "0"),
        ("find('B',[word])", "2"),
        ("find('x',[word])", "0"),
        ("trim('  x ')", "x"),
        ("upper([word])", "ABC"),
        ("lower([word])", "abc"),
        ("concat([word],'-',[a],[blank],1.0)", "Abc-71"),
        ("concat_ws(', ',[word],[blank],[a])", "Abc, 7"),
        ("contains([word],'bc')", "1"),
        ("contains([word],'BC')", "1"),
        ("not_contain([word],'x')", "1"),
        ("starts_with([word],'ab')", "1"),
        ("ends_with([word],'bc')", "1"),
        ("replace_text('a-b-c','-','+')", "a+b+c"),
        ("replace_text([word],'','+')", "Abc"),
        ("isblankormissingcode([blank])", "1"),
        ("isblanknotmissingcode([a])", "0"),
        ("ismissingcode([a])", "0"),
        ("hasmissingcode([a],[b])", "0"),
        ("if([a]>5,'big','small')", "big"),
        ("IF([blank]='','',1)", ""),
    ],
)
def test_text_and_condition_functions_answer_as_redcap_does(text: str, expected: str) -> None:
    """Searching ignores capitals; positions count from 1."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[drugs(1)]", "1"),
        ("[drugs(2)]", "0"),
        ("[drugs(-9)]", "0"),
        ("[last_arm_1][drugs(1)]", "0"),
        ("[other_arm_2][drugs(1)]", ""),
        ("[sex]", "2"),
        ("[sex:value]", "2"),
        ("[sex:label]", "Male"),
        ("[comma]*2", "3"),
        ("[visit_complete]", "2"),
        ("[second_arm_1][a]", "8"),
        ("[other_arm_2][a]", ""),
        ("[dose]", "10"),
        ("[dose][2]", "20"),
        ("[dose][3]", ""),
        ("[dose][last-instance]", "40"),
        ("[first_arm_1][dose][first-instance]", "10"),
        ("[diary_arm_1][mood][2]", "m2"),
        ("[first-event-name][a]", "7"),
        ("[next-event-name][a]", "8"),
        ("[previous-event-name][a]", ""),
        ("[last-event-name][a]", "9"),
        ("[event-name]", "first_arm_1"),
        ("[record-name]", "12"),
        ("[is-survey]", "0"),
        ("[user-name]", ""),
    ],
)
def test_references_reach_options_events_and_instances(text: str, expected: str) -> None:
    """An unticked option of an existing row is 0; smart events stay within the arm."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[dose]", "20"),
        ("[a]", "7"),
        ("[dose][previous-instance]", "10"),
        ("[dose][next-instance]", "40"),
        ("[current-instance]", "2"),
        ("[previous-instance]", "1"),
        ("[last-instance]", "4"),
    ],
)
def test_a_formula_in_a_repeating_instrument_sees_its_own_instance(text: str, expected: str) -> None:
    """Other fields of the event come from its plain row."""
    assert value(text, instrument="doses", instance=2) == expected


def test_a_formula_in_a_repeating_event_sees_its_own_instance() -> None:
    """The instrument is blank there (reference/redcap-api.md 5.5)."""
    assert value("concat([mood],[a],[first_arm_1][a])", event="diary_arm_1", instance=2) == "m227"


def test_smart_variables_given_by_the_caller_come_first() -> None:
    """What no record knows, the caller says."""
    expression = parse("concat([user-name],' ',[is-survey],' ',[record-dag-name])")
    smart = {"user-name": "nurse", "is-survey": "1"}
    assert evaluate(expression, RECORD, event="first_arm_1", smart=smart) == "nurse 1 "


def test_comments_line_breaks_and_capitals_do_not_count() -> None:
    """`#` and `//` to the end of the line, `/* */` anywhere."""
    text = "# days\nIF([a] > 5, // big\n 1 /* not\n [b] */, 0) # end"
    assert parse(text) == parse("if([a]>5,1,0)")
    assert to_text(parse(text)) == "if([a]>5,1,0)"


@pytest.mark.parametrize(
    "text",
    [
        "[a]='1' or [b]='2' and not [zero]='0'",
        "([a]='1' or [b]='2') and [zero]='0'",
        "1-(2-3)",
        "1-2-3",
        "(2^3)^2",
        "2^3^2",
        "(-2)^2",
        "-2^2",
        "2*(3+4)/5",
        "not (1 or 2)",
        "(not [a])=1",
        "datediff([day],'today','d',true)",
        '"it\'s"',
        "[second_arm_1][drugs(-9):label][last-instance]",
    ],
)
def test_a_formula_is_written_with_the_parentheses_it_needs_and_no_others(text: str) -> None:
    """These are already written as plainly as they can be."""
    assert to_text(parse(text)) == text
    assert to_text(parse(f"(({text}))")) == text


WRONG = [
    ("", 1, 1, "ends where a value"),
    ("[a]=", 1, 5, "ends where a value"),
    ("[a]='1' and", 1, 12, "ends where a value"),
    ("[a]='1", 1, 5, "quote is never closed"),
    ('[a]="1', 1, 5, "quote is never closed"),
    ("[a", 1, 1, "bracket is never closed"),
    ("[a]='1' /* x", 1, 9, "comment is never closed"),
    ("[a]=‘1’", 1, 5, "straight quotes"),
    ("if(1,2)", 1, 1, "takes 3 arguments, not 2"),
    ("round(1,2,3)", 1, 1, "1 to 2 arguments, not 3"),
    ("concat_ws(',')", 1, 1, "at least 2 arguments, not 1"),
    ("foo(1)", 1, 1, "no function foo"),
    ("(1,2)", 1, 3, "separates nothing"),
    ("round 1", 1, 7, r"\( expected after round"),
    ("[a]=1)", 1, 6, "closes nothing"),
    ("(1", 1, 1, "never closed"),
    ("1 2", 1, 3, "operator is expected before 2"),
    ("[a][b] [a]", 1, 8, "operator is expected"),
    ("a=1", 1, 1, r"write a field as \[a\]"),
    ("1,5", 1, 2, "decimals take a point"),
    ("[a]='1' or\n  (sum(1,)", 2, 10, "value is expected here"),
    ("[a]=='1'", 1, 5, "value is expected here"),
    ("[x y]", 1, 1, "is not a field"),
    ("[!][a]", 1, 1, "is not an event"),
    ("[e][a][b]", 1, 7, "one bracket too many"),
    ("1e999", 1, 1, "too large"),
    ("1 ; 2", 1, 3, "has no meaning here"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), WRONG)
def test_a_wrong_formula_says_where_and_why(text: str, line: int, column: int, message: str) -> None:
    """Line and column count from 1."""
    with pytest.raises(LogicError, match=message) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_an_unknown_field_and_a_missing_clock_are_errors_with_their_place() -> None:
    """They are mistakes of the formula or the caller, not blanks."""
    with pytest.raises(LogicError, match=r"line 2, column 2: there is no field 'nowhere'"):
        evaluate(parse("1+\n [nowhere]"), RECORD)
    with pytest.raises(LogicError, match="asks for today"):
        evaluate(parse("datediff([day],'today','d')"), RECORD)


def test_references_carry_their_parts_and_place() -> None:
    """For checks of a formula against the project."""
    found = references(parse("[b]+[second_arm_1][drugs(-9)][2]"))
    assert found == (Reference("", "b"), Reference("second_arm_1", "drugs", "-9", "2"))
    assert (found[1].span.start, found[1].span.end, found[1].span.column) == (4, 32, 5)


@pytest.mark.parametrize(
    ("result", "expected"), [(1.0, True), (0.0, False), ("", False), ("0", False), ("0.0", False), ("x", True)]
)
def test_a_condition_holds_unless_it_is_blank_or_zero(result: float | str, expected: bool) -> None:
    """Also when the formula gives a text."""
    assert is_true(result) is expected


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20_000 + "1" + ")" * 20_000,
        "if([a]=''," * 2_000 + "1" + ",0)" * 2_000,
        "not " * 20_000 + "1",
        "-" * 20_000 + "1",
        "1" + "+1" * 20_000,
        "2" + "^1" * 20_000,
    ],
    ids=["parentheses", "if", "not", "sign", "sum", "power"],
)
def test_depth_costs_no_recursion(text: str) -> None:
    """A formula nested twenty thousand deep has an answer."""
    expression = parse(text)
    assert is_true(evaluate(expression, RECORD))


CODED = replace(DICTIONARY, missing_codes=parse_choices("UNK, Unknown | -99, Asked"))


@pytest.mark.parametrize("stored", ["UNK", "-99", "", "40", "UN", "unk"])
@pytest.mark.parametrize(
    ("name", "true_for"),
    [
        ("isblankormissingcode", {"UNK", "-99", ""}),
        ("isblanknotmissingcode", {""}),
        ("ismissingcode", {"UNK", "-99"}),
        ("hasmissingcode", {"UNK", "-99"}),
    ],
)
def test_the_missing_code_functions_know_the_codes_of_the_project(name: str, true_for: set[str], stored: str) -> None:
    """For one record and for a table alike; without codes nothing is one."""
    expression = parse(f"{name}([a])")
    view = RecordView([Row("1", "", "", 0, {"a": stored})], CODED)
    plain = RecordView([Row("1", "", "", 0, {"a": stored})], DICTIONARY)
    assert evaluate(expression, view) == float(stored in true_for)
    assert compile_table(expression, missing_codes=CODED.missing_codes)({"a": [stored]}) == [float(stored in true_for)]
    assert evaluate(expression, plain) == float(stored in true_for - {"UNK", "-99"})


def test_has_missing_code_looks_at_every_argument() -> None:
    """One of many is enough, and what is computed counts by its text."""
    view = RecordView([Row("1", "", "", 0, {"a": "7", "b": "UNK"})], CODED)
    assert evaluate(parse("hasmissingcode([a], [zero], [b])"), view) == 1.0
    assert evaluate(parse("hasmissingcode([a], [zero])"), view) == 0.0
    assert evaluate(parse("1 + ismissingcode(0 - 99)"), view) == 2.0


def test_a_missing_code_of_a_checkbox_is_one_more_option() -> None:
    """`[drugs(UNK)]` is the tick of the code; a label is the code's."""
    view = RecordView([Row("1", "", "", 0, {"drugs___unk": "1", "sex": "UNK"})], CODED)
    assert evaluate(parse("[drugs(UNK)] = '1' and [drugs(1)] = '0'"), view) == 1.0
    assert evaluate(parse("[sex:label]"), view) == "Unknown"
