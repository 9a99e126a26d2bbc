"""A parsed formula."""

from dataclasses import dataclass
from functools import cached_property

from redcap_rules.logic.steps import Program, program
from redcap_rules.logic.syntax import Node, Reference


@dataclass(frozen=True)
class Expression:
    """A parsed formula: its nodes in postfix order. Equal formulas are equal whatever their layout."""

    nodes: tuple[Node, ...]

    @cached_property
    def program(self) -> Program:
        """The nodes made ready to run, once."""
        return program(self.nodes)


def references(expression: Expression) -> tuple[Reference, ...]:
    """The fields a formula refers to, in order of appearance, repeated ones too."""
    return tuple(node for node in expression.nodes if isinstance(node, Reference))
