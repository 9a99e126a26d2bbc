"""The administrator's commands (docs/local-redcap.md)."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from redcap_local.administration import loaded, opened
from redcap_local.command import app
from redcap_local.storage import randomization

pytestmark = pytest.mark.requirement("RCP-02")

SCRIPT = Path(__file__).parents[2] / "scripts" / "local_redcap.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=30, check=False)


def said(*arguments: str | Path) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_help_comes_quickly() -> None:
    """Nothing heavy is imported before a command needs it."""
    begin = time.monotonic()
    shown = run("--help").stdout
    assert time.monotonic() - begin < 2
    commands = ("serve", "token", "backup", "faults", "project", "user", "randomization")
    assert [command for command in commands if command not in shown] == []


def test_a_server_can_be_started_asked_and_stopped(tmp_path: Path) -> None:
    """`serve` says where it listens; the super token is in a 0600 file."""
    db = tmp_path / "r.db"
    server = subprocess.Popen([sys.executable, SCRIPT, "serve", "--db", db], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server.stdout:
        found = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+/api/)\n", server.stdout.readline())
        assert found
        token = Path(f"{db}.super-token").read_text(encoding="ascii").strip()
        assert requests.post(found[1], data={"token": token, "content": "version"}, timeout=10).text == "15.0.12"
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0


def test_the_super_token_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a bad one is refused in one line."""
    monkeypatch.setitem(os.environ, "REDCAP_LOCAL_SUPER_TOKEN", "short")
    done = run("serve", "--db", tmp_path / "r.db")
    assert done.returncode == 2
    assert "64 characters" in done.stderr
    assert "Traceback" not in done.stderr


def test_tokens_users_and_projects_are_an_administrators_work(clinic: Any) -> None:
    """REDCap has no API for any of these."""
    at = ("--db", clinic.db, "--project", str(clinic.project))
    assert re.fullmatch("[0-9A-F]{32}", said("token", *at, "--user", "site_admin"))
    assert said("token", *at, "--user", "site_admin") == clinic.admin.token
    said("user", "add", *at, "--user", "eva", "--all-rights")
    assert said("user", "list", *at).split() == ["eva", "site_admin"]
    assert run("token", *at, "--user", "nobody").returncode == 2
    said("project", "set", *at, "missing_data_codes=NA, Not asked")
    assert clinic.admin.ok(content="project")["missing_data_codes"] == "NA, Not asked"
    said("project", "production", *at)
    assert f"{clinic.project}\tproduction\tClinic" in said("project", "list", "--db", clinic.db)
    assert "no setting" in run("project", "set", *at, "colour=red").stderr


def test_allocation_tables_are_uploaded_by_hand(clinic: Any, tmp_path: Path) -> None:
    """8.2: no API method; the answers are REDCap's own."""
    at = ("--db", clinic.db, "--project", str(clinic.project))
    rid = said("randomization", "define", *at, "--target", "arm@start_arm_1", "--stratum", "sex@start_arm_1")
    table = tmp_path / "dev.csv"
    table.write_text("redcap_randomization_number,redcap_randomization_group,sex\nE-1,1,1\n", encoding="utf-8")
    assert said("randomization", "upload", *at, "--rid", rid, table) == (
        "Success! The randomization allocation table was created!"
    )
    assert f"rid={rid}\tdevelopment\t0 of 1 used" in said("randomization", "status", *at)
    table.write_text("arm\n1\n", encoding="utf-8")
    refused = run("randomization", "upload", *at, "--rid", rid, table)
    assert refused.returncode == 2
    assert "The header variables in the first row of your CSV file are not correct." in refused.stderr


