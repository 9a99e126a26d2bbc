"""The sheet Outcomes by arm: every figure recomputed, as randomised, and in no open report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.choices import Choice
from rehearsed import rehearsed
from trialdesk.config import load
from trialdesk.config.values import FieldRef
from trialdesk.facts.cohort import cohort
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.links import Links
from trialdesk.facts.pulling import Pull
from trialdesk.followup.schedule import schedule
from trialdesk.instruments.treatment import Telling
from trialdesk.model import Patient
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.baseline import baseline
from trialdesk.reports.completing import by_arm
from trialdesk.reports.coordinator import coordinator_sheets
from trialdesk.reports.exposure import EARLY, exposure
from trialdesk.reports.harms import harms
from trialdesk.reports.listings import completeness
from trialdesk.reports.outcomes import described, outcomes
from trialdesk.reports.pack import enrolment_packs
from trialdesk.reports.profiles import profile
from trialdesk.workbook import SheetTable
from trialdesk.workbook.measures import widths

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
    table = outcomes(facts, Telling())
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
    shown = {(line.values[0], line.values[1]) for line in outcomes(facts, Telling()).lines}
    assert (label, point) not in shown
    assert (label, point) in {(line.values[0], line.values[1]) for line in outcomes(facts_of(trial), Telling()).lines}


def test_an_empty_trial_has_a_sheet_without_rows(trial: Snapshot) -> None:
    facts = facts_of(replace(trial, rows={}, groups={}))
    assert outcomes(facts, Telling()).lines == ()


def test_a_text_where_a_number_belongs_is_not_measured(trial: Snapshot) -> None:
    """Whatever stands there, the sheet is made, and nothing of it is shown."""
    event = "week_4_arm_1"
    facts = facts_of(changed(trial, event, {"odi_pct": "=cmd|' /C calc'!A0"}))
    assert not [v for line in outcomes(facts, Telling()).lines for v in line.values if "cmd" in str(v)]


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
    lines = harms(facts_of(trial), Telling()).lines
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


BASELINE = CONFIG.model_copy(
    update={
        "baseline": (
            FieldRef("screening_arm_1", "elig_sex"),
            FieldRef("screening_arm_1", "img_new"),
            FieldRef("baseline_arm_1", "odi_pct"),
        )
    }
)


def arm_of_record(trial: Snapshot) -> dict[str, str]:
    """Record to arm code, read from the rows."""
    return {row.record: v for own in trial.rows.values() for row in own if (v := row.values.get("rand_arm"))}


def test_no_open_sheet_counts_patients_by_a_characteristic(trial: Snapshot) -> None:
    """Two crossed would need "<3" for 1 and 2, and no total to subtract from: no answer heads a row or column there."""
    pull = Pull(trial, patients(trial, BASELINE), (), forms_by_event(trial_rows("mapping.csv")))
    facts = derive(pull, past(BASELINE, trial), BASELINE, DAY)
    answers = {option.label for ref in BASELINE.baseline for option in trial.dictionary.get(ref.field).options}
    assert len(answers) > 10
    packs = enrolment_packs(facts, ["monitor", "closed", *(f"site:{site.code}" for site in BASELINE.sites)])
    shown = {name: {word for table in tables for word in told(table)} for name, tables in packs.items()}
    assert answers <= shown.pop("closed")
    assert not [(name, word) for name, words in shown.items() for word in words if word in answers]


def test_every_other_workbook_prints_at_nine_points_too(trial: Snapshot) -> None:
    """A site's, the closed one and the coordinator's: at most 175 characters of width on paper."""
    pull = Pull(trial, patients(trial, BASELINE), (), forms_by_event(trial_rows("mapping.csv")))
    facts = derive(pull, past(BASELINE, trial), BASELINE, DAY)
    packs = enrolment_packs(facts, ["closed", f"site:{BASELINE.sites[0].code}"])
    every = [*(table for tables in packs.values() for table in tables), *coordinator_sheets(facts, Links())]
    wide = {table.name: sum(widths(table)[: table.printed or None]) for table in every}
    assert {name: width for name, width in wide.items() if width > 175} == {}


def told(table: SheetTable) -> set[str]:
    """Every heading and every text of a sheet."""
    cells = {str(value) for block in table.tables for line in block.lines for value in line.values}
    return cells | {column.title for block in table.tables for column in block.columns}


def test_the_baseline_counts_every_answer_once_an_arm(trial: Snapshot) -> None:
    """Counted again from the rows: one answer of a list, any of a set of ticks, and a number described."""
    pull = Pull(trial, patients(trial, BASELINE), (), forms_by_event(trial_rows("mapping.csv")))
    table, numbers = baseline(derive(pull, past(BASELINE, trial), BASELINE, DAY), Telling())
    arm, label = arm_of_record(trial), {one.label: one.code for one in CONFIG.arms}
    rows = {row.record: row.values for own in trial.rows.values() for row in own if row.event == "screening_arm_1"}
    sex, levels = trial.dictionary.get("elig_sex"), trial.dictionary.get("img_new")
    shown = {line.values[:3]: line.values for line in table.lines}
    for name, code in label.items():
        mine = [record for record, own in arm.items() if own == code]
        for option in sex.options:
            found = sum(rows[record].get("elig_sex") == option.code for record in mine)
            assert shown[sex.label, option.label, name][3:5] == (len(mine), found)
        for option in levels.options:
            found = sum(rows[record].get(f"img_new___{option.code}") == "1" for record in mine)
            assert shown[levels.label, option.label, name][4] == found
        blank = sum(not rows[record].get("elig_sex") for record in mine)
        assert shown[sex.label, "Not recorded", name][4] == blank
        values = [float(row.values["odi_pct"]) for record in mine for row in trial.rows[record]
                  if row.event == "baseline_arm_1" and row.values.get("odi_pct")]  # fmt: skip
        measured = next(line.values for line in numbers.lines if line.values[2] == name)
        assert measured[4] == len(values) > 3
        assert float(str(measured[5])) == pytest.approx(np.mean(values), abs=0.0501)


def test_exposure_is_counted_from_the_dates_in_redcap(trial: Snapshot) -> None:
    """Operated and not operated add up to the randomised, and the days are those between the two dates."""
    lines = {line.values[:2]: line.values for line in exposure(facts_of(trial)).lines}
    arm = arm_of_record(trial)
    opened = {row.record: v for own in trial.rows.values() for row in own if (v := row.values.get("rand_date"))}
    operated = {row.record: row.values["pvp_date"] for own in trial.rows.values() for row in own
                if row.values.get("pvp_done") == "1"}  # fmt: skip
    assert operated
    for one in CONFIG.arms:
        mine = [record for record, code in arm.items() if code == one.code]
        done = [record for record in mine if record in operated]
        days = [(date.fromisoformat(operated[r]) - date.fromisoformat(opened[r])).days for r in done]
        shown = lines["Operated on", one.label]
        assert shown[2:4] == (len(mine), len(done))
        assert shown[5] == len(days)
        assert shown[10] == (round(float(np.median(days)), 1) if days else None)
        assert lines["Not operated on", one.label][3] == len(mine) - len(done)
        followed = lines["Followed", one.label]
        assert followed[3] == len(mine)
        assert 0 < float(str(followed[12])) <= max((DAY - date.fromisoformat(opened[r])).days for r in mine)


def test_a_change_of_arm_before_the_protocol_s_day_is_early() -> None:
    """Day 27 is early, day 28 is not; an arm without such a day has no early change."""
    conservative = next(arm for arm in CONFIG.arms if arm.may_change_from_day)
    opened = DAY - timedelta(60)
    first = conservative.may_change_from_day or 0

    def changed_on(day: int) -> tuple[int, int]:
        one = Patient("1", "ODE", "", opened_on=opened, arm=conservative.code, states=frozenset({"arm_changed"}),
                      arm_change_on=opened + timedelta(day))  # fmt: skip
        dictionary = trial_dictionary()
        snapshot = replace(rehearsed(3, DAY), rows={}, groups={})
        plan = schedule((one,), snapshot, CONFIG, DAY, {})
        common = facts_of(rehearsed(3, DAY)).common
        facts = Facts(common, snapshot, (one,), plan, cohort((one,), CONFIG, dictionary, DAY, DAY))
        lines = {line.values[:2]: line.values for line in exposure(facts).lines}
        changed, early = lines["Changed arm", conservative.label], lines[f"  {EARLY}", conservative.label]
        return int(str(changed[3])), int(str(early[3]))

    assert (changed_on(first - 1), changed_on(first)) == ((1, 1), (1, 0))


def test_completeness_by_arm_adds_up_and_counts_the_control_after_a_procedure(trial: Snapshot) -> None:
    """Arms together are the whole; a surgeon's form that is there is entered, which open sheets may not even ask."""
    facts = facts_of(trial)
    table = by_arm(facts, Telling())
    labels = facts.common.labels
    typed = {f: of for f, of in facts.forms.items() if f.form != "call_plan"}  # that one is the night's to fill in
    due = Counter((labels.event(f.event), labels.form(f.form)) for f, of in typed.items() for _ in of)
    shown: Counter[tuple[str, str]] = Counter()
    for line in table.lines:
        shown[str(line.values[0]), str(line.values[1])] += int(str(line.values[3]))
        expected, entered, complete, missing = (int(str(v)) for v in line.values[3:7])
        assert complete <= entered == expected - missing
    assert shown == due
    held = {row.record for own in trial.rows.values() for row in own
            if row.event == "surgeon_control_arm_1" and row.values.get("sf_date")}  # fmt: skip
    controls = {r for f, of in facts.forms.items() for r in of if f.form == "surgeon_followup"} & held
    name = facts.common.labels.form("surgeon_followup")
    assert controls
    assert sum(int(str(line.values[4])) for line in table.lines if line.values[1] == name) == len(controls)
    (other,) = (line for line in completeness(facts, facts.cohort, profile("closed", CONFIG)).lines
                if line.values[1] == name)  # fmt: skip
    assert other.values[3] == len(controls)  # the two sheets of the closed report agree
