"""A project of each test's own, and people at browsers of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser import launched
from hands import Hand, Site, furnished, seat
from redcap_local.server import Running, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    database = tmp_path_factory.mktemp("features") / "redcap.db"
    with running(database) as server:
        yield server, database


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def site(home: tuple[Running, Path]) -> Site:
    """A project of the test's own."""
    return furnished(*home)


@pytest.fixture
def seated(site: Site, browser: Browser) -> Iterator[Callable[..., Hand]]:
    """A function that seats a user at a browser of their own; no script may have had an error."""
    there: list[Hand] = []

    def sit(user: str = "site_admin") -> Hand:
        there.append(seat(browser, site, user))
        there[-1].grid()
        return there[-1]

    yield sit
    for hand in there:
        hand.page.context.close()
    assert not [text for hand in there for text in hand.wrong if "Failed to load resource" not in text]
