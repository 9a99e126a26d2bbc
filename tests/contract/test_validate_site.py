"""The look at a server, whole: on the local REDCap as two versions, behind a faulty proxy, and where it must refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from typer.testing import CliRunner, Result

import validate_site
from faulty import TRANSPORT, Answer, Between, Fault, between
from frozen import FROZEN
from redcap_local.administration import give_token
from redcap_local.server import Running, running
from site_answers import ANSWERS
from trialdesk.config import load
from trialdesk.errors import NotAllowed, PlanRefused, RedcapRefused, RedcapUnreachable, WriteBackFailed
from trialdesk.redcap.replies import Reply, Wire
from trialdesk.validation.site import steps
from trialdesk.validation.site.check import Person, check, open_wire
from trialdesk.validation.site.judges import judged
from trialdesk.validation.site.project import TITLE

pytestmark = pytest.mark.requirement("RCP-03")

XML = Path(__file__).parents[2] / "docs" / "validation" / "site-check.xml"
FORMS = ("entry", "hidden", "readonly")
YES = ("api_export", "api_import", "record_create", "record_rename", "record_delete", "logging", "design")
ANNA: dict[str, Any] = {
    "username": "anna",
    **dict.fromkeys((*YES, "data_access_groups"), 1),
    "forms": dict.fromkeys(FORMS, 1),
    "forms_export": dict.fromkeys(FORMS, 1),
}
BENT: dict[str, Any] = {
    "username": "bent",
    "api_export": 1,
    "api_import": 1,
    "forms": {"entry": 1, "hidden": 0, "readonly": 2},
    "forms_export": {"entry": 1, "hidden": 0, "readonly": 1},
}


@dataclass
class Site:
    """A server with the project of the document, made by its administrator, and the two users of the table."""

    url: str
    admin: str
    tokens: dict[str, str]
    shown: list[str] = field(default_factory=list)
    agreed: bool = True
    pause: bool = True

    @property
    def version(self) -> str:
        """What the server says it is."""
        return self.wire().ask("A", {"content": "version"}).text

    def ask(self, **parameters: Any) -> Any:
        """What the administrator is told."""
        sent = {name: one if isinstance(one, str) else json.dumps(one) for name, one in parameters.items()}
        body = {"token": self.admin, "format": "json", "returnFormat": "json", **sent}
        answer = requests.post(self.url, data=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def user(self, row: dict[str, Any], **rights: Any) -> None:
        """A user has these rights instead."""
        self.ask(content="user", data=[{**row, **rights}])

    @property
    def person(self) -> Person:
        """One who agrees, and takes the right away when asked."""
        return Person(self._agrees, self._pauses)

    def _agrees(self, lines: Sequence[str]) -> bool:
        self.shown = [*lines]
        return self.agreed

    def _pauses(self) -> bool:
        if self.pause:
            self.user(BENT, api_export=0)
        return self.pause

    def wire(self, url: str = "", most: int = 200) -> Wire:
        """The way there with both tokens."""
        secrets = {user: SecretStr(token) for user, token in self.tokens.items()}
        return Wire(url or self.url, secrets, timeout=(5, 30), most=most)

    def look(self, url: str = "", others: Sequence[str] = ()) -> Any:
        """The whole of it."""
        return check(self.wire(url), others, self.person)

    @property
    def records(self) -> list[str]:
        """Every record that is there."""
        return sorted({row["record_id"] for row in self.ask(content="record")})


def made(server: Running, database: Path) -> Site:
    """A new project on a server, furnished by the document and the table."""
    item = json.dumps([{"project_title": TITLE, "purpose": "0"}])
    body = {"token": server.super_token, "content": "project", "data": item, "odm": XML.read_text(encoding="utf-8")}
    admin = requests.post(server.url, data={**body, "format": "json"}, timeout=30).text
    site = Site(server.url, admin, {})
    site.user(ANNA)
    site.user(BENT)
    number = site.ask(content="project")["project_id"]
    names = {"A": "anna", "B": "bent"}
    site.tokens = {user: give_token(database, number, name) for user, name in names.items()}
    return site


@pytest.fixture
def site(server: Running, database: Path) -> Site:
    """A project of the test's own on the module's server."""
    return made(server, database)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between tries."""
    monkeypatch.setattr("trialdesk.validation.site.check.WAITS", (0.0, 0.0))


