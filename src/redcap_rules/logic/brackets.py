"""Consecutive brackets read as one field reference or smart variable."""

import re
from collections.abc import Sequence

from redcap_rules.logic.syntax import Reference, Smart, Span
from redcap_rules.logic.tokens import Token

_FIELD = re.compile(r"\s*([A-Za-z]\w*)\s*(?:\(\s*([^()]*?)\s*\))?\s*(?::\s*(value|label))?\s*", re.ASCII)
_EVENT = re.compile(r"\s*([A-Za-z0-9][\w-]*)\s*", re.ASCII)
_SMART = re.compile(r"\s*([a-z]+(?:-[a-z]+)+(?::[^\[\]]*?)?)\s*", re.ASCII)
_INSTANCE = re.compile(r"\s*(\d{1,9}|(?:first|last|previous|next|current)-instance)\s*", re.ASCII)


def read_brackets(brackets: Sequence[Token]) -> Reference | Smart:
    """The reference of one to three brackets: event, field, instance; or a smart variable alone.

    Raises:
        LogicError: A bracket is not a field, event, instance or smart variable where it stands.
    """
    contents = [token.text[1:-1] for token in brackets]
    first, last = brackets[0].span, brackets[-1].span
    span = Span(first.start, last.end, first.line, first.column)
    smart = _SMART.fullmatch(contents[0])
    if smart and len(brackets) == 1:
        return Smart(smart[1], span)
    instance = _INSTANCE.fullmatch(contents[-1]) if len(brackets) > 1 else None
    parts = list(brackets[:-1] if instance else brackets)
    if len(parts) > 2:
        raise parts[2].wrong(f"{parts[2].text} is one bracket too many; write [event][field][instance]")
    field = _FIELD.fullmatch(parts[-1].text[1:-1])
    if field is None:
        raise parts[-1].wrong(f"{parts[-1].text} is not a field")
    event = _EVENT.fullmatch(contents[0]) if len(parts) == 2 else None
    if len(parts) == 2 and event is None:
        raise parts[0].wrong(f"{parts[0].text} is not an event")
    return Reference(
        event[1] if event else "", field[1], field[2] or "", instance[1] if instance else "", field[3] or "", span
    )
