"""The monitor's workbook: its numbers counted again by hand, what it may list, and how it prints."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from trialdesk.config import Config, load
from trialdesk.config.logs import TreatmentValue
from trialdesk.config.parts import Criterion
from trialdesk.errors import ConfigError
from trialdesk.facts.cards import Cards
from trialdesk.facts.cohort import reasons
from trialdesk.facts.deriving import Facts, Past, derive
from trialdesk.facts.figures import figures
from trialdesk.facts.pulling import Pull
from trialdesk.instruments.folder import read_labels
from trialdesk.memory.values import Issued
from trialdesk.model import Envelope, EnvelopeStatus, Finding, Pile
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.accrual import ahead, needed, recent
from trialdesk.reports.changed import changed
from trialdesk.reports.dataset import dataset
from trialdesk.reports.flowsvg import flow_svg
from trialdesk.reports.pack import enrolment_packs
from trialdesk.workbook import Block, SheetTable, as_bytes, digest
from trialdesk.workbook.layout import bottom
from trialdesk.workbook.measures import widths

pytestmark = pytest.mark.requirement("REP-01", "REP-03")

CONFIG: Config = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
MAPPING: dict[str, tuple[str, ...]] = {}
for _row in trial_rows("mapping.csv"):
    MAPPING[_row["unique_event_name"]] = (*MAPPING.get(_row["unique_event_name"], ()), _row["form"])
LABELS = read_labels(FROZEN / "instruments" / "trial")
TODAY = date(2026, 7, 1)
OPENED = date(2026, 3, 2)
ADVERSE, DEVIATION = "adverse_event", "protocol_deviation"
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
ROWS_ON_A_PAGE = 41  # of ordinary height, when eleven points are printed as nine


def record(name: str, arm: str, weeks: Mapping[int, int], **more: dict[str, str]) -> list[Row]:
    """A patient randomised on 2 March with calls: week to the day of the call after the randomisation."""
    site = name[:3]
    screened = {
        "elig_site": site,
        "elig_date": "2026-02-10",
        "elig_ok": "1",
        "con_given": "1",
        "con_date": "2026-02-11",
    }
    places = {
        "screening_arm_1": {**screened, "sa_fit": "1", "sa_ci_any": "0", "sa_risk_info": "1"},
        "randomisation_arm_1": {"rand_date": str(OPENED), "rand_arm": arm},
        **{f"{event}_arm_1": values for event, values in more.items()},
    }
    for week, day in weeks.items():
        places[f"week_{week}_arm_1"] = {"nc_stat": "1", "nc_date": str(OPENED + timedelta(day))}
    if arm == "1":
        places["pvp_procedure_arm_1"] = {"pvp_done": "1", "pvp_date": "2026-03-05"}
    return [Row(name, event, "", 0, values) for event, values in places.items()]


def logged(name: str, log: str, instance: int, **values: str) -> Row:
    return Row(name, "logs_arm_1", log, instance, values)


# ODE-1 had weeks 1 and 2 in window and week 3 early; RIG-1 died on day 20 after one call; HER-1 is screened only.
ROWS: dict[str, list[Row]] = {
    "ODE-1": [
        *record("ODE-1", "1", {1: 7, 2: 15, 3: 17}),
        logged("ODE-1", ADVERSE, 1, ae_cat="1", ae_start="2026-03-06", ae_ser="1", ae_aware="2026-03-06", ae_rel="5"),
        logged("ODE-1", ADVERSE, 2, ae_cat="9", ae_start="2026-03-12", ae_grade="2", ae_term="secret words"),
        logged("ODE-1", DEVIATION, 1, dev_code="7", dev_date="2026-03-20", dev_desc="late operation"),
    ],
    "RIG-1": [
        *record("RIG-1", "2", {1: 7}, logs={"eos_stat": "4", "eos_dth_date": "2026-03-22", "eos_date": "2026-03-22"}),
        logged("RIG-1", ADVERSE, 1, ae_cat="8", ae_start="2026-03-15", ae_ser="1", ae_aware="2026-03-15",
               ae_spons="2026-03-20"),
        logged("RIG-1", DEVIATION, 1, dev_code="4", dev_date="2026-03-02", dev_found="2026-03-05", dev_grade="2"),
    ],
    "HER-1": [Row("HER-1", "screening_arm_1", "", 0, {"elig_site": "HER", "elig_date": "2026-05-01", "elig_ok": "1"})],
}  # fmt: skip


def facts_of(
    rows: Mapping[str, Sequence[Row]] = ROWS,
    as_of: date = TODAY,
    cards: Cards | None = None,
    config: Config = CONFIG,
) -> Facts:
    groups = {name: name[:3].lower() for name in rows}
    snapshot = Snapshot("1", "", DICTIONARY, EVENTS, {name: tuple(part) for name, part in rows.items()}, groups)
    pull = Pull(snapshot, patients(snapshot, config), (), MAPPING)
    return derive(pull, Past(), config, TODAY, as_of, cards=cards or Cards())


@pytest.fixture(scope="module")
def report() -> tuple[SheetTable, ...]:
    """The workbook of the three patients."""
    return enrolment_packs(facts_of(), ["monitor"])["monitor"]


def table(report: Sequence[SheetTable], name: str, title: str = "") -> Block:
    sheet = next(sheet for sheet in report if sheet.name == name)
    return next(block for block in sheet.tables if block.title == title)


def rows(block: Block) -> dict[object, dict[str, object]]:
    """The lines of a table by their first value, each by heading."""
    titles = [column.title for column in block.columns]
    return {line.values[0]: dict(zip(titles, line.values, strict=True)) for line in block.lines}


def test_the_matrix_says_of_every_contact_how_it_stands(report: tuple[SheetTable, ...]) -> None:
    """In window, early, missed since nobody called; died before the others; nothing of the procedure."""
    matrix = rows(table(report, "Contacts"))
    one, two = matrix["ODE-1"], matrix["RIG-1"]
    assert [one[f"W{n:02}"] for n in (1, 2, 3, 4, 12)] == ["D", "D", "E", "M", "M"]
    assert [one["M12"], one["Made"]] == ["·", 3]
    assert [two[f"W{n:02}"] for n in (1, 2, 3, 4)] == ["D", "M", "S", "S"]
    assert not {"SC12", "XR12"} & one.keys()
    assert one["Longest gap, days"] == (TODAY - OPENED).days - 17
    assert two["Longest gap, days"] == 13  # from the call of day 7 to the death on day 20


def test_every_time_point_holds_every_randomised_patient_once(report: tuple[SheetTable, ...]) -> None:
    """Expected, not due, open and ended are exclusive (consort#21: attendance has to obey the flow)."""
    for name, row in rows(table(report, "Follow-up")).items():
        parts = ("Expected", "Open", "Not due", "Died", "Withdrawn", "Lost", "Completed")
        assert sum(int(str(row[part])) for part in parts) == row["Randomised"] == 2, name
    week = rows(table(report, "Follow-up"))["Week 2"]
    assert (week["Expected"], week["Made"], week["In window"], week["Missed"]) == (2, 1, 1, 1)
    assert [line.values[1] for line in table(report, "Follow-up", "Checks").lines] == ["yes"] * 3


def test_events_are_listed_without_words_of_the_site_relation_or_what_one_arm_alone_can_have(
    report: tuple[SheetTable, ...],
) -> None:
    """A cement leakage is one of all events and has no row; a late report to the sponsor is said so."""
    listed = [line.values for line in table(report, "Adverse events").lines]
    assert [values[:4] for values in listed] == [
        ("Analgesic side effect", "ODE-1", "ODE", 10), ("Infection, other", "RIG-1", "RIG", 13),
    ]  # fmt: skip
    assert listed[1][5:] == ("serious", "", 5, "late")
    counts = rows(table(report, "Safety"))
    assert counts["Related to treatment, or without a category"]["Events"] == 1
    assert (counts["All events"]["Events"], counts["All events"]["Serious"], counts["All events"]["Patients"]) == (
        3,
        2,
        2,
    )
    days = (TODAY - OPENED).days + 20
    assert counts["All events"]["For 100 patient-weeks"] == pytest.approx(700 * 3 / days, abs=0.01)
    assert [line.values for line in table(report, "Safety", "Deaths").lines] == [("RIG-1", "RIG", 20, "yes")]
    shown = str(report)
    assert not [word for word in ("secret words", "late operation", "cement", "No PVP", "D07") if word in shown]


def test_an_event_that_is_not_listed_counts_for_no_site(report: tuple[SheetTable, ...]) -> None:
    """A serious leakage beside a list without a serious event of its site says that somebody there was operated on."""
    conduct = rows(table(report, "Sites", "Conduct"))
    assert [conduct[site]["Serious events listed"] for site in ("ODE", "RIG", "All")] == [0, 1, 1]


@pytest.mark.parametrize(
    ("log", "field", "hidden", "listed", "rules"),
    [
        (ADVERSE, "ae_cat", "1", "9", {"Q61", "Q62", "Q65", "R54"}),
        (ADVERSE, "ae_cat", "", "9", {"Q61", "Q62", "Q65", "R54"}),
        (DEVIATION, "dev_code", "7", "4", {"R54"}),
    ],
)
def test_no_finding_says_where_a_row_is_that_is_not_listed(
    log: str, field: str, hidden: str, listed: str, rules: set[str]
) -> None:
    """A late report of an event that the list of events lacks is one of a leakage: the patient was operated on.

    Nor which one of the listed it is: number 3 of a patient with one listed event tells of two others. The site knows.
    """
    wrong = {"ae_start": "2026-03-06", "ae_ser": "1", "ae_aware": "2026-03-06", "ae_spons": "2026-03-20",
             "ae_grade": "5", "ae_end": "2028-01-01", "dev_date": "2028-01-01"}  # fmt: skip
    words = f"{LABELS.event('logs_arm_1')} · {LABELS.form(log)}"
    for code, open_ones in ((hidden, set[object]()), (listed, rules)):
        values = {name: value for name, value in wrong.items() if name[:3] == field[:3]} | {field: code}
        facts = facts_of({"ODE-1": [*record("ODE-1", "1", {1: 7}), logged("ODE-1", log, 3, **values)]})
        made = enrolment_packs(facts, ["monitor", "site:ODE"])
        found = {
            reader: {line.values[1] for line in table(sheets, "Findings").lines if str(line.values[4]).endswith(place)}
            for (reader, sheets), place in zip(made.items(), (words, f"{words} · no. 3"), strict=True)
        }
        assert (found["monitor"], found["site:ODE"]) == (open_ones, rules)
        assert (words in str(made["monitor"])) == bool(open_ones)
        assert "no. 3" not in str(made["monitor"])


def test_an_answer_that_tells_does_not_make_a_form_entered() -> None:
    """Alone on the form of a contact it stops no report, and the form is missing in it."""
    value = TreatmentValue(field="nc_mode", codes=("2",))
    config = CONFIG.model_copy(update={"treatment_values": (*CONFIG.treatment_values, value)})
    for more, entered in (({}, 0), ({"nc_day": "7"}, 1)):
        rows_of = {"ODE-1": record("ODE-1", "1", {}, week_1={"nc_mode": "2", **more})}
        made = enrolment_packs(facts_of(rows_of, config=config), ["monitor"])["monitor"]
        found = {line.values[:2]: line.values[2:4] for line in table(made, "Completeness").lines}
        assert found["Week 1", "Contact by the nurse"] == (1, entered)


@pytest.mark.parametrize(("category", "told"), [("1", False), ("", False), ("9", True)])
def test_a_check_in_code_names_no_row_either_that_is_not_listed(category: str, told: bool) -> None:
    """An event dated after the death, where the trial has the day of an event among those of forms."""
    checks = CONFIG.crosschecks
    assert checks is not None
    dates = checks.model_copy(update={"form_dates": (*checks.form_dates, "ae_start")})
    config = CONFIG.model_copy(update={"crosschecks": dates})
    died = record("ODE-1", "1", {1: 7}, logs={"eos_stat": "4", "eos_dth_date": "2026-03-22", "eos_date": "2026-03-22"})
    event = logged("ODE-1", ADVERSE, 2, ae_cat=category, ae_start="2026-04-01")
    made = enrolment_packs(facts_of({"ODE-1": [*died, event]}, config=config), ["monitor", "site:ODE"])
    places = {
        name: [one.values[4] for one in table(made[name], "Findings").lines if one.values[1] == "Q66"] for name in made
    }
    words = f"{LABELS.event('logs_arm_1')} · {LABELS.form(ADVERSE)}"
    assert places == {"monitor": [words] if told else [], "site:ODE": [f"{words} · no. 2"]}


LATE = {"ae_start": "2026-03-06", "ae_ser": "1", "ae_aware": "2026-03-06", "ae_spons": "2026-03-20", "ae_grade": "3"}
NOT_LISTED = [
    (ADVERSE, {**LATE, "ae_cat": "1", "ae_rel": "5"}),
    (ADVERSE, {**LATE, "ae_cat": "2", "ae_start": "2027-01-01", "ae_out": "1"}),
    (DEVIATION, {"dev_code": "7", "dev_date": "2027-03-20", "dev_found": "2026-03-25", "dev_grade": "2"}),
    ("call_log", {"cl_contact": "SC12", "cl_date": "2026-05-20", "cl_time": "10:00", "cl_out": "2"}),
]


@pytest.mark.parametrize(("log", "values"), NOT_LISTED)
def test_what_is_not_listed_could_be_anybody_s(log: str, values: dict[str, str]) -> None:
    """Each of four patients at two sites, in both arms, has it once, before or behind a row that is listed."""
    reports = set()
    for owner, before in (("ODE-1", True), ("ODE-1", False), ("ODE-2", True), ("RIG-1", False), ("RIG-2", True)):
        rows_of = {name: record(name, "12"[name[-1] == "2"], {1: 7}) for name in ("ODE-1", "ODE-2", "RIG-1", "RIG-2")}
        for name, own in rows_of.items():
            moved = name == owner and before
            own.append(logged(name, ADVERSE, 1 + moved, ae_cat="9", ae_start="2026-03-12", ae_spons="2027-03-12"))
        rows_of[owner].append(logged(owner, log, 1 if before else 2, **values))
        facts = facts_of(rows_of)
        reports.add((digest(enrolment_packs(facts, ["monitor"])["monitor"]), dataset(facts, whole=False)))
    assert len(reports) == 1


@pytest.mark.parametrize("category", ["1", "8"])
@pytest.mark.parametrize("outcome", ["3", "4"])
def test_nothing_says_whether_a_death_has_its_event(category: str, outcome: str) -> None:
    """Where the list has no fatal event of the dead, and none is said to be missing, it would be an unlisted one."""
    died = record("ODE-1", "1", {1: 7}, logs={"eos_stat": "4", "eos_dth_date": "2026-03-22", "eos_date": "2026-03-22"})
    fatal = logged("ODE-1", ADVERSE, 1, ae_cat=category, ae_out=outcome, ae_start="2026-03-20")
    facts = facts_of({"ODE-1": [*died, fatal]})
    made = enrolment_packs(facts, ["monitor", "site:ODE"])
    told = {name: {line.values[1] for line in table(made[name], "Findings").lines} for name in made}
    assert ("Q63" in told["monitor"], "Q63" in told["site:ODE"]) == (False, outcome == "3")


def test_deviations_are_counted_by_code_whoever_tells_them(report: tuple[SheetTable, ...]) -> None:
    """A reported D04 with grade and days to its being found; D07 is related to treatment and only counted."""
    counts = rows(table(report, "Deviations"))
    row = counts["D04 envelope"]
    assert (row["Reported"], row["RIG"]) == (1, 2)  # the site's, and that no envelope number is recorded
    assert sum(int(str(row[site.code])) for site in CONFIG.sites) == 1 + int(str(row["Found by rules"]))
    assert not [code for code in counts if str(code).startswith(("D06", "D07", "D08", "D11"))]
    told = [line.values for line in table(report, "Deviations listed").lines if line.values[4] == "site"]
    assert told == [("D04", "RIG-1", "RIG", "envelope", "site", "Major", 0, 3, date(2026, 3, 5), None)]
    about = next(sheet.about for sheet in report if sheet.name == "Deviations")
    assert "1 more are reported: of treatment, or without a code" in about


def test_completeness_begins_with_the_baseline_and_says_where_forms_are_missing(
    report: tuple[SheetTable, ...],
) -> None:
    """Every randomised patient is expected to have the baseline; call plan and procedure can't be counted."""
    block = table(report, "Completeness")
    found = {(line.values[0], line.values[1]): line.values[2:6] for line in block.lines}
    assert found["Baseline", "Disability (ODI)"] == (2, 0, 0, 2)
    assert found["Week 1", "Contact by the nurse"] == (2, 2, 0, 0)
    assert not [place for place in found if place[1] in ("Next contact", "Percutaneous vertebroplasty")]
    titles = [column.title for column in block.columns]
    odi = next(line.values for line in block.lines if line.values[:2] == ("Baseline", "Disability (ODI)"))
    assert [odi[titles.index(f"Missing {site}")] for site in ("ODE", "RIG", "HER")] == [1, 1, 0]


def test_the_same_numbers_stand_in_every_sheet(report: tuple[SheetTable, ...]) -> None:
    """Randomised, contacts and findings, wherever they are told."""
    key = {line.values[1]: line.values[2] for line in table(report, "Key figures").lines}
    conduct, sites = rows(table(report, "Sites", "Conduct")), rows(table(report, "Sites"))
    points = [line.values for line in table(report, "Follow-up").lines]
    assert str(key["Randomised of target"]).startswith(f"{sites['All']['Randomised']} of ")
    made, expected = sum(int(str(row[4])) for row in points), sum(int(str(row[2])) for row in points)
    assert key["Contacts made in their window"] == f"{made} of {expected} ({100 * made / expected:.0f} %)"
    assert conduct["All"]["Contacts expected"] == expected
    open_findings = len(table(report, "Findings").lines)
    assert conduct["All"]["Open findings"] == open_findings == rows(table(report, "Finding ages"))["All"]["All open"]
    by_site = [row["Open findings"] for name, row in conduct.items() if name != "All"]
    assert sum(int(str(number)) for number in by_site) == open_findings
    assert rows(table(report, "Screening"))["All"]["Screened"] == sites["All"]["Screened"] == 3


def test_criteria_are_counted_as_the_first_and_in_all_and_by_site() -> None:
    """Two patients are out, one for two reasons; whoever is randomised although out is a finding, and no reason."""
    out = {"ODE-2": {"elig_inc_mm": "0", "elig_exc_lang": "1"}, "RIG-2": {"elig_exc_lang": "1"}}
    rows_of = dict(ROWS) | {
        name: [Row(name, "screening_arm_1", "", 0, {"elig_site": name[:3], "elig_date": "2026-05-01", **values})]
        for name, values in out.items()
    }
    first, *rest = ROWS["ODE-1"]
    rows_of["ODE-1"] = [replace(first, values={**first.values, "elig_inc_mm": "0"}), *rest]
    criteria = [
        {"label": "No myeloma", "unmet": "[screening_arm_1][elig_inc_mm]='0'"},
        {"label": "No language", "unmet": "[screening_arm_1][elig_exc_lang]='1'"},
        {"label": "Nobody's", "unmet": "[screening_arm_1][elig_exc_psych]='1'"},
    ]
    config = CONFIG.model_copy(update={"criteria": tuple(map(Criterion.model_validate, criteria))})
    made = enrolment_packs(facts_of(rows_of, config=config), ["monitor"])["monitor"]
    found = rows(table(made, "Screening", "Criteria not met"))
    assert [list(line.values())[1:6] for line in found.values()] == [[1, 1, 1, 0, 0], [1, 2, 1, 1, 0], [0, 0, 0, 0, 0]]
    strayed = facts_of({"XXX-1": [Row("XXX-1", "screening_arm_1", "", 0, {"elig_date": "2026-05-01"})]}, config=config)
    page = next(one for one in enrolment_packs(strayed, ["monitor"])["monitor"] if one.name == "Screening")
    assert sum(widths(page)) <= 175  # with a column for patients of no site
    without = enrolment_packs(facts_of(), ["monitor"])["monitor"]
    assert "Criteria not met" not in [block.title for sheet in without for block in sheet.more]
    unknown = Criterion.model_validate({"label": "A", "unmet": "[screening_arm_1][nothing]='1'"})
    with pytest.raises(ConfigError, match="criteria: the logic does not fit"):
        enrolment_packs(facts_of(config=CONFIG.model_copy(update={"criteria": (unknown,)})), ["monitor"])


def test_reported_deviations_are_counted_by_grade_with_the_rate_of_every_site(report: tuple[SheetTable, ...]) -> None:
    """One of them is major and RIG's, who was followed for 20 days: too few for a rate. ODE has two found by rules."""
    found = rows(table(report, "Deviations", "By grade"))
    counted = {grade: (line["Reported"], line["ODE"], line["RIG"]) for grade, line in found.items()}
    rate = counted.pop("Reported and found by rules, for 100 patient-days")
    assert counted == {"Minor": (0, 0, 0), "Major": (1, 0, 1), "No grade": (0, 0, 0)}
    whole = figures(facts_of())
    days = (TODAY - OPENED).days
    ode = sum(one.finding.site == "ODE" for one in whole.automatic)
    assert rate == (round(100 * whole.deviating / (days + 20), 2), round(100 * ode / days, 2), None)


@pytest.mark.parametrize(("on", "new"), [(date(2026, 3, 4), "new"), (date(2026, 3, 5), None), (None, None)])
def test_a_reported_deviation_is_new_if_it_was_found_since_the_last_issue(on: date | None, new: str | None) -> None:
    """Found on 5 March; while nothing is issued nothing is new."""
    facts = facts_of()
    issued = (Issued(1, "run", on, "AB"),) if on else ()
    past = replace(facts.common.past, remembered=replace(facts.common.past.remembered, issued=issued))
    made = enrolment_packs(replace(facts, common=replace(facts.common, past=past)), ["monitor"])["monitor"]
    (told,) = (line for line in table(made, "Deviations listed").lines if line.values[4] == "site")
    assert told.values[-2:] == (date(2026, 3, 5), new)
    about = next(sheet.about for sheet in made if sheet.name == "Deviations")
    assert f"1 reported, {int(new is not None)} new" in about


def test_the_first_sheet_says_what_made_the_report(report: tuple[SheetTable, ...]) -> None:
    """Program, configuration and dictionary by version and digest; another configuration has another."""
    told = {line.values[0]: str(line.values[1]) for line in table(report, "Contents", "What it was made from").lines}
    assert told["Program"] == f"trialdesk {tomllib.loads(PYPROJECT.read_text(encoding='utf-8'))['project']['version']}"
    assert told["Configuration"] == f"digest {CONFIG.digest[:12]}"
    other = CONFIG.model_copy(update={"trial": CONFIG.trial.model_copy(update={"target": 99})})
    assert (len(CONFIG.digest), other.digest == CONFIG.digest) == (64, False)
    assert CONFIG.model_copy(update={"home": Path("/elsewhere")}).digest == CONFIG.digest
    assert "the run is named at the foot" in told["Report"]


def screened(number: int, **values: str) -> tuple[str, list[Row]]:
    """A patient who was screened at one of two sites, and no more."""
    name = f"{('ODE', 'RIG')[number % 2]}-{number:05}"
    answers = {"elig_site": name[:3], "elig_date": "2026-05-01", **values}
    return name, [Row(name, "screening_arm_1", "", 0, answers)]


COMMENT = "=cmd|' /C calc'!A0 æøå ÆØÅ " + "x" * 40_000
TRIALS: dict[str, dict[str, list[Row]]] = {
    "one patient": dict([screened(1)]),
    "all excluded": dict(screened(number, elig_outcome="3") for number in range(12)),
    "an endless comment": {
        COMMENT[:60]: [Row(COMMENT[:60], "screening_arm_1", "", 0, {"elig_site": COMMENT, "elig_date": "2026-05-01"})],
    },
}


@pytest.mark.parametrize("trial", TRIALS)
def test_odd_trials_give_a_right_report_too(trial: str) -> None:
    """Counted again by hand: every patient is somewhere, those of no site too; what looks like a formula is text."""
    rows_of = TRIALS[trial]
    made = enrolment_packs(facts_of(rows_of), ["monitor"])["monitor"]
    sites = rows(table(made, "Screening"))
    assert sites["All"]["Screened"] == len(rows_of) == sum(int(str(sites[one]["Screened"])) for one in sites) / 2
    reasons_given = rows(table(made, "Screening", "Why not randomised, after the last step reached"))
    assert sum(int(str(line["All"])) for line in reasons_given.values()) == len(rows_of)
    book = load_workbook(BytesIO(as_bytes(made, "PVP-MM")))
    assert len([cell for cell in book["Patients"]["A"] if cell.value]) == len(rows_of) + 3  # title, sentence, heading
    named = {str(cell.value) for cell in book["Patients"]["A"]}
    assert {*rows_of} <= named
    assert not [cell for row in book["Patients"].iter_rows(max_row=50) for cell in row if cell.data_type == "f"]


def test_who_is_pending_for_long_is_named(report: tuple[SheetTable, ...]) -> None:
    """Screened on 1 May, and nothing since."""
    waiting = [line.values for line in table(report, "Screening", "Pending for more than 14 days").lines]
    assert waiting == [("HER-1", "HER", date(2026, 5, 1), 61, "Eligible")]


def test_envelopes_are_counted_by_site_and_what_lies_at_the_desk_is_not_told() -> None:
    """How many are made and not sent would say how parcels are cut."""
    pile = Pile("ODE", "K1N")
    statuses: tuple[EnvelopeStatus, ...] = ("made", "packed", "received", "received", "opened", "lost")
    register = tuple(Envelope(pile, n, f"ODE-K1N-{n:03}-X", 1, status, "") for n, status in enumerate(statuses, 1))
    cards = Cards(register, (), (Finding("R11", "ODE", "ODE-1", "", "error", "x"),))
    made = enrolment_packs(facts_of(cards=cards), ["monitor"])["monitor"]
    row = rows(table(made, "Envelopes"))["ODE"]
    assert (row["Sent"], row["In stock"], row["Opened"], row["Lost"], row["Discrepancies"]) == (4, 2, 1, 1, 1)
    assert "K1N" not in str(made)


def test_the_forecast_goes_on_from_what_is_there() -> None:
    """Never below today's number, never over the target, wider with time; what is needed and what came lately."""
    found = ahead(20, CONFIG.sites, CONFIG.trial, TODAY, date(2028, 12, 31))
    ends = list(found)
    assert ends[0] == date(2026, 7, 1) or ends[0] == date(2026, 7, 31)
    assert all(20 <= low <= median <= high <= CONFIG.trial.target for low, median, high in found.values())
    lows, highs = [one[0] for one in found.values()], [one[2] for one in found.values()]
    assert lows == sorted(lows)
    assert highs == sorted(highs)
    assert recent([TODAY, TODAY - timedelta(90), TODAY - timedelta(91)], TODAY, 91) == 2
    left = (CONFIG.trial.ends - TODAY).days / 30.4375
    assert needed(CONFIG.trial, 20, TODAY) == pytest.approx(80 / left)
    assert needed(CONFIG.trial, CONFIG.trial.target, TODAY) is None


@pytest.mark.parametrize("rows_of", [{}, ROWS, {"HER-1": ROWS["HER-1"]}], ids=["nobody", "three", "none randomised"])
def test_every_sheet_prints_on_a_page_s_width_and_reads_back(rows_of: Mapping[str, Sequence[Row]]) -> None:
    """At most 175 characters wide, so that print has 9 points; the sentence above is not cut off either."""
    made = enrolment_packs(facts_of(rows_of), ["monitor"])["monitor"]
    for sheet in made:
        assert sum(widths(sheet)) <= 175, sheet.name
        assert len(sheet.about) * 0.87 <= max(sum(widths(sheet)), 145), (sheet.name, len(sheet.about))
    book = load_workbook(BytesIO(as_bytes(made, "PVP-MM")))
    assert book.sheetnames == [sheet.name for sheet in made]
    links = [cell.hyperlink.location for cell in book["Contents"]["A"] if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:]]