@pytest.fixture(scope="module")
def proxy(server: Running) -> Iterator[Between]:
    """A server between, which a test tells what becomes of answers."""
    with between(server.url) as it:
        yield it


@pytest.mark.requirement("SEC-02")
@pytest.mark.parametrize("version", ["15.0.12", "16.1.9"])
def test_the_script_runs_whole_and_all_is_as_we_assume(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown before it is written; nothing is left, and nothing in it names anybody."""
    with running(tmp_path / "redcap.db", version=version) as server:
        site = made(server, tmp_path / "redcap.db")
        result = run(site, tmp_path, monkeypatch, "y\ny\n", before_second=lambda: site.user(BENT, api_export=0))
        assert (result.exit_code, site.records) == (0, []), result.output
        text = (tmp_path / "report.md").read_text(encoding="utf-8")
        assert f"REDCap {version}, 20" in text
        assert "17 facts: agrees 17, differs 0" in text
        shown = result.output
        assert shown.index("deleted. REDCap's log keeps") < shown.index("Go on?") < shown.index("no record is left")
        assert text in shown
        for name in ("anna", "bent", "site_admin", TITLE, "127.0.0.1", *site.tokens.values()):
            assert name not in text
        assert all(token not in shown for token in site.tokens.values())
        assert "Create record (API) TDSC-6" in [line["action"] for line in site.ask(content="log")]


def test_what_was_not_asked_is_something_to_look_at(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes the right away: one fact can't be told, and the code says so."""
    result = run(site, tmp_path, monkeypatch, "y\n")
    assert (result.exit_code, site.records) == (10, [])
    assert "could not be told: it was not asked" in result.output


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_without_consent_nothing_is_written(
    typed: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No, or nobody there."""
    result = run(site, tmp_path, monkeypatch, typed)
    assert isinstance(result.exception, PlanRefused)
    assert not (tmp_path / "report.md").exists()
    assert not any("record" in line["action"] for line in site.ask(content="log"))


def run(
    site: Site,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    before_second: Callable[[], None] | None = None,
) -> Result:
    """The script as it is typed, with a configuration that names the server."""
    text = (FROZEN / "config.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(text.replace("https://redcap.example.org/api/", site.url), encoding="utf-8")
    for user, token in site.tokens.items():
        monkeypatch.setenv(f"TRIALDESK_SITECHECK_{user}_TOKEN", token)
    if before_second:
        asked = validate_site._pauses

        def pauses() -> bool:
            before_second()
            return asked()

        monkeypatch.setattr(validate_site, "_pauses", pauses)
    words = [str(folder / "report.md"), "--config", str(folder / "config.yaml")]
    return CliRunner().invoke(validate_site.app, words, input=typed)


def test_behind_a_proxy_that_exchanges_the_answers_every_fact_differs(
    site: Site, proxy: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step gets the answer against; what is written and deleted goes through, and nothing is left."""
    against: dict[str, Reply] = {}
    for _, told in ANSWERS.values():
        against |= told
    users = {token: user for user, token in site.tokens.items()}
    known: dict[tuple[str, str], str] = {
        (step.user, json.dumps(step.parameters, sort_keys=True)): step.name for step in (*steps.STEPS, steps.PAUSED)
    }
    asked_for: list[str] = []

    def exchanged(asked: dict[str, str], answer: Answer) -> Answer:
        mine = {name: value for name, value in asked.items() if name not in ("token", "returnFormat")}
        plain = {name: value for name, value in mine.items() if (name, value) != ("format", "json")}
        name = known.get((users[asked["token"]], json.dumps(plain, sort_keys=True)), "")
        name = "dictionary" if "Record_ID" in asked.get("data", "") else name
        # the project is read before anything is asked: only the second time it is a step
        asked_for.append(name)
        if name not in against or (name == "settings" and "version" not in asked_for):
            return answer
        other = against[name]
        return Answer(other.text.encode(), other.status, {"Content-Type": other.kind})

    monkeypatch.setattr(proxy, "answer", exchanged)
    looked = site.look(proxy.url)
    assert {fact: judged(fact, looked.replies).state for fact in ANSWERS} == dict.fromkeys(ANSWERS, "differs")
    assert {*asked_for} >= {*against}
    assert len(asked_for) <= 60
    assert site.records == []
    assert looked.version == against["version"].text


def test_what_a_killed_run_has_left_is_shown_and_removed_first(site: Site) -> None:
    """By name; then it goes on as ever."""
    site.ask(content="record", data=[{"record_id": "TDSC-1", "redcap_event_name": "later_arm_1", "letters": "x"}])
    looked = site.look()
    assert "TDSC-1" in site.shown[0]
    assert judged("OF-20", looked.replies).state == "agrees"
    assert site.records == []


def renamed(site: Site) -> None:
    site.ask(content="project_settings", data=[{"project_title": "Vertebroplasty"}])


def with_a_patient(site: Site) -> None:
    site.ask(content="record", data=[{"record_id": "7", "redcap_event_name": "start_arm_1"}])


def with_another_field(site: Site) -> None:
    fields = site.ask(content="metadata")
    site.ask(content="metadata", data=[*fields, {**fields[-1], "field_name": "more"}])


def with_another_event(site: Site) -> None:
    site.ask(content="event", action="import", data=[{"event_name": "Third", "arm_num": 1}])


def classic(site: Site) -> None:
    site.ask(content="project_settings", data=[{"is_longitudinal": "0"}])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (renamed, "not titled"),
        (with_a_patient, r"holds 1 record\(s\)"),
        (with_another_field, "its fields"),
        (with_another_event, "its events"),
        (classic, "its events"),
    ],
)
def test_another_project_is_refused_and_not_asked_for_records(
    change: Callable[[Site], None], why: str, site: Site
) -> None:
    """Whatever stands in it stays there; no name of a record is told."""
    change(site)
    before = (site.records, len(site.ask(content="log", logtype="record")))
    with pytest.raises(PlanRefused, match=why):
        site.look()
    assert (site.records, len(site.ask(content="log", logtype="record"))) == before
    assert site.shown == []
    exports = [line for line in site.ask(content="log") if line["username"] == "anna" and "records" in line["details"]]
    assert len(exports) == (change is with_a_patient)


