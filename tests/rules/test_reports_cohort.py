"""The cohort table and the flow made of it: every patient in one place, nothing lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frozen import FROZEN, trial_dictionary
from trialdesk.config import Config, load
from trialdesk.facts.cohort import REASONS, STATES, Cohort, cohort, gaps
from trialdesk.facts.datacut import step_dates
from trialdesk.model import Patient
from trialdesk.reports.flow import OUT_OF_ORDER, flow, unbalanced

CONFIG: Config = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
STEPS = tuple(step.code for step in CONFIG.funnel)
LAST = date(2026, 11, 23)


def patient(record: str, reached: int, states: Iterable[str] = (), **facts: object) -> Patient:
    """A patient at Odense, screened on 1 March 2026, who reached the first so many steps."""
    opened = {"opened_on": date(2026, 3, 20)} if reached == len(STEPS) else {}
    known = {
        "screened_on": date(2026, 3, 1),
        "consented_on": date(2026, 3, 5) if reached > 2 else None,
        **opened,
        **facts,
    }
    base = Patient(record, "ODE", "ode", reached=STEPS[:reached], states=frozenset(states))
    return replace(base, **known)  # type: ignore[arg-type]  # facts of Patient by name


def made(*patients: Patient, as_of: date = LAST) -> Cohort:
    return cohort(patients, CONFIG, DICTIONARY, as_of, LAST)


@pytest.mark.parametrize(
    ("who", "reached", "states", "reason", "state"),
    [
        ("waits for the criteria", 1, [], "pending", ""),
        ("criteria not met", 1, ["not_eligible"], "not eligible", ""),
        ("said no", 2, ["declined"], "declined", ""),
        ("said no, and the form is closed too", 2, ["declined", "not_randomised"], "declined", ""),
        ("was not asked", 2, ["not_invited"], "not invited", ""),
        ("surgeon said no", 3, ["not_eligible"], "not eligible", ""),
        ("consented, not randomised", 4, ["not_randomised"], "left before randomisation", ""),
        ("withdrew before randomisation", 4, ["withdrawn_from_treatment"], "left before randomisation", ""),
        ("died before randomisation", 4, ["dead"], "left before randomisation", ""),
        ("waits for the envelope", 4, [], "pending", ""),
        ("in the trial", 5, [], "", "in follow-up"),
        ("stops treatment only", 5, ["withdrawn_from_treatment"], "", "in follow-up"),
        ("wants no more calls", 5, ["withdrawn_from_contact"], "", "withdrawn"),
        ("wants no more data", 5, ["withdrawn_from_data"], "", "withdrawn"),
        ("can't be found", 5, ["lost"], "", "lost to follow-up"),
        ("month 12 done", 5, ["completed"], "", "completed"),
        ("died", 5, ["dead"], "", "died"),
        ("ineligible after all, but randomised", 5, ["not_eligible"], "", "in follow-up"),
    ],
)
def test_every_patient_has_one_place(who: str, reached: int, states: list[str], reason: str, state: str) -> None:
    """Before randomisation a reason, after it a state, never both."""
    (member,) = made(patient("ODE-001", reached, states)).members
    assert (member.reason, member.state) == (reason, state), who


def test_a_step_counts_only_after_all_before_it() -> None:
    """Consent without the criteria counts as screened, and is pointed out."""
    here = made(replace(patient("ODE-001", 1), reached=("screened", "consented")))
    assert [here.reached(step) for step in range(5)] == [1, 0, 0, 0, 0]
    (finding,) = gaps(here)
    assert (finding.record, finding.severity) == ("ODE-001", "warning")
    assert finding.text == "Consented although not recorded: Eligible"


def test_a_record_that_reached_no_step_lacks_none() -> None:
    """One that was just made, without a day of screening: nothing is before what it has."""
    here = made(replace(patient("ODE-001", 1), reached=()))
    assert (here.members[0].skipped, gaps(here)) == ((), ())


def test_an_opened_envelope_counts_although_a_step_is_missing() -> None:
    """A randomised patient stays randomised (CONSORT 2025, item 22b); the gap is an error to solve."""
    gap = replace(patient("ODE-002", 5), reached=tuple(code for code in STEPS if code != "fit"))
    here = made(patient("ODE-001", 5), gap)
    assert [here.reached(step) for step in range(5)] == [2, 2, 2, 1, 2]
    assert [(f.record, f.severity) for f in gaps(here)] == [("ODE-002", "error")]
    assert {(b.parent, b.n) for b in flow(here) if b.name == OUT_OF_ORDER and b.n} == {("Consented", 1)}


def test_steps_are_dated_by_the_fact_on_their_form() -> None:
    """Eligible by the screening date, consented by the date of consent; fit for surgery has no date."""
    expected = {"screened": "screened_on", "eligible": "screened_on", "consented": "consented_on"}
    assert step_dates(CONFIG, DICTIONARY) == {**expected, "randomised": "opened_on"}


@pytest.mark.parametrize(
    ("as_of", "steps", "reason", "state"),
    [
        (date(2026, 2, 28), None, None, None),
        (date(2026, 3, 1), 2, "pending", ""),
        (date(2026, 3, 5), 4, "pending", ""),
        (date(2026, 3, 19), 4, "pending", ""),
        (date(2026, 3, 20), 5, "", "in follow-up"),
        (date(2026, 6, 1), 5, "", "in follow-up"),
        (date(2026, 6, 2), 5, "", "died"),
    ],
)
def test_what_happened_after_the_data_cut_is_not_known(
    as_of: date, steps: int | None, reason: str | None, state: str | None
) -> None:
    """The same patient, seen on seven days: screened 1 March, consent 5 March, day 0 20 March, death 2 June 2026."""
    whole = patient("ODE-001", 5, ["dead"], died_on=date(2026, 6, 2), left_on=date(2026, 6, 2), arm="1")
    here = made(whole, as_of=as_of)
    seen = [(m.steps, m.reason, m.state, bool(m.patient.arm)) for m in here.members]
    assert seen == ([] if steps is None else [(steps, reason, state, steps == 5)])
    assert here.later == (steps is None)


YEAR_LATER = date(2027, 6, 2)


@pytest.mark.parametrize(
    ("died_on", "left_on", "as_of", "state"),
    [
        (YEAR_LATER, date(2026, 6, 2), LAST, "died"),
        (YEAR_LATER, date(2026, 6, 2), date(2026, 6, 2), "died"),
        (YEAR_LATER, date(2026, 6, 2), date(2026, 6, 1), "in follow-up"),
        (date(2026, 6, 2), date(2026, 6, 20), date(2026, 6, 2), "died"),
        (YEAR_LATER, None, LAST, "died"),
        (YEAR_LATER, YEAR_LATER, LAST, "died"),
        (None, date(2026, 6, 2), date(2026, 6, 1), "in follow-up"),
    ],
)
def test_a_slip_in_a_date_hides_no_death(died_on: date | None, left_on: date | None, as_of: date, state: str) -> None:
    """Somebody typed 2027: the patient has died on the day of the end-of-study form, or by the day of the pull."""
    (member,) = made(patient("ODE-001", 5, ["dead"], died_on=died_on, left_on=left_on), as_of=as_of).members
    assert member.state == state


def test_a_slip_in_the_date_of_leaving_hides_no_withdrawal() -> None:
    """Neither the state nor its level goes because a date lies after the pull; after the cut they do."""
    gone = patient("ODE-001", 5, ["withdrawn_from_contact"], left_on=YEAR_LATER, withdrawal="contact")
    (member,) = made(gone).members
    assert (member.state, member.patient.withdrawal) == ("withdrawn", "contact")
    (earlier,) = made(replace(gone, left_on=LAST), as_of=date(2026, 11, 22)).members
    assert (earlier.state, earlier.patient.withdrawal) == ("in follow-up", "")


def test_a_release_after_the_cut_is_not_known() -> None:
    """Released on the cut's own evening still counts."""
    one = patient("ODE-001", 4, released_envelope="ODE-K1N-001-X", released_at=datetime(2026, 3, 18, 16, 30))
    assert made(one, as_of=date(2026, 3, 18)).members[0].patient.released_envelope
    assert not made(one, as_of=date(2026, 3, 17)).members[0].patient.released_envelope


