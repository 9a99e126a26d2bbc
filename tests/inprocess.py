"""The local REDCap without a socket: what requests sends is answered in this process, in milliseconds.

For mutation testing (`pytest --in-process`, asked for by scripts/survivors.py), where a test runs hundreds of times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from redcap_local.administration import super_token
from redcap_local.call import DEFAULT_VERSION, Server
from redcap_local.chance import random_text
from redcap_local.server import Running, application
from redcap_local.service import Service
from redcap_local.storage.database import Database

ADDRESS = "http://localhost"


@contextmanager
def answering(path: Path) -> Iterator[Running]:
    """Requests are answered from the database file, which is made when there is none, until the block ends."""
    database = Database(path)
    shared = Server(DEFAULT_VERSION, ADDRESS, datetime.now, random_text)
    token = super_token(database, shared)
    application_ = application(Service(database, shared))

    def send(adapter: HTTPAdapter, request: PreparedRequest, **_: Any) -> Response:
        place, headers = urlsplit(str(request.url)).path, list(request.headers.items())
        answer = application_.test_client().open(place, method=request.method, headers=headers, data=request.body)
        body = BytesIO(answer.get_data())
        raw = HTTPResponse(body, dict(answer.headers), answer.status_code, preload_content=False)
        return adapter.build_response(request, raw)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HTTPAdapter, "send", send)
        yield Running(f"{ADDRESS}/api/", token, str)
    database.close()
