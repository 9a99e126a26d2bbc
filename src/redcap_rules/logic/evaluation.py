"""A formula evaluated for one place of one record."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypedDict, Unpack

from redcap_rules.logic.expression import Expression
from redcap_rules.logic.scope import Scope
from redcap_rules.logic.values import Value
from redcap_rules.record import RecordView


class Given(TypedDict, total=False):
    """What a formula may be told beside the record; all of it may be left out."""

    event: str
    instrument: str
    instance: int
    today: date | None
    now: datetime | None
    smart: Mapping[str, str]


def evaluate(expression: Expression, record: RecordView, **given: Unpack[Given]) -> Value:
    """The value of a formula: a number, a text, or '' when it is blank; conditions give 1.0 or 0.0.

    Both sides of an `if` are computed, since no operation can fail: what has no answer is blank.

    Args:
        expression: The parsed formula.
        record: The record it is evaluated for.
        **given: `event`, `instrument` and `instance` are the row the formula stands in (default: the row of
            a classic project). `today` and `now` are the clock, `smart` gives smart variables their values
            (`{"user-name": "nurse"}`) and goes before those derived from the record.

    Raises:
        LogicError: An unknown field, or `today` or `now` in the formula without a clock.
    """
    scope = Scope(record, **given)
    program = expression.program
    slots = [*program.constants, *map(scope.value, program.lookups)]
    stack: list[Value] = []
    for arity, slot, work, _ in program.steps:
        if arity == 0:
            stack.append(slots[slot])
        elif arity == 2:
            right = stack.pop()
            stack[-1] = work(stack[-1], right)
        else:
            values = stack[-arity:]
            stack[-arity:] = [work(*values)]
    return stack[0]
