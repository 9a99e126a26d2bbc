"""When a contact is meant to happen: its target and the days around it that count as in time."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from trialdesk.config import ContactRule


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A target day and the first and last day that count as in time (inclusive); chased until `chased_until`."""

    target: date
    opens: date
    closes: date
    chased_until: date

    def __contains__(self, day: date) -> bool:
        return self.opens <= day <= self.closes

    def holds_booking(self, day: date) -> bool:
        """Whether an appointment on that day can still be this contact, in time or in the days of grace."""
        return self.opens <= day <= self.chased_until


def window(rule: ContactRule, anchor: date) -> Window:
    """The window of a contact, always counted from the anchor itself and never from another contact.

    >>> from trialdesk.config import ContactRule
    >>> rule = ContactRule(code="M03", label="", event="e", form="f", anchor="enrolment", months=3, window=(-1, 14))
    >>> window(rule, date(2026, 1, 31)).target
    datetime.date(2026, 4, 30)
    """
    return _window(anchor, rule.days, rule.months or 0, rule.window, rule.grace)


@lru_cache(maxsize=2**16)
def _window(anchor: date, days: int | None, months: int, around: tuple[int, int], grace: int) -> Window:
    target = anchor + timedelta(days=days) if days is not None else add_months(anchor, months)
    before, after = around
    closes = target + timedelta(days=after)
    return Window(target, target + timedelta(days=before), closes, closes + timedelta(days=grace))


def add_months(day: date, months: int) -> date:
    """The same day number so many calendar months later; the last of the month where there is no such day.

    Rule: reference/trial-operations.md 3.2, equal to dateutil's relativedelta and pandas' DateOffset.
    """
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
