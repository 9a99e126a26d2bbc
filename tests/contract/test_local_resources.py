"""One client that sends much, or half of it, does not stop the others."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from redcap_local.pages.guarding import is_loopback
from redcap_local.server import running

pytestmark = pytest.mark.requirement("RCP-02")


def test_half_sent_requests_stop_nobody(tmp_path: Path) -> None:
    """150 connections that never end their request, and one that does."""
    with running(tmp_path / "r.db") as server:
        place = urlsplit(server.url)
        half = b"POST /api/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nto"
        waiting = [socket.create_connection((place.hostname, place.port), timeout=5) for _ in range(150)]
        try:
            for one in waiting:
                one.sendall(half)
            begin = time.monotonic()
            body = {"token": server.super_token, "content": "version"}
            assert requests.post(server.url, data=body, timeout=10).status_code == 200
            assert time.monotonic() - begin < 5
        finally:
            for one in waiting:
                one.close()


def test_more_than_a_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    """By what the request says of itself."""
    with running(tmp_path / "r.db") as server:
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port), timeout=10) as one:
            one.sendall(b"POST /api/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741825\r\n\r\n")
            assert b" 413 " in one.recv(200)


@pytest.mark.parametrize("content", ["project_xml", "record"])
def test_a_bad_flag_is_refused_before_the_answer_begins(clinic: Any, content: str) -> None:
    """Not half an answer with status 200."""
    clinic.admin.put({"record_id": "1"})
    answer = clinic.admin.post(content=content, format="odm" if content == "record" else "xml", exportFiles="perhaps")
    assert answer.status_code == 400
    assert "exportFiles" in answer.text
    assert "<ODM" not in answer.text


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("localhost", True),
        ("::1", True),
        ("192.168.1.5", False),
        ("10.0.0.5", False),
    ],
)
def test_what_leaves_this_machine_is_known(host: str, inside: bool) -> None:
    """`serve --host` warns of the others."""
    assert is_loopback(host) is inside
