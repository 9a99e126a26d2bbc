"""The dataset: every value in its place, in words too; the open one is the same whatever the arms."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from frozen import FROZEN, trial_rows
from redcap_rules.record import Row
from rehearsed import rehearsed
from trialdesk.config import Config, load
from trialdesk.config.logs import TreatmentValue
from trialdesk.errors import ConcealmentBroken, ConfigError, OutputFailed
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports import dataset as module
from trialdesk.reports.dataset import Table, csv_text, dataset
from trialdesk.reports.tables import write

pytestmark = pytest.mark.requirement("REP-02", "REP-03")

CONFIG = load(FROZEN / "config.yaml")
DAY = date(2026, 11, 23)
LATELY = "2026-11-19"


def facts_of(snapshot: Snapshot, config: Config = CONFIG) -> Facts:
    pull = Pull(snapshot, patients(snapshot, config), (), forms_by_event(trial_rows("mapping.csv")))
    return derive(pull, past(config, snapshot), config, DAY)


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_of(rehearsed(3, DAY))


@pytest.fixture(scope="module")
def whole(facts: Facts) -> dict[str, Table]:
    return {table.name: table for table in dataset(facts, whole=True)}


@pytest.fixture(scope="module")
def bare(facts: Facts) -> dict[str, Table]:
    return {table.name: table for table in dataset(facts, whole=False)}


def column(table: Table, name: str) -> list[str]:
    return [row[table.columns.index(name)] for row in table.rows]


def test_every_stored_value_stands_in_the_table_of_its_instrument(facts: Facts, whole: dict[str, Table]) -> None:
    """Counted by record, event and instance from the pull itself; identifiers and the record id are no columns."""
    dictionary = facts.snapshot.dictionary
    for rows in facts.snapshot.rows.values():
        for row in rows:
            for name, value in row.values.items():
                base = name.partition("___")[0]
                if not value or base not in dictionary or dictionary.get(base).identifier:
                    continue
                table = whole[dictionary.form_of(base)]
                place = (row.record, row.event, str(row.instance or ""))
                at = [(r[0], r[2], r[3]) for r in table.rows].index(place)
                assert column(table, name)[at] == value


def test_codes_stand_beside_their_words(facts: Facts, whole: dict[str, Table]) -> None:
    """Of every answer that is chosen from a list."""
    table = whole["nurse_contact"]
    words = {one.code: one.label for one in facts.snapshot.dictionary.get("nc_stat").options}
    pairs = set(zip(column(table, "nc_stat"), column(table, "nc_stat_label"), strict=True))
    assert len(pairs) > 1
    assert pairs == {(code, words.get(code, "")) for code, _ in pairs}


def test_the_open_dataset_holds_nothing_that_tells_an_arm(facts: Facts, bare: dict[str, Table]) -> None:
    """No treatment field, event, instrument or row, no card code and no free text."""
    telling = facts.common.telling
    columns = {name for table in bare.values() for name in table.columns}
    assert not columns & ({"rand_arm", "rand_code", "ae_rel", "pvp_date", "xo_date"} | (telling.columns))
    assert not {"pvp_procedure", "crossover", "surgeon_followup"} & bare.keys()
    events = {event for table in bare.values() if "event" in table.columns for event in column(table, "event")}
    assert not events & telling.events
    assert not {"1", "2", ""} & {*column(bare["adverse_event"], "ae_cat")}
    fields = facts.snapshot.dictionary.fields
    free = {field.name for field in fields if field.kind == "notes" or (field.kind, field.validation) == ("text", "")}
    assert free >= {"ae_term", "rand_env"}  # what happened in a site's words; and which envelope it was
    assert not free & columns


def test_a_try_at_a_contact_of_one_arm_is_left_out() -> None:
    """It would tell who was operated on; tries at other contacts stay."""
    snapshot = rehearsed(3, DAY)
    record = next(row.record for rows in snapshot.rows.values() for row in rows if row.instrument == "call_log")
    tries = [
        Row(record, "logs_arm_1", "call_log", 90 + n, {"cl_contact": code, "cl_date": LATELY, "cl_out": "2"})
        for n, code in enumerate(("SC12", "W03"))
    ]
    facts = facts_of(replace(snapshot, rows={**snapshot.rows, record: (*snapshot.rows[record], *tries)}))
    for whole, codes in ((False, {"W03"}), (True, {"SC12", "W03"})):
        table = {one.name: one for one in dataset(facts, whole=whole)}["call_log"]
        on = table.columns.index("cl_date")
        at = {row[table.columns.index("cl_contact")] for row in table.rows if (row[0], row[on]) == (record, LATELY)}
        assert at == codes


def logged(instrument: str, instance: int, **values: str) -> Row:
    return Row("ODE-001", "logs_arm_1", instrument, instance, values)


LOGGED = (
    logged("adverse_event", 1, ae_cat="9"), logged("adverse_event", 2, ae_cat="1"),
    logged("adverse_event", 4, ae_cat="3"), logged("adverse_event", 5, ae_rel="4"),
    logged("adverse_event", 6, ae_cat="8", ae_day="77", ae_start="2026-11-20"),
    logged("protocol_deviation", 1, dev_code="7"), logged("protocol_deviation", 2, dev_code="4"),
    logged("call_log", 2, cl_contact="SC12", cl_out="2"), logged("call_log", 3, cl_contact="W03", cl_out="2"),
)  # fmt: skip


def test_no_number_tells_of_a_row_that_is_left_out() -> None:
    """Try 1 and 3, and no 2: that was at the control, so the patient was operated on. Recomputed values go along."""
    first = Row("ODE-001", "screening_arm_1", "", 0, {"elig_site": "ODE"})
    opened = Row("ODE-001", "randomisation_arm_1", "", 0, {"rand_date": "2026-11-01", "rand_arm": "1"})
    facts = facts_of(replace(rehearsed(3, DAY), rows={"ODE-001": (first, opened, *LOGGED)}, groups={"ODE-001": "ode"}))
    for whole, numbers in (
        (False, {"adverse_event": "123", "protocol_deviation": "1", "call_log": "1"}),
        (True, {"adverse_event": "12456", "protocol_deviation": "12", "call_log": "23"}),
    ):
        tables = {one.name: one for one in dataset(facts, whole=whole)}
        assert {name: "".join(column(tables[name], "instance")) for name in numbers} == numbers
        scores = [row[2] for row in tables["scores"].rows if row[3] == "ae_day" and row[4] == "77"]
        assert scores == [numbers["adverse_event"][-1]]
        assert {*column(tables["randomisation"], "instance")} == {""}


def test_a_form_that_holds_nothing_but_an_answer_that_tells_is_left_out() -> None:
    """No honest dataset is stopped by it; with another answer beside it the form has a row, and a blank."""
    value = TreatmentValue(field="eos_wd_rsn", codes=("2",))
    config = CONFIG.model_copy(update={"treatment_values": (*CONFIG.treatment_values, value)})
    screened = Row("ODE-001", "screening_arm_1", "", 0, {"elig_site": "ODE"})
    for more, rows in (({}, []), ({"eos_stat": "2"}, [""])):
        ended = Row("ODE-001", "logs_arm_1", "", 0, {"eos_wd_rsn": "2", **more})
        snapshot = replace(rehearsed(3, DAY), rows={"ODE-001": (screened, ended)}, groups={"ODE-001": "ode"})
        tables = {one.name: one for one in dataset(facts_of(snapshot, config), whole=False)}
        assert [v for name in tables if name == "end_of_study" for v in column(tables[name], "eos_wd_rsn")] == rows


def test_with_the_arms_everything_is_there(whole: dict[str, Table]) -> None:
    """For the statistician."""
    assert {"pvp_procedure", "randomisation", "adverse_event"} <= whole.keys()
    assert {*column(whole["randomisation"], "rand_arm")} >= {"1", "2"}


@pytest.mark.parametrize(
    ("name", "place"), [("rand_arm", "randomisation, rand_arm"), ("ae_rel", "adverse_event, ae_rel")]
)
def test_what_would_tell_the_arm_stops_it(facts: Facts, monkeypatch: pytest.MonkeyPatch, name: str, place: str) -> None:
    """A field that is forgotten among those left out is found by the proof, and named."""
    real = module._hidden
    monkeypatch.setattr(module, "_hidden", lambda *given: real(*given) - {name})
    with pytest.raises(ConcealmentBroken, match=f"the open dataset would tell the arm: {place}"):
        dataset(facts, whole=False)


def test_scores_are_recomputed_and_those_that_differ_listed(bare: dict[str, Table]) -> None:
    """The rehearsal's own scores come out again; one that was changed behind REDCap's back is named."""
    assert bare["scores"].rows == ()
    snapshot = rehearsed(3, DAY)
    record, rows = next(
        (r, rows) for r, rows in snapshot.rows.items() if any(row.values.get("odi_pct") for row in rows)
    )
    spoiled = tuple(
        replace(row, values={**row.values, "odi_pct": "99.9"}) if row.values.get("odi_pct") else row for row in rows
    )
    facts = facts_of(replace(snapshot, rows={**snapshot.rows, record: spoiled}))
    found = {table.name: table for table in dataset(facts, whole=False)}["scores"]
    assert {(row[0], row[3], row[4]) for row in found.rows} >= {(record, "odi_pct", "99.9")}
    assert all(row[5] != "99.9" for row in found.rows)


def test_the_codebook_has_every_column_once(bare: dict[str, Table]) -> None:
    """With codes, limits and what it is."""
    book = bare["codebook"]
    tables = [table for table in bare.values() if table.name not in ("codebook", "scores")]
    listed = list(zip(column(book, "instrument"), column(book, "column"), strict=True))[:-1]
    assert sorted(listed) == sorted((table.name, name) for table in tables for name in table.columns)
    assert "apostrophe" in book.rows[-1][2]
    assert all(column(book, "label"))


def test_a_csv_opens_in_danish_excel_and_runs_nothing(tmp_path: Path) -> None:
    """A byte-order mark, the configured delimiter, quotes where needed, and an apostrophe before a formula."""
    table = Table("t", "T", ("a", "b"), (("=cmd|x", "æ;ø"), ("-5", "line\nbreak"), ("plain", '"q"')))
    text = csv_text(table, ";")
    assert text.startswith("\ufeff")
    rows = list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert rows == [["a", "b"], ["'=cmd|x", "æ;ø"], ["'-5", "line\nbreak"], ["plain", '"q"']]


def test_all_files_are_written_or_none(tmp_path: Path, bare: dict[str, Table]) -> None:
    """A folder that is there is kept; every table is a CSV and a sheet."""
    write(tmp_path / "data", tuple(bare.values()), CONFIG, parquet=False)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"dataset.xlsx", *(f"{name}.csv" for name in bare)}
    book = load_workbook(tmp_path / "data" / "dataset.xlsx", read_only=True)
    assert book.sheetnames == list(bare)
    with pytest.raises(OutputFailed, match="is there already and is kept"):
        write(tmp_path / "data", tuple(bare.values()), CONFIG, parquet=False)
    with pytest.raises(ConfigError, match="needs pyarrow"):
        write(tmp_path / "more", tuple(bare.values()), CONFIG, parquet=True)
    assert not (tmp_path / "more").exists()
