"""How fast patients come: by month and site, against the plan, and when the target may be reached."""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, lgamma, log

from trialdesk.config import Site, Trial

MONTH = 365.25 / 12
"""Days in a site-month."""

FEWEST = 5
SHORTEST = 3.0
"""Below these (randomised patients, months since the first opening) nothing is projected.

Source: reference/trial-operations.md 2.2.
"""

_HORIZON = 50 * 366
_LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Month:
    """One calendar month up to the cut. `planned` and `planned_so_far` are expected numbers, not whole patients.

    `by_site` has every site, zeros too; `site_months` is the exposure of the month: open days ÷ 30.4375 over all sites.
    """

    first: date
    by_site: Mapping[str, int]
    actual: int
    so_far: int
    planned: float
    planned_so_far: float
    open_sites: int
    site_months: float

    @property
    def elsewhere(self) -> int:
        """Patients of the month whose site is none of `by_site`."""
        return self.actual - sum(self.by_site.values())


@dataclass(frozen=True, slots=True)
class Projection:
    """When the target may be reached: one chance in ten before `early`, in two before `median`, in ten after `late`.

    A date is None when it lies beyond 50 years or the calendar, or every site closes first. `on_time` is the chance of
    reaching the target by the planned end of recruitment.
    """

    early: date | None
    median: date | None
    late: date | None
    on_time: float


def exposure(site: Site, until: date) -> float:
    """Months from the site's opening (that day included) to the end of `until`, or to its closing if earlier."""
    last = min(until, site.closes) if site.closes else until
    return max(0, (last - site.opens).days + 1) / MONTH


def recruiting(sites: Sequence[Site], until: date) -> float:
    """Months of the calendar from the first opening to the end of `until`, or to the last closing if all close."""
    closes = [site.closes for site in sites if site.closes]
    last = min(until, max(closes)) if len(closes) == len(sites) else until
    return max(0, (last - min(site.opens for site in sites)).days + 1) / MONTH


def planned(site: Site, trial: Trial, until: date) -> float:
    """Patients expected by the end of `until` if the site's target came evenly between opening and closing.

    A site without a closing date closes at the planned end of recruitment.
    """
    last = min(site.closes or trial.ends, trial.ends)
    whole = exposure(site, last)
    return site.target * min(1.0, exposure(site, until) / whole) if whole else float(site.target)


def months(
    opened_on: Mapping[str, Sequence[date]], sites: Sequence[Site], trial: Trial, as_of: date
) -> tuple[Month, ...]:
    """Every calendar month from the start of the trial (or the first patient) to the cut, months without patients too.

    Args:
        opened_on: Site code to the days of randomisation; a code that is no site counts in the whole alone.
        sites: The sites that count.
        trial: Start and planned end of recruitment.
        as_of: The data cut; the last month ends there.
    """
    days = sorted(day for part in opened_on.values() for day in part)
    first = min([trial.starts, *days])
    rows: list[Month] = []
    for start, end in _calendar(first, as_of):
        by_site = {site.code: _between(opened_on.get(site.code, ()), start, end) for site in sites}
        actual = _between(days, start, end)
        eve = start - timedelta(1)
        so_far = sum(planned(site, trial, end) for site in sites)
        rows.append(
            Month(
                first=start,
                by_site=by_site,
                actual=actual,
                so_far=actual + (rows[-1].so_far if rows else 0),
                planned=so_far - sum(planned(site, trial, eve) for site in sites),
                planned_so_far=so_far,
                open_sites=sum(exposure(site, end) > exposure(site, eve) for site in sites),
                site_months=sum(exposure(site, end) - exposure(site, eve) for site in sites),
            )
        )
    return tuple(rows)


def project(randomised: int, sites: Sequence[Site], trial: Trial, as_of: date) -> Projection | None:
    """The gamma–Poisson projection, in closed form; None while it is too early or the target is reached.

    With n patients in T site-months the rate is Gamma(n + ½, T); the number of patients in t further site-months is
    then negative binomial, so no random numbers are needed
    (reference/trial-operations.md 2.2, sheet 02). A site adds exposure
    while it is open: sites not yet open count from their planned opening at the pooled rate, closed ones no more.
    """
    missing = trial.target - randomised
    if randomised < FEWEST or recruiting(sites, as_of) < SHORTEST or missing <= 0:
        return None
    before = sum(exposure(site, as_of) for site in sites)
    horizon = min(_HORIZON, (date.max - as_of).days)

    def chance(days: int) -> float:
        until = as_of + timedelta(days)
        return reaching(missing, randomised, before, sum(exposure(site, until) for site in sites) - before)

    def when(level: float) -> date | None:
        days = bisect_right(range(horizon), level, key=chance)
        return as_of + timedelta(days) if days < horizon else None

    return Projection(when(0.1), when(0.5), when(0.9), chance(max(0, (trial.ends - as_of).days)))


def reaching(missing: int, seen: int, before: float, ahead: float) -> float:
    """The chance that at least `missing` patients come in `ahead` site-months after `seen` came in `before`.

    1 − the distribution function of the negative binomial with shape seen + ½ at missing − 1.
    """
    if missing <= 0:
        return 1.0
    if ahead <= 0:
        return 0.0
    shape, whole = seen + 0.5, log(before + ahead)
    stay, come = log(before) - whole, log(ahead) - whole
    terms = (exp(lgamma(shape + k) - lgamma(shape) - lgamma(k + 1) + shape * stay + k * come) for k in range(missing))
    return min(1.0, max(0.0, 1.0 - sum(terms)))


def ahead(
    randomised: int, sites: Sequence[Site], trial: Trial, as_of: date, until: date
) -> Mapping[date, tuple[int, int, int]]:
    """The end of every month from the data cut on to how many may be randomised by then: low, median, high.

    Low and high hold the number with a chance of 80 %; never more than the target.
    """
    before = sum(exposure(site, as_of) for site in sites)
    found: dict[date, tuple[int, int, int]] = {}
    for _, end in _calendar(as_of, until):
        more = sum(exposure(site, end) for site in sites) - before
        low, median, high = (
            _quantile(level, trial.target - randomised, randomised, (before, more)) for level in _LEVELS
        )
        found[end] = (randomised + low, randomised + median, randomised + high)
    return found


def _quantile(level: float, most: int, seen: int, months_of: tuple[float, float]) -> int:
    """The smallest number that more patients come than with a chance of 1 − level at most; `most` at the highest."""
    return next((n for n in range(most) if reaching(n + 1, seen, *months_of) <= 1 - level), most)


def recent(opened: Sequence[date], as_of: date, days: int) -> int:
    """How many were randomised in the last days up to the cut."""
    return sum(as_of - timedelta(days) < day <= as_of for day in opened)


def needed(trial: Trial, randomised: int, as_of: date) -> float | None:
    """How many a month it takes to reach the target by the planned end; None when it is reached or past."""
    left = (trial.ends - as_of).days / MONTH
    return (trial.target - randomised) / left if left > 0 and randomised < trial.target else None


def _calendar(first: date, last: date) -> Iterator[tuple[date, date]]:
    start = first.replace(day=1)
    while start <= last:
        end = start.replace(day=monthrange(start.year, start.month)[1])
        yield start, min(end, last)
        if end >= last:
            return
        start = end + timedelta(1)


def _between(days: Sequence[date], first: date, last: date) -> int:
    return sum(first <= day <= last for day in days)
