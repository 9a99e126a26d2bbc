"""Exit codes: one table, from which every help text is made, and with which every page agrees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from trialdesk import errors
from trialdesk.console import Undeclared, application, command, told
from trialdesk.errors import EXITS, OK_WITH_WARNINGS, InstrumentError, TableError, TrialError

pytestmark = pytest.mark.requirement("SEC-04")

ROOT = Path(__file__).parents[2]


def of_errors() -> set[int]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TrialError)]
    return {kind.exit_code for kind in kinds if kind is not TrialError}


def test_every_error_has_a_line_of_the_table() -> None:
    """And no others but those for done, something to look at, a file less, a failed test, and a defect."""
    assert EXITS.keys() - {0, 1, 10, 11, 70} == of_errors()


def test_the_page_on_installation_shows_the_table() -> None:
    """Row by row: code, meaning, what to do."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    rows = {
        int(code): (meaning, what) for code, meaning, what in re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", page, re.M)
    }
    assert rows.pop(2) == ("wrong use of the command", "read `--help`")
    assert rows == {code: tuple(row) for code, row in EXITS.items()}


@pytest.mark.parametrize("page", ["install.md", "nightly.md"])
def test_the_pages_name_the_codes_worst_first(page: str) -> None:
    """In the order of the table."""
    words = " ".join((ROOT / "docs" / page).read_text(encoding="utf-8").split())
    assert f" {' '.join(map(str, EXITS))}" in words


def test_the_stages_of_a_night_end_with_codes_of_the_table() -> None:
    """What the page says of each stage is one of them."""
    page = (ROOT / "docs" / "nightly.md").read_text(encoding="utf-8")
    ends = re.findall(r"^\| [a-z ]+ \| .+ \| ([\d, ]+)[^|]* \|$", page, re.M)
    assert len(ends) > 5
    assert {int(code) for codes in ends for code in re.findall(r"\d+", codes)} <= {*EXITS}


def test_a_log_names_no_record_and_says_where_they_are_named(tmp_path: Path) -> None:
    """On a terminal the whole message is shown; an error that names nothing is shown everywhere."""
    stopped = errors.SanityFailed("sanity: ODE-001 is gone")
    assert told(stopped, terminal=False) == "sanity: ODE-001 is gone"  # made by hand: nobody wrote an account
    stopped.account = tmp_path / "run.txt"
    assert told(stopped, terminal=True) == "sanity: ODE-001 is gone"
    assert told(stopped, terminal=False) == (
        f"the pull can't be right (exit code 40); which and why stands in {tmp_path / 'run.txt'}"
    )
    away = errors.RedcapUnreachable("no answer")
    away.account = tmp_path / "run.txt"
    assert told(away, terminal=False) == "no answer"


def test_the_help_of_a_command_names_the_codes_it_declares() -> None:
    """In rising order, and what may always happen."""
    app = application("A job.")

    @command(app, "written", TableError, OK_WITH_WARNINGS)
    def job() -> None:
        """Do it."""

    shown = " ".join(CliRunner().invoke(app, ["--help"]).output.split())
    said = shown[shown.index("Exit codes") :]
    assert re.findall(r"[:·] (\d+) ", said) == ["0", "10", "20", "45", "2", "70"]
    assert "0 written" in said


@pytest.mark.parametrize("end", [InstrumentError("x"), typer.Exit(10)])
def test_an_end_the_help_does_not_name_is_a_defect(end: Exception) -> None:
    """The person still gets the error's own line and code; tests fail."""
    app = application("A job.")

    @command(app, "written", TableError)
    def job() -> None:
        """Do it."""
        raise end

    with pytest.warns(Undeclared, match="not in the help"):
        CliRunner().invoke(app, [], standalone_mode=False)
