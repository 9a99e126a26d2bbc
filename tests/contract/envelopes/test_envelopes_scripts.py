"""The four scripts as people run them, from tables to lists."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
import typer
from openpyxl import load_workbook
from redcap.project import Project
from typer.testing import CliRunner, Result

import audit_tables
import check_card
import envelope_lists
import make_tables
import push_tables
import release_envelope
from contract.envelopes.conftest import World
from redcap_rules.record import Row
from trialdesk.allocation.cards import shown_code
from trialdesk.allocation.making import open_tables
from trialdesk.allocation.numbering import envelope_id
from trialdesk.envelopes.reconcile import reconcile
from trialdesk.envelopes.register import read_register
from trialdesk.errors import ConfigError, ReleaseRefused, TableError, WriteBackFailed
from trialdesk.model import Pile
from trialdesk.workbook import HEADER_ROW

pytestmark = pytest.mark.requirement(
    "ENV-01",
    "ENV-02",
    "ENV-04",
    "ENV-05",
    "ENV-09",
    "ENV-10",
    "ENV-13",
    "ENV-14",
    "ENV-15",
    "ENV-16",
    "ENV-18",
    "SEC-02",
    "AUD-01",
)

SCRIPTS = Path(__file__).parents[3] / "scripts"


def run(app: typer.Typer, world: World, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(world.config.home / "config.yaml")])


def test_tables_are_made_pushed_released_and_listed(desk: World, tmp_path: Path) -> None:
    """A resupply is made and pushed, an envelope released for the phone, and the lists show where all are."""
    identity = str(desk.config.home / "identity.txt")
    made = run(make_tables.app, desk, "--identity", identity, "--pile", "ODE-N2F")
    (number,) = re.findall(r"version 2: (\d) envelopes in 1 pile\(s\)", made.output)
    planned = run(push_tables.app, desk, "--identity", identity, "--dry-run")
    assert planned.output.startswith(f"{number} envelope(s) to add; ")
    pushed = run(push_tables.app, desk, "--identity", identity)
    assert f"{number} envelope(s) added and read back" in pushed.output.splitlines()
    assert "nurse" not in pushed.output  # she sees no card; the packer herself is named
    assert "warning: site_admin can see the form allocation" in pushed.output
    assert run(push_tables.app, desk, "--identity", identity).output.startswith("0 envelope(s) to add")
    (root,) = re.findall(r"Merkle root ([0-9a-f]{64})", made.output)
    manifest = str(desk.config.home / "tables" / "v002" / "manifest.json")
    wrong = run(envelope_lists.app, desk, "file", manifest, "--root", root[::-1])
    assert isinstance(wrong.exception, TableError)
    typed = " ".join(root[at : at + 8] for at in range(0, 64, 8)).upper()
    assert run(envelope_lists.app, desk, "file", manifest, "--root", typed).output.startswith("version 2 of PVP-MM: ")

    desk.enter("ODE-014", "ODE")
    released = run(release_envelope.app, desk, "ODE-014")
    assert [line.split("  ", 1)[1].strip() for line in released.output.splitlines()[:4]] == [
        "ODE-014",
        desk.open()[0][0],
        "Odense University Hospital (ODE)",
        "Known myeloma, 1 level, No former fracture",
    ]
    path = tmp_path / "all.xlsx"
    assert run(envelope_lists.app, desk, "--out", str(path)).output.strip() == str(path)
    rows = list(load_workbook(path)["Envelopes"].iter_rows(min_row=HEADER_ROW + 1, values_only=True))
    assert sum(row[4] == "released" and row[9] == "ODE-014" for row in rows) == 1
    assert run(envelope_lists.app, desk, "--site", "RIG").output.strip().endswith("envelopes-RIG.xlsx")
    back = run(release_envelope.app, desk, "ODE-014", "--take-back")
    assert back.output.startswith("taken back from ODE-014: ODE-K1N-001-")

    tables = open_tables(desk.config, Path(identity))
    codes = {allocation.card.code for table in tables for allocation in table.allocations}
    shown = " ".join(result.output for result in (made, planned, pushed, released, back)) + repr(rows)
    assert [code for code in codes if code in shown] == []


def test_a_parcel_is_shipped_received_and_one_of_it_is_void(desk: World) -> None:
    """Shown first, then done; who, when and why stand in the register, and a second time changes nothing."""
    packer = desk.packer()
    ids = [e.id for e in read_register(desk.register()) if e.pile.site == "ODE" and e.batch == 1]
    packer.write("env_id", [Row(name, "", "", 0, {"env_status": "made", "env_note": "first"}) for name in ids])
    shown = run(envelope_lists.app, desk, "ship", "ODE-v001", "--by", "AB", "--dry-run")
    assert shown.output.splitlines()[-1] == f"{len(ids)} envelope(s) would be dispatched"
    assert desk.envelope(ids[0]).status == "made"
    assert run(envelope_lists.app, desk, "ship", "ODE-v001", "--by", "AB", "--on", "2026-01-03").exit_code == 0
    scanned = CliRunner().invoke(
        envelope_lists.app,
        ["received", "-", "--by", "CD", "--on", "2026-01-05", "--config", str(desk.config.home / "config.yaml")],
        input="\n".join(ids) + "\n",
    )
    assert scanned.exit_code == 0, scanned.output
    assert run(envelope_lists.app, desk, "void", ids[0], "--by", "CD", "--reason", "torn at the seal").exit_code == 0
    void, other = desk.envelope(ids[0]), desk.envelope(ids[1])
    assert (void.status, other.status) == ("void", "received")
    assert (other.dispatched_on, other.received_on) == (date(2026, 1, 3), date(2026, 1, 5))
    note = void.note
    assert note.startswith("first\n2026-01-03 dispatched by AB\n2026-01-05 received by CD\n")
    assert note.endswith("void by CD: torn at the seal")
    again = run(envelope_lists.app, desk, "received", "ODE-v001", "--by", "CD")
    assert isinstance(again.exception, ReleaseRefused)
    assert run(envelope_lists.app, desk, "void", ids[0]).exit_code == 2


def test_paper_is_printed_from_register_and_tables(desk: World, tmp_path: Path) -> None:
    """Labels and shipment papers without an arm; cards with the packer's key alone, and for nobody else to read."""
    identity = str(desk.config.home / "identity.txt")
    printed: dict[str, bytes] = {}
    for words in (
        ["labels", "--parcel", "ODE-v001", "--sheet", "L7163"],
        ["cards", "--parcel", "ODE-v001", "--identity", identity],
        ["shipment", "--parcel", "ODE-v001"],
        ["log", "--site", "ODE", "--language", "en"],
        ["accountability"],
    ):
        path = tmp_path / f"{words[0]}.pdf"
        done = run(envelope_lists.app, desk, "print", *words, "--out", str(path))
        assert done.exit_code == 0, (done.output, done.exception)
        assert path.stat().st_mode & 0o077 == 0
        printed[words[0]] = path.read_bytes()
    assert load_workbook(tmp_path / "accountability.xlsx").sheetnames == ["Regnskab over konvolutter"]
    texts = {name: text_of(content) for name, content in printed.items()}
    ids = [e.id for e in read_register(desk.register()) if e.pile.site == "ODE" and e.batch == 1]
    for name in ("labels", "cards", "shipment"):
        assert all(one in texts[name] for one in ids)
    arms = {arm.label for arm in desk.config.arms}
    assert {name for name, text in texts.items() if any(arm in text for arm in arms)} == {"cards"}
    codes = {one: desk.card(one)[1] for one in ids}
    assert all(shown_code(code) in texts["cards"] for code in codes.values())
    assert not [code for code in codes.values() if shown_code(code) in texts["labels"] + texts["shipment"]]


