"""A local REDCap over HTTP, and a small longitudinal project in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from redcap_local.administration import give_token
from redcap_local.server import Running, running
from redcap_rules.dictionary import API_COLUMNS
from trialdesk.redcap.founding import create_project
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patience import Patience

# name, form, type, choices or calculation, validation, identifier
CLINIC = [
    ("record_id", "intake", "text", "", "", ""),
    ("name", "intake", "text", "", "", "y"),
    ("born", "intake", "text", "", "date_dmy", ""),
    ("sex", "intake", "radio", "1, Female | 2, Male", "", ""),
    ("smoker", "intake", "yesno", "", "", ""),
    ("fears", "intake", "checkbox", "1, Needles | 2, Heights | -99, Other", "", ""),
    ("remark", "intake", "notes", "", "", ""),
    ("scan", "intake", "file", "", "", ""),
    ("weight", "visit", "text", "", "number_1dp", ""),
    ("height", "visit", "text", "", "integer", ""),
    ("bmi", "visit", "calc", "round([weight]/([height]/100)^2,1)", "", ""),
    ("pain", "visit", "slider", "none | some | worst", "number", ""),
    ("drug", "medicine", "text", "", "", ""),
    ("dose", "medicine", "text", "", "number", ""),
    ("arm", "allocation", "radio", "1, PVP | 2, Conservative", "", ""),
]


def metadata(rows: list[tuple[str, str, str, str, str, str]]) -> list[dict[str, str]]:
    """Metadata rows of a short table."""
    keys = (
        "field_name",
        "form_name",
        "field_type",
        "select_choices_or_calculations",
        "text_validation_type_or_show_slider_number",
        "identifier",
    )
    blank = dict.fromkeys(API_COLUMNS, "")
    return [
        {**blank, **dict(zip(keys, row, strict=True)), "field_label": row[0].replace("_", " ").title()} for row in rows
    ]


@dataclass
class Api:
    """One token's view of the server; answers come back as they are on the wire."""

    url: str
    token: str
    defaults: dict[str, str] = field(default_factory=lambda: {"format": "json", "returnFormat": "json"})

    def post(self, **parameters: Any) -> requests.Response:
        """The response to a request with this token; lists become bracketed parameters, data become JSON."""
        body: dict[str, Any] = {"token": self.token, **self.defaults}
        files = parameters.pop("files", None)
        for name, value in parameters.items():
            if name == "data" and not isinstance(value, str):
                body[name] = json.dumps(value)
            elif isinstance(value, list):
                body.update({f"{name}[{place}]": item for place, item in enumerate(value)})
            else:
                body[name] = value
        return requests.post(self.url, data=body, files=files, timeout=30)

    def raw(self, body: dict[str, bytes]) -> requests.Response:
        """The response to a request with exactly these bytes beside the token."""
        return requests.post(self.url, data={"token": self.token, **body}, timeout=30)

    def ok(self, **parameters: Any) -> Any:
        """The parsed answer of a request that must succeed."""
        response = self.post(**parameters)
        assert response.status_code == 200, response.text
        return response.json() if response.text else None

    def refused(self, **parameters: Any) -> str:
        """The message of a request that must be refused."""
        response = self.post(**parameters)
        assert response.status_code in {400, 403}, (response.status_code, response.text)
        return str(response.json()["error"])

    def put(self, *rows: dict[str, Any], **parameters: Any) -> Any:
        """The answer to an import of records."""
        return self.ok(content="record", data=list(rows), **parameters)

    def rows(self, **parameters: Any) -> list[dict[str, Any]]:
        """Exported records."""
        return list(self.ok(content="record", **parameters))


