"""How one value is written in JSON, CSV and XML, byte for byte as PHP does (reference/redcap-api.md 3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from json.encoder import encode_basestring_ascii

XML_PROLOG = '<?xml version="1.0" encoding="UTF-8" ?>'
# Characters that XML 1.0 cannot carry at all.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NEEDS_QUOTES = {delimiter: re.compile(rf'[{re.escape(delimiter)}"\\\n\r\t ]').search for delimiter in ",;|^\t"}


def json_text(value: str) -> str:
    r"""A JSON string: ASCII only, `/` written as `\/`."""
    return encode_basestring_ascii(value).replace("/", "\\/")


def csv_quoted(value: str) -> str:
    """A CSV cell in quotes whatever it holds."""
    return '"' + value.replace('"', '""') + '"'


def csv_cell(delimiter: str = ",") -> Callable[[str], str]:
    """A function that writes a CSV cell and quotes it when PHP's fputcsv would."""
    needs_quotes = _NEEDS_QUOTES[delimiter]

    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"' if value and needs_quotes(value) else value

    return cell


def cdata(value: str) -> str:
    """An XML CDATA section; nothing for a blank value."""
    if not value:
        return ""
    return f"<![CDATA[{_NOT_XML.sub('', value).replace(']]>', ']]]]><![CDATA[>')}]]>"


def clean(value: str) -> str:
    """The text without lone surrogates, which no output could carry."""
    return _SURROGATE.sub("\ufffd", value) if has_surrogates(value) else value


def has_surrogates(value: str) -> bool:
    """Whether a text holds lone surrogates: what bytes that are not UTF-8 have become.

    Encoding tells it in a hundredth of the time that a search takes; others wait for it where the text is large.
    """
    if value.isascii():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False