def test_a_project_or_a_token_of_the_trial_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its number, and by the token."""
    with pytest.raises(PlanRefused, match="of the configuration"):
        site.look(others=[str(site.ask(content="project")["project_id"])])
    config = load(FROZEN / "config.yaml")
    for user in "AB":
        monkeypatch.setenv(f"TRIALDESK_SITECHECK_{user}_TOKEN", site.tokens["A"])
    with pytest.raises(PlanRefused, match="one token"):
        open_wire(config)
    monkeypatch.setenv("TRIALDESK_SITECHECK_B_TOKEN", site.tokens["B"])
    assert open_wire(config).asked == 0
    monkeypatch.setenv("TRIALDESK_PACKER_TOKEN", site.tokens["B"])
    with pytest.raises(PlanRefused, match="TRIALDESK_PACKER_TOKEN"):
        open_wire(config)


@pytest.mark.parametrize(
    ("lacking", "why", "left"),
    [
        ("record_delete", "TDSC-1 could not be deleted", ["TDSC-1"]),
        ("record_create", "may not write", []),
        ("logging", "logging", []),
        ("data_access_groups", "data access groups", []),
    ],
)
def test_without_a_right_it_stops(lacking: str, why: str, left: list[str], site: Site) -> None:
    """Before it writes, or after one record, which is named where it can't be deleted."""
    site.user(ANNA, **{lacking: 0})
    with pytest.raises(NotAllowed, match=why):
        site.look()
    assert site.records == left


def test_user_a_in_a_group_is_refused(site: Site) -> None:
    """Who sees a part of the records can't prove that none is left."""
    site.user(ANNA, data_access_group="check_group")
    with pytest.raises(NotAllowed, match="data access group"):
        site.look()
    assert site.shown == []


def test_rights_of_user_b_that_are_not_those_of_the_table_tell_nothing(site: Site) -> None:
    """A user who may do everything is no news of REDCap."""
    site.user(BENT, forms=dict.fromkeys(FORMS, 1), forms_export=dict.fromkeys(FORMS, 1))
    looked = site.look()
    assert {judged(fact, looked.replies).state for fact in ("OF-22", "OF-23")} == {"could not be told"}


