"""The local REDCap without a socket: what requests sends is answered in this process, in milliseconds.

For mutation testing (`pytest --in-process`, asked for by scripts/survivors.py), where a test runs hundreds of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from werkzeug.wsgi import ClosingIterator

from faulty import Answer
from redcap_local.administration import super_token
from redcap_local.call import DEFAULT_VERSION, Server
from redcap_local.chance import random_text
from redcap_local.server import Running, application
from redcap_local.service import Service
from redcap_local.storage.database import Database

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

ADDRESS = "http://localhost"
Ask = Callable[[], Answer]
Through = Callable[[str, Ask], Answer]
"""What lies between desk and REDCap: it is given what is sent, and asks REDCap for the answer, or does not."""


@contextmanager
def answering(
    path: Path, *, clock: Callable[[], datetime] = datetime.now, through: Through = lambda _, ask: ask()
) -> Iterator[Running]:
    """Requests are answered from the database file, which is made when there is none, until the block ends.

    Args:
        path: The database file.
        clock: The server's clock, local time.
        through: What every request goes through.
    """
    database = Database(path)
    shared = Server(DEFAULT_VERSION, ADDRESS, clock, random_text)
    token = super_token(database, shared)
    application_ = application(Service(database, shared))

    def send(adapter: HTTPAdapter, request: PreparedRequest, **_: Any) -> Response:
        sent = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        answer = through(sent, lambda: _asked(application_, request))
        dated = {"Date": format_datetime(clock().astimezone(UTC), usegmt=True), **answer.headers}
        raw = HTTPResponse(BytesIO(answer.body), dated, answer.status, preload_content=False)
        return adapter.build_response(request, raw)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HTTPAdapter, "send", send)
        yield Running(f"{ADDRESS}/api/", token, str)
    database.close()


def _asked(application_: WSGIApplication, request: PreparedRequest) -> Answer:
    """What the application answers; a test client would take as long as the answer."""
    head: list[tuple[str, list[tuple[str, str]]]] = []
    body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
    environ: WSGIEnvironment = {
        f"HTTP_{name.upper().replace('-', '_')}": text for name, text in request.headers.items()
    }
    environ |= {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": urlsplit(str(request.url)).path,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    setup_testing_defaults(environ)

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
        head.append((status, headers))
        return lambda _: None

    chunks = application_(environ, start)
    try:
        told = b"".join(chunks)
    finally:
        if isinstance(chunks, ClosingIterator):
            chunks.close()
    ((status, headers),) = head
    return Answer(told, int(status.partition(" ")[0]), dict(headers))
