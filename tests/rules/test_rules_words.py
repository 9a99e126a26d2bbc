"""Choices, unique names and the values REDCap refuses."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redcap_rules.choices import Choice, checkbox_column, parse_choices
from redcap_rules.dictionary import Field
from redcap_rules.names import event_name, form_name, group_name
from redcap_rules.validation import (
    TYPES,
    WRONG_FORMAT,
    out_of_range,
    refusal,
)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("1, Yes | 0, No", [("1", "Yes"), ("0", "No")]),
        ("1,Yes|0,No", [("1", "Yes"), ("0", "No")]),
        ("1, One, two | A, <b>B</b> |", [("1", "One, two"), ("A", "<b>B</b>")]),
        ("1, Yes\n0, No\n", [("1", "Yes"), ("0", "No")]),
        ("1 | 2", [("1", "1"), ("2", "2")]),
        ("", []),
    ],
)
def test_choices_are_read_as_redcap_writes_them(text: str, choices: list[tuple[str, str]]) -> None:
    """`code, label | code, label`; a label may hold commas."""
    assert parse_choices(text) == tuple(Choice(code, label) for code, label in choices)


@pytest.mark.parametrize(
    ("text", "message"), [("1, A | , B", "choice 2: no code"), ("1, A | 2, B | 1, C", "choice 3: code '1'")]
)
def test_a_wrong_choice_is_named_by_its_position(text: str, message: str) -> None:
    """Every choice has a code, and every code stands once."""
    with pytest.raises(ValueError, match=message):
        parse_choices(text)


@pytest.mark.parametrize(("code", "column"), [("1", "f___1"), ("-99", "f____99"), ("A b", "f___a_b")])
def test_a_checkbox_column_is_field_and_plain_code(code: str, column: str) -> None:
    """Lower case, all but letters, digits and underscores replaced (reference/redcap-api.md 5.2)."""
    assert checkbox_column("f", code) == column


@pytest.mark.parametrize(
    ("label", "arm", "name"),
    [
        ("Deadline to opt out of study", 2, "deadline_to_opt_ou_arm_2"),
        ("Week 1", 1, "week_1_arm_1"),
        ("PVP procedure", 1, "pvp_procedure_arm_1"),
        ("Follow-up (3 mo.)", 1, "followup_3_mo_arm_1"),
    ],
)
def test_an_event_name_is_its_labels_first_18_letters_and_the_arm(label: str, arm: int, name: str) -> None:
    """reference/instruments.md 2.3."""
    assert event_name(label, arm) == name


def test_names_that_collide_get_letters() -> None:
    """reference/redcap-api.md 10: `_arm_1b`."""
    assert event_name("Week 1", 1, ["week_1_arm_1"]) == "week_1_arm_1b"
    assert event_name("Week 1", 1, ["week_1_arm_1", "week_1_arm_1b"]) == "week_1_arm_1c"
    assert group_name("dag-a", {"daga"}) == "dagab"


@given(st.text(max_size=30), st.integers(0, 60))
def test_a_new_name_is_never_one_already_taken(label: str, count: int) -> None:
    """However many labels say the same."""
    taken: set[str] = set()
    for _ in range(count):
        name = group_name(label, taken)
        assert name not in taken
        taken.add(name)


@pytest.mark.parametrize(
    ("label", "name"),
    [("Pain & ODI, version 2", "pain_odi_version_2"), ("2. visit", "visit"), ("a " * 60, "a_" * 24 + "a")],
)
def test_a_form_name_starts_with_a_letter_and_has_single_underscores(label: str, name: str) -> None:
    """The name REDCap makes when a form is created in the designer."""
    assert form_name(label) == name


ACCEPTED_AND_REFUSED = [
    ("alpha_only", "Abc", "Ab1", WRONG_FORMAT),
    ("date_dmy", "2026-02-28", "2026-02-29", WRONG_FORMAT),
    ("date_mdy", "2028-02-29", "02/29/2028", WRONG_FORMAT),
    ("date_ymd", "2026-12-31", "2026-1-1", WRONG_FORMAT),
    ("datetime_dmy", "2026-12-31 23:59", "2026-12-31 24:00", WRONG_FORMAT),
    ("datetime_mdy", "2026-12-31 00:00", "2026-12-31", WRONG_FORMAT),
    ("datetime_ymd", "2026-12-31 09:05", "2026-12-31 9:05:00", WRONG_FORMAT),
    ("datetime_seconds_dmy", "2026-12-31 09:05:59", "2026-12-31 09:05", WRONG_FORMAT),
    ("datetime_seconds_mdy", "2026-12-31 09:05:59", "2026-13-31 09:05:59", WRONG_FORMAT),
    ("datetime_seconds_ymd", "2026-12-31 09:05:59", "2026-12-31 09:05:60", WRONG_FORMAT),
    ("email", "joe@user.com", "joe@user", WRONG_FORMAT),
    ("integer", "-7", "7.0", WRONG_FORMAT),
    ("mrn_10d", "0123456789", "123456789", WRONG_FORMAT),
    ("mrn_generic", "A-1_b", "A 1", WRONG_FORMAT),
    ("vmrn", "123456", "123", WRONG_FORMAT),
    ("number", "-1.5e3", "1,5", WRONG_FORMAT),
    ("number_comma_decimal", "1,5", "1.5", WRONG_FORMAT),
    ("number_1dp", "22.0", "22", WRONG_FORMAT),
    ("number_2dp", "22.05", "22.5", WRONG_FORMAT),
    ("number_3dp", "-0.125", "0.1250", WRONG_FORMAT),
    ("number_4dp", "0.1250", ".125", WRONG_FORMAT),
    ("number_1dp_comma_decimal", "22,0", "22.0", WRONG_FORMAT),
    ("number_2dp_comma_decimal", "22,05", "22,5", WRONG_FORMAT),
    ("number_3dp_comma_decimal", "0,125", "0,1", WRONG_FORMAT),
    ("number_4dp_comma_decimal", "0,1250", "0,125", WRONG_FORMAT),
    ("phone", "(615) 322-2222", "12345", WRONG_FORMAT),
    ("phone_australia", "(03) 9123 4567", "9123 4567", WRONG_FORMAT),
    ("phone_uk", "020 7946 0958", "7946", WRONG_FORMAT),
    ("postalcode_australia", "3000", "30000", WRONG_FORMAT),
    ("postalcode_canada", "K1A 0B1", "K1A-0B1", WRONG_FORMAT),
    ("postalcode_french", "75008", "7500", WRONG_FORMAT),
    ("postalcode_germany", "10115", "1011", WRONG_FORMAT),
    ("postalcode_uk", "SW1A 1AA", "SW1A", WRONG_FORMAT),
    ("ssn", "123-45-6789", "123456789", WRONG_FORMAT),
    ("time", "23:59", "24:00", WRONG_FORMAT),
    ("time_hh_mm_ss", "23:59:59", "23:59", WRONG_FORMAT),
    ("time_mm_ss", "59:59", "60:00", WRONG_FORMAT),
    ("zipcode", "37203-1234", "3720", WRONG_FORMAT),
]


@pytest.mark.parametrize(("validation", "good", "bad", "message"), ACCEPTED_AND_REFUSED)
def test_a_validation_type_accepts_what_fits_and_refuses_with_redcaps_words(
    validation: str, good: str, bad: str, message: str
) -> None:
    """Types are hard (reference/redcap-api.md 6.2); dates are stored Y-M-D whatever their display (5.3)."""
    field = Field("f", "form", "text", validation=validation)
    assert (refusal(field, good), refusal(field, bad)) == (None, message)
    assert refusal(field, good + "\n") == message
    assert refusal(field, "") is None


def test_every_validation_type_has_a_row_in_the_table_above() -> None:
    """A type without an example is a type nobody looked at."""
    assert {row[0] for row in ACCEPTED_AND_REFUSED} == set(TYPES)


@pytest.mark.parametrize(
    ("kind", "choices", "good", "bad"),
    [
        ("radio", "1, A | 2, B", "2", "B"),
        ("dropdown", "a, A", "a", "A"),
        ("yesno", "", "1", "2"),
        ("truefalse", "", "0", "true"),
        ("checkbox", "1, A", "1", "99"),
    ],
)
def test_a_coded_field_takes_its_codes_only(kind: str, choices: str, good: str, bad: str) -> None:
    """Raw codes, never labels; a checkbox column takes 0 or 1 (reference/redcap-api.md 6.2)."""
    field = Field("f", "form", kind, choices=choices)
    assert refusal(field, good) is None
    assert refusal(field, bad) == "The value is not a valid category for f"


def test_what_no_rule_covers_is_accepted() -> None:
    """Free text, notes and the validation types a site made itself."""
    assert refusal(Field("f", "form", "text", validation="dk_cpr"), "anything") is None
    assert refusal(Field("f", "form", "notes"), "two\nlines") is None
    assert refusal(Field("f", "form", "slider"), "50.5") == WRONG_FORMAT


TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("validation", "low", "high", "value", "outside"),
    [
        ("integer", "0", "10", "10", False),
        ("integer", "0", "10", "11", True),
        ("integer", "", "10", "-5", False),
        ("number_comma_decimal", "0,5", "1,5", "1,6", True),
        ("date_dmy", "2020-01-01", "today", "2026-11-23", False),
        ("date_dmy", "2020-01-01", "today", "2026-11-24", True),
        ("datetime_dmy", "", "now", "2026-11-23 23:59", False),
        ("datetime_dmy", "today", "", "2026-11-22 23:59", True),
        ("time", "08:00", "16:00", "16:01", True),
        ("date_dmy", "[other]", "[other]", "1900-01-01", False),
        ("", "0", "1", "text", False),
    ],
)
def test_a_value_beyond_its_limits_is_noticed(validation: str, low: str, high: str, value: str, outside: bool) -> None:
    """Limits are soft, may be `today` or `now`, and are inclusive."""
    field = Field("f", "form", "text", validation=validation, minimum=low, maximum=high)
    assert out_of_range(field, value, TODAY) is outside