@dataclass
class Clinic:
    """A project, its server and its file."""

    admin: Api
    db: Path
    project: int

    def user(self, username: str, **rights: Any) -> Api:
        """A new user of the project with these rights (REDCap's keys), and API rights unless told otherwise."""
        row = {"username": username, "api_export": 1, "api_import": 1, "record_create": 1, **rights}
        forms = [form["instrument_name"] for form in self.admin.ok(content="instrument")]
        for key in ("forms", "forms_export"):
            row[key] = {**dict.fromkeys(forms, 1), **rights.get(key, {})}
        self.admin.ok(content="user", data=[row])
        return Api(self.admin.url, give_token(self.db, self.project, username))


@pytest.fixture(scope="session")
def local_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database file of the session's server."""
    return tmp_path_factory.mktemp("redcap") / "redcap.db"


@pytest.fixture(scope="session")
def local_redcap(local_db: Path) -> Iterator[Running]:
    """A running server."""
    with running(local_db) as server:
        yield server


@pytest.fixture(scope="session")
def new_project(local_redcap: Running, local_db: Path) -> Callable[..., Clinic]:
    """A function that makes a project and gives the creator's view of it."""

    def make(**settings: Any) -> Clinic:
        data = json.dumps([{"project_title": "Clinic", "purpose": "0", "record_autonumbering_enabled": 0, **settings}])
        body = {"token": local_redcap.super_token, "content": "project", "format": "json", "data": data}
        token = requests.post(local_redcap.url, data=body, timeout=30).text
        admin = Api(local_redcap.url, token)
        return Clinic(admin, local_db, admin.ok(content="project")["project_id"])

    return make


@pytest.fixture
def classic(new_project: Callable[..., Clinic]) -> Clinic:
    """A classic project with the clinic's forms; `medicine` repeats."""
    made = new_project()
    made.admin.ok(content="metadata", data=metadata(CLINIC))
    made.admin.ok(content="repeatingFormsEvents", data=[{"form_name": "medicine", "custom_form_label": ""}])
    return made


@pytest.fixture(scope="session")
def new_clinic(new_project: Callable[..., Clinic]) -> Callable[[], Clinic]:
    """A function that makes a longitudinal project.

    Events are start, week 1 and a repeating `phone`; the form `medicine` repeats at the start.
    """
    return lambda: _furnished(new_project(is_longitudinal=1))


@pytest.fixture
def clinic(new_clinic: Callable[[], Clinic]) -> Clinic:
    """A longitudinal project of this test's own."""
    return new_clinic()


def _furnished(made: Clinic) -> Clinic:
    admin = made.admin
    admin.ok(content="metadata", data=metadata(CLINIC))
    events = [{"event_name": name, "arm_num": 1} for name in ("Start", "Week 1", "Phone")]
    admin.ok(content="event", action="import", override=1, data=events)
    mapping = [
        ("start_arm_1", "intake"),
        ("start_arm_1", "visit"),
        ("start_arm_1", "medicine"),
        ("start_arm_1", "allocation"),
        ("week_1_arm_1", "visit"),
        ("phone_arm_1", "visit"),
    ]
    admin.ok(
        content="formEventMapping",
        data=[{"arm_num": 1, "unique_event_name": event, "form": form} for event, form in mapping],
    )
    admin.ok(
        content="repeatingFormsEvents",
        data=[{"event_name": "start_arm_1", "form_name": "medicine"}, {"event_name": "phone_arm_1", "form_name": ""}],
    )
    return made


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of `server`, for what only an administrator does."""
    return tmp_path_factory.mktemp("redcap") / "redcap.sqlite"


@pytest.fixture(scope="module")
def server(database: Path) -> Iterator[Running]:
    """A server of the module's own."""
    with running(database) as it:
        yield it


@pytest.fixture
def secret(server: Running) -> SecretStr:
    """The token of the creator of an empty project, as REDCap makes it."""
    return create_project(server.url, SecretStr(server.super_token), {"project_title": "Try", "purpose": "0"})


@pytest.fixture
def gateway(server: Running, secret: SecretStr) -> Gateway:
    """That project as the desk sees it; a failure is told at once."""
    return Gateway(server.url, secret, patience=Patience(attempts=1))
