"""A screening log of ten thousand: the monitor's report is right, and each patient stands in it once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from trialdesk.config import load
from trialdesk.facts.deriving import Past, derive
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.pack import enrolment_packs
from trialdesk.workbook import save

pytestmark = pytest.mark.requirement("REP-01", "REP-03")

MANY, TODAY = 10_000, date(2026, 7, 1)


def test_ten_thousand_are_screened_and_nobody_is_lost(tmp_path: Path) -> None:
    """Sites, reasons and patients each add up to them; written and read back within a minute."""
    config, events = load(FROZEN / "config.yaml"), tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
    rows = {}
    for number in range(MANY):
        site = config.sites[number % 3].code
        answers = {"elig_site": site, "elig_date": "2026-05-01", "elig_outcome": str(2 + number % 3)}
        rows[f"{site}-{number:05}"] = (Row(f"{site}-{number:05}", "screening_arm_1", "", 0, answers),)
    snapshot = Snapshot("1", "", trial_dictionary(), events, rows, {name: name[:3].lower() for name in rows})
    pull = Pull(snapshot, patients(snapshot, config), (), forms_by_event(trial_rows("mapping.csv")))
    save(tmp_path / "a.xlsx", enrolment_packs(derive(pull, Past(), config, TODAY), ["monitor"])["monitor"], "PVP-MM")
    book = load_workbook(tmp_path / "a.xlsx")
    funnel = book["Screening"].iter_rows(min_row=5, max_row=5 + len(config.sites), max_col=2, values_only=True)
    screened = {str(site): count for site, count in funnel}
    assert [screened[site.code] for site in config.sites[:4]] == [3334, 3333, 3333, 0]
    assert screened["All"] == MANY
    listed = [row[0] for row in book["Patients"].iter_rows(min_row=5, max_col=1, values_only=True)]
    assert (len(listed), len(set(listed)), set(listed) == set(rows)) == (MANY, MANY, True)
