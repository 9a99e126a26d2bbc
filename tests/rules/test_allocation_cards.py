"""Envelope numbers, card codes and what proves them."""

from __future__ import annotations

import hashlib
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from trialdesk.allocation.cards import (
    ALPHABET,
    card_code,
    commitment,
    merkle_root,
    shown_code,
    tidy_code,
    verify_card,
)
from trialdesk.allocation.numbering import envelope_id, parse_envelope_id, tidy_envelope_id
from trialdesk.config import Config
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-10")

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
piles = st.builds(Pile, st.text(LETTERS, min_size=1, max_size=4), st.text(LETTERS, min_size=1, max_size=3))


@given(piles, st.integers(1, 12_000))
def test_an_envelope_number_reads_back_as_its_pile_and_number(pile: Pile, number: int) -> None:
    """The number on the envelope tells site, stratum and running number, and nothing else."""
    assert parse_envelope_id(envelope_id(pile, number)) == (pile, number)


@given(piles, st.integers(1, 999), st.data())
def test_one_misread_character_is_always_noticed(pile: Pile, number: int, data: st.DataObject) -> None:
    """ISO 7064 MOD 37,36 finds every single misread letter or digit."""
    name = envelope_id(pile, number)
    place = data.draw(st.sampled_from([i for i, character in enumerate(name) if character != "-"]))
    other = data.draw(st.sampled_from([letter for letter in LETTERS if letter != name[place]]))
    with pytest.raises(ValueError, match=r"envelope number|check character"):
        parse_envelope_id(name[:place] + other + name[place + 1 :])


def test_nearly_every_swap_of_two_neighbours_is_noticed(frozen: Config) -> None:
    """99.8 %: the check character is one of 36, and finds all but a few of the swaps. Docs say so."""
    swaps = missed = 0
    for pile, number in product(frozen.piles, range(1, 41)):
        name = envelope_id(pile, number).replace("-", "")
        for place in range(len(name) - 1):
            one, other = name[place], name[place + 1]
            swaps += one != other
            missed += one != other and mod_37_36.is_valid(name[:place] + other + one + name[place + 2 :])
    assert swaps > 20_000
    assert 0 < missed / swaps < 0.002


@pytest.mark.parametrize(
    "text",
    ["", "ODE", "ODE-K2F-003", "ODE-K2F-3-4", "ode-k2f-003-4", "ODE-K2F-000-Z", "ODE-K2F-0003-4", "ODE-K2F-003-4\n"],
)
def test_what_is_not_an_envelope_number_is_refused(text: str) -> None:
    """Only the spelling that is printed is an envelope number."""
    with pytest.raises(ValueError, match=r"envelope number|check character"):
        parse_envelope_id(text)


@pytest.mark.parametrize("typed", ["ODE-K2F-003-4", "ode-k2f-003-4", " ODE - K2F - 003 - 4 ", "ODE–K2F—003‑4"])
def test_an_envelope_number_may_be_typed_carelessly(typed: str) -> None:
    """Small letters, spaces and the dashes a word processor makes are the same number."""
    assert tidy_envelope_id(typed) == "ODE-K2F-003-4"


@given(st.binary(min_size=32, max_size=32), st.integers(1, 5000))
def test_a_card_code_is_twelve_readable_characters(key: bytes, number: int) -> None:
    """Twelve characters without I, L, O and U, shown in three groups of four and read back from them."""
    code = card_code(key, number)
    assert len(code) == 12
    assert set(code) <= set(ALPHABET)
    assert [len(group) for group in shown_code(code).split("-")] == [4, 4, 4]
    assert tidy_code(shown_code(code)) == code


@pytest.mark.parametrize(
    "typed", ["7K2MQ9XD01TB", "7K2M-Q9XD-01TB", "7k2m q9xd 01tb", "7K2M–Q9XD–OITB", " 7K2M-Q9XD-olTB\t"]
)
def test_a_card_code_may_be_typed_carelessly(typed: str) -> None:
    """Case, separators and the letters I, L, O for 1, 1, 0 do not matter (Crockford)."""
    committed = commitment("T", "ODE-K2F-003-4", "1", "7K2MQ9XD01TB")
    assert verify_card(committed, "T", "ODE-K2F-003-4", "1", typed)


@pytest.mark.parametrize(
    ("trial", "envelope", "arm", "code"),
    [
        ("T", "ODE-K2F-003-4", "2", "7K2MQ9XD01TB"),
        ("T", "ODE-K2F-003-4", "1", "7K2MQ9XD01TC"),
        ("T", "ODE-K2F-003-4", "1", ""),
        ("T", "ODE-K2F-003-4", "", "7K2MQ9XD01TB"),
        ("T", "ODE-K2F-004-2", "1", "7K2MQ9XD01TB"),
        ("U", "ODE-K2F-003-4", "1", "7K2MQ9XD01TB"),
        ("T", "ODE-K2F-003-4", "1", "æøå"),
    ],
)
def test_any_other_card_is_refused(trial: str, envelope: str, arm: str, code: str) -> None:
    """Another arm, code, envelope or trial does not fit the commitment."""
    committed = commitment("T", "ODE-K2F-003-4", "1", "7K2MQ9XD01TB")
    assert not verify_card(committed, trial, envelope, arm, code)


def test_a_damaged_commitment_fits_no_card() -> None:
    """What is not a commitment is a card that does not fit, not a crash."""
    assert not verify_card("", "T", "ODE-K2F-003-4", "1", "7K2MQ9XD01TB")
    assert not verify_card("é", "T", "ODE-K2F-003-4", "1", "7K2MQ9XD01TB")


def test_the_root_of_three_leaves_is_as_drawn() -> None:
    """Leaves in order of envelope id; an odd node moves up unchanged."""

    def sha(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    a, b, c = (sha(b"\0" + bytes([n] * 32)) for n in (1, 2, 3))
    leaves = {"B": "02" * 32, "C": "03" * 32, "A": "01" * 32}
    assert merkle_root(leaves) == sha(b"\1" + sha(b"\1" + a + b) + c).hex()
    assert merkle_root({"A": "01" * 32}) == a.hex()


@given(st.dictionaries(st.text(LETTERS, min_size=1), st.binary(min_size=32, max_size=32), min_size=1), st.data())
def test_the_root_changes_with_every_commitment(leaves: dict[str, bytes], data: st.DataObject) -> None:
    """One changed commitment changes the root; the order of making does not."""
    plain = {name: value.hex() for name, value in leaves.items()}
    name = data.draw(st.sampled_from(sorted(plain)))
    other = data.draw(st.binary(min_size=32, max_size=32).filter(lambda value: value != leaves[name])).hex()
    assert merkle_root({**plain, name: other}) != merkle_root(plain)
    assert merkle_root(dict(reversed(plain.items()))) == merkle_root(plain)


def test_a_root_of_nothing_is_refused() -> None:
    """There is no root without envelopes."""
    with pytest.raises(ValueError, match="at least one"):
        merkle_root({})