def test_every_chart_has_words_and_draws_columns_that_are_there(report: tuple[SheetTable, ...]) -> None:
    """Three charts on a page of their own, of tables that stand in the next sheets."""
    page = next(sheet for sheet in report if sheet.name == "Accrual")
    charts = page.charts
    assert bottom(page) <= ROWS_ON_A_PAGE
    assert [chart.sheet for chart in charts] == ["Accrual curve", "Accrual numbers", "Accrual numbers"]
    with ZipFile(BytesIO(as_bytes(report, "PVP-MM"))) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
        curve = archive.read("xl/charts/chart1.xml").decode()
    assert drawing.count("descr=") == 3
    assert "'Accrual curve'!$C$5" in curve


def test_a_report_of_an_earlier_day_knows_events_up_to_then() -> None:
    """What is dated later is left out; what was missed is as of the cut."""
    then = figures(facts_of(as_of=date(2026, 3, 13)))
    assert [(one.record, one.category) for one in then.events.listed] == [("ODE-1", "Analgesic side effect")]
    assert len(then.events.every) == 2


def test_the_flow_is_a_picture_as_well_with_the_same_numbers(report: tuple[SheetTable, ...]) -> None:
    """Every box and every line of it; it loads nothing, and words say what it is."""
    drawing = next(sheet for sheet in report if sheet.boxes)
    picture = ElementTree.fromstring(flow_svg(report))  # noqa: S314  (our own text)
    texts = [node.text for node in picture.iter() if node.tag.endswith("}text")]
    assert texts[2:] == [text for box in drawing.boxes for text, _ in box.texts]
    assert "Randomised" in texts
    assert "n = 2" in texts
    assert [node.text for node in picture.iter() if node.tag.endswith(("title", "desc"))] == [
        drawing.title, drawing.about,
    ]  # fmt: skip
    assert "href" not in flow_svg(report)


