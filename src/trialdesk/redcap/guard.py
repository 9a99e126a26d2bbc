"""What may be believed of an answer: REDCap's, or a web page, a proxy or a crash on the way.

PyCap looks at no status and reads a maintenance page as data
(reference/dependencies.md 3.1), so every answer passes here first.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trialdesk.errors import NotAllowed, RedcapRefused, RedcapUnreachable, TooMuch

if TYPE_CHECKING:
    from requests import RequestException, Response

# Both have been seen with status 200 (reference/redcap-api.md 15).
_PAGE = re.compile(rb"\s*(<!doctype html|<html|<br />\s*<b>)", re.IGNORECASE)
_NO_MEMORY, _NO_DATABASE = b"REDCap ran out of server memory", b"database connection"


def unreached(url: str, error: RequestException) -> RedcapUnreachable:
    """What is said when nobody answered; to be raised `from None`, since these errors carry the token in their request.

    Source: reference/dependencies.md 3.1.
    """
    import requests

    host = urlsplit(url).netloc
    if isinstance(error, requests.exceptions.Timeout):
        return RedcapUnreachable(f"{host} did not answer in time; try again, or raise redcap.read_seconds")
    return RedcapUnreachable(f"{host} can't be reached ({type(error).__name__}); check redcap.url")


def believe(response: Response, *_: object, **__: object) -> None:
    """Nothing happens for an answer of REDCap's that may be read; it is used as a response hook of PyCap.

    Raises:
        RedcapUnreachable: a proxy, a web page, a server failure or the memory message.
        NotAllowed: status 403; the token is unknown or its user lacks a right.
        RedcapRefused: any other refusal, with REDCap's own text in `reason`.
    """
    body = response.content[:2000]
    if response.status_code >= 500 or response.status_code == 429:
        raise RedcapUnreachable(
            f"REDCap answered with status {response.status_code}; try again later",
            retry_after=_seconds(response.headers.get("Retry-After", "")),
        )
    kind = response.headers.get("Content-Type", "")
    if "charset" not in kind:
        response.encoding = "utf-8"  # else requests takes a text for Latin-1
    rows = body.lstrip().startswith(b"[") or kind.startswith("text/csv")  # what a site typed may say the same words
    if _NO_MEMORY in body and not rows:
        raise TooMuch("REDCap ran out of memory; lower redcap.batch in the configuration")
    if _NO_DATABASE in body and not rows:
        raise RedcapUnreachable("REDCap has no database; try again later")
    if is_page(body):
        raise RedcapUnreachable("a web page answered instead of REDCap; check redcap.url, log-in page or maintenance")
    if response.status_code in (301, 302, 307, 308):
        raise RedcapUnreachable("REDCap's address redirects; put the exact address, ending in /api/, in redcap.url")
    if response.status_code == 403:
        raise NotAllowed(f"REDCap refused: {_reason(response)}")
    if response.status_code >= 400:
        reason = _reason(response)
        raise RedcapRefused(f"REDCap refused the request: {without_values(reason)}", reason)
    if kind.startswith(("text/csv", "application/json")) and not _is_text(response.content):
        raise RedcapUnreachable("REDCap's answer was damaged on its way: it is not UTF-8; nothing was used, try again")


def is_page(body: bytes) -> bool:
    """Whether it is a web page, or a crash shown as one."""
    return _PAGE.match(body) is not None


def _is_text(body: bytes) -> bool:
    """Whether it is UTF-8; what is not would be read with other letters in it."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in body


def _seconds(text: str) -> float:
    """What Retry-After asks for, in seconds or as a moment (RFC 9110 10.2.3); 0 where it is neither."""
    if text.strip().isdecimal():
        return float(text)
    try:
        ahead = parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, TypeError):
        return 0.0
    return max(ahead.total_seconds(), 0.0)


def _reason(response: Response) -> str:
    text = response.text.strip()
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        found = re.search(r"<error>(.*?)</error>", text, re.DOTALL)
        return found.group(1) if found else text.removeprefix("ERROR: ")


def without_values(reason: str) -> str:
    """REDCap's reason without data: import errors quote record and value, so only fields stay.

    Source: reference/redcap-api.md 6.3.

    Whatever stands in double quotes is left out: REDCap puts values there, and names of fields in single ones.
    """
    said = [line for line in reason.splitlines() if line.strip()]
    try:
        lines = list(csv.reader(said, strict=True))
    except csv.Error:
        lines = []
    if lines and all(len(line) == 4 for line in lines):
        fields = sorted({line[1] for line in lines})
        return f"{len(lines)} value(s) not accepted, in {', '.join(fields)}: {lines[0][3]}"
    return re.sub(r'"[^"]*"?', '"…"', said[0])[:300] if said else "no reason given"
