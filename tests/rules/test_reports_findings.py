"""The trial's own consistency rules over whole records: where they fire, where they stay silent, who may see them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from frozen import FROZEN
from redcap_rules.dictionary import Dictionary, join, read_dictionary
from redcap_rules.record import Row
from trialdesk.config import Config, load
from trialdesk.envelopes.reconcile import RULES as ENVELOPE_RULES
from trialdesk.errors import InstrumentError
from trialdesk.findings.lists import sort_out
from trialdesk.findings.own import CLASSES
from trialdesk.findings.ruled import ruled, told_once
from trialdesk.instruments.rules import Rules, read_rules
from trialdesk.instruments.treatment import telling
from trialdesk.model import Finding
from trialdesk.redcap.snapshot import Snapshot

pytestmark = pytest.mark.requirement("REP-07")

FOLDER = FROZEN / "instruments" / "trial"
CONFIG: Config = load(FROZEN / "config.yaml")
DICTIONARY: Dictionary = join(
    read_dictionary(path.read_text("utf-8"), path.name) for path in sorted(FOLDER.glob("[0-9]*"))
)
RULES: Rules = read_rules(FOLDER, DICTIONARY, CONFIG, CLASSES)
TODAY = date(2026, 11, 23)

Places = Mapping[str, Mapping[str, str]]
CLEAN: Places = {
    "screening_arm_1": {
        "elig_site": "ODE", "elig_date": "2026-03-01", "elig_ok": "1", "con_given": "1", "con_date": "2026-03-05",
        "sa_fit": "1", "sa_ci_any": "0", "sa_risk_info": "1", "img_n_plan": "1", "img_st_lvl": "1", "img_st_for": "0",
        "elig_group": "1", "sa_n_lvl": "1",
    },
    "baseline_arm_1": {"odi_date": "2026-03-18", "odi_pct": "44", "vas_back": "70", "eq_index": "0.4"},
    "randomisation_arm_1": {
        "rand_date": "2026-03-20", "rand_grp": "1", "rand_lvl": "1", "rand_for": "0", "rand_env": "E1",
        "rand_env_released": "E1", "rand_env_ok": "1", "rand_arm": "2",
    },
}  # fmt: skip


def found(changes: Places, *more: Row) -> list[tuple[str, str]]:
    """Rule and place of every finding in the clean record with changes; a blank value takes a value away."""
    events = {event: {**CLEAN.get(event, {}), **changes.get(event, {})} for event in {*CLEAN, *changes}}
    rows = [Row("ODE-001", e, "", 0, {n: v for n, v in values.items() if v}) for e, values in sorted(events.items())]
    pull = Snapshot("1", "", DICTIONARY, tuple(sorted(events)), {"ODE-001": (*rows, *more)}, {"ODE-001": "ode"})
    return [(finding.rule, finding.where) for finding in ruled(RULES, pull, CONFIG, TODAY)]


def test_a_clean_record_has_no_finding() -> None:
    """Nothing to report for a patient by the book."""
    assert found({}) == []


@pytest.mark.parametrize(
    ("rule", "where", "changes"),
    [
        ("Q01", "", {"baseline_arm_1": {"odi_date": "2026-03-14"}, "screening_arm_1": {"con_date": "2026-03-15"}}),
        ("Q02", "", {"screening_arm_1": {"con_given": "0"}}),
        ("Q06", "", {"screening_arm_1": {"elig_ok": ""}}),
        ("Q07", "", {"screening_arm_1": {"sa_ci_any": "1"}}),
        ("Q11", "screening_arm_1", {"screening_arm_1": {"elig_inc_relpain": "1", "elig_pain_0100": "49"}}),
        ("Q23", "", {"baseline_arm_1": {"vas_back": ""}}),
        ("Q25", "", {"screening_arm_1": {"img_st_for": "1"}}),
        ("Q26", "randomisation_arm_1", {"randomisation_arm_1": {"rand_env": "E2"}}),
        ("Q27", "randomisation_arm_1", {"randomisation_arm_1": {"rand_env_released": ""}}),
        ("Q44", "week_2_arm_1", {"week_2_arm_1": {"nc_stat": "1"}}),
        ("Q51", "week_3_arm_1", {"week_3_arm_1": {"an_ome": "301"}}),
        ("Q54", "week_4_arm_1", {"week_4_arm_1": {"eq5d_pd_5l_den_dan": "1", "vas_back": "70"}}),
        ("Q60", "logs_arm_1", {"logs_arm_1": {"xo_dec": "1", "xo_w4_done": "0"}}),
    ],
)
def test_a_rule_fires_once_and_where_the_fault_is(rule: str, where: str, changes: Places) -> None:
    """Rules over several events fire once a record, the others in the event (and instance) with the fault."""
    assert found(changes) == [(rule, where)]


@pytest.mark.parametrize(
    "changes",
    [
        {"screening_arm_1": {"elig_inc_relpain": "1", "elig_pain_0100": "50"}},
        {"week_2_arm_1": {"nc_stat": "1", "vas_back": "12"}},
        {"week_2_arm_1": {"nc_stat": "1", "vas_stat": "3"}},
        {"week_3_arm_1": {"an_ome": "300"}},
        {"logs_arm_1": {"xo_dec": "1", "xo_w4_done": "1"}},
        {"week_4_arm_1": {"an_op___1": "0", "an_op___2": "0"}},
    ],
)
def test_a_rule_stays_silent_at_its_limit(changes: Places) -> None:
    """The neighbours of the faults above."""
    assert found(changes) == []


def test_each_instance_of_a_repeating_form_is_looked_at() -> None:
    """Two adverse events, the second serious without a criterion."""
    fine = Row("ODE-001", "logs_arm_1", "adverse_event", 1, {"ae_term": "cold", "ae_ser": "0"})
    wrong = Row("ODE-001", "logs_arm_1", "adverse_event", 2, {"ae_term": "fall", "ae_ser": "1"})
    assert found({}, fine, wrong) == [("Q61", "logs_arm_1 adverse_event 2")]


def test_every_rule_in_the_files_has_a_class_and_every_class_is_used() -> None:
    """55 rules of the trial; those in code bring their own class. A rule's logic says whether it may be open."""
    with (FOLDER / "dq_classes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["rule"] for row in rows) == sorted(rule.id for rule in RULES.rules)
    assert len(RULES.rules) == 55
    assert {row["severity"] for row in rows} == {"error", "warning"}
    assert {row["open"] for row in rows} == {""}


def test_rules_in_code_need_no_line_and_a_line_changes_what_it_names(tmp_path: Path) -> None:
    """Wording, severity and deviation code are their own; a trial without classes reads them in words."""
    (tmp_path / "dq_rules.csv").write_text("rule_name,rule_logic\n")
    bare = read_rules(tmp_path, DICTIONARY, CONFIG, CLASSES)
    assert bare.class_of("R11").deviation == "D04"
    assert "Something about" not in {one.wording for rule, one in CLASSES.items()}
    assert set(CLASSES) > {"R01", "R54", "Q31", "Q66"}
    (tmp_path / "dq_classes.csv").write_text("rule,severity,deviation\nR11,warning,P7\n")
    changed = read_rules(tmp_path, DICTIONARY, CONFIG, CLASSES).class_of("R11")
    assert (changed.severity, changed.deviation, changed.open) == ("warning", "P7", True)
    assert changed.wording == bare.class_of("R11").wording


def test_severity_comes_from_the_class_and_a_rule_without_one_is_a_warning(tmp_path: Path) -> None:
    """The same rule with and without its class."""
    (tmp_path / "dq_rules.csv").write_text('rule_name,rule_logic\nX1 Odd,"[an_ome]>1"\nX2 Odd,"[an_ome]>1"\n')
    (tmp_path / "dq_classes.csv").write_text("rule,severity,deviation,open\nX1,error,D15,\n")
    rules = read_rules(tmp_path, DICTIONARY, CONFIG)
    assert [(rules.class_of(name).severity, rules.class_of(name).deviation) for name in ("X1", "X2")] == [
        ("error", "D15"),
        ("warning", ""),
    ]


def test_every_wrong_rule_is_named_with_its_line(tmp_path: Path) -> None:
    """Bad logic, an unknown field and a doubled id in one message; a folder without the file is no folder of rules."""
    text = 'rule_name,rule_logic\nX1 a,"[an_ome]>"\nX2 b,"[nothing]=1"\nX3 c,"[an_ome]>1"\nX3 d,"[an_ome]>2"\n'
    (tmp_path / "dq_rules.csv").write_text(text)
    with pytest.raises(InstrumentError) as refused:
        read_rules(tmp_path, DICTIONARY, CONFIG)
    lines = str(refused.value).splitlines()
    assert [line.split()[2].rstrip(",") for line in lines] == ["2", "3", "5"]
    assert "nothing" in lines[1]
    with pytest.raises(InstrumentError, match="nothing would be checked"):
        read_rules(tmp_path / "none", DICTIONARY, CONFIG)


def test_what_tells_the_arm_is_found_from_the_configuration() -> None:
    """The arm, its referral dates, procedure, surgeon control, change of arm, the question only one arm is asked."""
    found = telling(DICTIONARY, CONFIG)
    fields = found.fields
    inside = {
        "rand_arm",
        "rand_ref_date",
        "pvp_days",
        "sf_days",
        "xo_dec",
        "nc_xo",
        "cp_next",
        "pvp_procedure_complete",
    }
    outside = {"rand_date", "rand_env", "nc_stat", "odi_pct", "ae_term", "eos_stat", "elig_site", "record_id"}
    assert inside <= fields
    assert not outside & fields
    assert "xo_rsn___1" in found.columns


def test_rules_that_tell_the_arm_are_told_by_what_they_refer_to() -> None:
    """Every rule about allocation, procedure, surgeon control or change of arm; none about screening or calls."""
    telling = {rule.id for rule in RULES.rules if rule.treatment}
    assert telling == {f"Q{n}" for n in (32, 33, 34, 35, 36, 37, 38, 39, 41, 46, 55, 56, 58, 59, 60, 69)}


RANDOMISATION = "randomisation_arm_1"


@pytest.mark.parametrize(
    ("changes", "envelopes", "left"),
    [
        ({"rand_env": "E2"}, ["R49"], []),
        ({"rand_env": "e1"}, [], ["Q26"]),  # careless spelling: the envelope room does not mind it
        ({"rand_env_released": ""}, ["R21"], []),
        ({"rand_env_released": "", "rand_env_ok": "0"}, ["R21"], ["Q27"]),  # the seal was broken as well
        ({"rand_env_ok": "0"}, [], ["Q27"]),
        ({"rand_env": "E2"}, ["R21"], ["Q26"]),
    ],
)
def test_one_fact_is_told_once(changes: Mapping[str, str], envelopes: list[str], left: list[str]) -> None:
    """What a rule about envelopes says of a record is not said again by the rule REDCap has for it."""
    places = {**CLEAN, RANDOMISATION: {**CLEAN[RANDOMISATION], **changes}}
    rows = tuple(Row("ODE-001", event, "", 0, values) for event, values in places.items())
    pull = Snapshot("1", "", DICTIONARY, tuple(places), {"ODE-001": rows}, {})
    said = [Finding(rule, "ODE", "ODE-001", RANDOMISATION, "error", "x") for rule in envelopes]
    elsewhere = [Finding(rule, "ODE", "ODE-002", RANDOMISATION, "error", "x") for rule in ("R21", "R49")]
    once = told_once(ruled(RULES, pull, CONFIG, TODAY), [*said, *elsewhere], RULES, pull)
    assert [finding.rule for finding in once] == left


def test_what_is_told_of_envelopes_is_told_by_rules_there_are() -> None:
    """Opened envelope is not the released one: the same deviation, whichever rule says so."""
    same = {rule: kind.same_as for rule, kind in RULES.classes.items() if kind.same_as}
    assert same == {"Q26": "R49", "Q27": "R21"}
    assert set(same.values()) <= ENVELOPE_RULES.keys()
    assert all(RULES.class_of(one).deviation == RULES.class_of(other).deviation == "D04" for one, other in same.items())


def test_a_class_that_can_t_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    """The condition in column unless is REDCap's logic."""
    (tmp_path / "dq_rules.csv").write_text("rule_name,rule_logic\n")
    (tmp_path / "dq_classes.csv").write_text('rule,severity,same_as,unless\nX1,error,R1,"[a]="\n')
    with pytest.raises(InstrumentError, match=r"dq_classes\.csv row 2, unless: X1:"):
        read_rules(tmp_path, DICTIONARY, CONFIG)


def test_only_what_is_known_to_be_free_of_the_arm_is_listed() -> None:
    """An unknown rule, a treatment rule, and a rule that fires in the procedure's event all stay closed."""
    free = Finding("Q02", "ODE", "ODE-001", "", "error", "a")
    coded = Finding("Q31", "ODE", "ODE-001", "", "warning", "b")
    closed = [
        Finding("Q33", "ODE", "ODE-001", "", "error", "c"),
        Finding("Q42", "ODE", "ODE-001", "", "error", "d"),
        Finding("Q43", "ODE", "ODE-001", "surgeon_control_arm_1", "warning", "e"),
        Finding("new", "ODE", "ODE-001", "", "warning", "f"),
    ]
    register = Finding("E03", "ODE", "ODE-001", "", "error", "g")
    gap = Finding("funnel", "ODE", "ODE-001", "", "error", "h")
    result = sort_out([*closed, coded, free, free], RULES, [gap], [register])
    assert (result.listed, result.envelopes) == ((free, coded, gap), (register,))
    assert set(result.treatment) == set(closed)
    assert set(result.every) == {gap, register, free, coded, *closed}
    assert result.class_of("Q33").deviation == "D08"


def test_what_excel_writes_is_read_by_the_night_as_check_reads_it(tmp_path: Path) -> None:
    """Semicolons, a byte-order mark, lines that end as on Windows: the same rules and classes."""
    for name in ("dq_rules.csv", "dq_classes.csv"):
        with (FOLDER / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        with (tmp_path / name).open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file, delimiter=";", lineterminator="\r\n").writerows(rows)
    assert read_rules(tmp_path, DICTIONARY, CONFIG, CLASSES) == RULES


def test_a_class_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    """A misspelt severity would count as a warning for ever."""
    (tmp_path / "dq_rules.csv").write_text("rule_name,rule_logic\n")
    (tmp_path / "dq_classes.csv").write_text("rule,severity\nX1,eror\n")
    with pytest.raises(InstrumentError, match=r"dq_classes\.csv row 2, severity: X1: 'eror' is no severity"):
        read_rules(tmp_path, DICTIONARY, CONFIG)


@pytest.mark.parametrize(("day", "early"), [("27", True), ("28", False)])
def test_a_change_of_arm_is_early_up_to_day_27(day: str, early: bool) -> None:
    """Of the operation and of the request; the protocol allows it after four weeks."""
    operated = found({"pvp_procedure_arm_1": {"pvp_done": "1", "pvp_why": "2", "pvp_days": day}})
    asked = found({"logs_arm_1": {"xo_dec": "1", "xo_w4_done": "1", "xo_day": day}})
    assert ("Q34" in {rule for rule, _ in operated}, "Q69" in {rule for rule, _ in asked}) == (early, early)