@pytest.mark.parametrize(
    ("status", "body"), [(503, b"busy"), (429, b"slowly"), (403, b"<!DOCTYPE html><html>banned</html>")]
)
def test_a_server_that_wants_to_be_left_alone_is(
    status: int, body: bytes, site: Site, proxy: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of it nothing more is asked but what clears up."""
    seen: list[str] = []

    def busy(asked: dict[str, str], answer: Answer) -> Answer:
        seen.append(asked.get("filterLogic", ""))
        return Answer(body, status, {"Content-Type": "text/html"}) if seen[-1] else answer

    monkeypatch.setattr(proxy, "answer", busy)
    with pytest.raises(RedcapUnreachable, match=f"status {status}; nothing more"):
        site.look(proxy.url)
    assert sum(map(bool, seen)) == 1
    assert site.records == []


def test_a_fault_on_the_way_is_never_told_as_a_fact(
    site: Site, proxy: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer of a run is damaged: nothing differs that does not, and no record is left, or it is told."""
    site.pause = False
    chance = Random(14)
    # a right table without rows is no fault on the way: nothing tells it from REDCap's own
    kinds = sorted(TRANSPORT.keys() - {"an empty list"})
    for kind, fault in ((name, TRANSPORT[name]) for name in chance.sample(kinds, 6)):
        at, number = chance.randrange(50), 0

        def faulty(asked: dict[str, str], answer: Answer, at: int = at, fault: Fault = fault) -> Answer:
            nonlocal number
            number += 1
            return fault(answer, chance) if number == at else answer

        monkeypatch.setattr(proxy, "answer", faulty)
        try:
            looked = site.look(proxy.url)
        except (RedcapUnreachable, NotAllowed, PlanRefused, RedcapRefused) as told:
            assert "\n" not in str(told)
        else:
            assert "differs" not in {judged(fact, looked.replies).state for fact in ANSWERS}, (kind, at)
        assert site.records == [], (kind, at)


def test_a_server_that_is_gone_when_it_clears_up_is_named_with_the_way_out(
    site: Site, proxy: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run removes what is left, and sees it all."""
    gone = False

    def going(asked: dict[str, str], answer: Answer) -> Answer:
        nonlocal gone
        gone = gone or "filterLogic" in asked
        return Answer(b"", 502) if gone else answer

    monkeypatch.setattr(proxy, "answer", going)
    with pytest.raises(WriteBackFailed, match="run this again"):
        site.look(proxy.url)
    assert "TDSC-1" in site.records
    site.look()
    assert (site.shown[0].count("TDSC-"), site.records) == (5, [])


def test_a_dictionary_that_is_taken_is_put_back(site: Site, proxy: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that took the wrong name has the right one at the end."""
    before = site.ask(content="metadata")
    taken = [{**before[0], "field_name": "other_id"}, *before[1:]]

    def taking(asked: dict[str, str], answer: Answer) -> Answer:
        if "Record_ID" not in asked.get("data", ""):
            return answer
        site.ask(content="metadata", data=taken)
        return Answer(b"8", 200, {"Content-Type": "application/json"})

    monkeypatch.setattr(proxy, "answer", taking)
    looked = site.look(proxy.url)
    assert judged("OF-17", looked.replies).words == "it is taken"
    assert site.ask(content="metadata") == before


def test_no_more_requests_are_made_than_are_allowed(site: Site) -> None:
    """The wire counts, and says no before it asks."""
    wire = site.wire(most=1)
    assert wire.ask("A", {"content": "version"}).text == site.version
    with pytest.raises(PlanRefused, match="1 requests"):
        wire.ask("A", {"content": "version"})
    assert wire.asked == 1
    assert all(token not in repr(wire) for token in site.tokens.values())


def test_a_foreign_record_that_comes_between_is_left_alone_and_told(
    site: Site, proxy: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours are gone; whose it is, the administrator says."""

    def coming(asked: dict[str, str], answer: Answer) -> Answer:
        if "filterLogic" in asked:
            with_a_patient(site)
        return answer

    monkeypatch.setattr(proxy, "answer", coming)
    with pytest.raises(WriteBackFailed, match=r"1 record\(s\) that somebody else made") as caught:
        site.look(proxy.url)
    assert not re.search(r"\b7\b", str(caught.value))
    assert site.records == ["7"]
