"""The four scripts as people run them, from tables to lists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

import envelope_lists
import make_tables
import push_tables
import release_envelope
from contract.envelopes.conftest import World
from trialdesk.allocation.making import open_tables
from trialdesk.errors import TableError
from trialdesk.workbook import HEADER_ROW

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
