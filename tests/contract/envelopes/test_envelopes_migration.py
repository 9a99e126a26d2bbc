"""A register of version 0.1.0 with used envelopes becomes one of today: planned, applied, filled in, nothing lost.

tests/data/register-0.1.0 is the register's instruments as 0.1.0 shipped them, tests/data/tables-v1 tables of that time.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
from pydantic import SecretStr
from ruamel.yaml import YAML

from frozen import FROZEN
from redcap_local.server import running
from redcap_rules.record import Row
from trialdesk.allocation.making import open_tables
from trialdesk.allocation.tables import Table
from trialdesk.config import Config, load
from trialdesk.envelopes.exposure import exposures
from trialdesk.envelopes.push import plan_push, push
from trialdesk.envelopes.register import ARM, CODE, MADE, NOTE, PROOF, RECORD_ID, SENT, USE, made
from trialdesk.instruments.applying import apply
from trialdesk.instruments.applying import push as push_instruments
from trialdesk.instruments.byhand import draft_steps
from trialdesk.instruments.folder import read_design
from trialdesk.instruments.plan import make_plan
from trialdesk.redcap.founding import create_project
from trialdesk.redcap.gateway import Gateway

pytestmark = pytest.mark.requirement("ENV-11", "INS-01")

DATA = Path(__file__).parents[2] / "data"
SCRIPTS = Path(__file__).parents[3] / "scripts"
LIFE = (
    {"env_status": "opened", "env_record": "ODE-001", "env_opened_on": "2026-02-03", "env_received_on": "2026-01-20"},
    {"env_status": "released", "env_record": "ODE-002", "env_released_at": "2026-02-04 10:30"},
    {"env_status": "void", NOTE: "torn in the post"},
    {"env_status": "received", "env_received_on": "2026-01-20"},
)
"""What became of the first envelopes; the others are still `made`."""


@dataclass(frozen=True)
class Old:
    """The register as 0.1.0 left it."""

    config: Config
    packer: Gateway
    tables: tuple[Table, ...]
    folder: Path

    def held(self) -> dict[str, dict[str, str]]:
        """Everything the register holds of each envelope but what the form `proof` adds."""
        rows = self.packer.records(RECORD_ID, [*MADE, *USE, *SENT, NOTE, ARM, CODE]).rows
        return {row.record: {name: value for name, value in row.values.items() if value} for row in rows}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Old]:
    with running(tmp_path / "redcap.db") as server:
        copytree(DATA / "register-0.1.0" / "register", tmp_path / "instruments" / "register")
        copytree(DATA / "tables-v1", tmp_path / "trial")
        (tmp_path / "trial" / "identity.txt").chmod(0o600)
        path = tmp_path / "trial" / "config.yaml"
        tree = YAML().load(path.read_text(encoding="utf-8"))
        tree["redcap"]["url"] = server.url
        tree["folders"]["instruments"] = "../instruments"
        with path.open("w", encoding="utf-8") as file:
            YAML().dump(tree, file)
        config = load(path)
        info = {"purpose": "2", "project_title": "Register", "is_longitudinal": "0"}
        packer = Gateway(server.url, create_project(server.url, SecretStr(server.super_token), info))
        push_instruments(config, "register", packer)
        assert "proof" not in packer.dictionary().forms
        tables = open_tables(config, tmp_path / "trial" / "identity.txt")
        packer.write(RECORD_ID, list(_as_pushed(tables)))
        yield Old(config, packer, tables, tmp_path)


def _as_pushed(tables: tuple[Table, ...]) -> Iterator[Row]:
    """A record for each envelope, as a push of 0.1.0 made it, and what became of it since."""
    everything = [one for table in tables for one in table.allocations]
    for number, one in enumerate(everything):
        life = LIFE[number] if number < len(LIFE) else {"env_status": "made"}
        yield Row(one.envelope.id, "", "", 0, {**made(one.envelope), ARM: one.card.arm, CODE: one.card.code, **life})


def renewed(old: Old) -> None:
    """The files are those of today."""
    folder = old.folder / "instruments" / "register"
    for path in folder.iterdir():
        path.unlink()
    copytree(FROZEN / "instruments" / "register", folder, dirs_exist_ok=True)


def test_a_register_of_the_first_version_becomes_one_of_today_and_loses_nothing(old: Old) -> None:
    """The plan moves the commitment to `proof`; values stay; the push fills in version, domain and parcel alone."""
    before = old.held()
    renewed(old)
    desired = read_design(old.config, "register")
    plan = make_plan("register", desired, old.packer)
    moved = [change for change in plan.changes if change.name == "env_commitment"]
    assert ("form", "envelope", "proof") in [(change.attribute, change.before, change.after) for change in moved]
    assert {change.name for change in plan.of("role")} == {"Coordinator", "Packer"}
    assert not [change for change in plan.changes if change.risk == "destroys"]
    apply(plan, desired, old.packer, force=bool(plan.brakes))
    assert old.held() == before
    filled = plan_push(old.tables, old.packer)
    assert filled.new == ()
    assert [set(row.values) for row in filled.fill] == [set(PROOF)] * len(before)
    push(filled, old.tables, old.packer)
    assert old.held() == before
    told = {row.record: row.values for row in old.packer.records(RECORD_ID, [*PROOF]).rows}
    for table in old.tables:
        for one in table.allocations:
            parcel = f"{one.envelope.pile.site}-v{table.version:03d}"
            assert told[one.envelope.id] == dict(zip(PROOF, (str(table.version), "dev", parcel), strict=True))
    assert plan_push(old.tables, old.packer).empty
    assert "site_admin may edit the form proof" in list(exposures(old.packer))


def test_in_production_the_same_is_done_by_hand(old: Old) -> None:
    """Draft mode: the dictionary to upload has the form `proof`, and the steps say what is left."""
    command = [sys.executable, str(SCRIPTS / "local_redcap.py"), "project", "production"]
    number = old.packer.project()["project_id"]
    subprocess.run([*command, "--db", str(old.folder / "redcap.db"), "--project", number], check=True)
    before = old.held()
    renewed(old)
    desired = read_design(old.config, "register")
    plan = make_plan("register", desired, old.packer)
    steps = draft_steps(plan, desired, old.folder / "instruments" / "register")
    page = steps.to_markdown()
    assert "Enter Draft Mode" in page
    assert "upload `register_dictionary.csv`" in page
    assert "User Rights: create Coordinator" in page
    assert "env_commitment,proof," in steps.files["register_dictionary.csv"]
    assert old.held() == before
