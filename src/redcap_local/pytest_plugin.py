"""A pytest plugin for the authors of REDCap clients: the fixture `redcap` is a running server for projects of your own.

    def test_what_i_wrote_comes_back(redcap):
        project = redcap.project("dictionary.csv")
        mine = MyClient(project.url, project.token)
        ...
        redcap.faults("html", times=2)  # the next two requests get a page with status 200

Nothing leaves the machine: the server is a thread of the tests' own process, its database a file in a temporary folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from redcap_local.administration import give_token, opened
from redcap_local.call import DEFAULT_VERSION
from redcap_local.faults import Fault, set_fault
from redcap_local.people import CREATOR
from redcap_local.server import running

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class LocalProject:
    """A project: the address of the API, its number, and the token of a user with all rights in it."""

    url: str
    id: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LocalRedcap:
    """A running server: the address of its API, the token that creates projects, and its database file."""

    url: str
    super_token: str = field(repr=False)
    database: Path

    def project(
        self, dictionary: str | Path | None = None, *, xml: str | Path | None = None, title: str = "A project of a test"
    ) -> LocalProject:
        """A new project, with the data dictionary of a CSV file, or all that a project XML file holds.

        Args:
            dictionary: A data dictionary as REDCap's Download or its API gives it.
            xml: A project XML file, with or without records.
            title: What it is called.

        Raises:
            ValueError: the server refused the file; the text is the server's own.
        """
        sent = {"odm": Path(xml).read_text(encoding="utf-8")} if xml else {}
        settings = [{"project_title": title, "purpose": "0"}]
        token = self._asked(token=self.super_token, content="project", format="json", data=json.dumps(settings), **sent)
        if dictionary:
            rows = Path(dictionary).read_text(encoding="utf-8-sig")
            self._asked(token=token, content="metadata", format="csv", data=rows)
        info = json.loads(self._asked(token=token, content="project", format="json"))
        return LocalProject(self.url, int(info["project_id"]), token)

    def token(self, project: LocalProject, user: str = CREATOR) -> str:
        """The token of a project's user, made when there is none yet."""
        return give_token(self.database, project.id, user)

    def faults(
        self, kind: str | None, times: int = 1, *, content: str = "", seconds: float = 5.0, carried_out: bool = False
    ) -> None:
        """The next requests fail; None makes the server behave. What there is: docs/local-redcap.md, `faults`.

        Args:
            kind: html, bad-gateway, unavailable, rate-limit, banned, empty, memory, slow or cut.
            times: How many requests.
            content: Only requests for this content.
            seconds: How slow a slow answer is.
            carried_out: The request is done, only its answer is lost.
        """
        with opened(self.database) as connection:
            set_fault(connection, Fault(kind, times, content, seconds, carried_out) if kind else None)

    def _asked(self, **payload: str) -> str:
        answer = requests.post(self.url, data={"returnFormat": "json", **payload}, timeout=_SECONDS)
        if not answer.ok:
            raise ValueError(f"the local REDCap refused it: {answer.text}")
        return answer.text


def pytest_addoption(parser: Any) -> None:
    """`--redcap-version`: the version of REDCap that the server behaves like."""
    parser.getgroup("redcap-local").addoption(
        "--redcap-version", default=DEFAULT_VERSION, help="the version of REDCap that the local one behaves like"
    )


@pytest.fixture
def redcap(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[LocalRedcap]:
    """A server of the test's own, on a free port, that ends with the test."""
    database = tmp_path_factory.mktemp("redcap") / "redcap.db"
    with running(database, version=str(pytestconfig.getoption("--redcap-version"))) as server:
        yield LocalRedcap(server.url, server.super_token, database)
