"""Twenty coordinators at the same moment, for records of twenty piles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract.envelopes.conftest import World, world_in
from storm import stormy


@pytest.fixture(scope="module")
def three_sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("many"), sites=3) as built:
        built.receive_all()
        yield built


def test_one_of_twenty_wins_within_a_minute_and_never_two(three_sites: World) -> None:
    """Round after round; the others are told, and the winner's release alone is open."""
    stormy(three_sites, callers=20, rounds=3, soon=60)
