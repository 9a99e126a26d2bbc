"""A record that REDCap no longer has is forgotten: in every file of the desk, but for issued reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import pytest
from redcap.project import Project
from typer.testing import CliRunner, Result

import enrolment_report
import nightly_sync
from killed_nights import TODAY
from played import Played, played
from redcap_local.administration import give_token
from redcap_local.people import CREATOR
from trialdesk.envelopes.register import RECORD_ID, read_register
from trialdesk.errors import ReleaseRefused
from trialdesk.nightly.publish import LATEST
from trialdesk.redcap.gateway import open_gateway

pytestmark = pytest.mark.requirement("NGT-02")


@pytest.fixture(name="trial", scope="module")
def a_trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A played trial with two nights and an issued report."""
    with played(tmp_path_factory.mktemp("forgetting"), 8, TODAY) as trial:
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
    """The files below a folder in which the id stands, also inside workbooks; issued reports left out."""
    named = re.compile(rb"(?<![\w-])" + record.encode() + rb"(?![\w-])")
    found = set()
    for path in folder.rglob("*"):
        if not path.is_file() or "issued" in path.parts:
            continue
        content = path.read_bytes()
        if is_zipfile(path):
            with ZipFile(BytesIO(content)) as book:
                content = b"\n".join(book.read(name) for name in book.namelist())
        # in a database texts stand against one another
        found |= (
            {str(path)}
            if (record.encode() in content if path.suffix == ".sqlite" else named.search(content))
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
    assert naming(home, record)
    administrator = give_token(config.home / "redcap.sqlite", 1, CREATOR)
    Project(config.redcap.url, administrator).delete_records([record])
    held = next(one.id for one in register if one.record == record)
    assert "register names it" in str(run(trial, "forget", record).exception)
    trial.stage.packer_project().import_records([{RECORD_ID: held, "env_record": ""}], overwrite="overwrite")
    listed = run(trial, "forget", record)
    assert listed.exit_code == 0, listed.output
    assert str(before) in listed.output
    assert naming(home, record)
    done = run(trial, "forget", record, "--apply")
    assert done.exit_code in {0, 10, 45}, (done.output, done.exception)
    assert naming(home, record) | naming(config.state, record) == set()
    assert (home / LATEST).resolve() != before
    assert "issued report: it stays" in listed.output
    assert not before.exists() or before.name in listed.output
