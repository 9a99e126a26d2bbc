"""The sheet Outcomes by arm: every figure recomputed, as randomised, and in no open report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frozen import FROZEN, trial_rows
from redcap_rules.choices import Choice
from rehearsed import rehearsed
from trialdesk.config import load
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.harms import harms
from trialdesk.reports.outcomes import described, outcomes
from trialdesk.reports.pack import enrolment_packs

pytestmark = pytest.mark.requirement("REP-02", "REP-04")

CONFIG = load(FROZEN / "config.yaml")
DAY = date(2026, 11, 23)
NAME = "Outcomes by arm"


def facts_of(snapshot: Snapshot) -> Facts:
    pull = Pull(snapshot, patients(snapshot, CONFIG), (), forms_by_event(trial_rows("mapping.csv")))
    return derive(pull, past(CONFIG, snapshot), CONFIG, DAY)


def changed(snapshot: Snapshot, event: str, values: Mapping[str, str]) -> Snapshot:
    """The pull with other values wherever the event has a row."""
    rows = {
        record: tuple(replace(r, values={**r.values, **values}) if r.event == event else r for r in own)
        for record, own in snapshot.rows.items()
    }
    return replace(snapshot, rows=rows)


@pytest.fixture(scope="module")
def trial() -> Snapshot:
    return rehearsed(3, DAY)


def test_every_figure_is_that_of_the_values_in_redcap(trial: Snapshot) -> None:
    """Counted again from the rows, with numpy: sample SD, and quartiles between the values."""
    facts = facts_of(trial)
    table = outcomes(facts)
    arm = {row.record: v for own in trial.rows.values() for row in own if (v := row.values.get("rand_arm"))}
    names = {trial.dictionary.get(name).label: name for name in CONFIG.outcomes}
    events = {facts.common.labels.event(event): event for event in trial.events}
    codes = {one.label: one.code for one in CONFIG.arms}
    assert len({line.values[1] for line in table.lines}) > 3
    for line in table.lines:
        outcome, point, label, randomised, measured, *rest = line.values
        own = {record for record, code in arm.items() if code == codes[str(label)]}
        values = [
            float(row.values[names[str(outcome)]])
            for record in own
            for row in trial.rows[record]
            if row.event == events[str(point)] and row.values.get(names[str(outcome)])
        ]
        assert (randomised, measured) == (len(own), len(values))
        if len(values) > 1:
            expected = [np.mean(values), np.std(values, ddof=1), *np.percentile(values, [0, 25, 50, 75, 100])]
            assert rest == pytest.approx(expected, abs=0.0501 if max(values) >= 10 else 0.000501)


def test_no_open_report_has_it(trial: Snapshot) -> None:
    """Not the monitor, not a site; the closed one has."""
    packs = enrolment_packs(facts_of(trial), ["monitor", f"site:{CONFIG.sites[0].code}", "closed"])
    assert {name for name, tables in packs.items() if NAME in {table.name for table in tables}} == {"closed"}


def test_codes_of_missing_data_are_no_values(trial: Snapshot) -> None:
    """-99 for "not done" is not an ODI of -99."""
    event = "week_4_arm_1"
    coded = changed(replace(trial, dictionary=replace(trial.dictionary, missing_codes=(Choice("-99", "x"),))), event,
                    {"odi_pct": "-99"})  # fmt: skip
    facts = facts_of(coded)
    label, point = coded.dictionary.get("odi_pct").label, facts.common.labels.event(event)
    shown = {(line.values[0], line.values[1]) for line in outcomes(facts).lines}
    assert (label, point) not in shown
    assert (label, point) in {(line.values[0], line.values[1]) for line in outcomes(facts_of(trial)).lines}


def test_an_empty_trial_has_a_sheet_without_rows(trial: Snapshot) -> None:
    facts = facts_of(replace(trial, rows={}, groups={}))
    assert outcomes(facts).lines == ()


def test_a_text_where_a_number_belongs_is_not_measured(trial: Snapshot) -> None:
    """Whatever stands there, the sheet is made, and nothing of it is shown."""
    event = "week_4_arm_1"
    facts = facts_of(changed(trial, event, {"odi_pct": "=cmd|' /C calc'!A0"}))
    assert not [v for line in outcomes(facts).lines for v in line.values if "cmd" in str(v)]


@given(st.lists(st.floats(0, 100), max_size=30))
def test_the_order_of_figures_holds(values: list[float]) -> None:
    """Lowest ≤ quartile ≤ median ≤ quartile ≤ highest, the mean between the ends, for any values."""
    count, mean, spread, lowest, lower, middle, upper, highest = described(values, 3)
    assert count == len(values)
    if len(values) > 1:
        told = [float(str(one)) for one in (lowest, lower, middle, upper, highest)]
        assert told == sorted(told)
        assert told[0] <= float(str(mean)) <= told[-1]
        assert float(str(spread)) >= 0


def test_every_adverse_event_of_a_randomised_patient_stands_in_its_arm(trial: Snapshot) -> None:
    """Counted again from the rows of the log; what one arm alone can have has rows of its own here, and counts."""
    arm = {row.record: v for own in trial.rows.values() for row in own if (v := row.values.get("rand_arm"))}
    logged = [row for own in trial.rows.values() for row in own if row.instrument == "adverse_event"]
    words = {option.code: option.label for option in trial.dictionary.get("ae_cat").options}
    lines = harms(facts_of(trial)).lines
    shown = {(line.values[0], line.values[1]): line.values for line in lines}
    assert logged
    assert set(words.values()) <= {name for name, _ in shown}
    for one in CONFIG.arms:
        mine = [row for row in logged if arm.get(row.record) == one.code]
        whole = shown["All events", one.label]
        assert whole[2] == sum(code == one.code for code in arm.values())
        assert (whole[3], whole[5]) == (len({row.record for row in mine}), len(mine))
        assert whole[6] == sum(row.values.get("ae_ser") == "1" for row in mine)
        for code, word in words.items():
            assert shown[word, one.label][5] == sum(row.values.get("ae_cat") == code for row in mine)
