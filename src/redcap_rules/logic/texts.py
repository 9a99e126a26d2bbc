"""The functions on texts. Searching ignores capitals; positions count from 1."""

from redcap_rules.logic.values import Value, number, number_text


def _folded(value: Value) -> str:
    return number_text(value).casefold()


def _count(value: Value) -> int:
    here = number(value)
    return 0 if here is None else int(max(0.0, min(1e9, here)))


def left(text: Value, count: Value) -> Value:
    """The first characters of a text."""
    return number_text(text)[: _count(count)]


def right(text: Value, count: Value) -> Value:
    """The last characters of a text."""
    whole = number_text(text)
    return whole[max(0, len(whole) - _count(count)) :]


def mid(text: Value, start: Value, count: Value) -> Value:
    """So many characters of a text from a position on."""
    begin = max(0, _count(start) - 1)
    return number_text(text)[begin : begin + _count(count)]


def length(text: Value) -> Value:
    """The number of characters."""
    return float(len(number_text(text)))


def find(needle: Value, text: Value) -> Value:
    """The position of the needle in the text, 0 if it is not there."""
    return float(_folded(text).find(_folded(needle)) + 1)


def trim(text: Value) -> Value:
    """The text without blanks at its ends."""
    return number_text(text).strip()


def upper(text: Value) -> Value:
    """The text in capitals."""
    return number_text(text).upper()


def lower(text: Value) -> Value:
    """The text in small letters."""
    return number_text(text).lower()


def concat(*texts: Value) -> Value:
    """The texts one after another."""
    return "".join(map(number_text, texts))


def concat_ws(separator: Value, *texts: Value) -> Value:
    """The texts that are not blank with the separator between them."""
    return number_text(separator).join(filter(None, map(number_text, texts)))


def contains(text: Value, needle: Value) -> Value:
    """1 if the needle is in the text, else 0."""
    return float(_folded(needle) in _folded(text))


def not_contain(text: Value, needle: Value) -> Value:
    """1 if the needle is not in the text, else 0."""
    return float(_folded(needle) not in _folded(text))


def starts_with(text: Value, needle: Value) -> Value:
    """1 if the text begins with the needle, else 0."""
    return float(_folded(text).startswith(_folded(needle)))


def ends_with(text: Value, needle: Value) -> Value:
    """1 if the text ends with the needle, else 0."""
    return float(_folded(text).endswith(_folded(needle)))


def replace_text(text: Value, old: Value, new: Value) -> Value:
    """The text with every occurrence of the old text replaced, capitals counting."""
    searched = number_text(old)
    return number_text(text).replace(searched, number_text(new)) if searched else number_text(text)
