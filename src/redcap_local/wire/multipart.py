"""A multipart body whose texts keep bytes that are not UTF-8 recognisable, so that they can be refused, not changed."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.formparser import MultiPartParser

if TYPE_CHECKING:
    from typing_extensions import Buffer

_KEPT = "utf_8_kept"


def _decode(given: Buffer, _errors: str = "", /) -> tuple[str, int]:
    # Werkzeug asks for "replace", after which U+FFFD in valid text and broken bytes look alike.
    return codecs.utf_8_decode(given, "surrogateescape", True)


def _codec(name: str) -> codecs.CodecInfo | None:
    return codecs.CodecInfo(codecs.utf_8_encode, _decode, name=_KEPT) if name == _KEPT else None


codecs.register(_codec)


class _Parser(MultiPartParser):
    def get_part_charset(self, headers: Headers) -> str:
        charset = super().get_part_charset(headers)
        return _KEPT if charset == "utf-8" else charset


def parts(
    body: IO[bytes], options: Mapping[str, str], length: int | None
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    """The texts and files of a body; none of a body that is not multipart.

    Args:
        body: What was sent.
        options: The parameters of its content type: `boundary`.
        length: How long it is, where that was said.
    """
    try:
        return _Parser(max_form_memory_size=None).parse(body, options["boundary"].encode(), length)
    except (KeyError, ValueError):
        return MultiDict(), MultiDict()
