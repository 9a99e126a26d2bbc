"""Exit codes: one table, from which every help text is made, and with which every page agrees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from trialdesk import errors
from trialdesk.console import Undeclared, application, command
from trialdesk.errors import EXITS, OK_WITH_WARNINGS, InstrumentError, TableError, TrialError

ROOT = Path(__file__).parents[2]


def of_errors() -> set[int]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TrialError)]
    return {kind.exit_code for kind in kinds if kind is not TrialError}


def test_every_error_has_a_line_of_the_table() -> None:
    """And the table no other lines but those for done, something to look at, and a defect."""
    assert EXITS.keys() - {0, 10, 70} == of_errors()


def test_the_page_on_installation_shows_the_table() -> None:
    """Row by row: code, meaning, what to do."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    rows = {
        int(code): (meaning, what) for code, meaning, what in re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", page, re.M)
    }
    assert rows.pop(2) == ("wrong use of the command", "read `--help`")
    assert rows == {code: tuple(row) for code, row in EXITS.items()}


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
