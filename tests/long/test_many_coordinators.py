"""Twenty coordinators at the same moment, for records of twenty piles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract.envelopes.conftest import World, world_in
from contract.envelopes.test_envelopes_storm import PILES
from storm import storm
from trialdesk.envelopes.release import take_back

CALLERS, ROUNDS, SOON = 20, 3, 60


@pytest.fixture(scope="module")
def three_sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("many"), sites=3) as built:
        built.receive_all()
        yield built


def test_one_of_twenty_wins_within_a_minute_and_never_two(three_sites: World) -> None:
    """Round after round; the others are told, and the winner's release alone is open."""
    records = [f"S{number:02}" for number in range(CALLERS)]
    for record, (site, stratum) in zip(records, PILES, strict=False):
        three_sites.enter(record, site, stratum)
    for _ in range(ROUNDS):
        ended = storm(three_sites.release, records)
        assert [envelope.record for envelope in ended.won] == [record for _, record in three_sites.open()]
        assert len(ended.won) == 1
        assert ended.seconds < SOON
        take_back(three_sites.config, three_sites.trial(), three_sites.register(), ended.won[0].record)
