"""Odd data stop no honest report: treatment where there should be none, and none where there should be one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.logic import parse
from redcap_rules.record import Row
from smaller import kept_small
from trialdesk.config import load
from trialdesk.errors import ConcealmentBroken
from trialdesk.facts import deriving
from trialdesk.facts.cards import Cards
from trialdesk.facts.deriving import Facts, Past, derive, other_worlds
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.facts.worlds import worlds
from trialdesk.findings.ruled import ruled
from trialdesk.followup.schedule import schedule
from trialdesk.instruments.rules import Rule, Rules, read_rules
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.dataset import dataset
from trialdesk.reports.pack import enrolment_packs

pytestmark = pytest.mark.requirement("REP-02")

CONFIG = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
MAPPING = forms_by_event(trial_rows("mapping.csv"))
DAY = date(2026, 7, 1)
OPENED = "2026-03-02"

Place = tuple[str, str, int]
Life = Mapping[Place | str, Mapping[str, str]]
"""Place to values; a place of an event alone is that."""

EVENT, LOGS = "adverse_event", "logs"
OPERATED = {"pvp_done": "1", "pvp_date": "2026-03-05"}
ARM = "?"
"""Stands for an arm that each test names."""

ODD: Mapping[str, Life] = {
    "opened, no arm": {"randomisation": {"rand_date": OPENED}},
    "an arm, not opened": {"randomisation": {"rand_arm": ARM}},
    "an arm no trial has": {"randomisation": {"rand_date": OPENED, "rand_arm": "7"}},
    "opened on no day": {"randomisation": {"rand_date": "someday", "rand_arm": ARM}},
    "opened ahead": {"randomisation": {"rand_date": "2027-03-02", "rand_arm": ARM}, "pvp_procedure": OPERATED},
    "operated, no arm": {"randomisation": {"rand_date": OPENED}, "pvp_procedure": OPERATED},
    "operated, not randomised": {"pvp_procedure": {**OPERATED, "pvp_procedure_complete": "2"}},
    "operated ahead": {"pvp_procedure": {"pvp_done": "1", "pvp_date": "2027-03-05"}},
    "operated before": {"pvp_procedure": {"pvp_done": "1", "pvp_date": "2026-02-05", "pvp_days": "-25"}},
    "changed, no day": {LOGS: {"xo_dec": "1", "xo_req": "1", "crossover_complete": "1"}},
    "changed, a day alone": {LOGS: {"xo_date": "2026-05-01"}},
    "changed, died": {LOGS: {"xo_date": "2026-05-01", "eos_stat": "4", "eos_dth_date": "2026-04-01"}},
    "changed, not randomised": {"randomisation": {}, LOGS: {"xo_dec": "1", "xo_date": "2026-05-01"}},
    "a wish alone": {"week_4": {"nc_xo": "1"}},
    "a wish and a call": {"week_4": {"nc_xo": "1", "nc_stat": "1", "nc_date": "2026-03-30", "nc_ae": "1"}},
    "a telling code alone": {(LOGS, EVENT, 1): {"ae_cat": "1"}, (LOGS, "protocol_deviation", 1): {"dev_code": "8"}},
    "a telling code and a grade": {(LOGS, EVENT, 1): {"ae_cat": "2", "ae_grade": "3"},
                                   (LOGS, "protocol_deviation", 2): {"dev_code": "6", "dev_grade": "2"}},
    "a telling code and a status": {(LOGS, EVENT, 1): {"ae_cat": "1", "adverse_event_complete": "2"}},
    "a relation alone": {(LOGS, EVENT, 1): {"ae_rel": "4"}},
    "a relation alone, then an event": {(LOGS, EVENT, 1): {"ae_rel": "4", "ae_exp": "1"},
                                        (LOGS, EVENT, 2): {"ae_start": "2026-03-09", "ae_cat": "9"}},
    "an event, then a relation alone": {(LOGS, EVENT, 1): {"ae_start": "2026-03-09", "ae_cat": "9"},
                                        (LOGS, EVENT, 2): {"ae_rel": "0"}},
    "a fatal leakage": {(LOGS, EVENT, 1): {"ae_cat": "1", "ae_rel": "5", "ae_grade": "5", "ae_out": "4",
                                           "ae_start": "2026-03-06", "ae_ser": "1", "ae_aware": "2026-03-06"}},
    "rows that hold nothing": {"pvp_procedure": {}, "surgeon_control": {}, "week_1": {},
                               LOGS: {}, (LOGS, EVENT, 1): {}},
    "statuses alone": {"pvp_procedure": {"pvp_procedure_complete": "0"}, LOGS: {"crossover_complete": "0"},
                       "surgeon_control": {"surgeon_followup_complete": "2"}},
    "a control, not operated": {"surgeon_control": {"sf_stat": "1", "sf_date": "2026-05-30", "sf_days": "200"}},
    "a call plan, not randomised": {"randomisation": {"cp_next": "SC12", "cp_planned": "2026-06-01"}},
    "a call plan after a procedure": {"week_1": {"cp_next": "SC12"}, "pvp_procedure": OPERATED},
    "tried for a control": {"pvp_procedure": OPERATED,
                            (LOGS, "call_log", 1): {"cl_contact": "SC12", "cl_date": "2026-05-20", "cl_out": "2"}},
    "an arm in another event": {"week_1": {"rand_arm": ARM}},
    "an operation in another event": {"week_1": OPERATED},
    "a site in a telling event": {"pvp_procedure": {"elig_site": "RIG"}},
    "a procedure and nothing else": {"screening": {}, "randomisation": {}, "pvp_procedure": OPERATED},
    "an arm and nothing else": {"screening": {}, "randomisation": {"rand_arm": ARM}},
    "a relation and nothing else": {"screening": {}, "randomisation": {}, (LOGS, EVENT, 1): {"ae_rel": "4"}},
}  # fmt: skip
SCREENED = {"elig_site": "ODE", "elig_date": "2026-02-01", "elig_ok": "1", "con_given": "1", "con_date": "2026-02-02"}


def rows(record: str, life: Life, arm: str) -> tuple[Row, ...]:
    """A patient who is randomised in the arm unless the life says otherwise; a place named without data is none."""
    whole = {"screening": SCREENED, "randomisation": {"rand_date": OPENED, "rand_arm": ARM}, **life}
    named = {(place, "", 0) if isinstance(place, str) else place: values for place, values in whole.items()}
    return tuple(
        Row(
            record,
            f"{event}_arm_1",
            form,
            number,
            {n: arm if v == ARM else v for n, v in values.items() if v != ARM or arm},
        )
        for (event, form, number), values in named.items()
        if values or event not in ("screening", "randomisation")
    )


def facts_of(lives: Iterable[Life], arms: Sequence[str]) -> Facts:
    """These patients, in the arms one after another."""
    patients_ = {f"ODE-{n:03}": rows(f"ODE-{n:03}", life, arms[n % len(arms)]) for n, life in enumerate(lives)}
    (snapshot,) = kept_small(Snapshot("1", "", DICTIONARY, EVENTS, patients_, dict.fromkeys(patients_, "ode")))
    return derive(Pull(snapshot, patients(snapshot, CONFIG), (), MAPPING), Past(), CONFIG, DAY, cards=Cards())


def prove(facts: Facts) -> None:
    """No open report and no open dataset is stopped, and what is not found again in a world would come out the same."""
    assert {"monitor", "site:ODE"} == enrolment_packs(facts, ("monitor", "site:ODE")).keys()
    dataset(facts, whole=False)
    for world, other in zip(worlds(facts.snapshot, CONFIG, facts.common.telling), other_worlds(facts), strict=True):
        assert other.ruled == ruled(facts.common.rules, world, CONFIG, DAY)
        assert other.schedule == schedule(patients(world, CONFIG), world, CONFIG, DAY, facts.common.past.promised)


@pytest.mark.parametrize("arms", ["1", "2", "12", "-", "1-"])
def test_all_of_them_together(arms: str) -> None:
    """In one arm, in the other, in both, and without; there is something to find about treatment."""
    facts = facts_of(ODD.values(), [arm.replace("-", "") for arm in arms])
    prove(facts)
    assert facts.found is not None
    assert facts.found.treatment


@settings(max_examples=12)
@given(st.lists(st.sampled_from(sorted(ODD)), min_size=1, max_size=3), st.sampled_from(["1", "2", "12"]))
def test_few_of_them(names: list[str], arms: str) -> None:
    """In a trial that has just begun, of which arms are empty."""
    prove(facts_of([ODD[name] for name in names], arms))


def test_a_rule_that_tells_whether_there_is_a_form_stops_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option of it is unticked where a wish to change arm stands in that event, and blank where nothing does."""
    unticked = Rule("Q01", "no sign", parse("[week_4_arm_1][nc_redflag(1)]='0'"), frozenset(), treatment=False)

    def more(*given: Any) -> Rules:
        known = read_rules(*given)
        return replace(known, rules=(*known.rules, unticked))

    monkeypatch.setattr(deriving, "read_rules", more)
    prove(facts_of([{}], "2"))
    with pytest.raises(ConcealmentBroken, match="sheet Key figures"):
        prove(facts_of([ODD["a wish alone"]], "2"))
