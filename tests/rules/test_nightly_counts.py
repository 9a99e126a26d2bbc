"""One count for everybody: the nightly run, its summary, and a report made by hand say the same."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from zipfile import ZipFile

import pyrage
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner, Result

import enrolment_report
from filed import file_register
from followup_records import tried
from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from trialdesk.allocation.cards import commitment
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import Config, load
from trialdesk.config.parts import Recipient
from trialdesk.errors import PARTIAL, ConcealmentBroken, ConfigError, OutputFailed, SanityFailed
from trialdesk.facts import pulling
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event, over
from trialdesk.facts.figures import figures
from trialdesk.facts.pulling import Pull
from trialdesk.facts.todo import CALENDARS, WRONG_NUMBER, tasks
from trialdesk.memory.opening import recalled
from trialdesk.model import Envelope, Pile
from trialdesk.nightly.issuing import issue, key_figures
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly, scope_of
from trialdesk.nightly.summary import Summary
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.delivery import (
    CALENDAR,
    CALLS,
    DAY_SHEET,
    ENVELOPES,
    FLOW,
    INDEX,
    MONITOR,
    SITE,
    SITE_CALENDAR,
    SITE_CALLS,
    TODO,
    of_site,
)
from trialdesk.reports.explaining import explained
from trialdesk.reports.pack import enrolment_packs
from trialdesk.workbook import HEADER_ROW, save

pytestmark = pytest.mark.requirement("REP-03")

TODAY = date(2026, 7, 1)
STATISTICIAN = pyrage.x25519.Identity.generate()
PILE = Pile("ODE", "K1N")
SCREENED = {"elig_site": "ODE", "elig_date": "2026-02-01"}
WHOLE = {**SCREENED, "elig_ok": "1", "con_given": "1", "con_date": "2026-02-02", "sa_fit": "1"}
CALL = {"nc_stat": "1", "nc_date": "2026-03-16", "vas_back": "40"}


def envelope(number: int) -> Envelope:
    """A received envelope of one pile."""
    return Envelope(PILE, number, envelope_id(PILE, number), 1, "received", "00", received_on=date(2026, 1, 5))


Lives = Mapping[str, Mapping[str, Mapping[str, str]]]
# Randomised with a step missing; consented with a step missing; randomised, by the date, next year.
LIVES: Lives = {
    "ODE-001": {
        "screening_arm_1": {**WHOLE, "elig_ok": ""},
        "randomisation_arm_1": {"rand_date": "2026-03-02", "rand_env": envelope(2).id},
        "week_2_arm_1": CALL,
    },
    "ODE-002": {"screening_arm_1": {**WHOLE, "elig_ok": ""}},
    "ODE-003": {
        "screening_arm_1": WHOLE,
        "randomisation_arm_1": {"rand_date": "2027-03-02", "rand_env": envelope(3).id},
        "week_2_arm_1": CALL,
    },
}


def snapshot(lives: Lives = LIVES) -> Snapshot:
    """A pull of these records."""
    rows = {
        record: tuple(Row(record, event, "", 0, values) for event, values in life.items())
        for record, life in lives.items()
    }
    events = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
    return Snapshot("1", "trial", trial_dictionary(), events, rows, dict.fromkeys(rows, "ode"))


REGISTER = (envelope(1), envelope(2), envelope(3))
STUB = SimpleNamespace(
    version=lambda: "16.0.0",
    mapping=lambda **_: trial_rows("mapping.csv"),
    events=lambda **_: trial_rows("events.csv"),
    project=lambda: {"project_id": "1", "has_repeating_instruments_or_events": "0"},
    removals=lambda *_: None,
    dictionary=dict,
    guarded=lambda _: None,
    refusals=[],
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The frozen trial with reports in a folder of their own."""
    frozen = load(FROZEN / "config.yaml")
    folders = frozen.folders.model_copy(update={"reports": tmp_path / "reports"})
    closed = Recipient(profile="closed", age=str(STATISTICIAN.to_public()))
    calls = frozen.calls.model_copy(update={"key": tmp_path / "calls.key"})
    return frozen.model_copy(update={"folders": folders, "recipients": (closed,), "calls": calls})


