"""The whole exploration of the release protocol; a seeded slice of it is tests/rules/test_release_orders.py."""

from __future__ import annotations

import pytest

from exploring import explore
from rules.test_release_orders import CASES, made, recoverable


@pytest.mark.parametrize(("records", "typing", "switches"), CASES.values(), ids=CASES)
def test_every_order(records: tuple[str, ...], typing: bool, switches: int | None) -> None:
    """Every order, a crash after every write: never two open, none lost, always mended by one command."""
    found = explore(made(*records, typing=typing), recoverable, switches=switches)
    assert found.states > 20_000
    assert found.orders > 100_000
