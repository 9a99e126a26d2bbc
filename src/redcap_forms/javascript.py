"""REDCap logic compiled to JavaScript; `logic.js.j2` holds the same operators and functions as `redcap_rules.logic`."""

from __future__ import annotations

import json

from redcap_rules.logic import Expression, LogicError
from redcap_rules.logic.syntax import Call, Clock, Leaf, Node, Number, Operator, Reference, Smart, Text

DEEPEST = 2000


def compiled(expression: Expression) -> str:
    """A JavaScript expression with the value of the formula; `r` is the place in the record it is evaluated for.

    Raises:
        LogicError: it is nested so deep that a browser would give up the whole page.
    """
    stack: list[str] = []
    depths: list[int] = []
    for node in expression.nodes:
        count = node.arity if isinstance(node, Operator) else node.count if isinstance(node, Call) else 0
        arguments = stack[len(stack) - count :]
        del stack[len(stack) - count :]
        stack.append(_node(node, arguments))
        depth = 1 + max(depths[len(depths) - count :] if count else (0,))
        del depths[len(depths) - count :]
        depths.append(depth)
        if depth > DEEPEST:
            raise LogicError(f"nested more than {DEEPEST} deep")
    return stack[0]


def literal(value: object) -> str:
    """A value as JavaScript that can stand inside a script element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def place_of(reference: Reference) -> str:
    """What a reference names, as `Place.value` of `form.js.j2` takes it."""
    return literal([reference.event, reference.field, reference.code, reference.instance, reference.shown])


def _node(node: Node, arguments: list[str]) -> str:
    if isinstance(node, Operator):
        return f"O[{literal(f'{node.symbol}{node.arity}')}]({','.join(arguments)})"
    if isinstance(node, Call):
        return f"F[{literal(node.name)}]({','.join(arguments)})"
    return _leaf(node)


def _leaf(leaf: Leaf) -> str:
    match leaf:
        case Number():
            return repr(leaf.value)
        case Text():
            return literal("" if leaf.value == "NaN" else leaf.value)
        case Reference():
            return f"r.value({place_of(leaf)})"
        case Clock() | Smart():
            return f"r.{type(leaf).__name__.lower()}({literal(leaf.name)})"
