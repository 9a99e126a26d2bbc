"""On which days people work: weekends, public holidays and the trial's own closed days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache

from trialdesk.config import Config, Leave
from trialdesk.errors import ConfigError

# Not strftime: its names follow the machine's locale, and the same data have to give the same words.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKEND = {5: "a Saturday", 6: "a Sunday"}


@dataclass(frozen=True, slots=True)
class OpenDays:
    """The working days of a country; `closed` holds the trial's own closed days as (month, day) of every year.

    `leave` are days on which nobody calls, `elsewhere` those of single sites.
    """

    country: str
    closed: frozenset[tuple[int, int]] = frozenset()
    leave: tuple[Leave, ...] = ()
    elsewhere: tuple[Leave, ...] = field(default=(), repr=False)

    def at(self, site: str) -> OpenDays:
        """The working days of one site."""
        own = tuple(leave for leave in self.elsewhere if leave.site == site)
        return replace(self, leave=(*self.leave, *own), elsewhere=()) if own else self

    def is_open(self, day: date) -> bool:
        """Whether people work on that day."""
        return _is_open(self, day)

    def between(self, first: date, last: date) -> tuple[date, ...]:
        """The working days from one day to another, both included."""
        return _open_days(self, first, last)

    def reason(self, day: date) -> str:
        """Why the day is closed, to stand after "is": `Maundy Thursday`, `a Saturday`; "" for an open day."""
        holiday = _public_holidays(self.country, day.year).get(day, "")
        own = "a closed day of the trial" if (day.month, day.day) in self.closed else ""
        away = next((f"closed ({leave.why})" for leave in self.leave if leave.first <= day <= leave.last), "")
        return holiday or own or _WEEKEND.get(day.weekday(), "") or away


def open_days(config: Config) -> OpenDays:
    """The working days of the trial's country, without the days it closes itself and the leave it names."""
    every = tuple(leave for leave in config.calls.leave if not leave.site)
    single = tuple(leave for leave in config.calls.leave if leave.site)
    return OpenDays(config.trial.country, frozenset(config.trial.closed_days), every, single)


def day_text(day: date, *, year: bool = True) -> str:
    """A date as a sentence shows it: `Thu 2 Apr 2026`, or `Thu 2 Apr` without the year."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if year else ''}"


@lru_cache(maxsize=20_000)
def _open_days(calendar: OpenDays, first: date, last: date) -> tuple[date, ...]:
    days = (first + timedelta(days=step) for step in range((last - first).days + 1))
    return tuple(day for day in days if calendar.is_open(day))


@lru_cache(maxsize=10_000)
def _is_open(days: OpenDays, day: date) -> bool:
    return not days.reason(day)


@lru_cache(maxsize=256)
def _public_holidays(country: str, year: int) -> Mapping[date, str]:
    import holidays

    try:
        return dict(holidays.country_holidays(country, years=year, language="en_US"))
    except NotImplementedError:
        raise ConfigError(
            f"trial: country: there is no calendar of public holidays for {country}; use an ISO 3166 code such as DK"
        ) from None