def edge(
    monkeypatch: pytest.MonkeyPatch, register: tuple[Envelope, ...] = REGISTER, pulled: Snapshot | None = None
) -> None:
    """REDCap answers with this pull and register."""
    monkeypatch.setattr("trialdesk.facts.pulling.read_register", lambda *_, **__: register)
    monkeypatch.setattr("trialdesk.nightly.run.prove_codes", lambda *_: None)
    monkeypatch.setattr("trialdesk.facts.pulling.pull", lambda *_, **__: pulled or snapshot())


def facts_of(config: Config, *register: Envelope, day: date = TODAY) -> Facts:
    """The facts of the pull above with this register."""
    pulled = snapshot()
    pull = Pull(pulled, patients(pulled, config), register, forms_by_event(trial_rows("mapping.csv")))
    return derive(pull, past(config, pulled), config, day)


def night(config: Config, monkeypatch: pytest.MonkeyPatch, later: int = 0) -> Outcome:
    """One nightly run that writes nothing back."""
    monkeypatch.setattr("trialdesk.nightly.run.prove_blind", lambda _: None)
    monkeypatch.setattr("trialdesk.nightly.run.write", lambda *_: "nothing")
    monkeypatch.setattr("trialdesk.nightly.run.prove_fit", lambda *_: None)
    if not (config.state / "filed").exists():
        file_register(config, getattr(pulling, "read_register")())  # noqa: B009 - stands in for REDCap here
    more = SimpleNamespace(project=lambda: {"project_id": "2"}, dictionary=dict, guarded=lambda _: None, refusals=[])
    gateway, other = cast(Gateway, STUB), cast(Gateway, more)
    now = datetime(2026, 7, 1, 4, 30, later, tzinfo=config.trial.zone)
    return nightly(config, Order(TODAY, now), gateway, other, lambda _: None)


@pytest.fixture
def ran(config: Config, monkeypatch: pytest.MonkeyPatch) -> tuple[Summary, int]:
    """One nightly run on the pull above."""
    edge(monkeypatch)
    done = night(config, monkeypatch)
    return done.summary, done.exit_code


def cells(sheet: Worksheet, title: str) -> list[object]:
    """The column under a heading."""
    at = [cell.value for cell in sheet[HEADER_ROW]].index(title)
    return [row[at].value for row in sheet.iter_rows(min_row=HEADER_ROW + 1)]


def test_the_summary_counts_as_the_report_does(ran: tuple[Summary, int], config: Config) -> None:
    """A step counts when all before it do; an opening dated next year is an opening, and the date a finding."""
    summary, _ = ran
    book = load_workbook(config.folders.reports / "latest" / "monitor" / "enrolment_report.xlsx")
    whole = cells(book["Sites"], "Site").index("All")
    shown = {step.code: cells(book["Sites"], step.label)[whole] for step in config.funnel}
    expected = {"screened": 3, "eligible": 1, "consented": 1, "fit": 1, "randomised": 2}
    assert summary.recruitment == shown == expected
    assert sum(summary.states.values()) == 2
    assert summary.findings["error"]["R54"] == 1


def test_the_records_of_a_run_hold_every_stage(ran: tuple[Summary, int], config: Config) -> None:
    """Build, publish and write back too, which come after the files were first written."""
    for name in ("summary.json", "run.json"):
        told = json.loads((config.reports / ran[0].run / name).read_text())["stages"]
        assert [one["stage"] for one in told][-4:] == ["report", "build", "publish", "write back"]


CODES = ("ODE", "RIG", "VEJ", "HER", "GOD", "ROS", "AAR", "AAL", "ESB")
SITES, SITE_LISTS, SITE_CALENDARS = (
    {of_site(name, code) for code in CODES} for name in (SITE, SITE_CALLS, SITE_CALENDAR)
)


