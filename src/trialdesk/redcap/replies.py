"""One request at a time and its answer as it came, for what looks at the answers of a server themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr

from trialdesk.errors import PlanRefused, RedcapUnreachable
from trialdesk.redcap.guard import believe, is_page, unreached
from trialdesk.redcap.patience import USUAL, within

DOWN = frozenset({429, 502, 503, 504})
"""Of a server that is away, or wants to be left alone: nothing more is asked of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: status, content type, text."""

    status: int
    kind: str
    text: str

    @property
    def of_redcap(self) -> bool:
        """Whether REDCap's API said it, and no web page, proxy or crash."""
        return self.status < 500 and not is_page(self.text.encode())


class Wire:
    """The way to one address with some tokens: never two requests at once, and no more than `most` in all."""

    def __init__(
        self, url: str, tokens: Mapping[str, SecretStr], *, timeout: tuple[float, float], most: int = 200
    ) -> None:
        self.url = url
        self.tokens = tokens
        self.asked = 0
        self._timeout = timeout
        self._most = most

    def __repr__(self) -> str:
        return f"Wire({self.url!r})"

    def ask(self, user: str, parameters: Mapping[str, str]) -> Reply:
        """What is answered, a refusal too.

        Raises:
            RedcapUnreachable: nobody answered, or somebody who is down or wants to be left alone.
        """
        answer = self._send(user, parameters)
        if "charset" not in answer.headers.get("Content-Type", ""):
            answer.encoding = "utf-8"  # else requests takes a text for Latin-1
        reply = Reply(answer.status_code, answer.headers.get("Content-Type", ""), answer.text)
        # who asked too often is banned with a page of status 403 (reference/redcap-api.md 15)
        if reply.status in DOWN or (reply.status == 403 and not reply.of_redcap):
            raise RedcapUnreachable(f"{self._host} answered with status {reply.status}; nothing more was asked of it")
        return reply

    def read(self, user: str, parameters: Mapping[str, str]) -> object:
        """What is told as JSON, by an answer that may be believed.

        Raises:
            RedcapUnreachable: nobody answered, or not with data.
            NotAllowed: the token is unknown, or its user lacks a right.
            RedcapRefused: REDCap refused for another reason.
        """
        answer = self._send(user, parameters)
        believe(answer)
        try:
            return json.loads(answer.text)
        except ValueError:
            raise RedcapUnreachable(f"{self._host} answered with something that is not data") from None

    def _send(self, user: str, parameters: Mapping[str, str]) -> requests.Response:
        if self.asked >= self._most:
            raise PlanRefused(f"{self._most} requests were made, and no more are allowed")
        self.asked += 1
        fixed = {"token": self.tokens[user].get_secret_value(), "format": "json", "returnFormat": "json"}
        try:
            return within(
                USUAL.left,
                lambda: requests.post(
                    self.url, data={**fixed, **parameters}, timeout=self._timeout, allow_redirects=False
                ),
            )
        except requests.RequestException as error:
            raise unreached(self.url, error) from None

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc
