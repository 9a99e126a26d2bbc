"""The simulated insider: his knowledge is exact, and the shipped policy tells him little; two others tell him much."""

from __future__ import annotations

from datetime import date
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insider.chances import cut_chances
from insider.course import REORDER, Clinic, Sent
from insider.knowledge import Member, Parcels, next_arm
from insider.piles import Window, alone, belief, ways, whole
from trialdesk.allocation.foreseeing import foreseen
from trialdesk.allocation.numbering import envelope_id
from trialdesk.allocation.scheme import Scheme
from trialdesk.config import Config
from trialdesk.envelopes.stock import proposals
from trialdesk.model import Envelope

pytestmark = pytest.mark.requirement("ENV-04")

TWO = Scheme("T", "prod", (("1", 1), ("2", 1)), ((2, 1), (4, 1)))


def likely(opened: bytes, following: tuple[int, ...]) -> float:
    """How likely a list goes on like that, arm after arm."""
    arms, chance = opened, 1.0
    for arm in following:
        first = alone((2, 4), arms)
        chance *= first if arm == 1 else 1 - first
        if not chance:
            return 0.0
        arms += bytes([arm])
    return chance


@pytest.mark.parametrize("opened", [(b"", b"", b"", b""), (b"\1", b"", b"\2", b"\1"), (b"\1\1", b"\2", b"", b"\1")])
@pytest.mark.parametrize("vector", [(0, 0, 1, -1), (1, 1, 0, 0), (-1, -1, 0, 1)])
def test_the_posterior_is_that_of_every_combination_of_lists(
    opened: tuple[bytes, ...], vector: tuple[int, ...]
) -> None:
    """Four piles of the smallest batch: every way all of them go on, weighted with the exact chance of the cut."""
    batch, draws = 2, 16
    ahead = [[(o + bytes(way), likely(o, way)) for way in product((1, 2), repeat=3 - len(o))] for o in opened]
    masses = [0.0, 0.0]
    for lists in product(*ahead):
        prior = float(np.prod([chance for _, chance in lists]))
        if prior:
            told = {str(at): "".join(map(str, arms)) for at, (arms, _) in enumerate(lists)}
            masses[lists[0][0][len(opened[0])] - 1] += prior * float(cut_chances(TWO, batch, told, draws)[vector])
    members = [
        Member(ways((2, 4), own, (Window(0, step),), batch), (0,)) for own, step in zip(opened, vector, strict=True)
    ]
    found = np.mean(
        next_arm(members[1:], members[0], Parcels((sum(vector) % 2 == 1,), draws), 20_000, np.random.default_rng(3))
    )
    assert found == pytest.approx(masses[0] / sum(masses), abs=0.02)


def test_without_parcels_the_insider_knows_what_the_blocks_tell() -> None:
    """The belief is that of the audit's forward recursion, written another way."""
    arms = b"\1\2\2\1\1\1\2\2\1"
    chances = [one["1"] for one in foreseen(TWO, [str(arm) for arm in arms])]
    assert [alone((2, 4), arms[:at]) for at in range(len(arms) + 1)] == pytest.approx(chances)
    assert belief((2, 4), arms).sum() == pytest.approx(1)
    assert ways((2, 4), arms, (), 6).first == pytest.approx(chances[-1])


@pytest.mark.parametrize(("opened", "sent"), [(b"", 6), (b"\1\1", 6), (b"\1\2\1\2\1", 6), (b"\1\2\1", 8)])
def test_who_knows_that_whole_blocks_are_sent_knows_what_every_list_gives(opened: bytes, sent: int) -> None:
    """The positive control: lists of whole blocks that reach the batch with their last, and no sooner."""
    masses = [0.0, 0.0]

    def go(arms: bytes, chance: float) -> None:
        if len(arms) >= 6:
            if len(arms) == sent and arms[: len(opened)] == opened:
                masses[(arms + b"\1")[len(opened)] - 1] += chance
            return
        for size in (2, 4):
            orders = {way for way in product((1, 2), repeat=size) if sum(way) == 3 * size // 2}
            for way in orders:
                go(arms + bytes(way), chance / 2 / len(orders))

    go(b"", 1.0)
    assert whole((2, 4), opened, sent, 6) == pytest.approx(masses[0] / sum(masses))


@given(
    here=st.lists(st.integers(0, 7), min_size=8, max_size=8),
    coming=st.sets(st.integers(0, 7)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_the_simulated_clinic_orders_what_the_night_proposes(frozen: Config, here: list[int], coming: set[int]) -> None:
    """The same piles as trialdesk.envelopes.stock, whatever lies there and is under way."""
    site = frozen.sites[0].code
    piles = [pile for pile in frozen.piles if pile.site == site]
    register = []
    for at, pile in enumerate(piles):
        statuses = ["received"] * here[at] + ["dispatched"] * (at in coming)
        for number, status in enumerate(statuses, 1):
            register.append(Envelope(pile, number, envelope_id(pile, number), 1, status, ""))  # type: ignore[arg-type]
    clinic = Clinic([b""] * 8, [[]] * 8, here=here)
    clinic.coming.append(Sent(9.0, dict.fromkeys(sorted(coming), Window(0, 0)), divided=True))
    proposed = [one.piles for one in proposals(frozen, register, date(2026, 3, 2)) if one.site == site]
    assert [piles[at] for at in clinic.wanted()] == list(proposed[0] if proposed else ())


def test_the_clinic_orders_those_with_fewest_left() -> None:
    """At the reorder level first, then those with fewest left, six at least; never what is under way."""
    clinic = Clinic([b""] * 8, [[]] * 8, here=[5, REORDER, 3, 4, 6, 6, 2, 0])
    assert clinic.wanted() == [7, 1, 6, 2, 3, 0]
    clinic.coming.append(Sent(9.0, {7: Window(0, 0), 6: Window(0, 0)}, divided=True))
    assert clinic.wanted() == [1, 2, 3, 0, 4, 5]
    clinic.here[1] = 2
    assert clinic.wanted() == []
