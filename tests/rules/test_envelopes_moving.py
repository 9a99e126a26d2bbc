"""Moves of envelopes: a checked state machine, whole parcels, and words as people type or scan them."""

from __future__ import annotations

from datetime import date

import pytest

from filed import manifest_of
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import Config
from trialdesk.envelopes.moving import MOVES, Said, chosen, plan_move
from trialdesk.errors import ReleaseRefused, TableError
from trialdesk.model import ENVELOPE_STATUSES, Envelope, EnvelopeStatus, Pile

pytestmark = pytest.mark.requirement("ENV-14")

DAY = date(2026, 3, 2)
SAID = Said("AB", DAY, "torn")


def envelope(number: int, status: EnvelopeStatus = "made", site: str = "ODE") -> Envelope:
    pile = Pile(site, "K1N")
    return Envelope(pile, number, envelope_id(pile, number), 1, status, "00")


@pytest.mark.parametrize("kind", MOVES)
@pytest.mark.parametrize("status", ENVELOPE_STATUSES)
def test_an_envelope_moves_from_where_it_may_and_from_nowhere_else(kind: str, status: EnvelopeStatus) -> None:
    """Every status with every move; what has the status already is left alone, an opened one stays opened."""
    move, one = MOVES[kind], envelope(1, status)
    if status == move.to:
        assert plan_move(kind, [one.id], [one], SAID).already == (one.id,)
    elif status in move.before:
        (moved,) = plan_move(kind, [one.id], [one], SAID).envelopes
        assert moved.status == move.to
        days = {"packed": moved.packed_on, "ship": moved.dispatched_on, "received": moved.received_on}
        assert days.get(kind, DAY) == DAY
    else:
        with pytest.raises(ReleaseRefused, match=f"is {status}, and {kind} takes"):
            plan_move(kind, [one.id], [one], SAID)
    assert "opened" not in {status for move in MOVES.values() for status in move.before}


def test_every_problem_is_told_at_once_and_nothing_is_moved() -> None:
    """An unknown number, a wrong status, and no reason."""
    register = [envelope(1, "opened"), envelope(2, "received")]
    with pytest.raises(ReleaseRefused) as caught:
        plan_move("void", [register[0].id, register[1].id, "ODE-K1N-999-X"], register, Said("AB", DAY))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "void", register[0].id, "ODE-K1N-999-X",
    ]  # fmt: skip


def test_words_are_numbers_or_parcels_as_typed_or_scanned(frozen: Config) -> None:
    """Small letters, other dashes, TEST before it in a rehearsal; a parcel stands for all its envelopes, each once."""
    mine = [envelope(number) for number in (1, 2, 3)]
    filed = [manifest_of(frozen, [*mine, envelope(1, site="RIG")])]
    ids = tuple(one.id for one in mine)
    assert chosen(["ode-v001"], filed, "prod") == ids
    assert chosen([f" {ids[1].lower().replace('-', '–')}\n", "ODE-V001", ""], filed, "prod") == (ids[1], ids[0], ids[2])
    assert chosen([f"TEST {ids[0]}"], filed, "dev") == (ids[0],)
    with pytest.raises(TableError, match="no such parcel; parcels are ODE-v001, RIG-v001"):
        chosen(["ODE-v009"], filed, "prod")
