"""The whole product once: forty patients on a local REDCap, then the nightly run, then the files opened again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from played import played
from rehearsal.day import Cards
from rehearsal.stage import Stage
from rehearsal.story import Deviation
from trialdesk.errors import LockHeld, SanityFailed
from trialdesk.facts.todo import NIGHTS, UNRANDOMISED
from trialdesk.memory.opening import recalled
from trialdesk.model import Finding
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly, scope_of
from trialdesk.nightly.summary import Summary
from trialdesk.redcap.gateway import Gateway, open_gateway
from trialdesk.reports.delivery import ENVELOPES, FILES, MONITOR

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 4, 30)


@dataclass(frozen=True)
class Rehearsed:
    """A rehearsal that was played and published once."""

    stage: Stage
    cards: Cards
    planted: tuple[Deviation, ...]
    summary: Summary
    findings: tuple[Finding, ...]
    latest: Path


def sync(stage: Stage, **asked: object) -> Outcome:
    config = stage.config
    order = Order(TODAY, NOW.replace(tzinfo=config.trial.zone), **asked)  # type: ignore[arg-type]  # test shorthand
    return nightly(config, order, open_gateway(config, "trial"), open_gateway(config, "register"), lambda _: None)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    """Forty patients, as `make demo` plays them, in a folder of their own."""
    home = tmp_path_factory.mktemp("trial")
    with played(home, 40, TODAY) as trial:
        done = sync(trial.stage)
        latest = home / "reports" / LATEST
        yield Rehearsed(trial.stage, trial.cards, trial.planted, done.summary, done.findings, latest)


def test_each_reader_has_a_folder_with_exactly_its_files(rehearsed: Rehearsed) -> None:
    """As the table in the code says; nobody else on the machine may read them. `latest` points at the run."""
    files = {path.relative_to(rehearsed.latest).as_posix() for path in rehearsed.latest.rglob("*") if path.is_file()}
    assert files == set(FILES)
    assert {path.stat().st_mode & 0o077 for path in rehearsed.latest.rglob("*")} == {0}
    assert rehearsed.latest.resolve().name == rehearsed.summary.run


def test_the_summary_is_machine_readable_with_its_schema(rehearsed: Rehearsed) -> None:
    """Another tool may rely on schema 2; no record and no envelope stands in it."""
    told = json.loads((rehearsed.latest / "summary.json").read_text(encoding="utf-8"))
    assert (told["schema"], told["domain"], told["recruitment"]["screened"]) == (2, "dev", 40)
    assert not re.search(r"[A-Z]{3}-\d{3}\b|[A-Z]{3}-...-\d{3}", json.dumps(told))
    assert told["recruitment"]["randomised"] == sum(told["states"].values())


def test_every_planted_deviation_is_found(rehearsed: Rehearsed) -> None:
    """About ten deviations of the protocol are hidden in the story; the nightly run reports each for its record."""
    planted = {(deviation.rule, deviation.record) for deviation in rehearsed.planted}
    assert len({record for _, record in planted}) >= 10
    assert planted - {(finding.rule, finding.record) for finding in rehearsed.findings} == set()


def test_the_open_report_lists_the_deviations_that_tell_no_arm(rehearsed: Rehearsed) -> None:
    """Each with its record; those of the treatment are pooled by site."""
    planted = {(deviation.rule, deviation.record) for deviation in rehearsed.planted}
    listed = rule_records(rehearsed)
    assert {rule for rule, _ in planted & listed} >= {"Q01", "Q08", "Q25", "R02", "R11", "R21", "R49", "R52"}
    assert not {rule for rule, _ in listed} & {"Q33", "Q34", "Q35", "Q36", "Q46", "Q56"}


def rule_records(rehearsed: Rehearsed) -> set[tuple[str, str]]:
    """What the open report lists."""
    sheet = load_workbook(rehearsed.latest / "monitor" / "enrolment_report.xlsx")["Findings"]
    titles = [cell.value for cell in sheet[4]]
    rule, record = titles.index("Rule"), titles.index("Record")
    return {(str(row[rule].value), str(row[record].value)) for row in sheet.iter_rows(min_row=5)}


def test_no_open_file_names_an_arm_or_a_card(rehearsed: Rehearsed) -> None:
    """Neither the arms' names nor any card code stands in the envelope lists or the enrolment report."""
    config = rehearsed.stage.config
    codes = {a.card.code for table in rehearsed.cards.tables for a in table.allocations}
    words = {arm.label for arm in config.arms} | {arm.name for arm in config.arms if len(arm.name) > 3}
    for name in (ENVELOPES, MONITOR):
        text = text_of(rehearsed.latest / name)
        assert not [word for word in words if word in text]
        assert not codes & set(re.split(r"[^0-9A-Z]+", text.replace("-", "")))


