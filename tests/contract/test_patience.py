"""A server that drips, is away for a while, or asks for time: over real HTTP, with servers that behave so."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from pydantic import SecretStr

from trialdesk.errors import RedcapUnreachable
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patience import Patience, for_a_night

pytestmark = pytest.mark.requirement("NGT-03")

Answer = Callable[[BaseHTTPRequestHandler, int], None]
GROUPS = json.dumps([{"data_access_group_name": "Odense", "unique_group_name": "ode"}]).encode()


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[float]]]:
    """The address of a server that answers the n-th question so, and the moments at which it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(time.monotonic())
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self, len(asked))

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/", asked
    finally:
        server.shutdown()
        server.server_close()


def fine(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(GROUPS)))
    handler.end_headers()
    handler.wfile.write(GROUPS)


def busy(handler: BaseHTTPRequestHandler, after: str) -> None:
    handler.send_response(503)
    if after:
        handler.send_header("Retry-After", after)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_a_server_that_drips_does_not_hold_a_run() -> None:
    """A byte now and then resets every time-out of a socket; the budget ends it all the same."""

    def drip(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(1000):
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    with answering(drip) as (url, asked):
        begun = time.monotonic()
        gateway = Gateway(url, SecretStr("A" * 32), timeout=(1, 1), patience=for_a_night(0.6))
        with pytest.raises(RedcapUnreachable, match="did not answer in time"):
            gateway.groups()
        assert time.monotonic() - begun < 3
        assert len(asked) == 1


def test_a_server_that_is_away_for_a_while_ends_no_night() -> None:
    """Asked again, with waits between, as long as the budget allows."""

    def away(handler: BaseHTTPRequestHandler, number: int) -> None:
        busy(handler, "") if number < 8 else fine(handler)

    with answering(away) as (url, asked):
        patience = Patience(None, 0.02, 0.05, 30, time.monotonic() + 30)
        assert Gateway(url, SecretStr("A" * 32), patience=patience).groups()[0]["unique_group_name"] == "ode"
        assert len(asked) == 8


@pytest.mark.parametrize("form", ["seconds", "moment"])
def test_the_server_s_own_wish_is_obeyed(form: str) -> None:
    """Retry-After, in seconds or as a moment (RFC 9110 10.2.3)."""

    def wishing(handler: BaseHTTPRequestHandler, number: int) -> None:
        moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        busy(handler, "1" if form == "seconds" else moment) if number == 1 else fine(handler)

    with answering(wishing) as (url, asked):
        assert Gateway(url, SecretStr("A" * 32), patience=Patience(3, 0.01, 5)).groups()
        assert 0.8 < asked[1] - asked[0] < 3


def test_no_wish_is_longer_than_the_longest_wait() -> None:
    """A server that asks for a day is asked again sooner."""

    def wishing(handler: BaseHTTPRequestHandler, number: int) -> None:
        busy(handler, "86400") if number == 1 else fine(handler)

    with answering(wishing) as (url, asked):
        assert Gateway(url, SecretStr("A" * 32), patience=Patience(3, 0.01, 0.2)).groups()
        assert asked[1] - asked[0] < 2


def test_a_budget_is_one_for_the_whole_run() -> None:
    """What one request used the next has no more."""
    with answering(lambda handler, _: busy(handler, "")) as (url, asked):
        patience = Patience(None, 0.01, 0.05, 60, time.monotonic() + 0.5)
        for _ in range(2):
            with pytest.raises(RedcapUnreachable):
                Gateway(url, SecretStr("A" * 32), patience=patience).groups()
        assert asked[-1] - asked[0] < 1.5
