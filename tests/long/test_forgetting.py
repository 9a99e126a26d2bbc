"""A record is forgotten in every file of the desk but issued reports: one that REDCap no longer has, or only keeps."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import pyrage
import pytest
from redcap.project import Project
from typer.testing import CliRunner, Result

import enrolment_report
import nightly_sync
from killed_nights import TODAY
from played import Played, played
from redcap_local.administration import give_token
from redcap_local.people import CREATOR
from trialdesk.allocation.sealing import unseal
from trialdesk.envelopes.register import RECORD_ID, read_register
from trialdesk.errors import ReleaseRefused, TableError
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.sealed import FOLDER as SNAPSHOTS
from trialdesk.private import write_private
from trialdesk.redcap.gateway import open_gateway

pytestmark = pytest.mark.requirement("NGT-08")


CUSTODIAN, STRANGER = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()


@pytest.fixture(name="trial", scope="module")
def a_trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A played trial with two nights, whose snapshots are kept for a custodian, and an issued report."""
    with played(tmp_path_factory.mktemp("forgetting"), 8, TODAY) as trial:
        file = trial.stage.config_file
        kept = f"retention:\n  sealed_for: [{CUSTODIAN.to_public()}]\n"
        file.write_text(file.read_text(encoding="utf-8") + kept, encoding="utf-8")
        for name, key in (("custodian", CUSTODIAN), ("stranger", STRANGER)):
            write_private(trial.stage.config.home / f"{name}.txt", f"{key}\n")
        for _ in range(2):
            assert run(trial, "--once", "--today", str(TODAY)).exit_code in {0, 10, 45}
        issued = CliRunner().invoke(
            enrolment_report.app,
            ["issue", "--number", "1", "--by", "AB", "--config", str(trial.stage.config_file)],
        )
        assert issued.exit_code == 0, issued.output
        yield trial


def run(trial: Played, *words: str) -> Result:
    return CliRunner().invoke(nightly_sync.app, [*words, "--config", str(trial.stage.config_file)])


def naming(folder: Path, record: str) -> set[str]:
    """The files below a folder in which the id stands, workbooks and kept snapshots opened; issued reports left out."""
    named = re.compile(rb"(?<![\w-])" + record.encode() + rb"(?![\w-])")
    found = set()
    for path in folder.rglob("*"):
        if not path.is_file() or "issued" in path.parts:
            continue
        content = path.read_bytes()
        if is_zipfile(path):
            with ZipFile(BytesIO(content)) as book:
                content = b"\n".join(book.read(name) for name in book.namelist())
        if path.suffix == ".age" and path.parent.name == SNAPSHOTS:
            told = json.loads(unseal(content, str(CUSTODIAN), path.name))
            content = told["read"].encode() + b64decode(told["memory"])
        # in a database texts stand against one another
        found |= (
            {str(path)}
            if (record.encode() in content if path.suffix in (".sqlite", ".age") else named.search(content))
            else set()
        )
    return found


def test_a_record_that_redcap_returns_is_not_forgotten(trial: Played) -> None:
    """It would be back the next night; nothing is listed and nothing changed."""
    record = open_gateway(trial.stage.config, "trial").ids("record_id")[0]
    said = run(trial, "forget", record, "--apply")
    assert isinstance(said.exception, ReleaseRefused)
    assert "REDCap returns it" in str(said.exception)


def test_a_deleted_record_is_forgotten_everywhere(trial: Played) -> None:
    """Listed first; then its runs go, the memory forgets it, and a run made anew is the newest."""
    config = trial.stage.config
    register = read_register(open_gateway(config, "register"))
    record = next(one.record for one in register if one.status == "opened")
    home = config.reports
    before = (home / LATEST).resolve()
    snapshots = sorted((config.state / SNAPSHOTS).glob("*.age"))
    assert {str(path) for path in snapshots} < naming(home, record)
    administrator = give_token(config.home / "redcap.sqlite", 1, CREATOR)
    Project(config.redcap.url, administrator).delete_records([record])
    held = next(one.id for one in register if one.record == record)
    assert "register names it" in str(run(trial, "forget", record).exception)
    trial.stage.packer_project().import_records([{RECORD_ID: held, "env_record": ""}], overwrite="overwrite")
    listed = run(trial, "forget", record)
    assert listed.exit_code == 0, listed.output
    assert {str(before), *map(str, snapshots)} <= {*listed.output.splitlines()}
    assert naming(home, record)
    done = run(trial, "forget", record, "--apply")
    assert done.exit_code in {0, 10, 45}, (done.output, done.exception)
    assert naming(home, record) | naming(config.state, record) == set()
    assert (home / LATEST).resolve() != before
    assert "issued report: it stays" in listed.output
    assert not before.exists() or before.name in listed.output
    assert not any(path.exists() for path in snapshots)


