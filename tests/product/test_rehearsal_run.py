"""The whole product once: forty patients on a local REDCap, then the nightly run, then the files opened again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import url2pathname

import pyrage
import pytest
import requests
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

import enrolment_report
from browser import page_of
from pages import Person
from played import played
from redcap_local.administration import opened
from redcap_local.faults import Fault, set_fault
from rehearsal.day import Cards
from rehearsal.people import COORDINATOR
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
from trialdesk.reports.delivery import ENVELOPES, FILES, INDEX, MONITOR, REGISTER, SERVER, SITE, TODO, of_site

pytestmark = pytest.mark.requirement(
    "INT-02",
    "ARM-01",
    "CAL-01",
    "CAL-10",
    "CAL-04",
    "REP-01",
    "REP-02",
    "REP-03",
    "REP-04",
    "REP-05",
    "REP-06",
    "REP-07",
    "NGT-01",
    "NGT-02",
    "NGT-06",
    "SEC-01",
    "SEC-03",
)

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
    start: Callable[[], str]


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
        yield Rehearsed(trial.stage, trial.cards, trial.planted, done.summary, done.findings, latest, trial.start)


def test_each_reader_has_a_folder_with_exactly_its_files(rehearsed: Rehearsed) -> None:
    """As the table in the code says; nobody else on the machine may read them. `latest` points at the run."""
    files = {path.relative_to(rehearsed.latest).as_posix() for path in rehearsed.latest.rglob("*") if path.is_file()}
    sites = [site.code for site in rehearsed.stage.config.sites]
    assert files == {name.replace("CODE", site) for name in FILES for site in sites}
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
    listed = rule_records(load_workbook(rehearsed.latest / MONITOR))
    assert {rule for rule, _ in planted & listed} >= {"Q01", "Q08", "Q25", "R02", "R11", "R21", "R49", "R52"}
    assert not {rule for rule, _ in listed} & {"Q33", "Q34", "Q35", "Q36", "Q46", "Q56"}


def rule_records(book: Workbook) -> set[tuple[str, str]]:
    """The rules and records a report lists."""
    sheet = book["Findings"]
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


def test_a_site_sees_its_own_patients_and_what_to_correct_in_their_treatment(rehearsed: Rehearsed) -> None:
    """Every treatment finding of a patient stands in the report of the patient's site, and in no other."""
    told = {"Q33", "Q34", "Q35", "Q36", "Q46", "Q56", "Q57"}
    wanted = {(one.rule, one.record) for one in rehearsed.findings if one.rule in told}
    assert len(wanted) >= 4
    found = set()
    for site in rehearsed.stage.config.sites:
        book = load_workbook(rehearsed.latest / of_site(SITE, site.code))
        listed = rule_records(book)
        assert {record.partition("-")[0] for _, record in listed if record != "None"} <= {site.code}
        found |= {one for one in listed if one[0] in told}
        assert "By arm" not in book.sheetnames
    assert found == wanted


