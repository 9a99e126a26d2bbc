"""Where tokens come from, and that they are never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from frozen import FROZEN
from trialdesk.config import Config, load
from trialdesk.errors import ConfigError
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.tokens import token

pytestmark = pytest.mark.requirement("SEC-02")

SECRET = "0123456789ABCDEF0123456789ABCDEF"
SHIPPED = FROZEN / "config.yaml"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    copy = tmp_path / "config.yaml"
    copy.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "local").mkdir()
    return load(copy)


def written(tmp_path: Path, text: str, mode: int = 0o600) -> None:
    path = tmp_path / "local" / "tokens.env"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def test_the_environment_goes_before_the_file(config: Config, tmp_path: Path) -> None:
    """A token set for one run wins."""
    written(tmp_path, f"TRIALDESK_TRIAL_TOKEN={'F' * 32}\n")
    assert token(config, "trial", {"TRIALDESK_TRIAL_TOKEN": f"{SECRET}\n"}).get_secret_value() == SECRET


def test_a_token_is_read_from_the_private_file(config: Config, tmp_path: Path) -> None:
    """Lines NAME=token; comments and blank lines are passed over."""
    written(tmp_path, f"# coordinator\n\nTRIALDESK_REGISTER_TOKEN = {SECRET}\n")
    assert token(config, "register", {}).get_secret_value() == SECRET


@pytest.mark.skipif(os.name != "posix", reason="mode bits are POSIX")
def test_a_file_others_can_read_is_refused(config: Config, tmp_path: Path) -> None:
    """0600 or nothing; the way out is chmod."""
    written(tmp_path, f"TRIALDESK_TRIAL_TOKEN={SECRET}\n", 0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        token(config, "trial", {})


def test_a_token_of_the_wrong_shape_is_refused_without_showing_it(config: Config) -> None:
    """The message counts its characters and does not repeat it."""
    with pytest.raises(ConfigError, match="31 characters") as caught:
        token(config, "trial", {"TRIALDESK_TRIAL_TOKEN": SECRET[:-1]})
    assert SECRET[:-1] not in str(caught.value)


def test_a_missing_token_says_both_ways_to_give_it(config: Config) -> None:
    """The environment variable or the file."""
    with pytest.raises(ConfigError, match=r"TRIALDESK_PACKER_TOKEN.*tokens_file"):
        token(config, "packer", {})


def test_a_gateway_does_not_show_its_token(config: Config) -> None:
    """Neither str nor repr."""
    gateway = Gateway(config.redcap.url, token(config, "trial", {"TRIALDESK_TRIAL_TOKEN": SECRET}))
    assert SECRET not in f"{gateway!r} {gateway}"
