"""Age identities of our own making."""

from __future__ import annotations

import stat
from pathlib import Path

from typer.testing import CliRunner

import keygen
from trialdesk.allocation.sealing import seal, unseal
from trialdesk.errors import ConfigError


def test_what_is_sealed_for_a_new_key_opens_with_its_file_alone(tmp_path: Path) -> None:
    """The printed key seals, the file opens; nobody else can read it, and nothing secret is printed."""
    path = tmp_path / "packer.agekey"
    made = CliRunner().invoke(keygen.app, [str(path)])
    public = made.output.strip()
    assert (made.exit_code, public[:4]) == (0, "age1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "SECRET" not in made.output
    assert unseal(seal("an arm", [public]), path.read_text(encoding="utf-8"), "table.age") == "an arm"


def test_an_identity_is_never_written_over(tmp_path: Path) -> None:
    """Whatever it had sealed would be lost for ever."""
    path = tmp_path / "packer.agekey"
    path.write_text("mine", encoding="utf-8")
    refused = CliRunner().invoke(keygen.app, [str(path)])
    assert isinstance(refused.exception, ConfigError)
    assert path.read_text(encoding="utf-8") == "mine"
