"""What the night encloses for the closed report."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from trialdesk.envelopes.stock import PileStock
from trialdesk.errors import TableError
from trialdesk.facts.cards import Cards
from trialdesk.facts.enclosure import enclosed, unclosed
from trialdesk.model import Envelope, Finding, Pile

pytestmark = pytest.mark.requirement("REP-05")

PILE = Pile("ODE", "K1N")
OPENED = Envelope(
    PILE, 1, "ODE-K1N-001-X", 1, "opened", "00", date(2026, 1, 2), date(2026, 1, 3), date(2026, 1, 5),
    datetime(2026, 3, 2, 9, 30), "ODE-001", date(2026, 3, 2),
)  # fmt: skip
CARDS = Cards(
    register=(OPENED, Envelope(PILE, 2, "ODE-K1N-002-Y", 1, "made", "01")),
    opened=(OPENED,),
    findings=(Finding("R21", "ODE", "ODE-001", "", "error", "opened without a release", evidence="as typed"),),
    stock=(PileStock(PILE, "EMPTY", "send", ("ODE-K1N-002-Y",)),),
)


def test_what_is_enclosed_comes_back() -> None:
    """Envelopes, findings and stock, and the run they are of; what a finding rests on stays behind."""
    text = enclosed(CARDS, "PVP-MM", "2026-03-02_043000")
    assert unclosed(text, "PVP-MM") == replace(CARDS, opened=(), told_by="2026-03-02_043000")
    assert "as typed" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "damaged"),
        ("not json", "damaged"),
        (enclosed(CARDS, "OTHER", "r"), "of trial OTHER"),
        (json.dumps({**json.loads(enclosed(CARDS, "PVP-MM", "r")), "schema": 9}), "version 9"),
    ],
)
def test_what_is_of_another_trial_or_damaged_is_refused(text: str, words: str) -> None:
    """In one line with the way out."""
    with pytest.raises(TableError, match=f"{words}.*register.age"):
        unclosed(text, "PVP-MM")
