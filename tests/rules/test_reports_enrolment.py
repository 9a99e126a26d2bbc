"""The first page: what it says of a site, of the whole, and of the time to come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import cast

import pytest

from frozen import FROZEN, trial_dictionary
from trialdesk.config import Config, load
from trialdesk.facts.cohort import cohort
from trialdesk.model import Patient
from trialdesk.reports.accrual import MONTH, exposure
from trialdesk.reports.profiles import profile
from trialdesk.reports.recruitment import by_arm, by_month, enrolment
from trialdesk.workbook import SheetTable, Value

pytestmark = pytest.mark.requirement("REP-01")

CONFIG: Config = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
TODAY = date(2026, 11, 23)


def randomised(number: int, opened: date, site: str = "VEJ", arm: str = "1") -> Patient:
    return Patient(f"P-{number:03}", site, "", ("screened",), screened_on=opened, opened_on=opened, arm=arm)


def page(*patients: Patient, dates: Mapping[str, date] | None = None, reader: str = "monitor") -> SheetTable:
    """The first page with Vejle (target 8) opening or closing on other dates."""
    sites = tuple(site.model_copy(update=dates or {}) if site.code == "VEJ" else site for site in CONFIG.sites)
    config = CONFIG.model_copy(update={"sites": sites})
    # the mapping by code is worked out once per configuration, so the copy must not keep it
    config.__dict__.pop("sites_by_code", None)
    return enrolment(cohort(patients, config, DICTIONARY, TODAY, TODAY), config, profile(reader, config))


def cell(table: SheetTable, site: str, title: str) -> Value:
    at = [column.title for column in table.columns].index(title)
    return next(line.values[at] for line in table.lines if line.values[0] == site)


@pytest.mark.parametrize(
    ("patients", "dates", "note"),
    [
        (0, {"opens": date(2026, 12, 1)}, "not open yet"),
        (0, {"opens": date(2026, 11, 1)}, ""),
        (0, {}, "none yet, open 322 days"),
        (1, {}, ""),
        (1, {"closes": date(2026, 11, 22)}, "closed 2026-11-22"),
        (8, {}, "target reached"),
    ],
)
def test_the_note_says_what_to_notice_of_a_site(patients: int, dates: dict[str, date], note: str) -> None:
    """One note a site, the first that fits."""
    own = [randomised(number, TODAY - timedelta(10)) for number in range(patients)]
    assert cell(page(*own, dates=dates), "VEJ", "Note") == note


@pytest.mark.parametrize(("days", "note"), [(60, ""), (61, "none for 61 days")])
def test_a_site_is_called_quiet_after_sixty_days(days: int, note: str) -> None:
    """Sixty days are not yet long."""
    assert cell(page(randomised(1, TODAY - timedelta(days))), "VEJ", "Note") == note


def test_a_patient_without_a_known_site_is_counted_and_pointed_out() -> None:
    """The total has the patient, no site does, and one line says what to correct."""
    first = page(randomised(1, TODAY, site=""), randomised(2, TODAY))
    assert (cell(first, "?", "Randomised"), cell(first, "?", "Note")) == (1, "correct the site field")
    assert (cell(first, "VEJ", "Randomised"), cell(first, "All", "Randomised")) == (1, 2)


def months(*patients: Patient, reader: str = "closed") -> SheetTable:
    """The sheet By month, as the reader's allow-list shows it."""
    of = profile(reader, CONFIG)
    (shown,) = of.show([by_month(cohort(patients, CONFIG, DICTIONARY, TODAY, TODAY), CONFIG, of)])
    return shown


