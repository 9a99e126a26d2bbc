"""A server that misbehaves when told to, as real ones do now and then (reference/redcap-api.md 15)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from redcap_local.storage import people
from redcap_local.storage.database import Database
from redcap_local.wire.replies import MIME, Reply

_KEY = "fault"
_PAGE = b"<!DOCTYPE html>\n<html><head><title>REDCap</title></head><body>An unknown error occurred.</body></html>"
_MEMORY = (
    b"<br />\n<b>Fatal error</b>: Allowed memory size of 536870912 bytes exhausted in <b>index.php</b><br />\n"
    b'{"error":"REDCap ran out of server memory. The request cannot be processed. Please try importing\\/exporting '
    b'a smaller amount of data."}'
)


@dataclass(frozen=True, slots=True)
class Fault:
    """How the next requests fail.

    `kind` is a key of KINDS, `times` how many requests, `content` the only content concerned ('' for any), `seconds`
    the delay of a slow answer. With `carried_out` the request is done and only its answer is lost.
    """

    kind: str
    times: int = 1
    content: str = ""
    seconds: float = 5.0
    carried_out: bool = False


def _page(status: int) -> Callable[[Fault, Callable[[], Reply]], Reply]:
    return lambda _fault, _answer: Reply(_PAGE, "text/html; charset=utf-8", status)


def _slow(fault: Fault, answer: Callable[[], Reply]) -> Reply:
    time.sleep(fault.seconds)
    return answer()


def _cut(_fault: Fault, answer: Callable[[], Reply]) -> Reply:
    reply = answer()
    body = reply.whole
    # A promised length that never comes: the connection is closed in the middle of the body.
    return Reply(body[: len(body) // 2], reply.mime, reply.status, promised=len(body) + 1)


KINDS: dict[str, Callable[[Fault, Callable[[], Reply]], Reply]] = {
    "html": _page(200),
    "bad-gateway": _page(502),
    "unavailable": _page(503),
    "rate-limit": _page(429),
    "banned": _page(403),
    "empty": lambda _fault, _answer: Reply(b"", MIME["json"]),
    "memory": lambda _fault, _answer: Reply(_MEMORY, "text/html; charset=utf-8"),
    "slow": _slow,
    "cut": _cut,
}


def set_fault(connection: sqlite3.Connection, fault: Fault | None) -> None:
    """The next requests fail that way; None makes the server behave."""
    people.save_server_value(connection, _KEY, json.dumps(asdict(fault)) if fault else "")


def take(database: Database, content: str) -> Fault | None:
    """The fault that this request meets, used up by one; None for none."""
    with database.read() as connection:
        if not people.server_value(connection, _KEY):
            return None
    with database.write() as connection:
        stored = people.server_value(connection, _KEY)
        fault = Fault(**json.loads(stored)) if stored else None
        if fault is None or fault.content not in {"", content}:
            return None
        left = Fault(**{**asdict(fault), "times": fault.times - 1})
        people.save_server_value(connection, _KEY, json.dumps(asdict(left)) if left.times > 0 else "")
    return fault


def failing(fault: Fault, answer: Callable[[], Reply]) -> Reply:
    """The answer spoilt by the fault; the request itself is carried out only when its answer is needed or wanted."""
    if fault.carried_out and fault.kind not in {"slow", "cut"}:
        answer()
    return KINDS[fault.kind](fault, answer)