def text_of(content: bytes) -> str:
    """Every word on every page."""
    with pypdfium2.PdfDocument(content) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (["cards", "--parcel", "ODE-v001", "--identity", "none"], ConfigError, "no such file"),
        (["labels", "--parcel", "ODE-v009"], TableError, "no such parcel; parcels are ODE-v001"),
        (["labels", "--sheet", "A4"], ConfigError, "no such sheet"),
        (["log", "--site", "XXX"], ConfigError, "no such site"),
    ],
)
def test_paper_that_cannot_be_printed_says_why(
    desk: World, words: list[str], kind: type[Exception], message: str
) -> None:
    """In one line, and nothing is written."""
    done = run(envelope_lists.app, desk, "print", *words)
    assert isinstance(done.exception, kind)
    assert message in str(done.exception)


def test_an_envelope_is_unsealed_in_an_emergency_and_the_register_says_so_first(
    desk: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never into a pipe; noted before it is shown, and the night makes a finding of the note."""
    name = envelope_id(Pile("ODE", "K1N"), 1)
    identity, before = str(desk.config.home / "identity.txt"), desk.envelope(name).note
    words = ["unseal", name, "--reason", "card torn", "--by", "AB", "--identity", identity]
    assert run(make_tables.app, desk, *words).exit_code == 2
    monkeypatch.setattr(make_tables, "watched", lambda: True)
    label = desk.config.arms_by_code[desk.card(name)[0]].label
    offline = run(make_tables.app, desk, *words, "--offline")
    assert offline.output.splitlines()[-1] == f"{name}: {label}"
    assert desk.envelope(name).note == before
    shown = run(make_tables.app, desk, *words)
    assert (shown.exit_code, shown.output) == (0, f"{name}: {label}\n"), shown.exception
    assert desk.envelope(name).note.endswith("unsealed by AB: card torn")
    found = [one for one in reconcile((), read_register(desk.register()), desk.config) if one.rule == "R59"]
    assert [(one.envelope, "card torn" in one.text) for one in found] == [(name, True)]
    packer = desk.packer()
    monkeypatch.setattr("trialdesk.envelopes.unsealing.Gateway.write", lambda *_, **__: 1)
    lost = run(make_tables.app, desk, *words)
    assert isinstance(lost.exception, WriteBackFailed)
    assert label not in lost.output
    monkeypatch.undo()
    packer.write("env_id", [Row(name, "", "", 0, {"env_note": before})], clear=True)


def test_a_deleted_envelope_comes_back_on_a_person_s_word_alone(desk: World) -> None:
    """Added again as made it would be sent a second time: the register's log knows it."""
    name = envelope_id(Pile("RIG", "N2N"), 1)
    identity = ["--identity", str(desk.config.home / "identity.txt")]
    Project(desk.url, desk.packer_token.get_secret_value()).delete_records([name])
    refused = run(push_tables.app, desk, *identity)
    assert isinstance(refused.exception, TableError)
    assert f"{name} was deleted there" in str(refused.exception)
    assert run(push_tables.app, desk, *identity, "--restore", name).exit_code == 2
    words = ["--restore", name, "--status", "void", "--reason", "deleted by mistake, never used"]
    done = run(push_tables.app, desk, *identity, *words)
    assert done.exit_code == 0, (done.output, done.exception)
    back = desk.envelope(name)
    assert (back.status, back.note) == ("void", "restored: deleted by mistake, never used")
    assert isinstance(run(push_tables.app, desk, *identity, *words).exception, TableError)


def test_the_statistician_audits_tables_and_openings(desk: World, tmp_path: Path) -> None:
    """With a token and an identity of one's own; the arms stand in the workbook alone, which is the owner's."""
    name = envelope_id(Pile("ODE", "K1N"), 1)
    desk.enter("A", "ODE")
    desk.record_opening("A", name)
    home, out = desk.config.home, tmp_path / "audit.xlsx"
    tokens = (home / "tokens.env").read_text(encoding="utf-8")
    if "STATISTICIAN" not in tokens:
        own = f"TRIALDESK_STATISTICIAN_TOKEN={desk.trial_token.get_secret_value()}\n"
        (home / "tokens.env").write_text(tokens + own, encoding="utf-8")
    words = ["--identity", str(home / "identity.txt"), "--baseline", "[baseline_arm_1][vas_back]"]
    said = run(audit_tables.app, desk, *words, "--out", str(out))
    assert said.exit_code == 0, said.output
    assert "8 questions; to look at: none" in said.output
    assert out.stat().st_mode & 0o077 == 0
    text = "\n".join(str(v) for sheet in load_workbook(out) for row in sheet.iter_rows(values_only=True) for v in row)
    assert "1 of 1 opened envelopes have the arm of their list" in text
    assert desk.card(name)[1] not in text + said.output
    inside = run(audit_tables.app, desk, *words, "--out", str(desk.config.reports / "audit.xlsx"))
    assert inside.exit_code == 2
    assert "keep it outside of the reports" in re.sub(r"[│\s]+", " ", inside.output)
    unknown = run(audit_tables.app, desk, *words[:2], "--baseline", "[baseline_arm_1][nothing]", "--out", str(out))
    assert unknown.exit_code == 2


def test_a_card_is_checked_on_the_telephone(desk: World) -> None:
    """Asked for at a prompt, answered from the proof; a wrong arm or code, or a number nobody knows, is refused."""
    name = envelope_id(Pile("ODE", "K1N"), 1)
    arm, code = desk.card(name)
    wrong = next(other.code for other in desk.config.arms if other.code != arm)
    config = ["--config", str(desk.config.home / "config.yaml")]
    fine = CliRunner().invoke(check_card.app, config, input=f"{name.lower()}\n{arm}\n{code.lower()}\n")
    assert fine.output.endswith(f"{name}: arm and code belong to this envelope\n")
    assert code not in fine.output
    for typed in (f"{name}\n{wrong}\n{code}\n", f"{name}\n{arm}\n000000000000\n", f"ODE-K1N-999-X\n{arm}\n{code}\n"):
        refused = CliRunner().invoke(check_card.app, config, input=typed)
        assert isinstance(refused.exception, ReleaseRefused)
        assert code not in str(refused.exception)


@pytest.mark.parametrize(
    ("script", "words", "code", "message"),
    [
        ("release_envelope.py", ["X-1"], 41, "X-1: there is no such record; check the number"),
        ("envelope_lists.py", ["--site", "XXX"], 20, "--site XXX: no such site; sites are ODE, RIG"),
        ("make_tables.py", ["--identity", "nowhere.txt"], 20, "nowhere.txt: no such file"),
    ],
)
def test_a_refusal_is_one_line_and_its_exit_code(
    desk: World, script: str, words: list[str], code: int, message: str
) -> None:
    """No traceback, the documented exit code."""
    command = [sys.executable, str(SCRIPTS / script), *words, "--config", "config.yaml"]
    done = subprocess.run(command, cwd=desk.config.home, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1
