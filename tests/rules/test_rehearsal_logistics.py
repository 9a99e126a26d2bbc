"""The envelopes of the rehearsal: where they are before the first patient comes."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from functools import cache

import pytest

from frozen import FROZEN
from redcap_rules.dictionary import join, read_dictionary
from redcap_rules.validation import refusal
from rehearsal.logistics import logistics
from rehearsal.script import read_script
from rehearsal.setting import setting_of
from rehearsal.story import Story, write_story
from trialdesk.allocation.numbering import envelope_id, parse_envelope_id
from trialdesk.config import load
from trialdesk.instruments.folder import read_design
from trialdesk.model import Pile

REGISTER = FROZEN / "instruments" / "register"
SITES = ("ODE", "RIG", "HER", "ROS", "AAR")
STRATA = ("K1N", "K1F", "K2N", "K2F", "N1N", "N1F", "N2N", "N2F")
FIELDS = join(read_dictionary(p.read_text("utf-8")) for p in sorted(REGISTER.glob("[0-9]*.csv")))


@cache
def told(seed: int = 3) -> tuple[Story, list[dict[str, str]]]:
    config = load(FROZEN / "config.yaml")
    few = config.model_copy(update={"sites": config.sites[: len(SITES)]})
    setting = setting_of(few, read_design(config, "trial"), read_script(FROZEN / "config.yaml"))
    story = write_story(seed, 40, date(2027, 3, 17), setting)
    made = [envelope_id(Pile(site, stratum), n) for site in SITES for stratum in STRATA for n in range(1, 7)]
    return story, logistics(story, made)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_every_envelope_the_story_takes_has_been_received(seed: int) -> None:
    """Lowest numbers first: what is lost, void or returned lies above what is used."""
    story, rows = told(seed)
    status = {parse_envelope_id(row["env_id"]): row["env_status"] for row in rows}
    for pile, number in story.use().items():
        assert {status[pile, n] for n in range(1, number + 1)} == {"received"}


def test_every_value_is_one_the_register_accepts() -> None:
    """Statuses are the register's own and dates follow each other."""
    for row in told()[1]:
        assert not any(refusal(FIELDS.get(name), value) for name, value in row.items() if name in FIELDS)
        days = [row[name] for name in ("env_packed_on", "env_dispatched_on", "env_received_on") if name in row]
        assert days == sorted(days)
        assert ("env_received_on" in row) == (row["env_status"] in {"received", "returned", "void"})


def test_one_pile_ends_empty_and_one_with_a_single_envelope() -> None:
    """By the use of the story and what was lost on the way there is something to resupply."""
    story, rows = told()
    left: Counter[Pile] = Counter()
    for row in rows:
        left[parse_envelope_id(row["env_id"])[0]] += row["env_status"] == "received"
    left.subtract(story.use())
    assert (left[Pile("ODE", "K1N")], left[Pile("RIG", "K1N")]) == (0, 1)


def test_every_way_an_envelope_can_be_is_shown() -> None:
    """Packed, on the way, received, lost, void, returned; each loss has its note."""
    found: dict[str, set[bool]] = defaultdict(set)
    for row in told()[1]:
        found[row["env_status"]].add(bool(row["env_note"]))
    noted = {"lost": {True}, "void": {True}, "returned": {True}}
    assert dict(found) == noted | {"packed": {False}, "dispatched": {False}, "received": {False}}
