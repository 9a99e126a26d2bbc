"""Rates, plans and projections, against numbers worked out by hand or simulated elsewhere."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trialdesk.config import Config, Site
from trialdesk.reports.accrual import MONTH, exposure, months, planned, project, reaching, recruiting

ODE = Site(code="ODE", name="Odense", target=24, opens=date(2026, 1, 1))
RIG = Site(code="RIG", name="Riget", target=12, opens=date(2026, 3, 1), closes=date(2026, 4, 30))


@pytest.mark.parametrize(
    ("until", "days"),
    [
        (date(2026, 2, 28), 0),
        (date(2026, 3, 1), 1),
        (date(2026, 4, 30), 61),
        (date(2026, 12, 31), 61),
    ],
)
def test_a_site_is_exposed_from_its_opening_to_its_closing(until: date, days: int) -> None:
    """Both days included."""
    assert exposure(RIG, until) == pytest.approx(days / MONTH)


def test_months_without_patients_are_shown_and_the_last_ends_at_the_cut(frozen: Config) -> None:
    """Two sites, three patients, data cut 10 April."""
    trial = frozen.trial.model_copy(update={"starts": date(2026, 1, 1), "ends": date(2027, 12, 31)})
    opened = {"ODE": (date(2026, 1, 31), date(2026, 4, 1)), "RIG": (date(2026, 4, 10),)}
    rows = months(opened, (ODE, RIG), trial, date(2026, 4, 10))
    seen = [(f"{r.first:%Y-%m}", dict(r.by_site), r.actual, r.so_far, r.open_sites) for r in rows]
    assert seen == [
        ("2026-01", {"ODE": 1, "RIG": 0}, 1, 1, 1),
        ("2026-02", {"ODE": 0, "RIG": 0}, 0, 1, 1),
        ("2026-03", {"ODE": 0, "RIG": 0}, 0, 1, 2),
        ("2026-04", {"ODE": 1, "RIG": 1}, 2, 3, 2),
    ]
    assert rows[-1].site_months == pytest.approx(20 / MONTH)
    assert rows[0].planned == pytest.approx(24 * 31 / 730)
    assert rows[-1].planned_so_far == pytest.approx(24 * 100 / 730 + 12 * 41 / 61)


@pytest.mark.parametrize("as_of", [date.max, date.max - timedelta(40), date(9960, 6, 15)])
def test_the_calendar_has_an_end(frozen: Config, as_of: date) -> None:
    """A cut in the last months or years there are gives whole months and no date beyond them."""
    trial = frozen.trial.model_copy(update={"starts": as_of - timedelta(400), "ends": as_of})
    sites = [site.model_copy(update={"opens": trial.starts}) for site in frozen.sites]
    rows = months({}, sites, trial, as_of)
    assert (rows[-1].first, len(rows)) == (as_of.replace(day=1), 14)
    outlook = project(6, sites, trial, as_of)
    assert outlook is not None
    assert all(day is None or as_of <= day for day in (outlook.early, outlook.median, outlook.late))


@pytest.mark.parametrize(
    ("sites", "until", "days"),
    [
        ((ODE, RIG), date(2026, 5, 1), 121),
        ((RIG,), date(2026, 4, 1), 32),
        ((RIG,), date(2026, 12, 31), 61),
        ((RIG,), date(2026, 1, 1), 0),
    ],
)
def test_the_trial_recruits_from_its_first_opening_to_its_last_closing(
    sites: tuple[Site, ...], until: date, days: int
) -> None:
    """Months of the calendar, however many sites are open."""
    assert recruiting(sites, until) == pytest.approx(days / MONTH)


def test_the_whole_plan_is_the_target(frozen: Config) -> None:
    """At the planned end every site of the configuration has its target, and together they have the trial's."""
    ends = frozen.trial.ends
    assert [planned(site, frozen.trial, ends) for site in frozen.sites] == [site.target for site in frozen.sites]
    assert sum(site.target for site in frozen.sites) == frozen.trial.target


@pytest.mark.parametrize(
    ("target", "seen", "waited", "early", "median", "late"),
    [(80, 5, 4, 34, 58, 109), (80, 24, 10, 17, 23, 32)],
)
def test_the_projection_is_that_of_the_reference(
    target: int, seen: int, waited: float, early: float, median: float, late: float
) -> None:
    """Trial-operations.md 2.2: 5 of 80 in 4 months, 24 of 80 in 10 months; months still needed, 80 % interval."""
    for months_more, level in ((early, 0.1), (median, 0.5), (late, 0.9)):
        assert reaching(target - seen, seen, waited, months_more) == pytest.approx(level, abs=0.02)


def test_the_closed_form_agrees_with_simulation() -> None:
    """Rate ~ Gamma(n + ½, T), waiting time ~ Gamma(N − n, rate), 20 000 draws."""
    dice = Random(1)
    draws = [dice.gammavariate(30, 1 / dice.gammavariate(20.5, 1 / 12.0)) for _ in range(20_000)]
    for ahead in (10, 17, 25):
        assert reaching(30, 20, 12.0, ahead) == pytest.approx(sum(t <= ahead for t in draws) / 20_000, abs=0.015)


@given(st.integers(1, 200), st.integers(0, 200), st.floats(0.1, 300), st.floats(0, 300), st.floats(0, 50))
@example(1, 0, 1.0, 5e-324, 0.0)
@settings(max_examples=100)
def test_more_time_is_never_less_chance(missing: int, seen: int, before: float, ahead: float, more: float) -> None:
    """A chance, growing with exposure, and smaller for more patients."""
    here = reaching(missing, seen, before, ahead)
    assert 0 <= here <= reaching(missing, seen, before, ahead + more) + 1e-9 <= 1 + 2e-9
    assert reaching(missing + 1, seen, before, ahead) <= here + 1e-9


@pytest.mark.parametrize(
    ("randomised", "as_of"),
    [(4, date(2027, 1, 1)), (50, date(2026, 3, 15)), (100, date(2027, 1, 1)), (5, date(2025, 1, 1))],
    ids=["four patients", "under three months", "target reached", "no site open yet"],
)
def test_nothing_is_projected_too_early_or_after_the_target(frozen: Config, randomised: int, as_of: date) -> None:
    """Below 5 patients or 3 months an extrapolation is noise."""
    assert project(randomised, frozen.sites, frozen.trial, as_of) is None


def test_nothing_is_projected_past_the_closing_of_every_site(frozen: Config) -> None:
    """With all sites closed next month the rest of a hundred never comes."""
    as_of = date(2026, 12, 1)
    closing = tuple(site.model_copy(update={"closes": as_of + timedelta(30)}) for site in frozen.sites)
    outlook = project(20, closing, frozen.trial, as_of)
    assert outlook is not None
    assert (outlook.early, outlook.median, outlook.late) == (None, None, None)
    assert outlook.on_time < 0.01


def test_the_dates_are_in_order_and_a_site_still_to_open_brings_them_nearer(frozen: Config) -> None:
    """Early before median before late; opening another site in spring helps."""
    as_of = date(2026, 12, 1)
    few = project(20, (ODE,), frozen.trial, as_of)
    later = Site(code="NEW", name="New", target=10, opens=date(2027, 3, 1))
    more = project(20, (ODE, later), frozen.trial, as_of)
    assert few and more and few.early and few.median and few.late and more.median
    assert as_of < few.early < few.median < few.late
    assert more.median < few.median
    assert more.on_time >= few.on_time
