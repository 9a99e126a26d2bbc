"""How tightly operators bind and how they are spelled."""

OR, AND, NOT, COMPARE, ADD, MULTIPLY, SIGN, POWER, LEAF = range(1, 10)

BINDING: dict[str, int] = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), COMPARE),
    **dict.fromkeys(("+", "-"), ADD),
    **dict.fromkeys(("*", "/", "%"), MULTIPLY),
    "^": POWER,
}
PREFIX: dict[str, int] = {"not": NOT, "-": SIGN}
SPELLINGS: dict[str, str] = {"||": "or", "&&": "and", "!=": "<>", "!": "not"}


def is_right_first(symbol: str) -> bool:
    """Whether a chain of this operator is read from the right: only powers are."""
    return symbol == "^"
