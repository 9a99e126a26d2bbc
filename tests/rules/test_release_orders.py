"""The release protocol in the orders in which calls, crashes and a site that types can meet.

Every one of them for two calls and for three with few switches; drawn ones where calls try again. How many there were
is told by benchmarks/explore_releases.py.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from exploring import Moment, Stage, World, caller, explore, inside, site, taker_back, walked
from frozen import FROZEN, trial_dictionary, trial_rows
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import load
from trialdesk.errors import ReleaseRefused
from trialdesk.model import Envelope, Pile

pytestmark = pytest.mark.requirement("ENV-06", "ENV-08")

CONFIG = load(FROZEN / "config.yaml").model_copy(update={"release": ()})
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
PILE = Pile("ODE", "K1N")
STAGE = Stage(CONFIG, trial_dictionary(), EVENTS, {"A": "ode", "B": "ode", "C": "rig"})
ENVELOPES = tuple(
    Envelope(pile, number, envelope_id(pile, number), 1, "received", "00", received_on=date(2026, 1, 5))
    for pile in (PILE, Pile("RIG", "K1N"))
    for number in (1, 2)
)
CASES = {
    "two calls of one pile and a site that types": (("A", "B"), True, None),
    "two calls of two sites and a site that types": (("A", "C"), True, None),
    "three calls with at most three switches": (("A", "B", "C"), False, 3),
}
OPENED = {"randomisation_arm_1": {"rand_env": envelope_id(PILE, 1), "rand_date": "2026-03-02"}}


def life(place: str) -> dict[str, dict[str, str]]:
    return {
        "screening_arm_1": {"elig_site": place},
        "randomisation_arm_1": {"rand_grp": "1", "rand_lvl": "1", "rand_for": "0"},
    }


def made(*records: str, typing: bool = False, tries: int = 1) -> World:
    """A call for each record, and a site that types an opening into the first."""
    places = {"A": "ODE", "B": "ODE", "C": "RIG"}
    calls = [caller(CONFIG, record, tries) for record in records]
    if typing:
        calls.append(site(records[0], OPENED))
    stage = replace(STAGE, groups={record: STAGE.groups[record] for record in records})
    return World(stage, {record: life(places[record]) for record in records}, ENVELOPES, calls)


def waiting(moment: Moment) -> list[Envelope]:
    """The envelopes whose numbers were told and that are not opened."""
    return [envelope for envelope in moment.told if not moment.marks[envelope.record].opened]


def never_two(moment: Moment) -> None:
    """Of all envelopes whose numbers were told, at most one is not opened, whatever the moment."""
    assert len(waiting(moment)) <= 1, waiting(moment)


def _left(moment: Moment) -> list[str]:
    """The records that hold an envelope in a project though nobody was told."""
    alive = {(envelope.id, envelope.record) for envelope in waiting(moment)}
    held = [one for one in moment.memory.envelopes if one.status == "released"]
    left = {one.record for one in held if (one.id, one.record) not in alive}
    left |= {mark.record for mark in moment.marks.values() if mark.envelope and not mark.opened}
    return sorted(left - {envelope.record for envelope in waiting(moment)})


def _mended(moment: Moment) -> Moment:
    """What killed calls have left is taken back by one documented command for each of their records."""
    for record in _left(moment):
        ended, moment = moment.undisturbed(taker_back(CONFIG, record))
        assert isinstance(ended, tuple | ReleaseRefused), ended
    return moment


def _named_again(moment: Moment) -> Moment:
    """Running a release that stands again names the same envelope, whoever was killed beside it."""
    for envelope in waiting(moment):
        if not any(mark.named == envelope.id for mark in moment.marks.values()):
            again, moment = moment.undisturbed(caller(CONFIG, envelope.record))
            assert isinstance(again, Envelope), again
            assert again.id == envelope.id
    return moment


def recoverable(moment: Moment) -> None:
    """Every end: nothing is lost, and one documented command for a record mends what a killed call has left."""
    never_two(moment)
    if not moment.quiet:
        return
    moment = _named_again(_mended(moment) if moment.crashed else moment)
    held = {e.id: e.record for e in moment.memory.envelopes if e.status == "released"}
    opened = {mark.named for mark in moment.marks.values()}
    alive = {envelope.id: envelope.record for envelope in waiting(moment) if envelope.id not in opened}
    assert {name: record for name, record in held.items() if name not in opened} == alive, (held, alive)
    pending = {mark.envelope: mark.record for mark in moment.marks.values() if mark.envelope and not mark.opened}
    assert {name: record for name, record in pending.items() if name not in opened} == alive


def test_a_call_and_a_site_that_types() -> None:
    """Every order, with crashes: the site opens an envelope without waiting for the release."""
    found = explore(made("A", typing=True), recoverable)
    assert (found.states, found.orders) > (40, 20)


@pytest.mark.parametrize("records", [("A", "B"), ("A", "C"), ("A", "B", "C")])
def test_a_seeded_slice_of_two_and_three_calls_with_crashes(records: tuple[str, ...]) -> None:
    """Orders drawn at random, with a site that types and calls that try again; make long plays every one."""
    chance = random.Random(1)
    worlds = [made(*records, typing=typing, tries=tries) for typing in (True, False) for tries in (1, 2, 3)]
    for number in range(60):
        walked(worlds[number % len(worlds)], recoverable, chance.randrange)


def test_a_defect_of_the_protocol_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that does not look after its marks are written: two stand in some order."""
    monkeypatch.setattr("trialdesk.envelopes.release._stand_or_back_off", lambda *_, **__: None)
    with pytest.raises(AssertionError):
        explore(made("A", "C"), never_two, crashes=False)


def test_two_calls_after_each_other_in_one_world() -> None:
    """The world works as the projects do: the second is refused while the first waits."""
    world = made("A", "C")
    with inside():
        first, moment = world.moment(world.start).undisturbed(world.calls[0])
        second, _ = moment.undisturbed(world.calls[1])
    assert [type(first), type(second)] == [Envelope, ReleaseRefused]
