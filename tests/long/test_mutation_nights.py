"""The thirty mutations in a REDCap that runs: three nights, each change in a record of its own, then the workbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import requests
from openpyxl import load_workbook
from pydantic import SecretStr
from redcap.project import Project
from ruamel.yaml import YAML
from typer.testing import CliRunner

import findings
from frozen import FROZEN
from mutants import CODE, MUTATIONS, TODAY, Life, randomised, register, screened
from redcap_local.administration import give_token
from redcap_local.server import Running, running
from redcap_rules.record import Row
from trialdesk.config import Config, load
from trialdesk.envelopes.register import MADE, RECORD_ID, USE
from trialdesk.errors import SanityFailed
from trialdesk.instruments.applying import push
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, nightly
from trialdesk.redcap.founding import create_project
from trialdesk.redcap.gateway import Gateway
from trialdesk.reports.delivery import TODO
from trialdesk.workbook import HEADER_ROW

pytestmark = pytest.mark.requirement("NGT-02", "NGT-04", "REP-07", "CAL-11")

NIGHTS = 3
RUN = " · run [-_0-9]+".encode()  # at the foot of every page
RANDOMISED = {"ODE-001": ("ODE", "1"), "ODE-002": ("ODE", "2"), "RIG-001": ("RIG", "1")}
FILL = 120  # so many more patients that a handful of changes in one night is no wrong import


# REDCap works out `elig_ok` by itself: what it is made of, and what takes it away.
MET = {
    "elig_group": "2",
    **dict.fromkeys(
        ("elig_inc_mm", "elig_inc_vcf", "elig_inc_relpain", "elig_inc_lvl", "elig_inc_cap", "elig_inc_pain3m"), "1"
    ),
    **dict.fromkeys(("elig_exc_neuro", "elig_exc_psych", "elig_exc_lang", "elig_exc_prior"), "0"),
}


@dataclass(frozen=True)
class Mutant:
    """One change of the table, in a record of its own."""

    record: str
    kind: str
    change: Mapping[str, Any]
    life: Life
    card: tuple[str, int, str, str] | None

    @property
    def renamed(self) -> str:
        """The id it goes by afterwards."""
        return f"{self.record}-R" if "rename" in self.change else self.record

    def words(self, text: str) -> str:
        """What the table says of the record it names, said of this one."""
        return text.replace(self.change["record"], self.record)


def mutants() -> list[Mutant]:
    """Each with its own envelope where the record is randomised."""
    made = []
    for number, (kind, change) in enumerate(MUTATIONS, 1):
        base = change["record"]
        record = f"{base[:3]}-{100 + number}"
        site, arm = RANDOMISED.get(base, (base[:3], ""))
        life = randomised(site, number, arm) if arm else screened(site)
        life["screening_arm_1"] |= {"elig_yob": str(1900 + number), **MET}
        made.append(Mutant(record, kind, change, life, (site, number, record, arm) if arm else None))
    return made


MUTANTS = mutants()
PASSING = [one for one in MUTANTS if "stops" not in one.change]


@dataclass
class Hospital:
    """Both projects in a running REDCap."""

    config: Config
    server: Running
    trial: SecretStr
    coordinator: SecretStr
    admin: Project

    def enter(self, record: str, life: Mapping[str, Mapping[str, str]], group: str | None = None) -> None:
        """The values are in REDCap; blank ones erase."""
        place = {} if group is None else {"redcap_data_access_group": group}
        rows = [{"record_id": record, "redcap_event_name": event, **place, **values} for event, values in life.items()]
        self.admin.import_records(rows, overwrite="overwrite")

    def night(self, minute: int) -> set[str]:
        """A run; every row of coordinator.xlsx as one text."""
        now = datetime(2026, 7, 1, 4, minute, tzinfo=self.config.trial.zone)
        trial, envelopes = (Gateway(self.server.url, secret) for secret in (self.trial, self.coordinator))
        nightly(self.config, Order(TODAY, now), trial, envelopes, lambda _: None)
        book = load_workbook(self.config.reports / LATEST / TODO, read_only=True)
        rows = (row for sheet in book for row in sheet.iter_rows(min_row=HEADER_ROW + 1, values_only=True))
        return {" ".join(str(value) for value in row) for row in rows}


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    folder = tmp_path_factory.mktemp("mutants")
    with running(folder / "redcap.db") as server:
        tree = YAML().load((FROZEN / "config.yaml").read_text(encoding="utf-8"))
        tree["redcap"]["url"] = server.url
        tree["folders"] |= {"instruments": str(FROZEN / "instruments"), "reports": "reports"}
        with (folder / "config.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(tree, file)
        config, secret = load(folder / "config.yaml"), SecretStr(server.super_token)
        info = {"purpose": "2", "project_title": "T"}
        trial = create_project(server.url, secret, {**info, "is_longitudinal": "1"})
        packer = create_project(server.url, secret, {**info, "is_longitudinal": "0"})
        push(config, "trial", Gateway(server.url, trial))
        push(config, "register", Gateway(server.url, packer))
        rights = {"envelope": "1", "proof": "1", "allocation": "0"}
        envelopes = Project(server.url, packer.get_secret_value())
        nurse = {"username": "nurse", "api_export": "1", "api_import": "1", "forms": rights, "forms_export": rights}
        envelopes.import_users([nurse])
        number = int(Gateway(server.url, packer).project()["project_id"])
        coordinator = SecretStr(give_token(folder / "redcap.db", number, "nurse"))
        made = Hospital(config, server, trial, coordinator, Project(server.url, trial.get_secret_value()))
        filled(made, Gateway(server.url, packer))
        yield made


def filled(hospital: Hospital, packer: Gateway) -> None:
    """Every mutant before its change, and those who are there besides."""
    lives = {one.record: one.life for one in MUTANTS}
    for number in range(1, FILL + 1):
        lives[f"HER-{number:03}"] = screened("HER")
    rows = [
        {"record_id": record, "redcap_event_name": event, "redcap_data_access_group": record[:3].lower(), **values}
        for record, life in lives.items()
        for event, values in life.items()
    ]
    hospital.admin.import_records(rows)
    envelopes = register([one.card for one in MUTANTS if one.card])
    facts = {**MADE, **USE}
    packer.write(
        RECORD_ID, [Row(one.id, "", "", 0, {name: told(one) for name, told in facts.items()}) for one in envelopes]
    )


def changed(hospital: Hospital, one: Mutant) -> None:
    """The mutation happens, as a person would do it."""
    if one.change.get("delete"):
        hospital.admin.delete_records([one.record])
        return
    if "change" in one.change or "group" in one.change:
        # a group is changed together with a value; that of the site field stays
        life = one.change.get("change") or {"screening_arm_1": {"elig_site": one.record[:3]}}
        if "elig_ok" in life.get("screening_arm_1", {}):
            life = {"screening_arm_1": {"elig_inc_mm": ""}}
        hospital.enter(one.record, life, one.change.get("group"))
    if "rename" in one.change:
        asked = {"content": "record", "action": "rename", "record": one.record, "new_record_name": one.renamed}
        asked |= {"token": hospital.trial.get_secret_value(), "format": "json", "returnFormat": "json"}
        assert requests.post(hospital.server.url, data=asked, timeout=30).text == "1"


def test_three_nights_name_every_mutation_and_the_gate_stops_the_others(hospital: Hospital) -> None:
    """Each in a row of coordinator.xlsx that the night before had not; a stop names its record and the way out."""
    assert len(MUTANTS) >= 30
    last = hospital.night(0)
    assert CODE not in json.dumps(sorted(last))
    for night in range(NIGHTS):
        tonight = PASSING[night::NIGHTS]
        for one in tonight:
            changed(hospital, one)
        rows = hospital.night(night + 1)
        new = rows - last
        for one in tonight:
            wanted = one.words(str(one.change["named"])).casefold()
            assert [row for row in new if one.renamed in row and wanted in row.casefold()], (one, sorted(new))
        last = rows
    for minute, one in enumerate((one for one in MUTANTS if one not in PASSING), 10):
        changed(hospital, one)
        with pytest.raises(SanityFailed, match=one.words(one.change["stops"])) as stopped:
            hospital.night(minute)
        account = stopped.value.account
        assert isinstance(account, Path)
        assert one.record in account.read_text(encoding="utf-8")
        assert (account.stat().st_mode & 0o077, account.parent.stat().st_mode & 0o077) == (0, 0)
        hospital.enter(one.record, one.life, one.record[:3].lower())


def monitor_bytes(hospital: Hospital) -> dict[str, bytes]:
    """Every part of every file in the monitor's folder, but when and in which run a workbook was written."""
    parts: dict[str, bytes] = {}
    for path in sorted((hospital.config.reports / LATEST / "monitor").iterdir()):
        if path.suffix != ".xlsx":
            parts[path.name] = path.read_bytes()
            continue
        with ZipFile(path) as book:
            read = {f"{path.name} {name}": book.read(name) for name in book.namelist() if "core.xml" not in name}
        parts |= {name: re.sub(RUN, b"", content) for name, content in read.items()}
    return parts


