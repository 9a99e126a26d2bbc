"""A formula evaluated for a whole table at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from redcap_rules.choices import Choice
from redcap_rules.logic.expression import Expression
from redcap_rules.logic.scope import codes_text, moment
from redcap_rules.logic.steps import Lookup
from redcap_rules.logic.syntax import Clock, MissingCodes
from redcap_rules.logic.values import Value

if TYPE_CHECKING:
    from redcap_rules.logic.columns import Table


def compile_table(
    expression: Expression,
    *,
    today: date | None = None,
    now: datetime | None = None,
    missing_codes: Iterable[Choice] = (),
) -> Callable[[Table], list[Value]]:
    """A function from columns to the column of the formula's values, the same as `evaluate` gives row by row.

    The columns are equally long sequences of texts: lists, or arrays of numpy or pandas, in which what is missing is
    blank. A pandas Categorical is read quickest. A field is the column of its export name (`field`, `field___code`);
    a reference that names an event or instance, or a smart variable, is the column of its text, such as
    `[week_4_arm_1][odi_pct]` (`Reference.column`). An option nobody ticked is `0`, as REDCap exports it, and
    blank where there is no such row. Decimals take a point. The function raises LogicError when a column is missing.

    Args:
        expression: The parsed formula.
        today: What `today` stands for.
        now: What `now` stands for.
        missing_codes: The project's missing-data codes.

    Raises:
        LogicError: The formula asks for `today` or `now` and it was not given.
    """
    from redcap_rules.logic.running import run  # numpy and pandas load only where a table is asked for

    given: dict[Lookup, str] = {
        lookup: moment(lookup, today, now) for lookup in expression.program.lookups if isinstance(lookup, Clock)
    }
    given[MissingCodes()] = codes_text(missing_codes)
    return lambda table: run(expression.program, table, given)
