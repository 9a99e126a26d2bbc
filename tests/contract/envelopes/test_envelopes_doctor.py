"""What a night needs, looked at by day; and whether the newest run is young enough."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner, Result

import check_freshness
import nightly_sync
from contract.envelopes.conftest import World
from redcap_rules.record import Row
from trialdesk.envelopes.register import COMMITMENT, RECORD_ID
from trialdesk.errors import Stale
from trialdesk.nightly.heartbeat import HEARTBEAT
from trialdesk.nightly.publish import LATEST

pytestmark = pytest.mark.requirement("NGT-05")

UNITS = Path(__file__).parents[3] / "docs" / "units"


def run(app: typer.Typer, desk: World, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(desk.config.home / "config.yaml")])


def checks(desk: World) -> dict[str, tuple[str, str]]:
    said = run(nightly_sync.app, desk, "doctor", "--json")
    told = json.loads(said.stdout)
    assert told["schema"] == 1
    return {one["what"]: (one["verdict"], one["said"]) for one in told["checks"]} | {"exit": ("", str(said.exit_code))}


def test_the_doctor_looks_at_everything_and_changes_nothing(desk: World) -> None:
    """Tokens, concealment, codes, manifests, clock; before the first run the memory is a warning."""
    before = sorted(path.name for path in desk.config.state.rglob("*"))
    found = checks(desk)
    well = ("token trial", "token register", "codes", "project", "concealment", "manifests", "clock", "time zone")
    assert {what: found[what][0] for what in well} == dict.fromkeys(well, "ok")
    assert found["rights trial"] == ("warn", "no record yet, so what the token is shown is not known")
    assert found["keys"][0] == "warn"
    assert found["exit"] == ("", "10")
    assert sorted(path.name for path in desk.config.state.rglob("*")) == before
    shown = run(nightly_sync.app, desk, "doctor").output
    assert "ask   administrator" in shown
    assert desk.coordinator_token.get_secret_value() not in shown


def test_the_doctor_names_what_would_stop_a_night(desk: World) -> None:
    """An exchanged commitment, and a token that can see cards: each with what to do, and the night's exit code."""
    packer, tokens = desk.packer(), desk.config.home / "tokens.env"
    (before,) = packer.records(RECORD_ID, [COMMITMENT], records=[desk.envelope_ids()[0]]).rows
    packer.write(RECORD_ID, [Row(before.record, "", "", 0, {COMMITMENT: "00" * 32})])
    text = tokens.read_text(encoding="utf-8")
    try:
        found = checks(desk)
        assert found["manifests"][0] == "fail"
        assert "ask the packer" in found["manifests"][1]
        assert found["exit"] == ("", "45")
        packers = desk.packer_token.get_secret_value()
        tokens.write_text(text.replace(desk.coordinator_token.get_secret_value(), packers), encoding="utf-8")
        found = checks(desk)
        assert found["concealment"][0] == "fail"
        assert found["exit"] == ("", "42")
    finally:
        tokens.write_text(text, encoding="utf-8")
        packer.write(RECORD_ID, [before])


def test_a_run_that_is_too_old_is_said(desk: World) -> None:
    """None yet, then a fresh one, then one of the day before yesterday; what the last start came to is told."""
    none = run(check_freshness.app, desk)
    assert isinstance(none.exception, Stale)
    assert run(nightly_sync.app, desk, "--once").exit_code in (0, 10)
    beat = json.loads((desk.config.state / HEARTBEAT).read_text(encoding="utf-8"))
    assert beat["exit_code"] in (0, 10)
    fresh = run(check_freshness.app, desk)
    assert (fresh.exit_code, "ended with exit code" in fresh.output) == (0, True)
    assert run(nightly_sync.app, desk, "--if-due").exit_code == 0  # today's is there
    summary = desk.config.reports / LATEST / "summary.json"
    told = json.loads(summary.read_text(encoding="utf-8"))
    told["data_as_of"] = (datetime.fromisoformat(told["data_as_of"]) - timedelta(hours=30)).isoformat()
    summary.write_text(json.dumps(told), encoding="utf-8")
    assert isinstance(run(check_freshness.app, desk).exception, Stale)
    assert run(check_freshness.app, desk, "--max-age", "31h").exit_code == 0
    assert run(check_freshness.app, desk, "--max-age", "soon").exit_code == 2


@pytest.mark.parametrize("name", ["trialdesk.service", "trialdesk.timer", "crontab", "trialdesk-task.xml"])
def test_the_ready_files_start_commands_there_are(name: str) -> None:
    """Each names a script and an option of it; the Windows one is well-formed."""
    text = (UNITS / name).read_text(encoding="utf-8")
    if name.endswith(".xml"):
        ElementTree.fromstring(text)  # noqa: S314 - our own file
    if name != "trialdesk.timer":
        assert "nightly_sync.py --once" in text or "nightly_sync.py --if-due" in text
    else:
        assert "Persistent=true" in text
