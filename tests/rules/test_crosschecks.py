"""The consistency checks between records and instances: each fires on its fault and is silent on a clean trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any

import pytest

from frozen import FROZEN
from redcap_rules.record import Row
from trialdesk.config import load
from trialdesk.findings.crosschecks import OWN, cross_findings
from trialdesk.followup.contacts import Contact, Said
from trialdesk.followup.schedule import Entry, Schedule
from trialdesk.instruments.folder import folder_of, read_folder
from trialdesk.model import ContactStatus, Patient
from trialdesk.redcap.snapshot import Snapshot

pytestmark = pytest.mark.requirement("REP-07")

TODAY = date(2026, 11, 23)
CONFIG = load(FROZEN / "config.yaml")
RULES = {rule.code: rule for rule in CONFIG.contacts}
SCREENING = {"elig_sex": "1", "elig_yob": "1950", "mm_date": "2025-01-02", "img_plan___11": "1", "img_plan___12": "1"}
PROCEDURE = {"pvp_done": "1", "pvp_date": "2026-09-10", "pvp_l1_lvl": "11", "pvp_l2_lvl": "12", "pvp_compl___0": "1"}


@cache
def dictionary() -> Any:
    return read_folder(folder_of(CONFIG, "trial")).design.dictionary


def patient(record: str = "ODE-001", **facts: Any) -> Patient:
    """A randomised patient of Odense with a vertebroplasty, unless said otherwise."""
    usual: dict[str, Any] = {
        "site": "ODE",
        "group": "ode",
        "envelope": "ODE-K2F-001-X",
        "released_at": datetime(2026, 9, 1, 9, 0),
        "opened_on": date(2026, 9, 1),
        "opened_time": "10:00",
        "procedure_on": date(2026, 9, 10),
    }
    return Patient(record, **{**usual, **facts})


SECOND = patient(
    "ODE-002",
    envelope="ODE-K2F-002-Y",
    released_at=datetime(2026, 9, 2, 9, 0),
    opened_on=date(2026, 9, 2),
    procedure_on=None,
)


def rows(changes: Mapping[str, Mapping[str, str]] | None = None, record: str = "ODE-001") -> list[Row]:
    """The rows of a record by event; a repeating form is named `instrument__instance`."""
    parts = {"screening_arm_1": SCREENING, "pvp_procedure_arm_1": PROCEDURE, **(changes or {})}
    found = []
    for place, values in parts.items():
        instrument, _, instance = place.partition("__")
        event = "logs_arm_1" if instance else instrument
        found.append(Row(record, event, instrument if instance else "", int(instance or 0), values))
    return found


OTHER_ROWS = [Row("ODE-002", "screening_arm_1", "", 0, {**SCREENING, "elig_yob": "1960"})]


def stands(code: str, status: ContactStatus) -> Entry:
    """How one contact of the first patient stands."""
    return Entry(Contact("ODE-001", "ODE", date(2026, 9, 1), RULES[code], None, Said()), None, status)


def findings(
    patients: list[Patient], records: list[Row], *contacts: Entry, today: date = TODAY
) -> dict[str, list[str]]:
    by_record: dict[str, tuple[Row, ...]] = {}
    for row in records:
        by_record[row.record] = (*by_record.get(row.record, ()), row)
    snapshot = Snapshot("1", "", dictionary(), (), by_record, {})
    found = cross_findings(snapshot, patients, Schedule(today, (), contacts), CONFIG)
    out: dict[str, list[str]] = {}
    for finding in found:
        out.setdefault(finding.rule, []).append(f"{finding.record} {finding.where}".strip())
    return out


def test_two_clean_records_have_no_finding() -> None:
    """A check that fires on everything helps nobody."""
    assert findings([patient(), SECOND], [*rows(), *OTHER_ROWS]) == {}


def test_the_same_person_twice_at_a_site_is_named_twice() -> None:
    """Same sex, year of birth and date of diagnosis."""
    twice = [Row("ODE-002", "screening_arm_1", "", 0, SCREENING)]
    assert findings([patient(), SECOND], [*rows(), *twice])["Q31"] == ["ODE-001", "ODE-002"]
    elsewhere = replace(SECOND, site="AAR", group="aar", envelope="AAR-K2F-001-Y")
    assert "Q31" not in findings([patient(), elsewhere], [*rows(), *twice])


CALL = {"nc_stat": "1", "nc_date": "2026-09-08"}
EVENT = {"ae_start": "2026-09-12", "ae_rel": "3", "ae_out": "1"}


@pytest.mark.parametrize(
    ("rule", "changes", "fires"),
    [
        ("Q40", {"pvp_procedure_arm_1": {**PROCEDURE, "pvp_l2_lvl": "13"}}, True),
        ("Q40", {"pvp_procedure_arm_1": {**PROCEDURE, "pvp_l1_lvl": "12", "pvp_l2_lvl": "11"}}, False),  # a set
        ("Q42", {"pvp_procedure_arm_1": {**PROCEDURE, "pvp_compl___1": "1"}}, True),
        ("Q42", {"pvp_procedure_arm_1": {**PROCEDURE, "pvp_compl___1": "1"}, "adverse_event__1": EVENT}, False),
        (
            "Q42",
            {
                "pvp_procedure_arm_1": {**PROCEDURE, "pvp_compl___1": "1"},
                "adverse_event__1": {**EVENT, "ae_start": "2026-10-11"},
            },
            True,
        ),  # 31 days
        ("Q47", {"week_5_arm_1": {**CALL, "nc_xo": "1"}}, True),
        ("Q47", {"week_5_arm_1": {**CALL, "nc_xo": "1"}, "logs_arm_1": {"xo_req": "1"}}, False),
        ("Q48", {"week_1_arm_1": {**CALL, "nc_ae": "1"}}, True),
        (
            "Q48",
            {"week_1_arm_1": {**CALL, "nc_ae": "1"}, "adverse_event__1": {**EVENT, "ae_start": "2026-09-03"}},
            False,
        ),
        (
            "Q48",
            {"week_1_arm_1": {**CALL, "nc_ae": "1"}, "adverse_event__1": {**EVENT, "ae_start": "2026-08-30"}},
            True,
        ),
        ("Q48", {"week_1_arm_1": {**CALL, "nc_tx": "1"}, "adverse_event__1": EVENT}, True),  # the other log
        ("Q48", {"week_1_arm_1": {**CALL, "nc_tx": "1"}, "con_treatment__1": {"ct_start": "2026-09-05"}}, False),
        ("Q64", {"adverse_event__1": {**EVENT, "ae_start": "2026-09-09"}}, True),
        ("Q64", {"adverse_event__1": EVENT}, False),
        ("Q64", {"adverse_event__1": {**EVENT, "ae_start": "2026-09-09", "ae_rel": "2"}}, False),
        ("Q63", {"adverse_event__1": {**EVENT, "ae_out": "4"}}, True),
        ("Q63", {"adverse_event__1": {**EVENT, "ae_out": "3"}}, False),
    ],
)
def test_checks_within_a_record_compare_its_instances(
    rule: str, changes: dict[str, dict[str, str]], fires: bool
) -> None:
    """Each fault is seeded in an otherwise clean record."""
    assert (rule in findings([patient()], rows(changes))) is fires


@pytest.mark.parametrize(
    ("rule", "status", "code", "today", "fires"),
    [
        ("Q43", "missed", "W04", TODAY, True),
        ("Q43", "done late", "W04", TODAY, True),
        ("Q43", "done", "W04", TODAY, False),
        ("Q43", "missed", "W05", TODAY, False),  # one that is not key can't be mended, and is counted
        ("Q43", "upcoming", "W05", TODAY, False),
        ("Q57", "overdue", "SC12", date(2027, 1, 1), True),  # day 113
        ("Q57", "overdue", "SC12", date(2026, 12, 31), False),  # day 112
        ("Q57", "done", "SC12", date(2027, 1, 1), False),
    ],
)
def test_checks_of_contacts_follow_the_schedule(
    rule: str, status: ContactStatus, code: str, today: date, fires: bool
) -> None:
    """The schedule says how a contact stands; it is not judged a second time here."""
    assert (rule in findings([patient()], rows(), stands(code, status), today=today)) is fires


@pytest.mark.parametrize(
    ("stood", "said"),
    [
        ("W01 late, W02 missed, W03 done, W04 early, W05 missed", ["early Week 4"]),
        ("W05 missed, W06 late, W07 early", ["missed Week 5; early Week 7; late Week 6"]),
        ("W05 missed, W06 missed, W07 done, W08 missed", []),
        ("W05 missed, W06 missed, SC12 missed, W08 missed", ["missed Week 5, Week 6, Week 8", "missed SC12"]),
        ("W05 missed, W06 missed, SC12 done, W08 done", []),
    ],
)
def test_a_key_contact_or_three_in_a_row_not_in_time_are_one_finding(stood: str, said: list[str]) -> None:
    """By how they failed, in the order of the schedule; one after a procedure stands in its own event, and no row."""
    words: dict[str, ContactStatus] = {"late": "done late", "early": "done early", "missed": "missed", "done": "done"}
    entries = tuple(stands(code, words[how]) for code, how in (one.split() for one in stood.split(", ")))
    snapshot = Snapshot("1", "", dictionary(), (), {"ODE-001": tuple(rows())}, {})
    found = cross_findings(snapshot, [patient()], Schedule(TODAY, (), entries), CONFIG)
    told = [(one.where, one.text.partition(": ")[2]) for one in found if one.rule == "Q43"]
    label = RULES["SC12"].label
    assert told == [("surgeon_control_arm_1" if "SC12" in text else "", text.replace("SC12", label)) for text in said]


@pytest.mark.parametrize(
    ("facts", "fires"),
    [
        ({"states": frozenset({"dead"}), "died_on": date(2026, 9, 7)}, True),
        ({"states": frozenset({"dead"}), "died_on": date(2026, 9, 10)}, False),
        ({"states": frozenset({"withdrawn_from_data"}), "left_on": date(2026, 9, 7)}, True),
        ({"states": frozenset({"withdrawn_from_contact"}), "left_on": date(2026, 9, 7)}, False),
    ],
)
def test_a_form_dated_after_the_end_is_found(facts: dict[str, Any], fires: bool) -> None:
    """After death, or after a withdrawal that ends data collection, no form may be dated."""
    found = findings([patient(**facts)], rows({"week_1_arm_1": CALL}))
    assert ("ODE-001 week_1_arm_1" in found.get("Q66", [])) is fires


def test_a_death_without_a_fatal_event_is_found_too() -> None:
    """Q63 reads both ways."""
    assert "Q63" in findings([patient(states=frozenset({"dead"}))], rows())


def test_every_text_is_free_of_arms() -> None:
    """A finding may be read by someone who must not know the arm."""
    arms = {arm.name.casefold() for arm in CONFIG.arms}
    assert len(OWN) == 10
    assert not [one.wording for one in OWN.values() if any(arm in one.wording.casefold() for arm in arms)]
