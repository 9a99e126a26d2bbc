"""The enrolment report: what each reader gets, and the proof that open ones are blind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from frozen import FROZEN, trial_rows
from redcap_rules.dictionary import Dictionary, join, read_dictionary
from redcap_rules.record import Row
from trialdesk.config import Config, load
from trialdesk.envelopes.reconcile import RULES as ENVELOPE_RULES
from trialdesk.errors import ConcealmentBroken, ConfigError
from trialdesk.facts import deriving
from trialdesk.facts.cards import Cards
from trialdesk.facts.cohort import cohort
from trialdesk.facts.deriving import Past, derive
from trialdesk.facts.pulling import Pull
from trialdesk.facts.worlds import exchanged, worlds
from trialdesk.findings.own import CLASSES
from trialdesk.instruments.rules import UNWORDED, Rules, read_rules
from trialdesk.model import Finding, Patient
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.blinding import prove_blind
from trialdesk.reports.pack import enrolment_packs, footer, sheets
from trialdesk.reports.profiles import profile
from trialdesk.reports.recruitment import by_arm
from trialdesk.workbook import HEADER_ROW, Column, Line, SheetTable, digest, save

pytestmark = pytest.mark.requirement("REP-02", "REP-04")

FOLDER = FROZEN / "instruments" / "trial"
# The checks between records have tests of their own.
CONFIG: Config = load(FROZEN / "config.yaml").model_copy(update={"crosschecks": None})
DICTIONARY: Dictionary = join(
    read_dictionary(path.read_text("utf-8"), path.name) for path in sorted(FOLDER.glob("[0-9]*"))
)
RULES: Rules = read_rules(FOLDER, DICTIONARY, CONFIG, CLASSES)
TELLING = RULES.telling
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
TODAY = date(2026, 7, 1)
MONITOR_SHEETS = [
    "Contents", "Key figures", "Accrual", "Accrual numbers", "Accrual curve", "Sites", "Screening", "Patients",
    "Flow drawing", "Flow", "Follow-up", "Contacts", "Contact totals", "Deviations", "Deviations listed", "Safety",
    "Adverse events", "Envelopes", "Finding ages", "Findings", "Changes", "Definitions", "Rules",
]  # fmt: skip
OPEN_SHEETS = ["Enrolment", "By month", "Flow", "Patients", "Findings", "About"]

Places = dict[str, dict[str, str]]


def life(site: str, screened: str, opened: str = "", arm: str = "", **more: dict[str, str]) -> Places:
    """The rows of one patient by event; randomised if an opening is given, operated on if in the first arm."""
    places: Places = {"screening_arm_1": {"elig_site": site, "elig_date": screened, "elig_ok": "1"}}
    if opened:
        places["screening_arm_1"] |= {"con_given": "1", "con_date": screened, "sa_fit": "1", "sa_ci_any": "0"}
        places["screening_arm_1"] |= {"sa_risk_info": "1", "img_n_plan": "1", "img_st_lvl": "1", "elig_group": "1"}
        places["baseline_arm_1"] = {"odi_date": opened, "odi_pct": "40", "vas_back": "60", "eq_index": "0.4"}
        places["randomisation_arm_1"] = {"rand_date": opened, "rand_arm": arm, "rand_grp": "1", "rand_lvl": "1"}
        places["randomisation_arm_1"] |= {"rand_env": "E", "rand_env_released": "E"}
        if arm == "1":
            places["pvp_procedure_arm_1"] = {"pvp_done": "1", "pvp_date": opened, "pvp_why": "1", "pvp_days": "0"}
    for event, values in more.items():
        places[f"{event}_arm_1"] = {**places.get(f"{event}_arm_1", {}), **values}
    return places


def pull(lives: Mapping[str, Places]) -> Snapshot:
    """A pull of these records; each sits in the data access group its name begins with."""
    rows = {
        record: tuple(Row(record, event, "", 0, values) for event, values in sorted(places.items()))
        for record, places in lives.items()
    }
    return Snapshot("1", "", DICTIONARY, EVENTS, rows, {record: record[:3].lower() for record in lives})


TRIAL = pull(
    {
        "ODE-001": life("ODE", "2026-02-01", "2026-02-20", "1", pvp_procedure={"pvp_days": "20"}),
        "ODE-002": life("ODE", "2026-02-10", "2026-03-01", "2", week_2={"nc_stat": "1"}),
        "ODE-003": life("ODE", "2026-03-03", screening={"elig_outcome": "2", "elig_np_rsn": "4"}),
        "RIG-001": life("RIG", "2026-02-22", "2026-03-11", "2", pvp_procedure={"pvp_done": "1", "pvp_why": "2"}),
        "RIG-002": life("RIG", "2026-04-07", "2026-05-12", "1", logs={"eos_stat": "4", "eos_dth_date": "2026-06-15"}),
        "HER-001": life("HER", "2026-06-26", screening={"elig_ok": "0", "elig_outcome": "3"}),
    }
)
NOBODY = pull({})


def packs(
    snapshot: Snapshot, *profiles: str, envelopes: tuple[Finding, ...] = (), as_of: date = TODAY, **mapping: str
) -> Mapping[str, tuple[SheetTable, ...]]:
    """The packs of a pull; what the register says is given, and `mapping` is event to its form."""
    return enrolment_packs(facts_of(snapshot, envelopes, as_of, **mapping), profiles)


def facts_of(
    snapshot: Snapshot, envelopes: tuple[Finding, ...] = (), as_of: date = TODAY, **mapping: str
) -> deriving.Facts:
    forms = {event: (form,) for event, form in mapping.items()}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(deriving, "prove_cards", lambda *_: Cards((), (), envelopes, ()))
        return derive(Pull(snapshot, patients(snapshot, CONFIG), (), forms), Past(), CONFIG, TODAY, as_of)


def sheet(tables: tuple[SheetTable, ...], name: str) -> SheetTable:
    return next(table for table in tables if table.name == name)


def column(table: SheetTable, title: str) -> list[object]:
    at = [column.title for column in table.columns].index(title)
    return [line.values[at] for line in table.lines]


def words(tables: tuple[SheetTable, ...]) -> set[object]:
    """Every value and heading a reader sees."""
    cells = {value for table in tables for part in table.tables for line in part.lines for value in line.values}
    return cells | {text for table in tables for text in (table.title, table.about)}


def test_the_first_page_says_where_every_site_stands() -> None:
    """Sites in configured order with steps, target and note; then the whole trial."""
    page = sheet(packs(TRIAL, "closed")["closed"], "Enrolment")
    assert page.title == "4 · Enrolment: 4 of 100 randomised (4 %) by 2026-07-01"
    assert page.about.startswith("Too early to project")
    titles = ("Site", "Screened", "Eligible", "Consented", "Fit for surgery", "Randomised", "Target", "Note")
    rows = list(zip(*(column(page, title) for title in titles), strict=True))
    assert rows[:3] == [
        ("ODE", 3, 3, 2, 2, 2, 18, "none for 122 days"),
        ("RIG", 2, 2, 2, 2, 2, 16, ""),
        ("HER", 1, 0, 0, 0, 0, 12, "none yet, open 177 days"),
    ]
    assert rows[-1] == ("All", 6, 5, 4, 4, 4, 100, "")
    assert len(rows) == len(CONFIG.sites) + 1


def test_what_the_open_and_the_closed_report_say_of_one_thing_has_one_number() -> None:
    """So that the statistician lays them side by side; a site's sheets have none."""
    made = packs(TRIAL, "monitor", "closed", "site:ODE")
    numbers = {name: {t.name: t.title.partition(" · ")[0] for t in shown} for name, shown in made.items()}
    pairs = {
        "By arm": "Flow", "Follow-up by arm": "Follow-up", "Events by arm": "Safety", "Findings": "Findings",
        "Patients": "Patients", "Enrolment": "Sites", "By month": "Accrual numbers", "About": "Contents",
    }  # fmt: skip
    assert {numbers["closed"][own] == numbers["monitor"][other] for own, other in pairs.items()} == {True}
    assert [int(number) for number in numbers["monitor"].values()] == sorted(map(int, numbers["monitor"].values()))
    assert not [title for title in numbers["site:ODE"].values() if title.isdecimal()]


