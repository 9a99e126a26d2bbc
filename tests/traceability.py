"""Which requirement which test proves: markers are checked when tests are collected, outcomes are kept as JSON.

The JSON is the one source of the table in the validation package (scripts/make_validation.py).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

TABLE = Path(__file__).parents[1] / "docs" / "validation" / "requirements.csv"
MARKER, OPTION = "requirement", "--outcomes"
_PROPERTY = "requirements"


def known() -> frozenset[str]:
    """The ids of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return frozenset(row["id"] for row in csv.DictReader(file))


def named(item: pytest.Item) -> Iterator[str]:
    """The requirements a test names, at itself or at its module."""
    for mark in item.iter_markers(MARKER):
        yield from map(str, mark.args)


class Outcomes:
    """What became of every test; a test that fails in its making or its clearing has failed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, str] = {}
        self.names: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self.found.get(report.nodeid, "")
        if report.failed or report.skipped or report.when == "call":
            worse = before == "failed" or (before == "skipped" and report.passed)
            self.found[report.nodeid] = before if worse else report.outcome
        ids = dict(report.user_properties).get(_PROPERTY)
        if isinstance(ids, list | tuple):
            self.names[report.nodeid] = [str(one) for one in ids]

    def pytest_sessionfinish(self) -> None:
        told = [
            {"test": name, "outcome": outcome, "requirements": self.names.get(name, [])}
            for name, outcome in sorted(self.found.items())
        ]
        self.path.write_text(f"{json.dumps(told, indent=1)}\n", encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, type=Path, metavar="FILE", help="keep what became of every test, with its requirements")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(*ids): proves these rows of docs/validation/requirements.csv")
    path = config.getoption(OPTION)
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(path.resolve()), "outcomes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rows = known()
    for item in items:
        ids = list(dict.fromkeys(named(item)))
        if unknown := [one for one in ids if one not in rows]:
            raise pytest.UsageError(f"{item.nodeid}: no requirement {unknown[0]} in docs/validation/requirements.csv")
        item.user_properties.append((_PROPERTY, ids))
