"""An expression written as a formula."""

from redcap_rules.logic.expression import Expression
from redcap_rules.logic.operators import ADD, BINDING, LEAF, PREFIX, is_right_first
from redcap_rules.logic.syntax import Call, Clock, Leaf, Number, Operator, Smart, Text


def to_text(expression: Expression) -> str:
    """The formula of an expression, without needless parentheses; parsing it gives the same expression."""
    stack: list[tuple[str, int]] = []
    for node in expression.nodes:
        if isinstance(node, Operator):
            values = [stack.pop() for _ in range(node.arity)][::-1]
            stack.append(_prefixed(node, *values) if node.arity == 1 else _infixed(node, values))
        elif isinstance(node, Call):
            arguments = [text for text, _ in stack[-node.count :]]
            del stack[-node.count :]
            stack.append((f"{node.name}({','.join(arguments)})", LEAF))
        else:
            stack.append((_leaf(node), LEAF))
    return stack[0][0]


def _leaf(node: Leaf) -> str:
    if isinstance(node, Number):
        return node.spelling
    if isinstance(node, Text):
        return _quoted(node.value)
    if isinstance(node, Clock):
        return _quoted(node.name) if node.quoted else node.name
    return f"[{node.name}]" if isinstance(node, Smart) else str(node)


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _prefixed(node: Operator, value: tuple[str, int]) -> tuple[str, int]:
    binding = PREFIX[node.symbol]
    sign = "not " if node.symbol == "not" else node.symbol
    return f"{sign}{_inside(value, binding)}", binding


def _infixed(node: Operator, values: list[tuple[str, int]]) -> tuple[str, int]:
    binding = BINDING[node.symbol]
    left, right = values
    from_right = is_right_first(node.symbol)
    between = node.symbol if binding >= ADD or not node.symbol.isalpha() else f" {node.symbol} "
    text = f"{_inside(left, binding + from_right)}{between}{_inside(right, binding + (not from_right))}"
    return text, binding


def _inside(value: tuple[str, int], binding: int) -> str:
    text, own = value
    return text if own >= binding else f"({text})"
