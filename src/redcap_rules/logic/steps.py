"""An expression made ready to run: functions looked up once, each constant and field read once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from redcap_rules.logic.functions import FUNCTIONS, NEED_CODES
from redcap_rules.logic.syntax import Call, Clock, MissingCodes, Node, Number, Operator, Reference, Smart, Text
from redcap_rules.logic.values import BINARY, BLANK, UNARY, Value

Lookup = Clock | MissingCodes | Smart | Reference


class Step(NamedTuple):
    """What one node does: take `arity` values from the stack and push `work` of them; 0 pushes slot `slot`."""

    arity: int
    slot: int
    work: Callable[..., Value]
    name: str


@dataclass(frozen=True, slots=True)
class Program:
    """Steps over slots: first the constants, then what the lookups stand for in the record or table at hand."""

    steps: tuple[Step, ...]
    constants: tuple[Value, ...]
    lookups: tuple[Lookup, ...]


def program(nodes: tuple[Node, ...]) -> Program:
    """The program of an expression's nodes."""
    constants: dict[Value, int] = {}
    lookups: dict[Lookup, int] = {}
    for node in nodes:
        if isinstance(node, Number | Text):
            constants.setdefault(_constant(node), len(constants))
        elif isinstance(node, Lookup):
            lookups.setdefault(node, 0)
        elif _needs_codes(node):
            lookups.setdefault(MissingCodes(), 0)
    lookups = {lookup: len(constants) + place for place, lookup in enumerate(lookups)}
    steps = tuple(step for node in nodes for step in _steps(node, constants, lookups))
    return Program(steps, tuple(constants), tuple(lookups))


def _needs_codes(node: Node) -> bool:
    return isinstance(node, Call) and node.name in NEED_CODES


def _steps(node: Node, constants: dict[Value, int], lookups: dict[Lookup, int]) -> tuple[Step, ...]:
    step = _step(node, constants, lookups)
    if not _needs_codes(node):
        return (step,)
    # The codes come last on the stack, as one more argument.
    return Step(0, lookups[MissingCodes()], _nothing, ""), step._replace(arity=step.arity + 1)


def _step(node: Node, constants: dict[Value, int], lookups: dict[Lookup, int]) -> Step:
    if isinstance(node, Operator):
        return Step(node.arity, 0, (BINARY if node.arity == 2 else UNARY)[node.symbol], node.symbol)
    if isinstance(node, Call):
        return Step(node.count, 0, FUNCTIONS[node.name].work, node.name)
    if isinstance(node, Number | Text):
        return Step(0, constants[_constant(node)], _nothing, "")
    return Step(0, lookups[node], _nothing, "")


def _constant(leaf: Number | Text) -> Value:
    # "NaN" in quotes is an old spelling of blank.
    return BLANK if leaf.value == "NaN" else leaf.value


def _nothing() -> Value:
    return BLANK