def broken(*_: object) -> object:
    """A sheet nobody can make; the text of the error quotes data."""
    raise KeyError("010203-4567")


@pytest.mark.parametrize(
    ("what", "files"),
    [
        ("trialdesk.nightly.calling.tables", {CALLS, *SITE_LISTS}),
        ("trialdesk.nightly.calling.day_sheet", {DAY_SHEET}),
        ("trialdesk.nightly.calling.calendar", {CALENDAR, *SITE_CALENDARS}),
        ("trialdesk.nightly.pack.index_page", {INDEX}),
        ("trialdesk.reports.pack.monitor_sheets", {MONITOR, FLOW}),
        ("trialdesk.reports.pack.recruitment.by_arm", SITES),
    ],
)
def test_a_file_that_cannot_be_made_does_not_take_the_others_with_it(
    config: Config, monkeypatch: pytest.MonkeyPatch, what: str, files: set[str]
) -> None:
    """The run is published without it, says so, ends with 11 and quotes nothing."""
    edge(monkeypatch)
    monkeypatch.setattr(what, broken)
    done = night(config, monkeypatch)
    latest = config.reports / LATEST
    assert (done.exit_code, {*done.summary.lost}) == (PARTIAL, files)
    assert not [name for name in files if (latest / name).exists()]
    assert {*done.summary.files} == {CALLS, MONITOR, TODO, ENVELOPES, *SITES, *SITE_LISTS} - files
    assert all((latest / name).exists() for name in done.summary.files)
    told = (latest / "summary.json").read_text() + "\n".join(done.summary.lines())
    assert "KeyError" in told
    assert "010203" not in told
    if INDEX not in files:
        assert "PARTIAL" in (latest / INDEX).read_text()


@pytest.mark.parametrize(("fails", "code"), [(errno.EACCES, PARTIAL), (errno.ENOSPC, OutputFailed.exit_code)])
def test_one_file_may_fail_but_a_full_disk_ends_the_run(
    config: Config, monkeypatch: pytest.MonkeyPatch, fails: int, code: int
) -> None:
    """With nothing published, and one line."""
    edge(monkeypatch)
    real = os.open

    def opening(path: Path, *given: int, **more: int) -> int:
        if Path(path).name == f".part-{Path(CALLS).name}":
            raise OSError(fails, os.strerror(fails))
        return real(path, *given, **more)

    monkeypatch.setattr("trialdesk.private.os.open", opening)
    try:
        ended = night(config, monkeypatch).exit_code
    except OutputFailed as error:
        ended = error.exit_code
        assert "room on the disk" in str(error)
    assert (ended, (config.reports / LATEST).exists()) == (code, code == PARTIAL)


def test_the_summary_holds_every_finding_of_the_report(ran: tuple[Summary, int], config: Config) -> None:
    """Gaps in the order of recruitment too; they make a run that needs a look."""
    summary, code = ran
    told: Counter[str] = Counter()
    for rules in summary.findings.values():
        told.update(rules)
    book = load_workbook(config.folders.reports / "latest" / "monitor" / "enrolment_report.xlsx")
    listed = [str(rule) for rule in cells(book["Findings"], "Rule") if rule != "treatment"]
    assert {rule: told[rule] for rule in listed} == {rule: listed.count(rule) for rule in listed}
    assert summary.findings["error"]["funnel"] == 1
    assert summary.findings["warning"]["funnel"] == 1
    assert code == 10
    written = json.loads((config.folders.reports / "latest" / "summary.json").read_text(encoding="utf-8"))
    assert written["findings"] == summary.findings