def withdraw(trial: Played, record: str) -> None:
    """The site enters that a patient withdraws from the use of data."""
    said = {"eos_stat": "2", "eos_wd_type": "3", "eos_date": str(TODAY), "end_of_study_complete": "2"}
    administrator = give_token(trial.stage.config.home / "redcap.sqlite", 1, CREATOR)
    Project(trial.stage.config.redcap.url, administrator).import_records(
        [{"record_id": record, "redcap_event_name": "logs_arm_1", **said}]
    )


def counts(trial: Played) -> dict[str, object]:
    told = json.loads((trial.stage.config.reports / LATEST / "summary.json").read_text(encoding="utf-8"))
    return {"recruitment": told["recruitment"], "states": told["states"]}


def test_a_patient_withdrawn_from_the_use_of_data_is_only_counted(trial: Played) -> None:
    """REDCap keeps the record: the desk forgets it, and no later night knows more of it than its number."""
    config, file = trial.stage.config, str(trial.stage.config.home / "custodian.txt")
    opened = [one for one in read_register(open_gateway(config, "register")) if one.status == "opened" and one.record]
    record = opened[0].record
    assert run(trial, "--once").exit_code in {0, 10, 45}
    withdraw(trial, record)
    assert "no run has seen yet" in str(run(trial, "forget", record).exception)
    assert run(trial, "--once").exit_code in {0, 10, 45}
    before, older = counts(trial), sorted((config.state / SNAPSHOTS).glob("*.age"))
    strange = run(trial, "forget", record, "--identity", str(config.home / "stranger.txt"), "--apply")
    assert isinstance(strange.exception, TableError)
    listed = run(trial, "forget", record, "--identity", file)
    assert [f"{path} (a kept snapshot: rewritten without it)" in listed.output for path in older] == [True] * 3
    assert len(naming(config.reports, record)) > len(older)
    done = run(trial, "forget", record, "--identity", file, "--apply")
    assert done.exit_code in {0, 10, 45}, (done.output, done.exception)
    assert "3 rewritten" in done.output
    for _ in range(2):
        assert naming(config.reports, record) | naming(config.state, record) == set()
        assert counts(trial) == before
        assert opened[0].id.encode() in text_of(config.reports / LATEST / "coordinator" / "envelope_lists.xlsx")
        assert run(trial, "--once").exit_code in {0, 10, 45}
    assert open_gateway(config, "trial").ids("record_id").count(record) == 1
    assert all(path.exists() for path in older)
    past = run(trial, "rebuild", older[-1].stem, "--identity", file)
    assert past.exit_code == 10, past.exception
    assert "a record was taken out of the snapshot" in past.output
    assert naming(config.state / "rebuilt", record) == set()
    site, *others = (line for line in past.output.splitlines() if "calls.xlsx" in line)
    assert {"OTHER", "same"} <= {line.split()[0] for line in (site, *others)}
    again = run(trial, "forget", record, "--identity", file)  # may be asked again: nothing is left but a copy
    assert "1 to delete, 0 to rewrite" in again.output  # what was rebuilt, whatever it holds
    correct(trial, record)
    assert run(trial, "--once").exit_code in {0, 10, 45}
    assert naming(config.reports / LATEST, record)


def correct(trial: Played, record: str) -> None:
    """It was another patient who withdrew."""
    blank = dict.fromkeys(("eos_stat", "eos_wd_type", "eos_date"), "")
    administrator = give_token(trial.stage.config.home / "redcap.sqlite", 1, CREATOR)
    Project(trial.stage.config.redcap.url, administrator).import_records(
        [{"record_id": record, "redcap_event_name": "logs_arm_1", **blank}], overwrite="overwrite"
    )


def text_of(book: Path) -> bytes:
    with ZipFile(book) as parts:
        return b"\n".join(parts.read(name) for name in parts.namelist())