def test_another_kind_of_file_is_refused_in_one_line(tmp_path: Path) -> None:
    """A file that is no database, and one that is not there."""
    other = tmp_path / "notes.txt"
    other.write_text("not a database" * 100, encoding="utf-8")
    for command in (("serve", "--db", other), ("project", "list", "--db", tmp_path / "none.db")):
        done = run(*command)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["token", "--db", "{new}", "--project", "1", "--user", "x"], "no such database"),
        (["faults", "--db", "{new}", "html"], "no such database"),
        (["serve", "--db", "{new}", "--version", "newest"], "15.0.12"),
        (["serve", "--db", "{new}", "--port", "99999"], "65535"),
        (["faults", "--db", "{db}", "html", "--times", "0"], "--times"),
        (["user", "add", "--db", "{db}", "--project", "{id}", "--user", " "], "needs a name"),
        (["user", "suspend", "--db", "{db}", "--user", "nobody-there"], "no account"),
        (["project", "set", "--db", "{db}", "--project", "{id}", "surveys_enabled"], "name=value"),
        (["project", "set", "--db", "{db}", "--project", "{id}", "surveys_enabled=yes"], "0 or 1"),
        (["project", "set", "--db", "{db}", "--project", "{id}", "secondary_unique_field=q"], "no field 'q'"),
        (["project", "report", "--db", "{db}", "--project", "{id}", "--title", "t", "--fields", "sex",
          "--logic", "[sex] ="], "filter cannot be read"),
    ],
)  # fmt: skip
def test_mistyped_commands_are_told_and_change_nothing(
    clinic: Any, tmp_path: Path, command: list[str], words: str
) -> None:
    """Exit code 2 without a traceback; a mistyped file name makes no new database."""
    places = {"new": tmp_path / "mistyped.db", "db": clinic.db, "id": clinic.project}
    done = run(*(part.format(**places) for part in command))
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_survey_response_is_recorded_by_hand(clinic: Any) -> None:
    """5.3 [V]: participants answer elsewhere; begun first, then completed."""
    at = ("--db", clinic.db, "--project", str(clinic.project))
    said("project", "survey", *at, "--form", "intake")
    clinic.admin.put({"record_id": "1"})
    place = ("--record", "1", "--event", "start_arm_1", "--form", "intake")
    for more, shown in (((), "[not completed]"), (("--completed", "2026-11-20 09:30:00"), "2026-11-20 09:30:00")):
        said("project", "survey-response", *at, *place, *more)
        assert clinic.admin.rows(exportSurveyFields="true")[0]["intake_timestamp"] == shown
    done = run("project", "survey-response", *at, *place, "--instance", "2")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_table_in_another_encoding_is_told(clinic: Any, tmp_path: Path) -> None:
    """Spreadsheets save Latin-1 when not told otherwise."""
    at = ("--db", clinic.db, "--project", str(clinic.project))
    rid = said("randomization", "define", *at, "--target", "arm@start_arm_1")
    table = tmp_path / "dev.csv"
    table.write_bytes(b"redcap_randomization_number,redcap_randomization_group\nE-1,\xe6\n")
    done = run("randomization", "upload", *at, "--rid", rid, table)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "UTF-8" in done.stderr


def test_user_names_are_small_letters_whoever_adds_them(clinic: Any) -> None:
    """The API knows no others: a user added as Eva would be two."""
    at = ("--db", clinic.db, "--project", str(clinic.project))
    said("user", "add", *at, "--user", "Eva", "--all-rights")
    clinic.admin.ok(content="user", data=[{"username": "Eva", "email": "e@x.dk"}])
    assert said("user", "list", *at).split() == ["eva", "site_admin"]


def test_a_form_is_labelled_and_stays_the_survey_it_is(clinic: Any) -> None:
    """As the Online Designer labels it; there is no API for that."""
    at = ("--db", clinic.db, "--project", str(clinic.project))
    said("project", "survey", *at, "--form", "visit")
    said("project", "label", *at, "--form", "visit", "Visit at home")
    assert {"instrument_name": "visit", "instrument_label": "Visit at home"} in clinic.admin.ok(content="instrument")
    with opened(clinic.db) as connection:
        assert loaded(connection, clinic.project).is_survey("visit")


