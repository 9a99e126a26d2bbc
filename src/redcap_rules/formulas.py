"""The formula of a calculated field, wherever the dictionary keeps it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from redcap_rules.dictionary import Field
from redcap_rules.logic import Expression, LogicError, Reference, Value, evaluate, number_text, parse, references
from redcap_rules.logic.moments import SECONDS, read_moment
from redcap_rules.logic.values import BLANK, number
from redcap_rules.record import RecordView, Row

_TAG = re.compile(r"@(CALCTEXT|CALCDATE)\s*\(")
_MARKS = re.compile(r"""'[^']*'|"[^"]*"|\[[^\]]*\]|[(),]""")
# How much of `2026-11-23 12:30:59` a validation type stores.
_STORED_LENGTH = {"datetime": 16, "datetime_seconds": 19}


@dataclass(frozen=True, slots=True)
class Formula:
    """How a field's value follows from others: expressions, and what is stored of their values."""

    field: Field
    expressions: tuple[Expression, ...]
    stored: Callable[..., str]

    @property
    def references(self) -> tuple[Reference, ...]:
        """The fields the formula refers to."""
        return tuple(reference for expression in self.expressions for reference in references(expression))

    def result(self, record: RecordView, row: Row, today: date | None, now: datetime | None) -> str:
        """The text to store for the field in a row of the record."""
        return self.stored(
            *(
                evaluate(
                    expression,
                    record,
                    event=row.event,
                    instrument=row.instrument,
                    instance=row.instance,
                    today=today,
                    now=now,
                )
                for expression in self.expressions
            )
        )


def is_computed(field: Field | None) -> bool:
    """Whether the server works out the field's value: a calc field, or a text with `@CALCTEXT` or `@CALCDATE`."""
    if field is None or field.kind == "calc":
        return field is not None
    return field.kind in ("text", "notes") and _TAG.search(field.annotation) is not None


def formula_of(field: Field) -> Formula | None:
    """The formula of a calc field or of its `@CALCTEXT` or `@CALCDATE` tag; None without one.

    Raises:
        LogicError: The formula cannot be read.
    """
    if not is_computed(field):
        return None
    if field.kind == "calc":
        return Formula(field, (parse(field.choices),), _number) if field.choices.strip() else None
    tag = _TAG.search(field.annotation)
    if tag is None:
        return None
    arguments, _ = tag_arguments(field.annotation, tag.end())
    if tag[1] == "CALCTEXT":
        return Formula(field, (parse(",".join(arguments)),), number_text)
    if len(arguments) != 3:
        message = f"@CALCDATE takes a date, an offset and a unit, not {len(arguments)} arguments"
        raise LogicError(message, column=tag.start() + 1)
    length = _STORED_LENGTH.get(field.validation.rpartition("_")[0], 10)
    return Formula(field, tuple(map(parse, arguments)), lambda *values: _date(*values)[:length])


def tag_arguments(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """The arguments of a tag whose parenthesis opened just before `start`, and where its parenthesis has closed.

    Raises:
        LogicError: It is never closed.
    """
    found: list[str] = []
    depth, begin = 0, start
    for mark in _MARKS.finditer(text, start):
        if mark[0] in {",", ")"} and not depth:
            found.append(text[begin : mark.start()])
            begin = mark.end()
        if mark[0] == ")" and not depth:
            return tuple(found), begin
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
    message = "the parenthesis of the action tag is never closed"
    raise LogicError(message, column=start)


def _number(value: Value) -> str:
    # A calc field can only hold a number (reference/instruments.md 2.2).
    return BLANK if number(value) is None else number_text(value)


def _date(begin: Value, offset: Value, unit: Value) -> str:
    moment, count, size = read_moment(str(begin)), number(offset), SECONDS.get(str(unit))
    if moment is None or count is None or size is None:
        return BLANK
    try:
        return (moment + timedelta(seconds=count * size)).isoformat(" ")
    except OverflowError:
        return BLANK
