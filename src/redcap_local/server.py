"""HTTP: a Flask application around the service, and a server in a thread."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from mimetypes import guess_type
from pathlib import Path
from string import ascii_letters
from threading import Thread

from flask import Flask, Response, request
from waitress import wasyncore
from waitress.server import create_server

from redcap_local import administration, faults, messages
from redcap_local.call import DEFAULT_VERSION, Server
from redcap_local.chance import random_text
from redcap_local.pages.application import Pages
from redcap_local.pages.guarding import Door, is_loopback
from redcap_local.service import Service
from redcap_local.storage.database import Database
from redcap_local.wire import replies, urlencoded
from redcap_local.wire.multipart import parts
from redcap_local.wire.parameters import Parameters, Upload
from redcap_local.wire.replies import Reply

THREADS = 8
# Connections that only listen and wait cost little; with fewer, a client that leaves many half-sent stops all others.
CONNECTIONS = 800
LARGEST = 2**30  # bytes of one request; more is refused
# reference/redcap-api.md 1.1
_HEADERS = {
    "expires": "0",
    "cache-control": "no-store, no-cache, must-revalidate",
    "pragma": "no-cache",
    "x-xss-protection": "1;  mode=block",
    "x-content-type-options": "nosniff",
    "access-control-allow-origin": "*",
}


# All are routed, so that all but POST can be refused as REDCap does.
_VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers: the address of its API, the token that creates projects, and the way to its pages.

    `start()` gives a new address at which one browser may enter the pages, once; behind https it is the address there,
    and blank where there are no pages.
    """

    url: str
    super_token: str
    start: Callable[[], str]

    def __repr__(self) -> str:
        return f"Running(url={self.url!r})"


def application(service: Service) -> Flask:
    """The WSGI application of the API: POST /api/."""
    app = Flask("redcap_local")
    # Form fields of any size and number: an import is one field, a full export one field per variable.
    app.config.update(MAX_FORM_MEMORY_SIZE=None, MAX_FORM_PARTS=None, MAX_CONTENT_LENGTH=None)
    app.url_map.strict_slashes = True

    @app.route("/api/", methods=_VERBS, provide_automatic_options=False)
    @app.route("/redcap/api/", methods=_VERBS, provide_automatic_options=False)
    def api() -> Response:
        if request.method != "POST":
            refused = messages.NOT_IMPLEMENTED
            return _response(replies.error(refused.status, refused.text, "xml"))
        parameters = _parameters()
        fault = faults.take(service.database, parameters.text("content"))
        if fault is not None:
            return _response(faults.failing(fault, lambda: service.answer(parameters)))
        return _response(service.answer(parameters))

    return app


def _parameters() -> Parameters:
    if request.mimetype == "application/x-www-form-urlencoded":
        # Bytes that are not UTF-8 stay recognisable, so that they can be refused instead of changed.
        return Parameters(urlencoded.pairs(request.get_data(cache=False)))
    if request.mimetype != "multipart/form-data":
        return Parameters([])
    texts, files = parts(request.stream, request.mimetype_params, request.content_length)
    pairs = list(texts.items(multi=True))
    sent = files.get("file")
    upload = None
    if sent is not None:
        name = sent.filename or "file"
        # Clients rarely tell the type of an upload; its name does.
        upload = Upload(name, sent.mimetype or guess_type(name)[0] or "application/octet-stream", sent.read())
    for _, file in files.items(multi=True):
        file.close()
    return Parameters(pairs, upload)


def _response(reply: Reply) -> Response:
    response = Response(reply.body, status=reply.status, headers=_HEADERS)
    response.headers["content-type"] = reply.mime
    response.headers["redcap-random-text"] = random_text(ascii_letters, 1 + secrets.randbelow(64))
    if reply.promised is not None:
        response.automatically_set_content_length = False
        response.headers["content-length"] = str(reply.promised)
    return response


@contextmanager
def running(
    path: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    version: str = DEFAULT_VERSION,
    behind_https: str = "",
    clock: Callable[[], datetime] = datetime.now,
) -> Iterator[Running]:
    """A server answers on the database file until the block ends.

    Args:
        path: The database file; made when there is none.
        host: The address to listen on.
        port: 0 takes a free one.
        version: The REDCap version to behave like.
        behind_https: The https address in front of the server; without it there are pages on this machine only.
        clock: The server's clock, local time.
    """
    database = Database(path)
    listening = socket.create_server((host, port))
    port = listening.getsockname()[1]
    address = f"{host}:{port}"
    shared = Server(version, f"http://{address}", clock, random_text)
    token = administration.super_token(database, shared)
    app = application(Service(database, shared))
    pages = Pages(database, shared, Door(port, is_loopback(host), behind_https))
    pages.register(app)
    http = create_server(
        app,
        sockets=[listening],
        threads=THREADS,
        connection_limit=CONNECTIONS,
        max_request_body_size=LARGEST,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=True,
    )
    thread = Thread(target=http.run, name="redcap_local", daemon=True)
    thread.start()
    try:
        yield Running(f"{shared.address}/api/", token, pages.start_address)
    finally:
        http.task_dispatcher.shutdown()
        # Sockets are closed by the thread that polls them: connections kept alive would hold it otherwise.
        with suppress(OSError):  # it has ended by itself
            http.trigger.pull_trigger(lambda: wasyncore.close_all(http._map))
        thread.join(timeout=5)
        database.close()
