"""A person at the pages of a local REDCap without a browser: what its forms would send, over HTTP."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

VERSION = "15.0.12"


@dataclass
class Person:
    """One browser that has entered; `home` is the address of the server."""

    home: str
    http: requests.Session = field(default_factory=requests.Session)
    csrf: str = ""
    project: int = 0

    @classmethod
    def entered(cls, start: str, username: str = "", project: int = 0) -> Person:
        """A browser that has opened the start address, as that user."""
        person = cls(start.split("/start/", maxsplit=1)[0], project=project)
        person.csrf = hidden(person.http.get(start, timeout=30).text, "csrf")
        if username:
            chosen = person.post("/", username=username)
            assert chosen.status_code == 200, chosen.text
            person.csrf = hidden(chosen.text, "csrf")
        return person

    def address(self, place: str, /, **asked: Any) -> str:
        """The address of a page of the project."""
        return f"/redcap_v{VERSION}/{place}?{urlencode({'pid': self.project, **asked})}"

    def get(self, path: str, **headers: str) -> requests.Response:
        """The answer to a visit."""
        return self.http.get(self.home + path, headers=headers, timeout=30)

    def post(self, path: str, **sent: Any) -> requests.Response:
        """The answer to a form that is sent; `file` is the text or the bytes of an upload."""
        file = sent.pop("file", None)
        files = None if file is None else {"file": ("data.csv", file)}
        return self.http.post(self.home + path, data={"csrf": self.csrf, **sent}, files=files, timeout=30)

    def form(self, record: str, event: int, form: str, instance: int = 1) -> OpenForm:
        """A form that was opened."""
        path = self.address("DataEntry/index.php", id=record, event_id=event, page=form, instance=instance)
        answer = self.get(path)
        return OpenForm(self, path, answer)


@dataclass
class OpenForm:
    """A form as it came, and what is saved of it."""

    person: Person
    path: str
    answer: requests.Response

    @property
    def entry(self) -> dict[str, Any]:
        """What the page's script is told."""
        found = re.search(r"const ENTRY = (\{.*\});\n", self.answer.text)
        assert found, self.answer.text
        return dict(json.loads(found[1]))

    @property
    def model(self) -> dict[str, Any]:
        """The fields that are drawn."""
        found = re.search(r"const MODEL = (\{.*\});\n", self.answer.text)
        assert found, self.answer.text
        return dict(json.loads(found[1]))

    @property
    def own(self) -> dict[str, str]:
        """The form's own values as they came."""
        entry = self.entry
        rows = entry["rows"]
        if entry["instance"]:
            kinds = rows["instances"].get(entry["event"], {})
            row: dict[str, str] = next(
                (kinds[kind].get(str(entry["instance"]), {}) for kind in (entry["form"], "") if kind in kinds), {}
            )
        else:
            row = rows["values"].get(entry["event"], {})
        return {name: value for name, value in row.items() if name in entry["own"]}

    def save(self, then: str = "stay", **values: str) -> requests.Response:
        """The answer to saving with these values changed; '' erases."""
        typed = {name: value for name, value in {**self.own, **values}.items() if value}
        return self.send("save", values=json.dumps(typed), then=then)

    def send(self, action: str, **more: str) -> requests.Response:
        """The answer to an action of the page."""
        kept = {name: hidden(self.answer.text, name) for name in ("digest", "word")}
        new = {"new": "1"} if 'name="new"' in self.answer.text else {}
        return self.person.post(self.path, action=action, **kept, **new, **more)


def hidden(text: str, name: str) -> str:
    """The value of a hidden input of a page."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', text)
    return html.unescape(found[1]) if found else ""