def test_follow_up_by_arm_adds_up_to_that_of_all() -> None:
    """Contact by contact and column by column; both arms are there."""
    made = packs(TRIAL, "monitor", "closed")
    pooled, by_arm = sheet(made["monitor"], "Follow-up"), sheet(made["closed"], "Follow-up by arm")
    assert set(column(by_arm, "Arm")) == {arm.label for arm in CONFIG.arms}
    for title in ("Randomised", "Expected", "Made", "Missed", "Not due", "Withdrawn"):
        added: Counter[object] = Counter()
        for contact, count in zip(column(by_arm, "Contact"), column(by_arm, title), strict=True):
            assert isinstance(count, int)
            added[contact] += count
        assert added == dict(zip(column(pooled, "Contact"), column(pooled, title), strict=True))
    assert set(column(pooled, "Randomised")) == {4}


def test_percentages_stand_only_over_ten_or_more() -> None:
    """2 of 18 is 11 %; Vejle's target of 8 gets none (reference/trial-operations.md 2.1)."""
    page = sheet(packs(TRIAL, "closed")["closed"], "Enrolment")
    share = dict(zip(column(page, "Site"), column(page, "% of target"), strict=True))
    assert share["ODE"] == pytest.approx(2 / 18)
    assert share["VEJ"] is None


