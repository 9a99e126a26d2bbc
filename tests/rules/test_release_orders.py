"""The release protocol in the orders in which calls, crashes and a site that types can meet.

The whole of it is benchmarks/explore_releases.py; here stand the small ones, and a seeded slice of the large.
"""

from __future__ import annotations

import random
from datetime import date
from functools import partial

import pytest

from exploring import CRASHED, Stage, World, caller, explore, inside, site, taker_back, told, undisturbed, walked
from frozen import FROZEN, trial_dictionary, trial_rows
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import load
from trialdesk.errors import ReleaseRefused
from trialdesk.model import Envelope, Pile

CONFIG = load(FROZEN / "config.yaml").model_copy(update={"release": ()})
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
PILE = Pile("ODE", "K1N")
STAGE = Stage(CONFIG, trial_dictionary(), EVENTS, {"A": "ode", "B": "ode", "C": "rig"})
ENVELOPES = tuple(
    Envelope(pile, number, envelope_id(pile, number), 1, "received", "00", received_on=date(2026, 1, 5))
    for pile in (PILE, Pile("RIG", "K1N"))
    for number in (1, 2)
)
OPENED = {"randomisation_arm_1": {"rand_env": envelope_id(PILE, 1), "rand_date": "2026-03-02"}}


def life(place: str) -> dict[str, dict[str, str]]:
    return {
        "screening_arm_1": {"elig_site": place},
        "randomisation_arm_1": {"rand_grp": "1", "rand_lvl": "1", "rand_for": "0"},
    }


def made(*records: str, typing: bool = False, tries: int = 1) -> World:
    """A call for each record, and a site that types an opening into the first."""
    places = {"A": "ODE", "B": "ODE", "C": "RIG"}
    world = World(STAGE, {record: life(places[record]) for record in records}, ENVELOPES, ())
    world.actors += [caller(world, record, tries) for record in records]
    if typing:
        world.actors.append(site(world, records[0], OPENED))
    return world


def waiting(world: World) -> list[Envelope]:
    """The envelopes whose numbers were told and that are not opened."""
    return [envelope for envelope in told(world) if not world._mark(envelope.record).opened]


def never_two(world: World) -> None:
    """Of all envelopes whose numbers were told, at most one is not opened, whatever the moment."""
    assert len(waiting(world)) <= 1, waiting(world)


def _left(world: World) -> list[str]:
    """The records that hold an envelope in a project though nobody was told."""
    alive = {(envelope.id, envelope.record) for envelope in waiting(world)}
    held = [one for one in world.memory.envelopes.values() if one.status == "released"]
    left = {one.record for one in held if (one.id, one.record) not in alive}
    left |= {mark.record for mark in map(world._mark, world.memory.records) if mark.envelope and not mark.opened}
    return sorted(left - {envelope.record for envelope in waiting(world)})


def _mended(world: World) -> None:
    """What killed calls have left is taken back by one documented command for each of their records."""
    for record in _left(world):
        ended = undisturbed(world, taker_back(world, record))
        assert isinstance(ended, tuple | ReleaseRefused), ended


def recoverable(world: World) -> None:
    """Every end: nothing is lost, and one documented command for a record mends what a killed call has left."""
    never_two(world)
    if any(not actor.over for actor in world.actors):
        return
    if any(actor.ended == CRASHED for actor in world.actors):
        _mended(world)
    for envelope in waiting(world):  # and running it again names the same envelope, whoever was killed beside it
        if not any(mark.named == envelope.id for mark in map(world._mark, world.memory.records)):
            again = undisturbed(world, caller(world, envelope.record).work)
            assert isinstance(again, Envelope), again
            assert again.id == envelope.id
    held = {e.id: e.record for e in world.memory.envelopes.values() if e.status == "released"}
    opened = {mark.named for mark in map(world._mark, world.memory.records)}
    alive = {envelope.id: envelope.record for envelope in waiting(world) if envelope.id not in opened}
    assert {name: record for name, record in held.items() if name not in opened} == alive, (held, alive)
    marks = [world._mark(record) for record in world.memory.records]
    pending = {mark.envelope: mark.record for mark in marks if mark.envelope and not mark.opened}
    assert {name: record for name, record in pending.items() if name not in opened} == alive


def test_a_call_and_a_site_that_types() -> None:
    """Every order, with crashes: the site opens an envelope without waiting for the release."""
    found = explore(lambda: made("A", typing=True), recoverable)
    assert (found.states, found.orders) > (40, 20)


def test_two_calls_of_one_pile_never_both_stand() -> None:
    """Every order without crashes."""
    found = explore(lambda: made("A", "B"), recoverable, crashes=False)
    assert found.states > 300
    assert found.orders > 10**6


@pytest.mark.parametrize("records", [("A", "B"), ("A", "C"), ("A", "B", "C")])
def test_a_seeded_slice_of_two_and_three_calls_with_crashes(records: tuple[str, ...]) -> None:
    """Orders drawn at random, with a site that types and calls that try again."""
    chance = random.Random(1)
    for number in range(150):
        make = partial(made, *records, typing=number % 2 == 0, tries=1 + number % 3)
        walked(make, recoverable, chance.randrange)


def test_a_defect_of_the_protocol_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that does not look after its marks are written: two stand in some order."""
    monkeypatch.setattr("trialdesk.envelopes.release._stand_or_back_off", lambda *_, **__: None)
    with pytest.raises(AssertionError):
        explore(lambda: made("A", "C"), never_two, crashes=False)


def test_two_calls_after_each_other_in_one_world() -> None:
    """The world works as the projects do: the second is refused while the first waits."""
    with inside(made("A", "C")) as world:
        world.begin()
        while not world.actors[0].over:
            world.step(0)
        while not world.actors[1].over:
            world.step(1)
    assert [type(actor.ended) for actor in world.actors] == [Envelope, ReleaseRefused]