@pytest.fixture(name="statistician")
def hers(rehearsed: Rehearsed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of the statistician's, whose token file holds her own token alone."""
    home = rehearsed.stage.config_file.parent
    lines = (home / "tokens.env").read_text(encoding="utf-8").splitlines()
    (own,) = [line for line in lines if line.startswith("TRIALDESK_STATISTICIAN_TOKEN=")]
    (tmp_path / "tokens.env").touch(mode=0o600)
    (tmp_path / "tokens.env").write_text(f"{own}\n", encoding="utf-8")
    text = (home / "config.yaml").read_text(encoding="utf-8")
    config = home / "her.yaml"
    config.write_text(text.replace("tokens.env", str(tmp_path / "tokens.env")), encoding="utf-8")
    monkeypatch.setattr(enrolment_report, "_today", lambda _: TODAY)
    return config


def closed_report(config: Path, out: Path, *more: str) -> Any:
    """The closed report as a workbook, opened with her identity; nothing of it has stood in the clear."""
    identity = config.parent / "statistician.agekey"
    made = CliRunner().invoke(
        enrolment_report.app,
        ["--config", str(config), "--profile", "closed", "--out", str(out), "--identity", str(identity), *more],
    )
    assert made.exit_code == 0, (made.output, made.exception)
    assert not list(out.parent.rglob("*.xlsx"))
    key = pyrage.x25519.Identity.from_str(identity.read_text(encoding="utf-8").strip())
    return load_workbook(BytesIO(pyrage.decrypt(out.read_bytes(), [key])))


def test_the_statistician_makes_the_closed_report_with_her_own_token(
    rehearsed: Rehearsed, statistician: Path, tmp_path: Path
) -> None:
    """Over HTTP, without the coordinator's tokens: from her own pull and what the night sealed; it opens with age."""
    book = closed_report(statistician, tmp_path / "closed.xlsx.age", "--register", str(rehearsed.latest / REGISTER))
    planted = {(deviation.rule, deviation.record) for deviation in rehearsed.planted}
    assert planted <= rule_records(book)
    randomised = [row[1].value for row in book["By arm"].iter_rows(min_row=5)]
    assert sum(int(str(number)) for number in randomised[: len(rehearsed.stage.config.arms)]) == 28
    assert len(book["Outcome curves"]._charts) > 1


def test_masked_it_shows_groups_whose_arms_she_alone_can_tell(
    rehearsed: Rehearsed, statistician: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No arm stands in the file; a command tells which is which on a terminal; without her identity nothing is made."""
    statistician.write_text(f"{statistician.read_text(encoding='utf-8')}\nclosed: {{masked: true}}\n", encoding="utf-8")
    out = tmp_path / "masked.xlsx.age"
    refused = CliRunner().invoke(
        enrolment_report.app, ["--config", str(statistician), "--profile", "closed", "--out", str(out)]
    )
    assert (refused.exit_code, out.exists()) == (2, False)
    book = closed_report(statistician, out)
    cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    arms = rehearsed.stage.config.arms
    assert not [cell for cell in cells for arm in arms if arm.label in cell]
    assert "Exposure by arm" not in book.sheetnames
    told = ["groups", "--config", str(statistician), "--identity", str(statistician.parent / "statistician.agekey")]
    assert CliRunner().invoke(enrolment_report.app, told).exit_code == 2
    monkeypatch.setattr(enrolment_report, "watched", lambda: True)
    shown = CliRunner().invoke(enrolment_report.app, told).output.splitlines()
    assert {line.split("\t")[0] for line in shown} == {"Group A", "Group B"}
    assert {line.split("\t")[1] for line in shown} == {arm.label for arm in arms}


def test_redcap_s_own_words_are_the_coordinator_s(rehearsed: Rehearsed) -> None:
    """Nothing was refused in this run."""
    assert (rehearsed.latest / SERVER).read_text(encoding="utf-8") == "REDCap refused nothing.\n"


def test_a_link_leads_to_the_form_in_redcap(rehearsed: Rehearsed) -> None:
    """The address of every row on To do, for who has chosen a user there."""
    sheet = load_workbook(rehearsed.latest / TODO)["To do"]
    links = [str(cell.hyperlink.target) for row in sheet.iter_rows(min_row=5) for cell in row if cell.hyperlink]
    assert len(links) > 10
    assert requests.get(links[0], timeout=10).status_code == 403
    me = Person.entered(rehearsed.start(), COORDINATOR)
    for link in links[:3]:
        shown = me.http.get(link, timeout=10)
        record = parse_qs(urlsplit(link).query)["id"][0]
        assert (shown.status_code, f"Record ID {record}" in shown.text) == (200, True)
    assert me.http.get(links[0].replace("pid=", "pid=9"), timeout=10).status_code == 404


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_a_run_in_a_browser(rehearsed: Rehearsed, width: int) -> None:
    """No error, no request but for itself, nothing serious for those who can't see it well; it fits a telephone."""
    from axe_playwright_python.sync_playwright import Axe

    said: list[str] = []
    asked: list[str] = []
    with page_of(width) as page:
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        address = (rehearsed.latest.resolve() / INDEX).as_uri()
        page.goto(address)
        found = Axe().run(page).response["violations"]
        wide = page.evaluate("document.documentElement.scrollWidth")
        text = page.inner_text("body")
        links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    assert (said, asked) == ([], [address])
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert wide <= width
    assert "28" in text
    assert "For the coordinator alone" in text
    own = [link for link in links if link.startswith("file:")]
    assert len(own) > 10
    assert all(Path(url2pathname(urlsplit(link).path)).is_file() for link in own)


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


def test_being_told_to_end_leaves_nothing_half_done(rehearsed: Rehearsed) -> None:
    """SIGTERM in the middle of the pull: no traceback, no folder that is being built, and the memory knows of it."""
    database, config = rehearsed.stage.config.home / "redcap.sqlite", rehearsed.stage.config
    with opened(database) as connection:
        set_fault(connection, Fault("slow", times=5, content="record", seconds=6))
    script = Path(__file__).parents[2] / "scripts" / "nightly_sync.py"
    words = [sys.executable, str(script), "--once", "--today", str(TODAY), "--config", str(rehearsed.stage.config_file)]
    before = rehearsed.latest.resolve()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as night_:
        deadline = time.monotonic() + 20
        while not list(config.reports.glob(".building-*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        night_.terminate()
        _, said = night_.communicate(timeout=30)
    with opened(database) as connection:
        set_fault(connection, None)
    assert night_.returncode != 0
    assert "Traceback" not in said
    assert not list(config.reports.glob(".building-*"))
    assert rehearsed.latest.resolve() == before
    assert recalled(config.state, scope_of(config)).unpublished[-1].status == "failed"
    sync(rehearsed.stage)


def test_who_watches_a_night_sees_how_far_it_is_and_how_fast(rehearsed: Rehearsed) -> None:
    """Records as they come, workbooks as they are written; the names of the stages between."""
    config, shown = rehearsed.stage.config, list[str]()
    trial, register = open_gateway(config, "trial"), open_gateway(config, "register")
    nightly(config, Order(TODAY, datetime.now(config.trial.zone)), trial, register, shown.append)
    records = len(trial.ids("record_id"))
    assert [line for line in shown if re.fullmatch(rf"pull: {records} of {records} records, \d+ a second", line)]
    books = [line for line in shown if line.startswith("build: ")]
    assert books[-1].split(", ")[0] == f"build: {len(books)} of {len(books)} workbooks"
    assert [line for line in shown if ":" not in line][:3] == ["preflight", "pull", "sanity"]


def test_the_register_says_opened_where_a_record_does(rehearsed: Rehearsed) -> None:
    """After the write-back `released` are the open release, the passed over (R49) and what can't be proved (R11)."""
    from trialdesk.envelopes.register import read_register

    register = read_register(open_gateway(rehearsed.stage.config, "register"))
    released = {envelope.record for envelope in register if envelope.status == "released"}
    passed_over = {deviation.record for deviation in rehearsed.planted if deviation.rule in ("R49", "R11")}
    assert len(released - passed_over) == 1
    assert passed_over <= released
