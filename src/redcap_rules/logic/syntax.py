"""The parts of a formula, kept in evaluation order.

An expression is the flat sequence of its nodes in postfix order, so no walk over it ever recurses and a
formula nested a thousand deep is as safe as a flat one.
"""

import dataclasses
from dataclasses import dataclass

from redcap_rules.choices import checkbox_column


@dataclass(frozen=True, slots=True)
class Span:
    """Where a node stands: character offsets into the source, and line and column of the first from 1."""

    start: int
    end: int
    line: int
    column: int


_NOWHERE = Span(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, `true` or `false`, as spelled."""

    spelling: str
    value: float
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text."""

    value: str
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Clock:
    """`today` or `now`; quoted it has this meaning only as an argument of a date function."""

    name: str
    quoted: bool
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class MissingCodes:
    """The missing-data codes of the project, for the functions that ask whether a value is one; nobody writes it."""

    name: str = "missing-data-codes"
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Smart:
    """A smart variable standing alone, such as `[event-name]`."""

    name: str
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A field: `[event][field(code):shown][instance]`; absent parts are ''.

    `event` and `instance` may be smart variables; `shown` is '', 'value' or 'label'.
    """

    event: str
    field: str
    code: str = ""
    instance: str = ""
    shown: str = ""
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)

    @property
    def column(self) -> str:
        """The key of this reference in a table of columns.

        The export column (`field`, `field___code`) when it names neither event nor instance, else its
        text, such as `[week_4_arm_1][odi_pct]`.
        """
        if self.event or self.instance or self.shown == "label":
            return str(self)
        return checkbox_column(self.field, self.code) if self.code else self.field

    def __str__(self) -> str:
        event = f"[{self.event}]" if self.event else ""
        code = f"({self.code})" if self.code else ""
        shown = f":{self.shown}" if self.shown else ""
        instance = f"[{self.instance}]" if self.instance else ""
        return f"{event}[{self.field}{code}{shown}]{instance}"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator on the one or two values before it."""

    symbol: str
    arity: int
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the `count` values before it."""

    name: str
    count: int
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


Leaf = Number | Text | Clock | Smart | Reference
Node = Leaf | Operator | Call
