"""A new project on a server, for rehearsals and tests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr

from trialdesk.errors import RedcapUnreachable
from trialdesk.redcap.guard import believe, unreached


def create_project(url: str, super_token: SecretStr, project: Mapping[str, str]) -> SecretStr:
    """A new project exists; its creator's token is returned.

    Source: reference/redcap-api.md 13.3; PyCap has no method for it.
    """
    try:
        answer = requests.post(
            url,
            data={
                "token": super_token.get_secret_value(),
                "content": "project",
                "format": "json",
                "returnFormat": "json",
                "data": json.dumps([dict(project)]),
            },
            timeout=(10, 120),
            hooks={"response": believe},
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise unreached(url, error) from None
    # the demo server of REDCap's makers prints text before the token (reference/redcap-api.md 13.3)
    token_found = re.search(r"[0-9A-Fa-f]{32}$", answer.text.strip())
    if not token_found:
        raise RedcapUnreachable(f"{urlsplit(url).netloc} gave no token for the new project; check redcap.url")
    return SecretStr(token_found.group())