def test_every_box_of_the_flow_is_the_sum_of_what_stands_beside_and_below_it(report: tuple[SheetTable, ...]) -> None:
    """Those who stopped at a step and those who came to the next are all who came to it; zeros in grey."""
    drawing = next(sheet for sheet in report if sheet.boxes)
    boxes = [box for box in drawing.boxes if not box.arrow]
    main = [(box.texts[0][0], int(box.texts[1][0].removeprefix("n = "))) for box in boxes[:-1] if box.column == 0]
    beside = [sum(int(text.rsplit(" ", 1)[1]) for text, _ in box.texts) for box in boxes if box.column]
    assert main[0] == ("Records", 3)
    assert [here - later for (_, here), (_, later) in pairwise(main)] == beside[:-1]
    assert beside[-1] == main[-1][1] == 2
    assert {tone for box in boxes for text, tone in box.texts if text.endswith(" 0")} == {"quiet"}
    named = [name.lower() for text, _ in boxes[1].texts for name in text.rsplit(": n", 1)[0].split(", ")]
    assert sorted(named) == sorted(reasons(CONFIG))
    assert bottom(drawing) <= ROWS_ON_A_PAGE


def test_who_was_randomised_though_a_step_is_missing_stands_beside_the_last_step_reached() -> None:
    """Otherwise the drawing would lose a patient between two boxes."""
    skipped = [*record("ODE-1", "1", {})]
    skipped[0] = Row("ODE-1", "screening_arm_1", "", 0, {"elig_site": "ODE", "elig_date": "2026-02-10"})
    made = enrolment_packs(facts_of({"ODE-1": skipped}), ["monitor"])["monitor"]
    texts = [text for box in next(sheet for sheet in made if sheet.boxes).boxes for text, _ in box.texts]
    assert texts.count("Randomised with a step missing: n = 1") == 1


def test_what_happened_of_late_is_told_with_its_day() -> None:
    """In the week up to the data cut; older facts are no news, and a change of treatment never is."""
    facts = facts_of({"ODE-1": [*record("ODE-1", "1", {}, logs={"eos_stat": "4", "eos_dth_date": "2026-06-28"})]})
    told = [(what, name) for what, name, _ in changed(facts)]
    assert told == [("died", "ODE-1")]
