"""The table of functions a formula may call."""

from collections.abc import Callable
from dataclasses import dataclass

from redcap_rules.logic import moments, numbers, texts
from redcap_rules.logic.values import BINARY, BLANK, Value, is_true, number_text

_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Function:
    """What a function does and how many arguments it takes."""

    work: Callable[..., Value]
    least: int
    most: int

    @property
    def arguments(self) -> str:
        """The number of arguments in words."""
        if self.most == _MANY:
            return f"at least {self.least} argument{'s' * (self.least > 1)}"
        return (
            f"{self.least} argument{'s' * (self.least > 1)}"
            if self.least == self.most
            else (f"{self.least} to {self.most} arguments")
        )


def _choose(condition: Value, then: Value, otherwise: Value) -> Value:
    return then if is_true(condition) else otherwise


def _is_blank(value: Value) -> Value:
    return float(value == BLANK)


# The project's missing-data codes are the last argument of these, one a line: what the formula itself cannot know.
def _is_code(value: Value, codes: Value) -> Value:
    return float(value != BLANK and number_text(value) in str(codes).split("\n"))


def _is_blank_or_code(value: Value, codes: Value) -> Value:
    return float(value == BLANK or is_true(_is_code(value, codes)))


def _has_code(*values: Value) -> Value:
    return float(any(is_true(_is_code(value, values[-1])) for value in values[:-1]))


DATE_FUNCTIONS = frozenset({"datediff", "year", "month", "day"})
FUNCTIONS: dict[str, Function] = {
    "if": Function(_choose, 3, 3),
    "sum": Function(numbers.total, 1, _MANY),
    "mean": Function(numbers.mean, 1, _MANY),
    "median": Function(numbers.median, 1, _MANY),
    "stdev": Function(numbers.stdev, 1, _MANY),
    "min": Function(numbers.least, 1, _MANY),
    "max": Function(numbers.greatest, 1, _MANY),
    "round": Function(numbers.rounded, 1, 2),
    "roundup": Function(numbers.rounded_up, 1, 2),
    "rounddown": Function(numbers.rounded_down, 1, 2),
    "sqrt": Function(numbers.root, 1, 1),
    "abs": Function(numbers.absolute, 1, 1),
    "log": Function(numbers.logarithm, 1, 2),
    "mod": Function(BINARY["%"], 2, 2),
    "isnumber": Function(numbers.is_number, 1, 1),
    "isinteger": Function(numbers.is_integer, 1, 1),
    "datediff": Function(moments.difference, 3, 5),
    "year": Function(moments.year, 1, 1),
    "month": Function(moments.month, 1, 1),
    "day": Function(moments.day, 1, 1),
    "left": Function(texts.left, 2, 2),
    "right": Function(texts.right, 2, 2),
    "mid": Function(texts.mid, 3, 3),
    "length": Function(texts.length, 1, 1),
    "find": Function(texts.find, 2, 2),
    "trim": Function(texts.trim, 1, 1),
    "upper": Function(texts.upper, 1, 1),
    "lower": Function(texts.lower, 1, 1),
    "concat": Function(texts.concat, 1, _MANY),
    "concat_ws": Function(texts.concat_ws, 2, _MANY),
    "contains": Function(texts.contains, 2, 2),
    "not_contain": Function(texts.not_contain, 2, 2),
    "starts_with": Function(texts.starts_with, 2, 2),
    "ends_with": Function(texts.ends_with, 2, 2),
    "replace_text": Function(texts.replace_text, 3, 3),
    "isblankormissingcode": Function(_is_blank_or_code, 1, 1),
    "isblanknotmissingcode": Function(_is_blank, 1, 1),
    "ismissingcode": Function(_is_code, 1, 1),
    "hasmissingcode": Function(_has_code, 1, _MANY),
}
# The functions that are also given the project's missing-data codes.
NEED_CODES = frozenset({"isblankormissingcode", "ismissingcode", "hasmissingcode"})
