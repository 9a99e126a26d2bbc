"""Dictionaries as they are found in the wild, and the faults reported in them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frozen import TRIAL, trial_dictionary
from redcap_rules.dictionary import (
    API_COLUMNS,
    CSV_HEADERS,
    Dictionary,
    DictionaryError,
    Field,
    from_api,
    join,
    read_dictionary,
    to_api,
    write_dictionary,
)

SMALL = Dictionary(
    (
        Field("record_id", "visit", "text", label="Record"),
        Field("pain", "visit", "radio", choices="1, Yes | 2, No", required=True, section="Pain\n<b>now</b>"),
        Field("drugs", "visit", "checkbox", choices="1, One | -99, Unknown", annotation="@NONEOFTHEABOVE='-99'"),
        Field("note", "follow_up", "notes", label='Say "more", please; all', identifier=True),
        Field("intro", "follow_up", "descriptive"),
    )
)


def spelled(headers: tuple[str, ...], *, delimiter: str = ",", line_end: str = "\n") -> str:
    """SMALL as a CSV with these headers."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerow(headers)
    writer.writerows([row[column] for column in API_COLUMNS] for row in to_api(SMALL))
    return out.getvalue()


def problems(text: str) -> list[tuple[int, str]]:
    """Row and column of each problem of a dictionary."""
    with pytest.raises(DictionaryError) as caught:
        read_dictionary(text, "draft.csv")
    assert all(line.startswith("draft.csv: row ") for line in str(caught.value).splitlines())
    assert all(problem.what and problem.way_out for problem in caught.value.problems)
    return [(problem.row, problem.column) for problem in caught.value.problems]


OLD_HEADERS = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices OR Calculations", "Field Note", "Text Validation Type", "Text Validation Min",
    "Text Validation Max", "Identifier?", "Branching Logic", "Required Field?", "Custom Alignment",
    "Question Number", "Matrix Group Name", "Matrix Ranking?", "Field Annotation",
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        spelled(CSV_HEADERS),
        spelled(API_COLUMNS),
        spelled(OLD_HEADERS),
        spelled(CSV_HEADERS, delimiter=";"),
        spelled(CSV_HEADERS, delimiter="\t"),
        spelled(CSV_HEADERS, line_end="\r\n"),
        spelled(CSV_HEADERS, line_end="\r"),
        "\ufeff" + spelled(CSV_HEADERS),
        "sep=;\r\n" + spelled(CSV_HEADERS, delimiter=";", line_end="\r\n"),
        "\n  \n" + spelled(CSV_HEADERS),
        spelled(tuple(header.upper() for header in CSV_HEADERS)),
        spelled(CSV_HEADERS) + "\n\n,,,\n",
    ],
    ids=[
        "now",
        "api",
        "old",
        "semicolon",
        "tab",
        "windows",
        "old mac",
        "bom",
        "sep",
        "blank",
        "capitals",
        "blank rows",
    ],
)
def test_every_spelling_of_a_dictionary_in_the_wild_is_read_alike(text: str) -> None:
    """Header spelling, delimiter, line end and byte-order mark carry no meaning."""
    assert read_dictionary(text) == SMALL


def test_missing_optional_columns_and_short_rows_are_blank() -> None:
    """Name, form and type are enough."""
    text = "field_type,form_name,field_name\ntext,f,record_id\nyesno,f,ok,\n"
    assert read_dictionary(text).fields == (Field("record_id", "f", "text"), Field("ok", "f", "yesno"))


def test_an_unnamed_last_column_and_columns_no_version_uses_are_skipped() -> None:
    """A few saved files have them (reference/redcap-api.md 9)."""
    text = "field_name,form_name,field_units,field_type,\nrecord_id,f,mg,text,\n"
    assert read_dictionary(text).fields == (Field("record_id", "f", "text"),)


def test_old_type_and_validation_names_and_form_titles_get_todays_names() -> None:
    """REDCap converts them on upload."""
    text = (
        "field_name,form_name,field_type,text_validation_type_or_show_slider_number\n"
        "record_id,My Form 2,text,\nwhen,My Form 2,text,date\nwhat,My Form 2,textarea,\n"
    )
    fields = read_dictionary(text).fields
    assert [(f.form, f.kind, f.validation) for f in fields] == [
        ("my_form_2", "text", ""),
        ("my_form_2", "text", "date_ymd"),
        ("my_form_2", "notes", ""),
    ]