def test_what_happens_to_a_treatment_finding_changes_no_byte_for_the_monitor(hospital: Hospital) -> None:
    """New, accepted, moved to another day, closed, reopened: five real nights, and the same bytes."""
    record, done = "ODE-900", "pvp_procedure_arm_1"
    hospital.enter(record, randomised("ODE", 90, "2"), "ode")
    hospital.night(29)  # what the new record brings that tells no arm is counted as new here,
    hospital.night(30)  # and is old from here on
    seen = [monitor_bytes(hospital)]
    ids: set[str] = set()
    for minute, operated in enumerate(("2026-03-09", "2026-03-09", "2026-03-10", "", "2026-03-09"), 31):
        hospital.enter(record, {done: {"pvp_done": "1" if operated else "", "pvp_date": operated}})
        rows = hospital.night(minute)
        found = {row.split()[0] for row in rows if row.split()[2:5] == ["Q33", "ODE", record]}
        if minute == 31:
            assert len(found) == 1, rows
            ids = found
            home = str(hospital.config.home / "config.yaml")
            words = ["accept", *found, "--reason", "asked for", "--by", "AB", "--config", home]
            accepted = CliRunner().invoke(findings.app, words)
            assert accepted.exit_code == 0, accepted.output
        if minute == 32:
            assert any("asked for" in row and record in row for row in rows)
        seen.append(monitor_bytes(hospital))
    assert found == ids
    assert len(seen[0]) > 8
    assert all(one == seen[0] for one in seen)
