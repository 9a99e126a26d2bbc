"""A formula cut into tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from redcap_rules.logic.errors import LogicError
from redcap_rules.logic.syntax import Span

_TOKEN = re.compile(
    r"""
    (?P<blank>   \s+ | \#[^\n]* | //[^\n]* | /\*.*?\*/ )
  | (?P<number>  (?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)? )
  | (?P<text>    '[^']*' | "[^"]*" )
  | (?P<bracket> \[[^\[\]]*\] )
  | (?P<word>    [A-Za-z_]\w* )
  | (?P<symbol>  <> | != | <= | >= | && | \|\| | [=<>+\-*/^%!(),] )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_HINTS = {
    "'": "this quote is never closed",
    '"': "this quote is never closed",
    "[": "this bracket is never closed",
    "/": "this comment is never closed",
    "‘": "use straight quotes ' or \"",
    "’": "use straight quotes ' or \"",
    "“": "use straight quotes ' or \"",
    "”": "use straight quotes ' or \"",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of source: kind `number`, `text`, `bracket`, `word`, `symbol` or `end`."""

    kind: str
    text: str
    span: Span

    def wrong(self, message: str) -> LogicError:
        """The error that says so at this place."""
        return LogicError(message, self.span.line, self.span.column)


def tokens(source: str) -> Iterator[Token]:
    """The tokens of a formula without blanks and comments, closed by one of kind `end`.

    Raises:
        LogicError: At a character that begins no token.
    """
    position, line, line_start = 0, 1, 0
    while position < len(source):
        found = _TOKEN.match(source, position)
        column = position - line_start + 1
        endless = source.startswith("/*", position) and found is not None and found["blank"] is None
        if found is None or endless:
            raise _unreadable(source[position], line, column)
        text = found[0]
        if found.lastgroup != "blank":
            yield Token(str(found.lastgroup), text, Span(position, found.end(), line, column))
        position = found.end()
        if "\n" in text:
            line += text.count("\n")
            line_start = position - len(text) + text.rindex("\n") + 1
    yield Token("end", "", Span(position, position, line, position - line_start + 1))


def _unreadable(character: str, line: int, column: int) -> LogicError:
    return LogicError(_HINTS.get(character, f"{character!r} has no meaning here"), line, column)
