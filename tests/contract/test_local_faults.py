"""A server that misbehaves on request (reference/redcap-api.md 15)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from redcap_local.faults import Fault, set_fault
from redcap_local.storage.database import Database

pytestmark = pytest.mark.requirement("RCP-02")


@pytest.fixture
def database(clinic: Any) -> Iterator[Database]:
    """The server's file, from another connection; without faults afterwards."""
    opened = Database(clinic.db)
    yield opened
    with opened.write() as connection:
        set_fault(connection, None)
    opened.close()


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("html", 200, "<html>"),
        ("bad-gateway", 502, "<html>"),
        ("unavailable", 503, "<html>"),
        ("rate-limit", 429, "<html>"),
        ("banned", 403, "<html>"),
        ("empty", 200, ""),
        ("memory", 200, "REDCap ran out of server memory."),
    ],
)
def test_a_fault_lasts_as_long_as_told(clinic: Any, database: Database, kind: str, status: int, words: str) -> None:
    """15.1 to 15.4."""
    with database.write() as connection:
        set_fault(connection, Fault(kind, times=2))
    for _ in range(2):
        response = clinic.admin.post(content="version")
        assert response.status_code == status
        assert words in response.text
        assert bool(response.text) == bool(words)
    assert clinic.admin.post(content="version").text == "15.0.12"


def test_a_fault_can_be_of_one_content_only(clinic: Any, database: Database) -> None:
    """Other requests are answered meanwhile."""
    with database.write() as connection:
        set_fault(connection, Fault("bad-gateway", content="record"))
    assert clinic.admin.post(content="version").status_code == 200
    assert clinic.admin.post(content="record").status_code == 502


def test_a_body_can_be_cut_off(clinic: Any, database: Database) -> None:
    """15.2: the connection ends before the promised length."""
    with database.write() as connection:
        set_fault(connection, Fault("cut"))
    with pytest.raises(requests.exceptions.RequestException):
        clinic.admin.post(content="metadata")


def test_an_answer_can_be_slow(clinic: Any, database: Database) -> None:
    """For time-outs."""
    with database.write() as connection:
        set_fault(connection, Fault("slow", seconds=0.2))
    begin = time.monotonic()
    assert clinic.admin.post(content="version").status_code == 200
    assert time.monotonic() - begin >= 0.2


@pytest.mark.parametrize("carried_out", [False, True])
def test_an_answer_can_be_lost_after_the_work_was_done(clinic: Any, database: Database, carried_out: bool) -> None:
    """What a client must survive: it cannot know whether its import happened."""
    with database.write() as connection:
        set_fault(connection, Fault("bad-gateway", content="record", carried_out=carried_out))
    assert clinic.admin.post(content="record", data=[{"record_id": "1"}]).status_code == 502
    assert len(clinic.admin.rows()) == int(carried_out)