def test_form_display_logic_is_set_from_a_file(clinic: Any, tmp_path: Path) -> None:
    """The rows of REDCap's own upload; what is wrong with one is said by line, with exit code 2."""
    at = ("--db", clinic.db, "--project", str(clinic.project))
    file = tmp_path / "logic.csv"
    file.write_text("form_name,event_name,control_condition\nvisit,,[sex]='2'\n", encoding="utf-8")
    assert said("project", "display-logic", *at, file, "--keep") == "1 conditions"
    file.write_text("form_name,event_name,control_condition\nvisit,,[sex]=\n", encoding="utf-8")
    done = run("project", "display-logic", *at, file)
    assert (done.returncode, "line 2" in done.stderr) == (2, True)


def test_a_password_is_asked_for_and_never_an_argument(clinic: Any) -> None:
    """Typed twice; a short one is refused."""
    words = ["user", "password", "--db", str(clinic.db), "--user", "site_admin"]
    for typed, code in (("correct horse", 0), ("short", 2)):
        done = CliRunner().invoke(app, words, input=f"{typed}\n{typed}\n")
        assert done.exit_code == code, done.output
        assert typed not in done.output


def test_serve_says_where_its_pages_are(tmp_path: Path) -> None:
    """A second line; without https in front nothing beyond this machine, and an address that is none is refused."""
    assert run("serve", "--db", tmp_path / "r.db", "--behind-https", "http://r.example").returncode == 2
    for more, told in ((), "/start/"), (("--behind-https", "https://r.example"), "pages at https://r.example\n"):
        words = [sys.executable, SCRIPT, "serve", "--db", tmp_path / "r.db", *more]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            lines = [server.stdout.readline(), server.stdout.readline()]
            server.terminate()
        assert lines[0].startswith("listening on http://127.0.0.1:")
        assert told in lines[1]


def test_files_of_the_first_schema_are_carried_over(clinic: Any, tmp_path: Path) -> None:
    """A database made before reports could be sorted is opened and kept."""
    old = tmp_path / "old.db"
    said("backup", "--db", clinic.db, "--to", old)
    with sqlite3.connect(old) as connection:
        newer = (
            "report.sort",
            "account.password",
            "log.event",
            "log.instance",
            "log.changes",
            "randomization.triggered",
        )
        for column in newer:
            connection.execute("alter table {} drop column {}".format(*column.split(".")))
        for table in ("form_lock", "quality_rule"):
            connection.execute(f"drop table {table}")
        connection.execute("pragma user_version = 1")
    connection.close()
    assert f"{clinic.project}\t" in said("project", "list", "--db", old)
    at = ("--db", old, "--project", str(clinic.project))
    assert said("project", "report", *at, "--title", "t", "--fields", "sex", "--sort", "sex,-record_id").isdigit()


def test_a_backup_is_a_whole_copy(clinic: Any, tmp_path: Path) -> None:
    """Taken while the server runs; an existing file is never replaced."""
    clinic.admin.put({"record_id": "1"})
    copy = tmp_path / "copy.db"
    said("backup", "--db", clinic.db, "--to", copy)
    connection = sqlite3.connect(copy)
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()
    assert oct(copy.stat().st_mode & 0o777) == "0o600"
    assert run("backup", "--db", clinic.db, "--to", copy).returncode == 2


def test_a_trigger_of_a_randomization_is_set_and_taken_away(clinic: Any) -> None:
    """As its third step on REDCap's page; what cannot be is said with exit code 2."""
    at = ("--db", clinic.db, "--project", str(clinic.project))
    rid = said("randomization", "define", *at, "--target", "arm@start_arm_1", "--stratum", "sex@start_arm_1")
    words = ("randomization", "trigger", *at, "--rid", rid, "--form")
    said(*words, "intake@start_arm_1", "--logic", "[sex] <> ''", "--everybody")
    with opened(clinic.db) as connection:
        (model,) = randomization.models(connection, clinic.project)
    assert model.trigger == randomization.Trigger("intake", "start_arm_1", "[sex] <> ''", everybody=True)
    assert run(*words, "intake@week_1_arm_1", "--logic", "1").returncode == 2
    said(*words, "intake", "--logic", "")
    with opened(clinic.db) as connection:
        assert randomization.models(connection, clinic.project)[0].trigger is None