def test_every_month_adds_up_to_the_total() -> None:
    """January, April and June without a patient are there."""
    page = sheet(packs(TRIAL, "closed")["closed"], "By month")
    assert column(page, "Month")[-2:] == ["2026-07 to day 1", "All"]
    assert column(page, "Randomised") == [0, 1, 2, 0, 1, 0, 0, 4]
    assert column(page, "So far") == [0, 1, 3, 3, 4, 4, 4, 4]
    assert column(page, "RIG") == [0, 0, 1, 0, 1, 0, 0, 2]
    assert "?" not in {title.title for title in page.columns}


def test_the_patients_sheet_has_real_dates_and_the_reason_in_words() -> None:
    """The stored reason 4 is shown as the dictionary words it."""
    page = sheet(packs(TRIAL, "monitor")["monitor"], "Patients")
    by_record = {line.values[0]: line.values for line in page.lines}
    assert by_record["ODE-003"][3:5] == ("declined", "Distance or burden")
    assert by_record["RIG-002"][5:9] == ("died", date(2026, 4, 7), date(2026, 4, 7), date(2026, 5, 12))
    assert by_record["HER-001"][2:4] == ("Screened", "not eligible")


def test_open_reports_list_findings_without_treatment_and_say_nothing_of_the_rest() -> None:
    """Q44 (a call without pain score) and R58 (without a date) are listed; of Q36 and Q33 nothing is said."""
    page = sheet(packs(TRIAL, "monitor")["monitor"], "Findings")
    rows = [line.values for line in page.lines]
    assert {row[1] for row in rows} == {"Q44", "R58"}
    closed = sheet(packs(TRIAL, "closed")["closed"], "Findings")
    assert {"Q33", "Q36"} <= set(column(closed, "Rule"))
    assert dict(zip(column(closed, "Rule"), column(closed, "Deviation"), strict=True))["Q33"] == "D08"


