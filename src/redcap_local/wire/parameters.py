"""The parameters of a request as PHP reads them (reference/redcap-api.md 1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from redcap_local import messages
from redcap_local.messages import ApiError
from redcap_local.wire.text import clean, has_surrogates

_BRACKETS = re.compile(r"^([^\[\]]+)\[([^\[\]]*)\]$")
_TRUE = frozenset({"1", "true", "yes", "y", "on"})
_FALSE = frozenset({"", "0", "false", "no", "n", "off"})
FORMATS = frozenset({"csv", "json", "xml", "odm"})
DELIMITERS: Mapping[str, str] = {"": ",", ",": ",", "tab": "\t", "\t": "\t", ";": ";", "|": "|", "^": "^"}


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file."""

    name: str
    mime: str
    content: bytes


class Parameters:
    """The form fields of one request; a blank parameter counts as not given.

    As in PHP the later of two spellings wins, `fields[0]` or `fields`, and the later of two values of one index.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], upload: Upload | None = None) -> None:
        self.upload = upload
        self._texts: dict[str, str] = {}
        self._lists: dict[str, dict[str, str]] = {}
        for name, value in pairs:
            bracketed = _BRACKETS.match(name)
            if bracketed:
                self._texts.pop(bracketed[1], None)
                items = self._lists.setdefault(bracketed[1], {})
                items[bracketed[2] or str(len(items))] = value
            else:
                self._lists.pop(name, None)
                self._texts[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._texts or name in self._lists

    def refuse_undecodable(self) -> None:
        """Nothing, unless a parameter holds bytes that are not UTF-8.

        Raises:
            ApiError: Naming the parameter; storing the text would change it.
        """
        lists = ((name, list(items.values())) for name, items in self._lists.items())
        for name, values in (*((name, [text]) for name, text in self._texts.items()), *lists):
            if any(map(has_surrogates, (name, *values))):
                raise ApiError(messages.BAD_PARAMETER, clean(name), "it is not UTF-8")

    def text(self, name: str, default: str = "") -> str:
        """The parameter as sent; the default when absent or blank."""
        return self._texts.get(name) or default

    def needed(self, name: str) -> str:
        """The parameter as sent; refused when absent or blank."""
        value = self.text(name)
        if not value:
            raise ApiError(messages.MISSING_PARAMETER, name)
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean in any spelling clients use: true, True, 1, 0, FALSE."""
        text = self.text(name).strip().lower()
        if not text:
            return default
        if text not in _TRUE | _FALSE:
            raise ApiError(messages.BAD_PARAMETER, name, "it must be true or false")
        return text in _TRUE

    def items(self, name: str) -> list[str]:
        """A list, sent in brackets or as one comma-separated text; [] when not given."""
        if name in self._lists:
            return [item for item in self._lists[name].values() if item]
        return [item.strip() for item in self._texts.get(name, "").split(",") if item.strip()]

    def choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        """One of the allowed words; refused when it is another."""
        value = self.text(name, default).strip()
        words = sorted(allowed)
        if value not in words:
            raise ApiError(messages.BAD_PARAMETER, name, f"it must be one of {', '.join(words)}")
        return value

    def whole(self, name: str) -> int | None:
        """A whole number; None when not given."""
        text = self.text(name).strip()
        if not text:
            return None
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise ApiError(messages.BAD_PARAMETER, name, "it must be a whole number")
        return int(text)

    @property
    def is_eav(self) -> bool:
        """True when the rows have one value each; any other word but `eav` means flat, as in REDCap."""
        return self.text("type").strip().lower() == "eav"

    @property
    def format(self) -> str:
        """The format of data: csv, json, xml or odm; xml when not given."""
        return self.choice("format", FORMATS, "xml")

    @property
    def return_format(self) -> str:
        """The format of errors and confirmations: returnFormat, else format, else xml; never refused."""
        for name in ("returnFormat", "format"):
            if self.text(name) in {"csv", "json", "xml"}:
                return self.text(name)
        return "xml"

    @property
    def delimiter(self) -> str:
        """The character between CSV cells."""
        value = self._texts.get("csvDelimiter", "")
        if value not in DELIMITERS:
            raise ApiError(messages.BAD_PARAMETER, "csvDelimiter", "it must be one of , tab ; | ^")
        return DELIMITERS[value]