def test_whoever_watches_is_told_of_no_rule_that_one_arm_alone_can_break(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal counts every finding, the file those that tell nothing of the treatment."""
    life = LIVES["ODE-001"]
    allocated = {**life["randomisation_arm_1"], "rand_arm": "1"}
    missed = {"ODE-001": {**life, "randomisation_arm_1": allocated, "pvp_procedure_arm_1": {"pvp_done": "0"}}}
    edge(monkeypatch, pulled=snapshot(missed))
    summary = night(config, monkeypatch).summary
    written = json.loads((config.reports / LATEST / "summary.json").read_text(encoding="utf-8"))["findings"]
    assert summary.findings["error"]["Q35"] == 1
    untold = {rule: number for rule, number in summary.findings["error"].items() if rule != "Q35"}
    assert written == {**summary.findings, "error": untold}


def test_the_coordinator_s_lists_say_which_envelope(ran: tuple[Summary, int], config: Config) -> None:
    """What the open report leaves out stands in the envelope lists of the same run."""
    folder = config.folders.reports / "latest"
    lists = load_workbook(folder / "coordinator" / "envelope_lists.xlsx")["Findings"]
    texts = dict(zip(cells(lists, "Rule"), cells(lists, "Finding"), strict=True))
    assert str(texts["R02"]).startswith(envelope(2).id) or str(texts["R02"]).startswith(envelope(3).id)
    report = load_workbook(folder / "monitor" / "enrolment_report.xlsx")
    seen = "\n".join(str(c.value) for sheet in report for row in sheet.iter_rows() for c in row)
    assert not [one.id for one in REGISTER if one.id in seen]


def test_nothing_is_expected_of_what_is_dated_later(config: Config) -> None:
    """Neither of a patient randomised next year, nor of a call dated tomorrow."""
    past_due = over(facts_of(config).schedule)
    assert {record for record, _ in past_due} == {"ODE-001"}
    assert ("ODE-001", "week_2_arm_1") in past_due
    earlier = facts_of(config, day=date(2026, 3, 15))
    assert ("ODE-001", "week_2_arm_1") not in over(earlier.schedule)


def test_the_facts_hold_what_the_register_tells(config: Config) -> None:
    """Envelopes are judged as they will be after the write-back: an opened one is not reported as unsettled."""
    waiting = replace(envelope(2), status="released", record="ODE-001")
    found = facts_of(config, envelope(1), waiting, envelope(3))
    rules = {finding.rule for finding in found.cards.findings}
    assert {"R02", "R21"} <= rules
    assert "R51" not in rules
    assert "nurse_contact" in found.common.mapping["week_2_arm_1"]


@pytest.mark.parametrize(("outcomes", "named"), [(["4"], True), (["4", "2"], False)])
def test_a_wrong_number_is_a_task_for_the_site_until_the_next_try(
    config: Config, outcomes: list[str], named: bool
) -> None:
    """Named once a patient, with the day since when."""
    record = next(iter(LIVES))
    tries = [{"contact": "W02", "date": "2026-06-30", "time": f"{9 + n}:10", "out": o} for n, o in enumerate(outcomes)]
    pulled = tried(snapshot(), *tries, name=record)
    pull = Pull(pulled, patients(pulled, config), (), forms_by_event(trial_rows("mapping.csv")))
    found = tasks(derive(pull, past(config, pulled), config, TODAY))
    told = [(task.record, task.since) for task in found if task.kind == WRONG_NUMBER]
    assert told == ([(record, date(2026, 6, 30))] if named else [])


Script = Callable[..., Result]


@pytest.fixture
def script(config: Config, monkeypatch: pytest.MonkeyPatch) -> Script:
    """The report's script on the same pull; its clock stands at TODAY."""
    edge(monkeypatch)
    monkeypatch.setattr("trialdesk.envelopes.register.prove_blind", lambda _: None)
    monkeypatch.setattr(enrolment_report, "_today", lambda _: TODAY)
    monkeypatch.setattr("trialdesk.config.load", lambda _: config)
    monkeypatch.setattr("trialdesk.redcap.gateway.open_gateway", lambda *_: STUB)
    return lambda *words: CliRunner().invoke(enrolment_report.app, list(words))


def test_a_report_by_hand_is_the_nightly_one(ran: tuple[Summary, int], script: Script, config: Config) -> None:
    """The same content to the last cell, envelope findings among it."""
    made = script()
    assert made.exit_code == 0, made.output
    digest = ran[0].files["monitor/enrolment_report.xlsx"]
    assert f"content {digest[:12]})" in made.output
    assert (config.folders.reports / "enrolment-monitor.xlsx").exists()


def sealed(script: Script, folder: Path, *words: str) -> Workbook:
    """The closed report, opened with the statistician's key."""
    made = script("--profile", "closed", "--out", str(folder / "c.xlsx.age"), *words)
    assert made.exit_code == 0, made.output
    return load_workbook(BytesIO(pyrage.decrypt((folder / "c.xlsx.age").read_bytes(), [STATISTICIAN])))


def test_the_closed_report_says_which_envelope(
    script: Script, config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """R02 and R21 with their numbers, from what the night has sealed; the register itself is not asked."""
    night(config, monkeypatch)
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text(f"{STATISTICIAN}\n", encoding="utf-8")
    monkeypatch.setattr("trialdesk.facts.pulling.read_register", lambda *_: pytest.fail("the register was read"))
    register = config.folders.reports / "latest" / "closed" / "register.age"
    book = sealed(script, tmp_path, "--register", str(register), "--identity", str(tmp_path / "key"))
    found = list(zip(cells(book["Findings"], "Rule"), cells(book["Findings"], "Finding"), strict=True))
    assert ("R21", f"{envelope(2).id} was opened without a release by the coordinator") in found
    about = dict(zip(cells(book["About"], "Term"), cells(book["About"], "Meaning"), strict=True))
    assert str(about["Envelopes"]).endswith(": 2026-07-01_043000")


def test_without_the_register_the_closed_report_says_so(script: Script, tmp_path: Path) -> None:
    """Its envelope part is not given; patients by arm are there."""
    book = sealed(script, tmp_path)
    assert not [rule for rule in cells(book["Findings"], "Rule") if str(rule).startswith("R2")]
    about = dict(zip(cells(book["About"], "Term"), cells(book["About"], "Meaning"), strict=True))
    assert str(about["Envelopes"]).endswith(": not given")
    assert "By arm" in book.sheetnames


def test_without_a_recipient_there_is_no_closed_report(
    script: Script, config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is read and nothing is written; the night seals nothing."""
    nobody = config.model_copy(update={"recipients": ()})
    monkeypatch.setattr("trialdesk.config.load", lambda _: nobody)
    refused = script("--profile", "closed", "--out", str(tmp_path / "c.xlsx.age"))
    assert isinstance(refused.exception, ConfigError)
    assert "age1" in str(refused.exception)
    assert not (tmp_path / "c.xlsx.age").exists()
    night(nobody, monkeypatch)
    assert not (config.folders.reports / "latest" / "closed").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--profile", "closed", "--out", "c.xlsx"),
        ("--profile", "closed", "--register", "r.age"),
        ("--register", "r.age", "--identity", "key"),
    ],
)
def test_the_closed_report_s_options_belong_together(script: Script, words: tuple[str, ...]) -> None:
    """A report in the clear, a register without its key, a register for the monitor: wrong use."""
    assert script(*words).exit_code == 2


def test_the_register_s_token_is_proved_blind_first(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that sees the cards stops the report before anything is read."""

    def seen(_: object) -> None:
        raise ConcealmentBroken("the token sees the cards")

    monkeypatch.setattr("trialdesk.envelopes.register.prove_blind", seen)
    monkeypatch.setattr("trialdesk.facts.pulling.pull", lambda _: pytest.fail("the trial was read"))
    assert isinstance(script().exception, ConcealmentBroken)


def test_an_earlier_cut_goes_into_the_name_of_the_file(script: Script, config: Config) -> None:
    """Today's report is not replaced by one of April; asked for by date, today is today."""
    assert script("--as-of", "2026-04-01", "--profile", "site:ODE").exit_code == 0
    assert script("--as-of", "2026-07-01").exit_code == 0
    names = {path.name for path in config.folders.reports.iterdir()}
    assert names == {"enrolment-site-ODE-2026-04-01.xlsx", "enrolment-monitor.xlsx"}
    book = load_workbook(config.folders.reports / "enrolment-site-ODE-2026-04-01.xlsx")
    assert not {"Completeness", "Findings"} & set(book.sheetnames)


@pytest.mark.parametrize("day", ["2026-07-02", "9999-12-31", "2025-01-03", "0001-01-01"])
def test_a_day_nobody_can_know_is_wrong_usage(script: Script, day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The future, and more than a year before the trial: refused before REDCap is asked."""
    monkeypatch.setattr("trialdesk.redcap.gateway.open_gateway", lambda *_: pytest.fail("REDCap was asked"))
    refused = script("--as-of", day)
    assert (refused.exit_code, "--as-of" in refused.output) == (2, True)


def test_a_year_before_the_trial_is_allowed(script: Script) -> None:
    """Everything is zero, and nothing breaks."""
    made = script("--as-of", "2025-01-05")
    assert (made.exit_code, "0 of 100 randomised" in made.output) == (0, True)


def carded(number: int, arm: str, code: str) -> Envelope:
    """An envelope of the pile whose card holds this arm and code."""
    plain = envelope(number)
    return replace(plain, commitment=commitment("PVP-MM", plain.id, arm, code))


def test_one_wrong_card_code_is_one_finding_in_all_worlds_together(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without arms no card fits; what cards prove is made in the real world alone, and the pack is published.

    Patients, schedule and rules are derived once a world: the real one, and that without treatment.
    """
    codes = {1: "ABCDEFGHJKMN", 2: "0123456789AB", 3: "ZYXWVTSRQPNM"}
    arms = {1: "1", 2: "2", 3: "1"}
    lives = {
        f"ODE-00{number}": {
            "screening_arm_1": WHOLE,
            "randomisation_arm_1": {
                "rand_date": f"2026-03-0{number}",
                "rand_env": envelope(number).id,
                "rand_arm": arms[number],
                "rand_code": code if number != 2 else "0123456789AC",
            },
        }
        for number, code in codes.items()
    }
    register = tuple(carded(number, arms[number], code) for number, code in codes.items())
    edge(monkeypatch, register, snapshot(lives))
    counted: Counter[str] = Counter()
    for place in (
        "facts.pulling.patients",
        "facts.deriving.patients",
        "facts.deriving.schedule",
        "facts.deriving.ruled",
    ):
        count(f"trialdesk.{place}", counted, monkeypatch)
    done = night(config, monkeypatch)
    assert [one.record for one in done.findings if one.rule == "R11"] == ["ODE-002"]
    # what a site is told of its own patients' treatment is proved from what was read of its own records alone
    assert counted == {"patients": 2, "schedule": 2, "ruled": 2}


def count(name: str, counted: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The function still works, and its calls are counted."""
    module, _, function = name.rpartition(".")
    real = getattr(import_module(module), function)

    def counting(*given: object) -> object:
        counted[function] += 1
        return real(*given)

    monkeypatch.setattr(name, counting)


def test_an_issued_report_is_frozen_listed_and_compared_with(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number is taken for ever; the next night shows what was issued, and how far it has moved."""
    edge(monkeypatch)
    night(config, monkeypatch)
    issued, folder = issue(config, 7, "AB", TODAY)
    named = {path.name for path in folder.iterdir()}
    assert named == {"enrolment_report.xlsx", "flow.svg", "SHA256SUMS"}
    for name, digest in issued.files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert (folder / name).stat().st_mode & 0o777 == 0o400
    assert (config.reports / LATEST).resolve().name == issued.run
    for taken in (7, 3):
        with pytest.raises(OutputFailed, match="report 7 is issued already; the next number is 8"):
            issue(config, taken, "AB", TODAY)
    night(config, monkeypatch, later=9)
    book = load_workbook(config.reports / LATEST / MONITOR)
    page = book["Key figures"]
    values, before, change = (cells(page, title) for title in ("Value", "Last issued", "Change"))
    assert before == values
    assert {*change} <= {"same", None}
    assert "same" in change
    assert any("the last one is 7" in str(cell.value) for row in book["Contents"].rows for cell in row)
    listed = (config.reports / "issued" / "issued.csv").read_text(encoding="utf-8").splitlines()
    assert len(listed) == 3
    assert listed[1].startswith(f"7,{issued.run},{TODAY},AB,enrolment_report.xlsx,")


def test_without_a_published_run_nothing_is_issued(config: Config) -> None:
    """And no number is taken."""
    with pytest.raises(OutputFailed, match="no run is published"):
        issue(config, 1, "AB", TODAY)
    assert recalled(config.state, scope_of(config)).issued == ()


def test_as_many_records_stand_behind_a_figure_as_it_says(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number each figure begins with, counted again in what explains it."""
    edge(monkeypatch)
    night(config, monkeypatch)
    shown = key_figures(config.reports / LATEST / MONITOR)
    facts = facts_of(config, *REGISTER)
    for name in ("F-01", "F-02", "F-03", "F-05", "F-11", "F-12", "F-15", "F-16", "F-17", "F-18", "F-20"):
        found = explained(name, facts, figures(facts))
        assert found, name
        assert len(found[1]) == int(re.match(r"\d+", shown[name])[0]), name  # type: ignore[index]


def test_the_calendar_of_a_quiet_night_is_that_of_the_night_before(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, from the memory; a new time of day gives that one entry the next number."""
    edge(monkeypatch)
    night(config, monkeypatch)
    first = (config.reports / LATEST / CALENDAR).read_bytes()
    assert b"BEGIN:VEVENT" in first
    night(config, monkeypatch, later=9)
    assert (config.reports / LATEST / CALENDAR).read_bytes() == first
    lives = {name: {event: dict(values) for event, values in life.items()} for name, life in LIVES.items()}
    lives["ODE-001"]["month_12_arm_1"] = {"nc_stat": "2", "nc_cb_date": "2027-03-09", "nc_cb_time": "10:30"}
    edge(monkeypatch, pulled=snapshot(lives))
    night(config, monkeypatch, later=19)
    changed = (config.reports / LATEST / CALENDAR).read_bytes()
    before, after = (Counter(re.findall(rb"SEQUENCE:(\d+)", text)) for text in (first, changed))
    (number,) = before
    assert after == {number: before[number] - 1, b"%d" % (int(number) + 1): 1}


def test_a_lost_key_of_the_calls_is_a_task(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete the calendars and take them in anew; told once, and not again when the new key stays."""
    edge(monkeypatch)
    assert not [task for task in night(config, monkeypatch).tasks if task.kind == CALENDARS]
    (config.path(config.calls.key)).unlink()
    told = [task for task in night(config, monkeypatch, later=9).tasks if task.kind == CALENDARS]
    assert [task.new for task in told] == [True]
    assert not [task for task in night(config, monkeypatch, later=19).tasks if task.kind == CALENDARS]


def test_a_number_of_a_person_stops_the_night_before_anything_is_published(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site named a record by one: every list of patients would hold it."""
    edge(monkeypatch, pulled=snapshot({**LIVES, "010203-4567": {"screening_arm_1": SCREENED}}))
    with pytest.raises(SanityFailed, match=r"\.xlsx, sheet .+, cell [A-Z]+\d+: a text looks like a civil") as stopped:
        night(config, monkeypatch)
    assert (stopped.value.exit_code, "0203" in str(stopped.value)) == (40, False)
    assert not (config.reports / LATEST).exists()
    assert not [path for path in config.reports.rglob("*.xlsx")]


SITE_CALLS_NAME = "calls.xlsx"  # whom to call tells of operations: of the site's own patients, one by one
MARKERS = ("QARMONEQ", "QARMTWOQ", "QQQQWWWWEEEE", "QQQQ-WWWW-EEEE", "RRRRTTTTYYYY", "RRRR-TTTT-YYYY")
CHANGES = re.compile(" · run [-_0-9]+".encode())


def randomised_to(*arms: str) -> Snapshot:
    """Two patients with these arms, each with what the arm brings."""
    lives: dict[str, dict[str, dict[str, str]]] = {}
    for number, (arm, code) in enumerate(zip(arms, ("QQQQ-WWWW-EEEE", "RRRR-TTTT-YYYY"), strict=True), 1):
        chosen = {"rand_date": f"2026-03-0{number}", "rand_time": "09:00", "rand_env": envelope(number).id,
                  "rand_arm": arm, "rand_code": code}  # fmt: skip
        lives[f"ODE-00{number}"] = {"screening_arm_1": WHOLE, "randomisation_arm_1": chosen, "week_2_arm_1": CALL}
        if arm == "1":
            lives[f"ODE-00{number}"]["pvp_procedure_arm_1"] = {"pvp_done": "1", "pvp_date": "2026-03-05"}
    return snapshot(lives)


def parts_of(folder: Path) -> dict[str, bytes]:
    """The name of every file and of every part of a workbook, with all it holds; when it was written is left away."""
    found: dict[str, bytes] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        found[name] = b"" if path.suffix == ".xlsx" else path.read_bytes()
        if path.suffix == ".xlsx":
            with ZipFile(path) as book:
                found |= {f"{name} {part}": CHANGES.sub(b"", book.read(part)) for part in book.namelist()}
    return {name: re.sub(rb"<dcterms:.*</dcterms:\w+>", b"", content) for name, content in found.items()}


def test_no_part_of_an_open_file_holds_an_arm_a_card_or_a_link_to_an_envelope(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Properties, caches of charts, comments and names of files too; moving the arms changes no byte for a monitor.

    The same search finds each of them in the closed report.
    """
    named = zip(config.arms, MARKERS[:2], strict=True)
    arms = tuple(arm.model_copy(update={"name": mark, "label": mark}) for arm, mark in named)
    planted = [mark.encode() for mark in (*MARKERS, *(one.id for one in REGISTER))]
    trial, monitors = config.model_copy(update={"arms": arms}), []
    for order in (("1", "2"), ("2", "1"), ("1", "1")):
        shutil.rmtree(trial.reports, ignore_errors=True)  # each order from the beginning
        edge(monkeypatch, pulled=randomised_to(*order))
        night(trial, monkeypatch)
        latest = trial.reports / LATEST
        parts = {**parts_of(latest / "monitor"), **parts_of(latest / "sites")}
        read = {name: name.encode() + part for name, part in parts.items() if SITE_CALLS_NAME not in name}
        assert [name for name, part in read.items() if any(mark in part for mark in planted)] == []
        assert [name for name, part in read.items() if b'state="hidden"' in part or b'="veryHidden"' in part] == []
        monitors.append(parts_of(latest / "monitor"))
    assert len(monitors[0]) > 40
    assert monitors[0] == monitors[1] == monitors[2]
    pulled = randomised_to("1", "2")
    pull = Pull(pulled, patients(pulled, trial), REGISTER, forms_by_event(trial_rows("mapping.csv")))
    packs = enrolment_packs(derive(pull, past(trial, pulled), trial, TODAY), ["closed"])
    save(config.reports / "closed" / "a.xlsx", packs["closed"], "")
    closed = b"".join(parts_of(config.reports / "closed").values())
    assert [mark for mark in planted[:2] if mark not in closed] == []