def test_each_profile_has_its_sheets_and_only_the_closed_one_the_arms() -> None:
    """Allow-lists: a site has eight sheets, the closed report more, the monitor a workbook of its own."""
    made = packs(TRIAL, "monitor", "site:ODE", "closed")
    assert [table.name for table in made["monitor"]] == MONITOR_SHEETS
    assert [table.name for table in made["site:ODE"]] == ["To do", *OPEN_SHEETS[:-1], "Envelopes", "About"]
    assert {table.name for table in made["closed"]} - set(OPEN_SHEETS) == {
        "By arm", "Follow-up by arm", "Exposure by arm", "Events by arm", "Outcomes by arm", "Outcome means",
    }  # fmt: skip
    arms = {arm.label for arm in CONFIG.arms}
    assert arms <= words(made["closed"])
    assert not arms & words(made["monitor"])
    by_arm_page = sheet(made["closed"], "By arm")
    assert [line.values[1] for line in by_arm_page.lines] == [2, 2]
    assert column(by_arm_page, "Procedure done") == [2, 1]


@pytest.mark.parametrize("name", ["monitor", "site:ODE", "closed"])
def test_a_report_of_an_earlier_day_says_nothing_of_what_redcap_holds_today(name: str) -> None:
    """What stood in REDCap on 1 April is not known: no findings, no completeness, and About says so."""
    told = (Finding("R11", "ODE", "ODE-002", "", "error", "x"),)
    now, earlier = (
        packs(TRIAL, name, envelopes=told, as_of=day, week_2_arm_1="nurse_contact")[name]
        for day in (TODAY, date(2026, 4, 1))
    )
    gone = {table.name for table in now} - {table.name for table in earlier}
    more = {"Finding ages", "To do", "Outcomes by arm", "Outcome means", "Completeness by arm", "Entry delay"}
    assert gone - more == {"Completeness", "Findings"}
    about = "Definitions" if name == "monitor" else "About"
    page = sheet(earlier, about)
    terms = dict(zip(column(page, "Term"), column(page, "Meaning"), strict=True))
    assert str(terms["Completeness, Findings"]).startswith("not in this report")
    assert not {"Expected", "Deviation", "Treatment findings"} & terms.keys()
    assert ("Outcomes by arm" in terms) == (name == "closed")
    assert "RIG-002" not in words(earlier)  # screened a week later
    assert "Completeness, Findings" not in column(sheet(now, about), "Term")


def test_no_envelope_number_stands_in_an_open_report() -> None:
    """Beside the arms a site knows, numbers would tell places of its lists; the closed report has them all."""
    numbers = {rule: f"ODE-K1N-{at:03}-X" for at, rule in enumerate((*ENVELOPE_RULES, "R99"))}
    found = tuple(
        Finding(rule, "ODE", "ODE-002", "randomisation_arm_1", "error", f"{number} and envelope 7")
        for rule, number in numbers.items()
    )
    made = packs(TRIAL, "monitor", "site:ODE", "closed", envelopes=found)
    for name in ("monitor", "site:ODE"):
        text = "\n".join(map(str, words(made[name])))
        assert not re.search(r"[A-Z]{3}-[A-Z0-9]{3}-[0-9]{3}|envelope 7", text)
        assert set(numbers) <= set(column(sheet(made[name], "Findings"), "Rule"))
    listed = {str(text).split()[0] for text in column(sheet(made["closed"], "Findings"), "Finding")}
    assert set(numbers.values()) <= listed


def test_every_rule_about_envelopes_has_words_for_open_reports() -> None:
    """A sentence of its own that fits on one line, without a number and without an arm."""
    said = {rule: RULES.class_of(rule).wording for rule in ENVELOPE_RULES}
    assert len(set(said.values())) == len(ENVELOPE_RULES)
    assert UNWORDED not in said.values()
    assert max(map(len, said.values())) <= 75
    assert not [text for text in said.values() for arm in CONFIG.arms if arm.name.casefold() in text.casefold()]


