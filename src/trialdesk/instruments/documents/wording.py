"""A condition in words: `[con_given]='1'` is "Consent given is Yes"."""

from __future__ import annotations

from redcap_forms.words import Words, option_in
from redcap_rules.logic import LogicError, parse
from redcap_rules.logic.syntax import Clock, Node, Number, Operator, Reference, Smart, Text
from trialdesk.instruments.design import Design
from trialdesk.instruments.words import words_of

_JOINED = {"and": "and", "or": "or", "&&": "and", "||": "or"}


def in_words(text: str, design: Design) -> str:
    """The condition as a person says it; the formula itself where it is more than comparisons and their joining."""
    try:
        return _said(parse(text).nodes, design, words_of(design.language))
    except (LogicError, LookupError):
        return text


def _said(nodes: tuple[Node, ...], design: Design, words: Words) -> str:
    """Raises LookupError where there are no words for a part."""
    stack: list[tuple[str, Node]] = []
    for node in nodes:
        if not isinstance(node, Operator):
            stack.append((_leaf(node, design, words), node))
            continue
        values = [stack.pop() for _ in range(node.arity)][::-1]
        if node.arity == 1:
            if node.symbol != "not":
                raise LookupError(node.symbol)
            stack.append((f"{words['not']} ({values[0][0]})", node))
        elif node.symbol in _JOINED:
            stack.append((f" {words[_JOINED[node.symbol]]} ".join(_inside(value, node) for value in values), node))
        else:
            stack.append((_comparison(values, node, design, words), node))
    return stack[0][0]


def _inside(value: tuple[str, Node], around: Operator) -> str:
    text, node = value
    mixed = isinstance(node, Operator) and node.symbol in _JOINED and _JOINED[node.symbol] != _JOINED[around.symbol]
    return f"({text})" if mixed else text


def _comparison(values: list[tuple[str, Node]], node: Operator, design: Design, words: Words) -> str:
    word = words[node.symbol]
    (left, one), (right, other) = values
    if isinstance(one, Reference) and isinstance(other, Text | Number):
        stored = other.value if isinstance(other, Text) else other.spelling
        if one.code:
            return f"{left} {words['ticked' if (stored == '1') == (node.symbol == '=') else 'unticked']}"
        if stored == "":
            return f"{left} {words['is_blank' if node.symbol == '=' else 'filled']}"
        if one.field in design.dictionary:
            field = design.dictionary.get(one.field)
            options = {option.code: option_in(option.label, field, words) for option in field.options}
            right = options.get(stored, stored)
    return f"{left} {word} {right}"


def _leaf(node: Node, design: Design, words: Words) -> str:
    if isinstance(node, Reference):
        if node.field not in design.dictionary or node.instance:
            raise LookupError(node.field)
        field = design.dictionary.get(node.field)
        option = next((f": {one.label}" for one in field.options if node.code and one.code == node.code), "")
        where = f" ({design.labels.event(node.event)})" if node.event else ""
        return f"{field.label or field.name}{option}{where}"
    if isinstance(node, Text):
        return node.value or words["blank"]
    if isinstance(node, Number):
        return node.spelling
    if isinstance(node, Clock | Smart):
        return node.name
    raise LookupError(str(node))
