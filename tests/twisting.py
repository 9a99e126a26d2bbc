"""A server between the desk and REDCap that changes answers on their way, as bad networks and servers do."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import requests

Asked = dict[str, str]
Twist = Callable[[Asked, bytes], bytes]


@dataclass
class Twisting:
    """Where it answers, what it does to answers, and how often each content was asked for."""

    url: str = ""
    twist: Twist = lambda _, body: body
    asked: Counter[str] = field(default_factory=Counter)


@contextmanager
def twisting(target: str) -> Iterator[Twisting]:
    """Everything asked of its address is asked of the target; the answer goes through `twist` first."""
    between = Twisting()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = dict(parse_qsl(body.decode(), keep_blank_values=True))
            between.asked[asked.get("content", "")] += 1
            kind = self.headers["Content-Type"]
            answer = requests.post(target, data=body, headers={"Content-Type": kind}, timeout=30)
            content = between.twist(asked, answer.content)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        between.url = f"http://127.0.0.1:{server.server_address[1]}/api/"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield between
        finally:
            server.shutdown()
            thread.join()


def of_rows(content: str, change: Callable[[list[dict[str, Any]]], object], *, times: int = 1_000) -> Twist:
    """A twist of every exported table of one content, `times` times."""
    left = [times]

    def twist(asked: Asked, body: bytes) -> bytes:
        if asked.get("content") != content or "data" in asked or not left[0]:
            return body
        in_csv = asked.get("format") == "csv" and not body.startswith((b"ERROR", b"{"))
        if not in_csv and not body.startswith(b"["):
            return body
        left[0] -= 1
        rows: list[dict[str, Any]] = _from_csv(body) if in_csv else json.loads(body)
        changed = change(rows)
        wanted = rows if changed is None else changed
        return _to_csv(wanted) if in_csv else json.dumps(wanted).encode()

    return twist


def _from_csv(body: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def _to_csv(rows: Any) -> bytes:
    """As REDCap writes it; what is no list of rows goes as it is."""
    if not isinstance(rows, list) or not rows:
        return b"" if rows == [] else json.dumps(rows).encode()
    text = io.StringIO(newline="")
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(text, [*columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
