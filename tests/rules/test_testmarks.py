"""In a rehearsal nobody reads an envelope number without the word TEST; in the trial nobody reads the word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frozen import FROZEN
from trialdesk.allocation.numbering import envelope_id, printed, tidy_envelope_id
from trialdesk.config import load
from trialdesk.envelopes.testmarks import as_read
from trialdesk.model import Pile
from trialdesk.workbook import Column, Line, Link, SheetTable

pytestmark = pytest.mark.requirement("ENV-16")

CONFIG = load(FROZEN / "config.yaml")
ONE, OTHER = (envelope_id(Pile("ODE", "K1N"), number) for number in (1, 2))


def in_domain(domain: str) -> tuple[object, ...]:
    config = CONFIG.model_copy(update={"envelopes": CONFIG.envelopes.model_copy(update={"domain": domain})})
    values = (f"{ONE} was opened before {OTHER}", Link(ONE, f"https://x/{ONE}"), 7, None, f"TEST {ONE}", "ODE-K1N")
    (sheet,) = as_read(config, [SheetTable("S", "T", "A", (Column("C"),) * 6, (Line(values),))])
    return sheet.lines[0].values


def test_every_number_in_a_sheet_is_marked_once() -> None:
    """In a sentence, in a link's text but not in its address, and never twice; a pile is no envelope."""
    marked = f"TEST {ONE}"
    expected = (
        f"{marked} was opened before TEST {OTHER}",
        Link(marked, f"https://x/{ONE}"),
        7,
        None,
        marked,
        "ODE-K1N",
    )
    assert in_domain("dev") == expected


def test_a_real_trial_has_no_marks() -> None:
    """Everything stays as it is."""
    assert in_domain("prod")[0] == f"{ONE} was opened before {OTHER}"


@given(st.sampled_from(["ODE", "RIG", "A1"]), st.integers(1, 20_000), st.text("ab ,.;", max_size=5))
def test_what_is_read_can_be_typed(site: str, number: int, around: str) -> None:
    """The printed number, typed as it stands, is the number; marking again changes nothing."""
    name = envelope_id(Pile(site, "N2F"), number)
    assert tidy_envelope_id(printed(name, "dev"), "dev") == name
    text = f"{around} {name} {around}"
    assert printed(printed(text, "dev"), "dev") == printed(text, "dev") != text


@pytest.mark.parametrize("text", ["2026-03-01", "12-345-678", "ODE-K1N-v001", "2026-11-26T02"])
def test_what_is_no_envelope_number_is_not_marked(text: str) -> None:
    """Days and piles stay."""
    assert printed(text, "dev") == text


def test_the_word_is_no_part_of_a_number_in_a_trial() -> None:
    """Typed before a real envelope's number it is not overlooked, and no number gets it."""
    assert tidy_envelope_id(f"TEST {ONE}") == f"TEST{ONE}"
    assert printed(ONE, "prod") == ONE