def test_all_problems_are_reported_at_once_with_row_and_column() -> None:
    """Rows count as in a spreadsheet, a quoted line break does not start a new one."""
    text = (
        "field_name,form_name,field_type,field_label,select_choices_or_calculations,identifier,typo\n"
        'record_id,a,text,"two\nlines",,,\n'
        "Bad Name,a,radio,,,,\n"
        'x,b,nonsense,,,maybe,\nx,a,radio,,"1, A | 1, B",,\n'
        "y,,text,,,,,surplus\n"
    )
    assert problems(text) == [
        (1, "typo"),
        (3, "field_name"),
        (3, "select_choices_or_calculations"),
        (4, "field_type"),
        (4, "identifier"),
        (5, "field_name"),
        (5, "form_name"),
        (5, "select_choices_or_calculations"),
        (6, "form_name"),
        (6, "row"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", [(1, "header")]),
        ("field_name,form_name\nrecord_id,f\n", [(1, "field_type")]),
        ("field_name,form_name,field_type\n", [(2, "field_name")]),
        ('field_name,form_name,field_type\n"record_id,f,text\n', [(1, "file")]),
        ("field_name,form_name,field_type,Variable\nrecord_id,f,text,\n", [(1, "Variable"), (2, "field_name")]),
    ],
)
def test_a_file_that_is_no_dictionary_says_why(text: str, place: list[tuple[int, str]]) -> None:
    """Empty, without a needed column, without fields, with an open quote, with a column twice."""
    assert problems(text) == place


def test_the_trial_dictionary_survives_every_round_trip() -> None:
    """Reading and writing lose nothing: the same bytes come back."""
    for path in sorted(TRIAL.glob("[0-9]*.csv")):
        text = path.read_text("utf-8")
        assert write_dictionary(read_dictionary(text)) == text
    dictionary = trial_dictionary()
    assert from_api(to_api(dictionary)) == dictionary


LABELS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=20)


@given(
    st.lists(
        st.builds(
            Field,
            name=st.from_regex("[a-z][a-z0-9_]{0,8}", fullmatch=True),
            form=st.just("f"),
            kind=st.sampled_from(["text", "notes", "yesno"]),
            label=LABELS,
            note=LABELS,
            identifier=st.booleans(),
            required=st.booleans(),
        ),
        min_size=1,
        unique_by=lambda field: field.name,
    )
)
def test_any_dictionary_survives_being_written_and_read(fields: list[Field]) -> None:
    """Quotes, delimiters and line breaks inside labels are kept."""
    dictionary = Dictionary(tuple(fields))
    assert read_dictionary(write_dictionary(dictionary)) == dictionary


@given(st.text(max_size=60))
def test_no_text_makes_reading_fail_otherwise_than_with_problems(text: str) -> None:
    """Whatever a file holds, the user gets sentences."""
    try:
        read_dictionary("field_name,form_name,field_type\n" + text)
    except DictionaryError as error:
        assert error.problems


def test_a_dictionary_answers_what_its_columns_are_and_where() -> None:
    """Checkbox options are columns; descriptive text has none (reference/redcap-api.md 5.2)."""
    assert SMALL.record_id == "record_id"
    assert SMALL.forms == ("visit", "follow_up")
    assert [field.columns for field in SMALL.fields] == [
        ("record_id",), ("pain",), ("drugs___1", "drugs____99"), ("note",), (),
    ]  # fmt: skip
    assert [SMALL.form_of(c) for c in ("drugs", "drugs____99", "follow_up_complete")] == ["visit", "visit", "follow_up"]
    assert [option.label for option in SMALL.get("pain").options] == ["Yes", "No"]
    assert ("pain" in SMALL, "pane" in SMALL, SMALL.label_of("pain", "2")) == (True, False, "No")
    with pytest.raises(KeyError):
        SMALL.form_of("pane")


def part(*fields: Field) -> Dictionary:
    """A dictionary of some fields."""
    return Dictionary(fields)


def test_joined_dictionaries_keep_their_forms_in_order_and_one_record_id() -> None:
    """Each instrument's file may carry the record id."""
    record, a, b = Field("id", "one", "text"), Field("a", "one", "text"), Field("b", "two", "text")
    joined = join([part(record, a), part(Field("id", "two", "text"), b), part()])
    assert joined.fields == (record, a, b)


def test_joining_names_every_clash() -> None:
    """A field in two parts, a form in two parts, a record id that is no text."""
    record, a = Field("id", "one", "radio", choices="1, A"), Field("a", "one", "text")
    with pytest.raises(DictionaryError) as caught:
        join([part(record, a), part(Field("a", "one", "text"))])
    assert [(p.row, p.column) for p in caught.value.problems] == [
        (4, "field_name"),
        (4, "form_name"),
        (2, "field_type"),
    ]
    with pytest.raises(DictionaryError, match="no field"):
        join([])


def test_rows_before_the_header_are_counted() -> None:
    """A problem is found where the spreadsheet shows it."""
    text = "sep=,\n\nfield_name,form_name,field_type,field_label\nrecord_id,f,text,ID\nBad Name,f,text,Bad\n"
    assert problems(text)[0][0] == 5
