"""API tokens, from the environment or a private file; never from the command line, never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import SecretStr

from trialdesk.config import Config
from trialdesk.errors import ConfigError
from trialdesk.private import read_private

Role = Literal["trial", "register", "packer", "statistician", "caller", "site check A", "site check B"]
VARIABLES: Mapping[Role, str] = {
    "trial": "TRIALDESK_TRIAL_TOKEN",
    "register": "TRIALDESK_REGISTER_TOKEN",
    "packer": "TRIALDESK_PACKER_TOKEN",
    "statistician": "TRIALDESK_STATISTICIAN_TOKEN",
    "caller": "TRIALDESK_CALLER_TOKEN",
    "site check A": "TRIALDESK_SITECHECK_A_TOKEN",
    "site check B": "TRIALDESK_SITECHECK_B_TOKEN",
}


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
            value = _lines(read_private(path, "lines NAME=token")).get(name, "")
    if not value:
        raise ConfigError(f"no token for {role}: set {name}, or write {name}=… into redcap.tokens_file (mode 0600)")
    if not re.fullmatch(r"[0-9A-Fa-f]{32}", value):
        raise ConfigError(f"{place}: a REDCap token has 32 hexadecimal digits; this one has {len(value)} characters")
    return SecretStr(value)


def _lines(text: str) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}