def test_the_months_add_up_also_for_patients_without_a_site() -> None:
    """They have a column of their own; then every row is the sum of its sites and the last row of its months."""
    table = months(randomised(1, TODAY, site=""), randomised(2, TODAY), randomised(3, date(2026, 1, 31), site="XXX"))
    titles = [column.title for column in table.columns]
    codes = [*(site.code for site in CONFIG.sites), "?"]
    assert titles[1 : len(codes) + 2] == [*codes, "Randomised"]
    for line in table.lines:
        assert sum(cast(int, line.values[titles.index(code)]) for code in codes) == cell(
            table, str(line.values[0]), "Randomised"
        )
    for title in [*codes, "Randomised"]:
        parts = [cast(int, line.values[titles.index(title)]) for line in table.lines]
        assert sum(parts[:-1]) == parts[-1] == cell(table, "All", title)
    assert (cell(table, "2026-11 to day 23", "?"), cell(table, "All", "?")) == (1, 2)


def test_the_last_row_of_the_months_is_the_whole_time() -> None:
    """Sums of patients and plan; where it stands; the rate over all site-months."""
    table = months(randomised(1, TODAY), randomised(2, date(2026, 2, 1)))
    last, before = table.lines[-1], table.lines[-2]
    titles = [column.title for column in table.columns]
    assert last.values[0] == "All"
    for title in ("So far", "Planned so far", "Ahead or behind", "Open sites"):
        assert last.values[titles.index(title)] == before.values[titles.index(title)]
    assert cell(table, "All", "Planned") == cell(table, "All", "Planned so far")
    spent = sum(exposure(site, TODAY) for site in CONFIG.sites)
    assert cell(table, "All", "A site-month") == round(2 / spent, 2)


def test_a_site_has_no_column_for_others() -> None:
    """The column ? is for those who see the whole trial."""
    assert [column.title for column in months(reader="site:VEJ").columns][1:3] == ["VEJ", "Randomised"]


def test_the_rate_of_the_whole_is_by_calendar_month() -> None:
    """Nine sites open since 5 January, 21 patients in 10.6 months: 1.98 a month for the trial, 0.22 a site-month."""
    first = page(*(randomised(number, date(2026, 3, 1)) for number in range(21)))
    assert cell(first, "All", "A month") == round(21 / (323 / MONTH), 2) == 1.98
    assert cell(first, "VEJ", "A month") == 1.98
    assert cell(first, "All", "Site-months") == round(9 * 323 / MONTH, 1)


def test_the_outlook_is_one_sentence_with_an_interval() -> None:
    """Thirty of a hundred in the first eleven months; dates and chance agree with a simulation of 200 000 courses."""
    some = [randomised(number, date(2026, 1, 6) + timedelta(10 * number)) for number in range(30)]
    assert page(*some).about == (
        "At the rate so far the target is reached in 2028-12 (80 % interval 2028-06 to 2029-08); "
        "chance of reaching it by the planned end, 2029-01-05: 57 %."
    )


def test_the_day_of_the_hundredth_patient_is_told() -> None:
    """After the target nothing is projected; a hundred and one still counts from the hundredth."""
    all_of_them = [randomised(number, date(2026, 1, 6) + timedelta(number)) for number in range(101)]
    assert page(*all_of_them).about == "The target was reached on 2026-04-15."


def test_a_site_is_told_of_itself_alone() -> None:
    """No projection, no total: these belong to the whole trial."""
    own = page(randomised(1, TODAY), reader="site:VEJ")
    assert own.title == "Enrolment: 1 of 8 randomised by 2026-11-23"
    assert [line.values[0] for line in own.lines] == ["VEJ"]


def test_a_patient_without_an_arm_is_not_lost_from_the_closed_sheet() -> None:
    """An opened envelope whose arm is not typed yet, or is no arm, has a line of its own."""
    blank = [randomised(1, TODAY), randomised(2, TODAY, arm=""), randomised(3, TODAY, arm="7")]
    table = by_arm(cohort(blank, CONFIG, DICTIONARY, TODAY, TODAY), CONFIG)
    counted = {cast(str, line.values[0]): line.values[1] for line in table.lines}
    assert counted == {CONFIG.arms[0].label: 1, CONFIG.arms[1].label: 0, "Arm not recorded": 2}