def test_a_site_is_shown_only_what_field_and_group_both_give_it() -> None:
    """A record of another group whose site field says ODE by mistake is not shown to Odense."""
    patients = [patient("ODE-001", 5), replace(patient("RIG-001", 5), group="rig"), patient("ODE-002", 1, group="")]
    here = made(*patients)
    for site in ("ODE", "RIG"):
        assert here.owned(site).records == {one.record for one in patients if one.belongs_to(site)}
    assert here.owned("ODE").records == {"ODE-001", "ODE-002"}


def test_the_flow_of_nobody_is_all_zeros() -> None:
    """Zero patients give every box with zero, and nothing out of balance."""
    boxes = flow(made())
    assert {box.n for box in boxes} == {0}
    assert unbalanced(boxes) == ()
    assert Counter(box.parent for box in boxes)["Randomised"] == len(STATES)


def test_a_lost_patient_is_noticed() -> None:
    """The check can fail: take one away and the box above no longer adds up."""
    boxes = list(flow(made(patient("ODE-001", 2, ["declined"]), patient("ODE-002", 5))))
    at = next(number for number, box in enumerate(boxes) if box.name == "Declined" and box.n)
    boxes[at] = replace(boxes[at], n=0)
    assert unbalanced(boxes) == ("Eligible",)


ANY_PATIENT = st.builds(
    lambda reached, states, opened: replace(
        patient("x", 1), reached=tuple(reached), states=frozenset(states), opened_on=LAST if opened else None
    ),
    st.lists(st.sampled_from(STEPS), unique=True),
    st.lists(st.sampled_from(sorted(type(CONFIG.states).model_fields)), unique=True),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY_PATIENT, max_size=12))
def test_the_flow_never_loses_or_doubles_a_patient(patients: list[Patient]) -> None:
    """Every box is the sum of its children, and every patient is in exactly one leaf, whatever the data say."""
    here = made(*(replace(one, record=str(number)) for number, one in enumerate(patients)))
    boxes = flow(here)
    assert unbalanced(boxes) == ()
    before = sum(box.n for box in boxes if box.leaf and box.parent != "Randomised")
    assert before == len(patients)
    assert sum(box.n for box in boxes if box.parent == "Randomised") == here.randomised
    assert all((m.reason in REASONS) != (m.state in STATES) for m in here.members)
