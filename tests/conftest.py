"""What every test shares: no network beyond this machine, no tokens of the person who runs it, frozen settings."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import settings

import postgres
from frozen import FROZEN
from traceability import pytest_addoption as add_option
from traceability import pytest_collection_modifyitems, pytest_configure
from trialdesk.config import Config, load
from trialdesk.redcap.tokens import VARIABLES

__all__ = ["pytest_collection_modifyitems", "pytest_configure"]  # hooks, found by their names

# A loaded machine is no reason to fail; the same examples every time, so that a failure repeats.
settings.register_profile("ours", deadline=None, derandomize=True)
settings.load_profile("ours")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a run may be told."""
    add_option(parser)
    parser.addoption("--in-process", action="store_true", help="the REDCap of the envelopes answers without a socket")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What could not be tested on this machine is said in letters nobody overlooks."""
    skipped = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", ())]
    if number := sum(postgres.MISSING in reason for reason in skipped):
        terminalreporter.write_sep("!", f"{postgres.MISSING}; {number} tests", red=True, bold=True)


@pytest.fixture(autouse=True)
def network_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches beyond loopback fails."""
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                pytest.fail(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.fixture(autouse=True)
def no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of the person who runs the tests are never used."""
    for name in VARIABLES.values():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def scripts_warn_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that ends with a code its help does not name fails, in a process of its own too."""
    monkeypatch.setenv("PYTHONWARNINGS", "error::UserWarning")


@pytest.fixture(scope="session")
def frozen() -> Config:
    """config.yaml as it is frozen."""
    return load(FROZEN / "config.yaml")