def test_texts_take_one_line_of_paper_or_a_row_as_tall_as_two(tmp_path: Path) -> None:
    """Findings up to 75 letters on one line; a long hospital's name on two, so that the sheet prints at nine points."""
    found = Finding("R52", "ODE", "ODE-001", "", "error", "f" * 75)
    save(tmp_path / "a.xlsx", packs(TRIAL, "closed", envelopes=(found,))["closed"], "f")
    book = load_workbook(tmp_path / "a.xlsx")
    names = {site.name: len(site.name) for site in CONFIG.sites}
    enrolment = book["Enrolment"]
    room = int(enrolment.column_dimensions["B"].width) - 1
    tall = {
        enrolment.cell(row, 2).value: enrolment.row_dimensions[row].height
        for row in range(HEADER_ROW + 1, enrolment.max_row)
    }
    assert room < max(names.values()) <= 2 * room
    assert not {name for name, letters in names.items() if tall[name] < (15 if letters <= room else 30)}
    sheet_of_findings = book["Findings"]
    heights = {
        cell.value: sheet_of_findings.row_dimensions[number].height
        for number, (cell,) in enumerate(sheet_of_findings.iter_rows(min_row=HEADER_ROW + 1, min_col=2, max_col=2), 5)
    }
    assert heights["R52"] == 15


@pytest.mark.parametrize("wrong", ["", "everyone", "site:", "site:XXX", "site:ode"])
def test_an_unknown_profile_is_refused(wrong: str) -> None:
    """Nobody gets a wider report through a spelling mistake."""
    with pytest.raises(ConfigError, match="is not a report profile"):
        packs(TRIAL, wrong)


@pytest.mark.parametrize("site", ["ODE", "RIG", "HER", "GOD"])
def test_a_site_sees_nothing_that_stands_only_at_another(site: str) -> None:
    """Take the other sites' patients away: the site's report stays the same to the last cell."""
    stray = Finding("E01", "RIG" if site != "RIG" else "ODE", "", "", "error", "a pile of another site")
    own = {record: rows for record, rows in TRIAL.rows.items() if record.startswith(site)}
    alone = replace(TRIAL, rows=own, groups={record: TRIAL.groups[record] for record in own})
    name = f"site:{site}"
    whole, only = packs(TRIAL, name, envelopes=(stray,))[name], packs(alone, name)[name]
    assert digest(whole) == digest(only)
    assert not {record for record in TRIAL.rows if not record.startswith(site)} & words(whole)


def test_a_record_in_another_group_is_not_shown_to_the_site_its_field_names() -> None:
    """The site field of a Riget patient says ODE by mistake: Odense does not get to see the patient."""
    wrong = pull({"ODE-001": life("ODE", "2026-02-01"), "RIG-009": life("ODE", "2026-02-02")})
    assert column(sheet(packs(wrong, "site:ODE")["site:ODE"], "Patients"), "Record") == ["ODE-001"]


def test_nobody_yet_gives_a_whole_report_of_zeros(tmp_path: Path) -> None:
    """The first night: every sheet, every site, no division by zero, and the file can be saved."""
    made = packs(NOBODY, "monitor", "closed", "site:ODE")
    assert column(sheet(made["closed"], "Enrolment"), "Randomised") == [0] * (len(CONFIG.sites) + 1)
    for name, tables in made.items():
        save(tmp_path / "a.xlsx", tables, footer(CONFIG, name, TODAY))


def test_what_a_site_types_never_runs_in_the_workbook(tmp_path: Path) -> None:
    """A record id and a finding that begin like formulas stay text."""
    evil = "=HYPERLINK(1)"
    lives = {evil: life("ODE", "2026-02-01", screening={"elig_outcome": "2"})}
    tables = packs(pull(lives), "closed", envelopes=(Finding("E1", "ODE", evil, "", "error", "+1"),))["closed"]
    save(tmp_path / "a.xlsx", tables, "f")
    book = load_workbook(tmp_path / "a.xlsx")
    for name in ("Patients", "Findings"):
        cells = [cell for row in book[name].iter_rows(min_row=HEADER_ROW + 1) for cell in row]
        assert any(cell.value == evil for cell in cells)
        assert all(cell.data_type != "f" for cell in cells)


