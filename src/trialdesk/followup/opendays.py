"""On which days people work: weekends, public holidays and the trial's own closed days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from trialdesk.config import Config
from trialdesk.errors import ConfigError

# Not strftime: its names follow the machine's locale, and the same data have to give the same words.
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKEND = {5: "a Saturday", 6: "a Sunday"}


@dataclass(frozen=True, slots=True)
class OpenDays:
    """The working days of a country; `closed` holds the trial's own closed days as (month, day) of every year."""

    country: str
    closed: frozenset[tuple[int, int]] = frozenset()

    def is_open(self, day: date) -> bool:
        """Whether people work on that day."""
        return _is_open(self, day)

    def reason(self, day: date) -> str:
        """Why the day is closed, to stand after "is": `Maundy Thursday`, `a Saturday`; "" for an open day."""
        holiday = _public_holidays(self.country, day.year).get(day, "")
        own = "a closed day of the trial" if (day.month, day.day) in self.closed else ""
        return holiday or own or _WEEKEND.get(day.weekday(), "")


def open_days(config: Config) -> OpenDays:
    """The working days of the trial's country, without the days it closes itself."""
    return OpenDays(config.trial.country, frozenset(config.trial.closed_days))


def day_text(day: date, *, year: bool = True) -> str:
    """A date as a sentence shows it: `Thu 2 Apr 2026`, or `Thu 2 Apr` without the year."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if year else ''}"


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
