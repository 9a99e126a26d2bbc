"""Form fields of application/x-www-form-urlencoded, decoded so that others are answered beside a large one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

_PIECE = 2**16
"""Bytes that are decoded at a time: nothing else runs in the meantime, and each escape is an object until its end."""


def pairs(body: bytes) -> Iterator[tuple[str, str]]:
    """Name and value of every field, blank ones too, as `urllib.parse.parse_qsl` gives them.

    Bytes that are not UTF-8 stay recognisable as lone surrogates, so that they can be refused instead of changed.
    """
    for part in body.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            yield _decoded(name), _decoded(value)


def _decoded(text: bytes) -> str:
    return b"".join(map(unquote_to_bytes, _pieces(text.replace(b"+", b" ")))).decode("utf-8", "surrogateescape")


def _pieces(text: bytes) -> Iterator[bytes]:
    """The text in pieces, none of which ends within an escape."""
    start = 0
    while start < len(text):
        end = start + _PIECE
        cut = text.rfind(b"%", end - 2, end) if end < len(text) else -1
        stop = cut if cut > start else end
        yield text[start:stop]
        start = stop