def test_the_same_pull_gives_the_same_report_in_any_order() -> None:
    """Records and rows shuffled: the same content digest."""
    turned = replace(TRIAL, rows={record: TRIAL.rows[record][::-1] for record in sorted(TRIAL.rows, reverse=True)})
    assert digest(packs(TRIAL, "monitor")["monitor"]) == digest(packs(turned, "monitor")["monitor"])


def one_cell(title: str, *values: object) -> list[SheetTable]:
    return [SheetTable("Leak", "t", "a", (Column(title),), tuple(Line((str(value),)) for value in values))]


def arms_of(snapshot: Snapshot) -> list[SheetTable]:
    return one_cell("Arm", *(patient.arm for patient in patients(snapshot, CONFIG)))


def operations_of(snapshot: Snapshot) -> list[SheetTable]:
    return one_cell("Operated", sum(patient.procedure_on is not None for patient in patients(snapshot, CONFIG)))


def counts_by_arm(snapshot: Snapshot) -> list[SheetTable]:
    return [by_arm(cohort(patients(snapshot, CONFIG), CONFIG, DICTIONARY, TODAY, TODAY), CONFIG)]


def rows_by_arm(snapshot: Snapshot) -> list[SheetTable]:
    return of_arm(snapshot, "1")


def sizes(snapshot: Snapshot) -> list[SheetTable]:
    return one_cell("Patients", *(sum(who.arm == arm for who in patients(snapshot, CONFIG)) for arm in "12"))


def of_arm(snapshot: Snapshot, arm: str) -> list[SheetTable]:
    return one_cell("Record", *(patient.record for patient in patients(snapshot, CONFIG) if patient.arm == arm))


def days_of_procedure(snapshot: Snapshot) -> list[SheetTable]:
    return one_cell("Day", *sorted(str(p.procedure_on) for p in patients(snapshot, CONFIG) if p.procedure_on))


def procedure_forms(snapshot: Snapshot) -> list[SheetTable]:
    """How many forms there are, whatever they hold."""
    events = [row.event for rows in snapshot.rows.values() for row in rows]
    return one_cell("Forms", events.count("pvp_procedure_arm_1"))


ONE_OF_FIRST = pull({f"ODE-{n}": life("ODE", "2026-02-01", "2026-02-20", arm) for n, arm in enumerate("1222")})
EMPTY_FORM = pull(
    {"ODE-1": {**life("ODE", "2026-02-01", "2026-02-20", "2"), "pvp_procedure_arm_1": {}},
     "ODE-2": life("ODE", "2026-02-01", "2026-02-21", "1")},
)  # fmt: skip


@pytest.mark.parametrize(
    ("leak", "trial", "named"),
    [
        (arms_of, TRIAL, "sheet Leak, column Arm"),
        (operations_of, TRIAL, "sheet Leak, column Operated"),
        (counts_by_arm, TRIAL, "sheet By arm, its number of rows"),
        (sizes, TRIAL, "sheet Leak, column Patients"),
        (rows_by_arm, TRIAL, "sheet Leak"),
        (rows_by_arm, ONE_OF_FIRST, "sheet Leak, its number of rows"),
        (days_of_procedure, TRIAL, "sheet Leak"),
        (procedure_forms, TRIAL, "sheet Leak, column Forms"),
        (procedure_forms, EMPTY_FORM, "sheet Leak, column Forms"),
    ],
)
def test_a_planted_leak_is_caught_and_named_without_values(
    leak: Callable[[Snapshot], list[SheetTable]], trial: Snapshot, named: str
) -> None:
    """An arm, operations, counts by arm (balanced ones), the only patient of an arm, days, forms that hold nothing.

    All of them by the pull without treatment alone.
    """
    with pytest.raises(ConcealmentBroken, match=named) as refused:
        prove_blind(leak(trial), map(leak, list(worlds(trial, CONFIG, TELLING))[:1]))
    assert not [record for record in trial.rows if record in str(refused.value)]


