"""What has to be entered so that a condition of the configuration becomes true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Dictionary
from redcap_rules.formulas import formula_of
from redcap_rules.logic import Expression
from redcap_rules.logic.syntax import Call, Node, Number, Operator, Reference, Text

Wishes = dict[tuple[str, str], str]
"""Event ("" is the form's own) and column to the value wanted there."""


class Tree(NamedTuple):
    """A node with the values it works on."""

    node: Node
    under: tuple[Tree, ...]


def wishes(conditions: Iterable[Expression], dictionary: Dictionary, known: Wishes) -> Wishes:
    """The values that make conditions true, as far as they ask for codes; what asks for more is left to chance.

    Of alternatives the first that fits what is known is taken; what a calculation needs is wished of its fields. A
    comparison of two fields wishes what is already known of one for the other. A `<>''` wishes nothing: whoever fills
    in a form does that.

    Args:
        conditions: REDCap logic, such as the release conditions.
        dictionary: The fields they name.
        known: Values that stand fast, such as those of the stratum.
    """
    trees = [_tree(condition) for condition in conditions]
    found = dict(known)
    for event, column, other in _copies(trees):
        one, two = found.get((event, column)), found.get(other)
        if (one is None) != (two is None):
            found[other if two is None else (event, column)] = one or two or ""
    for tree in trees:
        found |= _wanted(tree, "", dictionary, found) or {}
    return {place: value for place, value in found.items() if place not in known}


def named(condition: Expression) -> Mapping[str, frozenset[str]]:
    """Column to every code a condition compares it with."""
    codes: dict[str, frozenset[str]] = {}
    waiting = [_tree(condition)]
    while waiting:
        tree = waiting.pop()
        pair = _pair(tree)
        if pair and isinstance(pair[1], str) and pair[1]:
            codes[pair[0][1]] = codes.get(pair[0][1], frozenset()) | {pair[1]}
        waiting += tree.under
    return codes


def _tree(expression: Expression) -> Tree:
    stack: list[Tree] = []
    for node in expression.nodes:
        count = node.arity if isinstance(node, Operator) else node.count if isinstance(node, Call) else 0
        under = tuple(stack[len(stack) - count :])
        del stack[len(stack) - count :]
        stack.append(Tree(node, under))
    return stack[0]


def _copies(trees: Iterable[Tree]) -> Iterator[tuple[str, str, tuple[str, str]]]:
    """The columns that conditions compare with one another, wherever all of them have to hold."""
    for tree in trees:
        if _symbol(tree) == "and":
            yield from _copies(tree.under)
        elif (pair := _pair(tree)) and not isinstance(pair[1], str):
            yield (*pair[0], pair[1])


def _wanted(tree: Tree, here: str, dictionary: Dictionary, known: Wishes) -> Wishes | None:
    """What makes a condition true, read in the event `here`; None where that contradicts what is known."""
    symbol = _symbol(tree)
    if symbol == "and":
        found: Wishes = {}
        for part in tree.under:
            more = _wanted(part, here, dictionary, {**known, **found})
            if more is None:
                return None
            found |= more
        return found
    if symbol == "or":
        ways = (_wanted(part, here, dictionary, known) for part in tree.under)
        return next((way for way in ways if way is not None), None)
    pair = _pair(tree)
    if pair is None or not isinstance(pair[1], str) or not pair[1]:
        return {}
    (event, column), value = pair[0], pair[1]
    return _set(event or here, column, value, dictionary, known)


def _set(event: str, column: str, value: str, dictionary: Dictionary, known: Wishes) -> Wishes | None:
    """What gives a column its value: for a calculation, what leads it to that branch of its `if`."""
    formula = formula_of(dictionary.get(column)) if column in dictionary else None
    if formula is None:
        return {(event, column): value} if known.get((event, column), value) == value else None
    branch = _tree(formula.expressions[0])
    while isinstance(branch.node, Call) and branch.node.name == "if":
        condition, then, branch = branch.under
        if _literal(then) == value:
            return _wanted(condition, event, dictionary, known)
    return {}


def _symbol(tree: Tree) -> str:
    return tree.node.symbol if isinstance(tree.node, Operator) else ""


def _pair(tree: Tree) -> tuple[tuple[str, str], str | tuple[str, str]] | None:
    """A column and what it has to equal: a literal or another column; None for everything else."""
    if _symbol(tree) != "=":
        return None
    left, right = tree.under
    if not isinstance(left.node, Reference):
        left, right = right, left
    if not isinstance(left.node, Reference):
        return None
    other = _column(right.node) if isinstance(right.node, Reference) else _literal(right)
    return None if other is None else (_column(left.node), other)


def _column(reference: Reference) -> tuple[str, str]:
    name = checkbox_column(reference.field, reference.code) if reference.code else reference.field
    return reference.event, name


def _literal(tree: Tree) -> str | None:
    if isinstance(tree.node, Text):
        return tree.node.value
    return tree.node.spelling if isinstance(tree.node, Number) else None
