"""Whatever is shipped as the trial: it loads, it fits its instruments, and every contact can be made."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from frozen import trial_dictionary
from trialdesk.config import Config, load
from trialdesk.followup.feasibility import weakest_windows
from trialdesk.instruments.checks import check_projects
from trialdesk.instruments.folder import folder_of
from trialdesk.instruments.rules import read_rules
from trialdesk.instruments.treatment import shown_openly

pytestmark = pytest.mark.requirement("SCR-01", "SCR-03", "SCR-04", "SCR-05", "CAL-01", "CAL-02", "QOL-01", "QOL-03")

ROOT = Path(__file__).parents[2]
CONFIG = Path(os.environ.get("SHIPPED_TRIAL", ROOT / "config.yaml"))


@pytest.fixture(scope="module")
def shipped() -> Config:
    """config.yaml as it is shipped, or another trial's (scripts/make_validation.py --config)."""
    return load(CONFIG)


def test_check_finds_nothing_in_the_instruments(shipped: Config) -> None:
    """Neither an error nor a warning, in both projects and the configuration."""
    assert [str(fault) for fault in check_projects(shipped, ("trial", "register"), CONFIG)] == []


def test_every_window_holds_a_working_day(shipped: Config) -> None:
    """For every day of recruitment on which a patient may be randomised, holidays included."""
    weakest = weakest_windows(shipped, shipped.trial.starts, shipped.trial.ends)
    assert {weak.code for weak in weakest} == {rule.code for rule in shipped.contacts}
    assert [weak for weak in weakest if not weak.open_days] == []


def test_the_rules_can_be_read_and_no_open_sheet_tells_the_arm(shipped: Config) -> None:
    """As the night reads them."""
    folder = folder_of(shipped, "trial")
    dictionary = trial_dictionary(folder)
    assert len(read_rules(folder, dictionary, shipped).rules) > 50
    assert list(shown_openly(dictionary, shipped)) == []


def test_paper_speaks_the_language_of_the_trial(shipped: Config) -> None:
    """Every arm and level has a label in it."""
    words = [*shipped.arms, *(level for factor in shipped.strata for level in factor.levels)]
    assert shipped.trial.language != "en"
    assert [one.label for one in words if shipped.trial.language not in one.labels] == []


def test_what_tells_the_arm_in_logs_is_listed(shipped: Config) -> None:
    """The relation to the procedure, cement leakage, deviations of treatment, and what is said of it at the end."""
    told = {one.field: set(one.codes) for one in shipped.treatment_values}
    labels = {
        f.name: {o.code: o.label for o in f.options} for f in trial_dictionary(folder_of(shipped, "trial")).fields
    }
    assert told["ae_rel"] == set()
    assert {code for code, label in labels["ae_cat"].items() if "cement" in label} <= told["ae_cat"]
    treatment = ("D06", "D07", "D08", "D11", "D12")
    assert {code for code, label in labels["dev_code"].items() if label.startswith(treatment)} <= told["dev_code"]
    assert told["eos_dth_cause"] == set()
    assert {code for code, label in labels["eos_wd_rsn"].items() if "arm" in label.split()} <= told["eos_wd_rsn"]


def test_the_trial_can_be_made_from_its_sites_and_dates(shipped: Config) -> None:
    """Targets of the sites reach that of the trial, sites open while it recruits, piles can be named."""
    assert sum(site.target for site in shipped.sites) >= shipped.trial.target
    assert all(shipped.trial.starts <= site.opens <= shipped.trial.ends for site in shipped.sites)
    assert len(set(shipped.piles)) == len(shipped.sites) * len(shipped.stratum_levels)
    assert shipped.trial.starts > date(2000, 1, 1)
