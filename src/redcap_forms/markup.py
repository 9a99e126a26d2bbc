"""Labels as safe mark-up, with the places where values are piped in and fields are embedded."""

from __future__ import annotations

import html
import re

from redcap_forms.javascript import place_of
from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import LogicError, parse
from redcap_rules.logic.syntax import Reference, Smart

# REDCap shows simple mark-up in labels; attributes are dropped and everything else is text.
_MARKUP = re.compile(
    r"&lt;(/?)(b|i|u|em|strong|br|p|div|span|h[1-6]|ul|ol|li|sub|sup)(?:\s.*?)?\s*/?&gt;", re.IGNORECASE
)
_BRACKETS = re.compile(r"(?:\[[^\[\]]+\]){1,3}")
_EMBEDDED = re.compile(r"\{([a-z][a-z0-9_]*)(?::icons)?\}")


def shown(text: str, dictionary: Dictionary | None = None) -> str:
    """A text as safe mark-up; with a dictionary, `[field]` and `{field}` are places the browser fills."""
    safe = _MARKUP.sub(lambda m: f"<{m[1]}{m[2].lower()}>", html.escape(text, quote=False)).replace("\n", "<br>")
    if dictionary is None:
        return safe
    safe = _BRACKETS.sub(lambda found: _piped(found[0], dictionary), safe)
    return _EMBEDDED.sub(lambda found: _embedded(found, dictionary), safe)


def piped_references(text: str) -> tuple[Reference, ...]:
    """The fields a text pipes in."""
    leaves = (_leaf(found[0]) for found in _BRACKETS.finditer(text))
    return tuple(leaf for leaf in leaves if isinstance(leaf, Reference))


def _piped(text: str, dictionary: Dictionary) -> str:
    leaf = _leaf(text)
    if isinstance(leaf, Reference) and _knows(dictionary, leaf.field):
        return f'<span class="piped" data-from="{html.escape(place_of(leaf))}"></span>'
    if isinstance(leaf, Smart):
        return f'<span class="piped" data-smart="{html.escape(leaf.name)}"></span>'
    return text


def _embedded(found: re.Match[str], dictionary: Dictionary) -> str:
    return f'<span data-embed="{found[1]}"></span>' if found[1] in dictionary else found[0]


def _leaf(text: str) -> object:
    try:
        nodes = parse(text).nodes
    except LogicError:
        return None  # brackets that are no place of a value are text
    return nodes[0] if len(nodes) == 1 else None


def _knows(dictionary: Dictionary, name: str) -> bool:
    return name in dictionary or name in map(dictionary.status_field, dictionary.forms)