@pytest.mark.parametrize("arm", ["1", "2"])
def test_a_mark_of_an_arm_nobody_has_yet_is_caught_before_it_shows(arm: str) -> None:
    """It is missing with and without treatment: only where everybody has that arm it is there."""
    other = {"1": "2", "2": "1"}[arm]
    trial = pull({f"ODE-{n}": life("ODE", "2026-02-01", "2026-02-20", other) for n in range(2)})
    shown, (first, *others) = of_arm(trial, arm), worlds(trial, CONFIG, TELLING)
    prove_blind(shown, [of_arm(first, arm)])
    with pytest.raises(ConcealmentBroken, match="sheet Leak, its number of rows"):
        prove_blind(shown, [of_arm(world, arm) for world in others])


def test_a_warning_of_unequal_arms_stops_the_night_on_which_it_would_show() -> None:
    """Not those before: a sum that does not show is the same without treatment. Tests of other treatments find it."""

    def warned(snapshot: Snapshot) -> list[SheetTable]:
        first, second = (sum(who.arm == arm for who in patients(snapshot, CONFIG)) for arm in "12")
        return one_cell("Warning", *(["unequal"] if abs(first - second) > 1 else []))

    prove_blind(warned(TRIAL), map(warned, worlds(TRIAL, CONFIG, TELLING)))
    with pytest.raises(ConcealmentBroken, match="sheet Leak, its number of rows"):
        prove_blind(warned(ONE_OF_FIRST), map(warned, worlds(ONE_OF_FIRST, CONFIG, TELLING)))
    assert any(warned(TRIAL) != warned(world) for world in OTHER_TREATMENTS)


def everybody_in(arm: str) -> Snapshot:
    """The trial with everybody in one arm, whatever was done with them."""
    return replace(
        TRIAL,
        rows={
            record: tuple(
                replace(row, values={**row.values, "rand_arm": arm}) if "rand_arm" in row.values else row
                for row in rows
            )
            for record, rows in TRIAL.rows.items()
        },
    )


OTHER_TREATMENTS = [*worlds(TRIAL, CONFIG, TELLING), exchanged(TRIAL, CONFIG, TELLING), *map(everybody_in, "12")]


def test_a_monitor_s_report_is_the_same_whatever_the_treatments_are() -> None:
    """More than the night proves: also where something would show only with treatments the trial does not have."""
    shown = packs(TRIAL, "monitor")
    assert [packs(world, "monitor") == shown for world in OTHER_TREATMENTS] == [True] * 4


