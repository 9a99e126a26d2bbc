"""A server between the desk and REDCap that fails as networks do, and lies as servers do: by chance, but repeatably.

Each fault is one kind, met by some of the requests of one night. What a night may then do is the same for all: publish
what is right, or what it says is not, or nothing; and write nothing into REDCap but what is right.
"""

from __future__ import annotations

import csv
import io
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from urllib.parse import parse_qsl

import requests

Rows = list[dict[str, str]]
PAGE = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>Back soon</body></html>"


@dataclass
class Answer:
    """What goes back to the desk; `promised` is another length than the body has, `raw` goes as it is."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    raw: bytes | None = None
    reset: bool = False


Fault = Callable[[Answer, Random], Answer]


def _status(code: int, **headers: str) -> Fault:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _answer, _chance: Answer(PAGE, code, {"Content-Type": "text/html", **more})


def _body(change: Callable[[bytes, Random], bytes]) -> Fault:
    return lambda answer, chance: Answer(change(answer.body, chance), answer.status, answer.headers)


def _said(text: bytes, status: int = 200, kind: str = "text/html") -> Fault:
    return lambda _answer, _chance: Answer(text, status, {"Content-Type": kind})


def _slow(answer: Answer, chance: Random) -> Answer:
    time.sleep(chance.random() / 4)
    return answer


def _cut_short(answer: Answer, chance: Random) -> Answer:
    return Answer(
        answer.body[: chance.randrange(len(answer.body) or 1)], answer.status, answer.headers, len(answer.body)
    )


TRANSPORT: dict[str, Fault] = {
    "closed without a word": lambda _answer, _chance: Answer(b"", raw=b""),
    "reset": lambda _answer, _chance: Answer(b"", raw=b"", reset=True),
    "half a head": lambda _answer, _chance: Answer(b"", raw=b"HTTP/1.1 200 OK\r\nContent-Le"),
    "no HTTP": lambda _answer, _chance: Answer(b"", raw=b"220 mail.example.org ESMTP\r\n"),
    "body cut, its length promised": _cut_short,
    "reset in the body": lambda a, c: Answer(_cut_short(a, c).body, a.status, a.headers, len(a.body), reset=True),
    "body cut, length right": _body(lambda body, chance: body[: chance.randrange(len(body) or 1)]),
    "last byte missing": _body(lambda body, _: body[:-1]),
    "last line missing": _body(lambda body, _: body[: body.rstrip(b"\n").rfind(b"\n") + 1]),
    "nothing at all": _body(lambda _body, _chance: b""),
    "blanks alone": _body(lambda _body, _chance: b" \n"),
    "broken chunks": lambda a, _: Answer(
        b"", raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + a.body[:3]
    ),
    "no gzip after all": lambda a, _: Answer(a.body, a.status, {**a.headers, "Content-Encoding": "gzip"}),
    "letters damaged": _body(lambda body, chance: _at(body, chance, b"\xe6\xf8")),
    "zeros inside": _body(lambda body, chance: _at(body, chance, b"\0\0")),
    "twice": _body(lambda body, _: body + body),
    "a comment behind": _body(lambda body, _: body + b"<!-- cached -->\n"),
    "page, 200": _said(PAGE),
    "page as csv": _said(PAGE, kind="text/csv"),
    "memory": _said(b"<b>Fatal error</b> REDCap ran out of server memory."),
    "database": _said(b"REDCap: database connection failed"),
    "error as data": _said(b'{"error":"An unknown error occurred"}', kind="application/json"),
    "ERROR as csv": _said(b"ERROR: An unknown error occurred", kind="text/csv"),
    "a number": _said(b"17", kind="application/json"),
    "an empty list": _said(b"[]", kind="application/json"),
    "a head without rows": _body(lambda body, _: body[: body.find(b"\n") + 1]),
    "slow": _slow,
    "another type": lambda a, _: Answer(a.body, a.status, {"Content-Type": "text/html; charset=utf-8"}),
    **{f"status {code}": _status(code) for code in (400, 401, 403, 404, 408, 500, 502, 504)},
    "status 302": _status(302, Location="https://login.example.org/"),
    "status 429": _status(429, Retry_After="0"),
    "status 503": _status(503, Retry_After="0"),
}


def _at(body: bytes, chance: Random, more: bytes) -> bytes:
    place = chance.randrange(len(body) or 1)
    return body[:place] + more + body[place + len(more) :]


def _rows(change: Callable[[Rows, Random], Rows]) -> Fault:
    """A lie about exported records: a right table with other rows."""

    def lie(answer: Answer, chance: Random) -> Answer:
        in_csv = answer.headers.get("Content-Type", "").startswith("text/csv")
        rows: Rows = _read(answer.body) if in_csv else json.loads(answer.body)
        if not isinstance(rows, list) or not rows:
            return answer
        made = change(rows, chance)
        body = _written(made, [*rows[0]]) if in_csv else json.dumps(made).encode()
        return Answer(body, answer.status, answer.headers)

    return lie


def _read(body: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def _written(rows: Rows, names: list[str]) -> bytes:
    text = io.StringIO(newline="")
    shown = [name for name in names if not rows or name in rows[0]]
    writer = csv.DictWriter(text, shown, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _key(row: dict[str, str]) -> str:
    return next(iter(row.values()))


def _without_record(rows: Rows, chance: Random) -> Rows:
    gone = chance.choice(sorted({_key(row) for row in rows}))
    return [row for row in rows if _key(row) != gone]


def _without_half(rows: Rows, chance: Random) -> Rows:
    gone = {*chance.sample(known := sorted({_key(row) for row in rows}), len(known) // 2)}
    return [row for row in rows if _key(row) not in gone]


def _without_row(rows: Rows, chance: Random) -> Rows:
    gone = chance.choice(rows)
    return [row for row in rows if row is not gone]


def _without(column: str) -> Callable[[Rows, Random], Rows]:
    """Without all rows of one event, or of one repeating form."""

    def change(rows: Rows, chance: Random) -> Rows:
        known = sorted({row[column] for row in rows if row.get(column)})
        gone = chance.choice(known) if known else None
        return [row for row in rows if row.get(column) != gone or gone is None]

    return change


def _without_column(rows: Rows, chance: Random) -> Rows:
    name = chance.choice([*rows[0]][1:] or [*rows[0]])
    return [{column: value for column, value in row.items() if column != name} for row in rows]


def _without_group(rows: Rows, _: Random) -> Rows:
    return [{column: value for column, value in row.items() if column != "redcap_data_access_group"} for row in rows]


def _other_project(rows: Rows, _: Random) -> Rows:
    first = next(iter(rows[0]))
    return [{**row, first: f"X{row[first]}"} for row in rows]


LIES: dict[str, Fault] = {
    "a record left out": _rows(_without_record),
    "half of the records left out": _rows(_without_half),
    "a row left out": _rows(_without_row),
    "an event left out": _rows(_without("redcap_event_name")),
    "repeats left out": _rows(_without("redcap_repeat_instrument")),
    "a column left out": _rows(_without_column),
    "no data access groups": _rows(_without_group),
    "a row twice": _rows(lambda rows, chance: [*rows, chance.choice(rows)]),
    "everything twice": _rows(lambda rows, _: [*rows, *rows]),
    "another project's records": _rows(_other_project),
    "everything blank": _rows(
        lambda rows, _: [{n: v if n == next(iter(row)) else "" for n, v in row.items()} for row in rows]
    ),
    "no rows": _rows(lambda _rows, _chance: []),
}
STALE = "as it was before"
"""A lie that needs the past: the answer the same request had earlier (`Between.earlier`)."""


@dataclass
class Plan:
    """One kind of fault, met by requests number `first` to `last` of a night, from 0; `content` "" for any."""

    kind: str
    fault: Fault
    content: str
    first: int
    last: int
    chance: Random
    met: int = 0


def plan(seed: int) -> Plan:
    """The same seed plans the same."""
    chance = Random(seed)
    lies = chance.random() < 0.4
    kinds = {**LIES, STALE: lambda answer, _: answer} if lies else TRANSPORT
    kind, fault = chance.choice(sorted(kinds.items(), key=lambda pair: pair[0]))
    first = chance.randrange(40)
    return Plan(kind, fault, "record" if lies else "", first, first + chance.choice((0, 0, 1, 3, 100)), chance)


@dataclass
class Between:
    """Where the server answers, and what it has in mind.

    While it is `noting`, `earlier` takes in what it answers, by what was asked: what a stale server says later.
    """

    url: str = ""
    plan: Plan | None = None
    number: int = 0
    noting: bool = False
    earlier: dict[frozenset[tuple[str, str]], Answer] = field(default_factory=dict)

    def answer(self, asked: dict[str, str], answer: Answer) -> Answer:
        """The answer, or what becomes of it; only what is asked for is faulty, not what is written."""
        self.number += 1
        mind, question = self.plan, frozenset(asked.items())
        if self.noting:
            self.earlier[question] = answer
        if mind is None or "data" in asked or mind.content not in ("", asked.get("content", "")):
            return answer
        if not mind.first < self.number <= mind.last + 1 or not answer.body:
            return answer
        mind.met += 1
        return self.earlier.get(question, answer) if mind.kind == STALE else mind.fault(answer, mind.chance)


@contextmanager
def between(target: str) -> Iterator[Between]:
    """Everything asked of its address is asked of the target."""
    it = Between()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = dict(parse_qsl(body.decode(), keep_blank_values=True))
            kind = self.headers["Content-Type"]
            real = requests.post(target, data=body, headers={"Content-Type": kind}, timeout=30)
            told = {"Content-Type": real.headers["Content-Type"]}
            self.reply(it.answer(asked, Answer(real.content, real.status_code, told)))

        def reply(self, answer: Answer) -> None:
            self.close_connection = True
            if answer.reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if answer.raw is not None:
                self.wfile.write(answer.raw)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) if answer.promised is None else answer.promised))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        it.url = f"http://127.0.0.1:{server.server_address[1]}/api/"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield it
        finally:
            server.shutdown()
            thread.join()