def test_no_file_holds_a_telephone_number_or_mail_address(rehearsed: Rehearsed) -> None:
    """Identifiers are never asked of REDCap, so they can be in no file."""
    for path in rehearsed.latest.rglob("*.xlsx"):
        assert not re.search(r"[\w.]+@[\w.]+", text_of(path))


def text_of(path: Path) -> str:
    """Every cell, header and footer of a workbook."""
    book = load_workbook(path)
    cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    return "\n".join([*cells, *(sheet.oddFooter.left.text or "" for sheet in book if sheet.oddFooter)])


def test_a_second_run_writes_nothing_finds_the_same_and_has_nothing_new(rehearsed: Rehearsed) -> None:
    """Same data, same day: no write-back, the same reports, and exit code 0 once everything was told."""
    sync(rehearsed.stage)
    again = sync(rehearsed.stage)
    once_more = sync(rehearsed.stage)
    assert again.summary.to_write == "0 envelope(s) marked opened, 0 call plan(s) renewed"
    assert again.summary.files == once_more.summary.files
    assert (again.exit_code, again.summary.new) == (0, 0)
    assert again.summary.todo["release open"] >= 1


def test_a_randomised_record_that_is_gone_stops_the_run_by_its_name(
    rehearsed: Rehearsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is published until somebody says that it is right; then it is, and the record is named."""
    before = rehearsed.latest.resolve()
    lost = min(one.record for one in rehearsed.findings if one.rule == "R11")
    ids = Gateway.ids
    monkeypatch.setattr(Gateway, "ids", lambda gateway, name: tuple(i for i in ids(gateway, name) if i != lost))
    with pytest.raises(SanityFailed, match=f"--accept-drop {lost} --reason TEXT --by NAME"):
        sync(rehearsed.stage)
    assert rehearsed.latest.resolve() == before
    config = rehearsed.stage.config
    failed = recalled(config.state, scope_of(config)).unpublished[-1]
    assert (failed.exit_code, failed.status, failed.stage) == (40, "failed", "sanity")
    done = sync(rehearsed.stage, accepted=(lost,), reason="withdrew all data", by="AB")
    assert (done.exit_code, {task.record for task in done.tasks if task.kind == UNRANDOMISED}) == (10, {lost})
    assert any(task.kind == NIGHTS for task in done.tasks)
    monkeypatch.undo()
    sync(rehearsed.stage)


def test_two_runs_never_work_at_once(rehearsed: Rehearsed) -> None:
    """The second one says so and leaves."""
    from filelock import FileLock

    with FileLock(rehearsed.stage.config.state / ".lock"), pytest.raises(LockHeld):
        sync(rehearsed.stage)


def test_the_register_says_opened_where_a_record_does(rehearsed: Rehearsed) -> None:
    """After the write-back `released` are the open release, the passed over (R49) and what can't be proved (R11)."""
    from trialdesk.envelopes.register import read_register

    register = read_register(open_gateway(rehearsed.stage.config, "register"))
    released = {envelope.record for envelope in register if envelope.status == "released"}
    passed_over = {deviation.record for deviation in rehearsed.planted if deviation.rule in ("R49", "R11")}
    assert len(released - passed_over) == 1
    assert passed_over <= released