def test_a_leak_through_a_finding_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cross-check that is declared open but depends on the operation stops the report."""

    def operated(_: Snapshot, seen: Sequence[Patient], *__: object) -> list[Finding]:
        return [Finding("Q31", p.site, p.record, "", "warning", "x") for p in seen if p.procedure_on]

    monkeypatch.setattr(deriving, "cross_findings", operated)
    with pytest.raises(ConcealmentBroken, match="sheet Key figures, column Value"):
        packs(TRIAL, "monitor")
    assert packs(TRIAL, "closed")


def test_no_sheet_and_no_column_stands_on_no_allow_list() -> None:
    """The closed report shows all that is made; what nobody listed would vanish from every report without a word."""
    reader = profile("closed", CONFIG)
    stray = pull({"XXX-1": life("", "2026-02-01", "2026-02-20", "1")})
    for snapshot in (TRIAL, stray):
        made = sheets(facts_of(snapshot, week_2_arm_1="nurse_contact"), reader)
        assert {table.name for table in made} == {
            *OPEN_SHEETS,
            "Completeness",
            "By arm",
            "Follow-up by arm",
            "Exposure by arm",
            "Completeness by arm",
            "Events by arm",
            "Outcomes by arm",
            "Outcome means",
        }
        shown = reader.show(made)
        assert [table.title.partition(" · ")[2] for table in shown] == [table.title for table in made]
        assert [replace(table, title="") for table in shown] == [replace(table, title="") for table in made]


def test_the_worlds_really_differ_in_treatment_and_in_nothing_else() -> None:
    """Nobody has an arm, or a treatment; all else stays."""
    (world,) = worlds(TRIAL, CONFIG, TELLING)
    assert [p.arm for p in patients(world, CONFIG) if p.randomised] == [""] * 4
    assert list(patients(world, CONFIG)) == untreated(world) == untreated(TRIAL) != list(patients(TRIAL, CONFIG))


def untreated(snapshot: Snapshot) -> list[Patient]:
    """The patients without anything of their treatment."""
    return [
        replace(patient, arm="", procedure_on=None, arm_change_on=None, states=patient.states - {"procedure_done"})
        for patient in patients(snapshot, CONFIG)
    ]


def test_a_site_is_shown_the_treatment_findings_of_its_own_patients() -> None:
    """Listed for the site, counted nowhere, and not for the monitor or another site."""
    made = packs(TRIAL, "monitor", "site:ODE", "site:RIG")
    listed = {name: set(column(sheet(tables, "Findings"), "Rule")) for name, tables in made.items()}
    assert "Q36" in listed["site:ODE"] - listed["monitor"]
    assert not {*column(sheet(made["site:ODE"], "Findings"), "Record")} & {"RIG-001", "RIG-002"}
    plain = sheet(packs(NOBODY, "site:ODE")["site:ODE"], "Findings")
    counted = sheet(made["site:ODE"], "Findings").about
    assert counted.startswith(f"{_errors(made['monitor'], 'ODE')} to be solved"), (counted, plain.about)


def _errors(tables: tuple[SheetTable, ...], site: str) -> int:
    found = sheet(tables, "Findings")
    return sum(
        (severity, place) == ("error", site)
        for severity, place in zip(column(found, "Severity"), column(found, "Site"), strict=True)
    )


@pytest.mark.parametrize("site", ["ODE", "RIG"])
def test_a_site_s_report_is_the_same_whatever_other_sites_treatments_are(site: str) -> None:
    """Every other site's patients without treatment, with another's, in the first arm, in the second: to every cell."""
    name = f"site:{site}"
    shown = packs(TRIAL, name)[name]
    for world in OTHER_TREATMENTS:
        rows = {record: (TRIAL if record.startswith(site) else world).rows[record] for record in TRIAL.rows}
        assert packs(replace(TRIAL, rows=rows), name)[name] == shown


def test_a_finding_that_other_sites_patients_bear_on_stops_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that compares treatments between sites would tell a site of another's."""
    leak = Finding("Q99", "ODE", "ODE-001", "", "error", "more operations elsewhere")

    def leaking(snapshot: Snapshot, *_: object) -> tuple[Finding, ...]:
        return (leak,) if "RIG-001" in snapshot.rows else ()

    monkeypatch.setattr(deriving, "cross_findings", leaking)
    with pytest.raises(ConcealmentBroken, match=r"site:ODE.*Q99"):
        packs(TRIAL, "site:ODE")


def test_a_site_is_told_what_to_do_about_its_own_patients_alone() -> None:
    """Ten at most, the gravest first; a patient of whom nothing is known since screening is one."""
    waiting = {f"ODE-1{n:02}": life("ODE", "2026-05-01") for n in range(12)}
    made = packs(pull({**waiting, "RIG-100": life("RIG", "2026-05-01")}), "site:ODE", "site:RIG")
    own = sheet(made["site:ODE"], "To do")
    assert len(own.lines) == 10
    assert "more stand behind these" in own.about
    assert all(str(record).startswith("ODE-") for record in column(own, "Record"))
    assert "RIG-100" in column(sheet(made["site:RIG"], "To do"), "Record")
    assert [line.values[0] for line in sheet(made["site:ODE"], "Envelopes").lines] == ["ODE"]
