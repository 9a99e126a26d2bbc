"""API tokens, from the environment or a private file; never from the command line, never shown."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from trialdesk.config import Config
from trialdesk.errors import ConfigError

Role = Literal["trial", "register", "packer"]
VARIABLES: Mapping[Role, str] = {
    "trial": "TRIALDESK_TRIAL_TOKEN",
    "register": "TRIALDESK_REGISTER_TOKEN",
    "packer": "TRIALDESK_PACKER_TOKEN",
}


def read_private(path: Path, what: str) -> str:
    """The text of a file that only its owner can read.

    Raises:
        ConfigError: the file is missing, not text, or open to others (POSIX mode bits for group or world).
    """
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"{path}: {what} is readable by others; run: chmod 600 {path.name}")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: {what} is not there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {what} can't be read ({type(error).__name__})") from None


def token(config: Config, role: Role, environment: Mapping[str, str] | None = None) -> SecretStr:
    """The token of a role; the environment goes before the file.

    Raises:
        ConfigError: there is none, or it does not look like a REDCap project token (32 hexadecimal digits).
    """
    name = VARIABLES[role]
    value = (os.environ if environment is None else environment).get(name, "").strip()
    place = f"the environment variable {name}"
    if not value and config.redcap.tokens_file is not None:
        path = config.path(config.redcap.tokens_file)
        place = f"{path}, line {name}="
        if path.exists():
            value = _lines(read_private(path, "the file of tokens")).get(name, "")
    if not value:
        raise ConfigError(f"no token for {role}: set {name}, or write {name}=… into redcap.tokens_file (mode 0600)")
    if not re.fullmatch(r"[0-9A-Fa-f]{32}", value):
        raise ConfigError(f"{place}: a REDCap token has 32 hexadecimal digits; this one has {len(value)} characters")
    return SecretStr(value)


def _lines(text: str) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}
