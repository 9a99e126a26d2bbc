"""Plan and apply over real HTTP: real PyCap against the local REDCap."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import copytree
from threading import Thread

import pytest
import requests
from pydantic import SecretStr

from frozen import FROZEN
from redcap_local.server import Running
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.record import Row
from trialdesk.config import Config, load
from trialdesk.errors import PlanRefused, RedcapRefused, RedcapUnreachable, WriteBackFailed
from trialdesk.followup.bringing import views
from trialdesk.followup.copying import sort_out_bookings
from trialdesk.followup.keys import Keys
from trialdesk.instruments.applying import apply, push
from trialdesk.instruments.byhand import draft_steps, write_checklist
from trialdesk.instruments.change import Plan
from trialdesk.instruments.checks import check_projects
from trialdesk.instruments.design import Arm, Design, Event, Repeat, Slot
from trialdesk.instruments.folder import ProjectName, read_design
from trialdesk.instruments.live import live_design, live_project
from trialdesk.instruments.overlay import overlay_folder
from trialdesk.instruments.plan import make_plan
from trialdesk.instruments.pulling import pulled, write_pulled
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patience import Patience

pytestmark = pytest.mark.requirement("INS-01", "INS-02")

HOME = Path(__file__).parents[2]
ONCE = Patience(attempts=1)


@pytest.fixture
def config(tmp_path: Path, server: Running) -> Config:
    """The trial with its own copy of the instruments, on the local server."""
    copytree(FROZEN / "instruments", tmp_path / "instruments")
    text = (FROZEN / "config.yaml").read_text(encoding="utf-8")
    (tmp_path / "config.yaml").write_text(text.replace("https://redcap.example.org/api/", server.url), encoding="utf-8")
    return load(tmp_path / "config.yaml")


def plan_of(config: Config, gateway: Gateway, project: ProjectName = "trial") -> Plan:
    return make_plan(project, read_design(config, project), gateway)


def edit(config: Config, file: str, before: str, after: str) -> None:
    path = config.home / "instruments" / "trial" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(before) >= 1
    path.write_text(text.replace(before, after), encoding="utf-8")


def enter(gateway: Gateway) -> None:
    """One patient with a sex, a pain score and an adverse event."""
    gateway.write(
        "record_id",
        [
            Row("ODE-001", "screening_arm_1", "", 0, {"elig_sex": "2", "elig_pain_0100": "70"}),
            Row("ODE-001", "logs_arm_1", "adverse_event", 1, {"ae_term": "fall"}),
        ],
    )


@pytest.mark.parametrize("project", ["trial", "register"])
def test_an_empty_project_becomes_what_the_files_say(project: ProjectName, config: Config, gateway: Gateway) -> None:
    """After `apply` everything is read back, and a second plan is empty."""
    done = push(config, project, gateway)
    assert not done.empty
    assert {change.risk for change in done.changes} == {"safe"}
    assert plan_of(config, gateway, project).empty


def test_exactly_the_plan_that_was_read_is_applied(config: Config, gateway: Gateway) -> None:
    """Another digest is refused, and nothing changes."""
    before = live_design(gateway)
    with pytest.raises(PlanRefused, match="the plan is now"):
        push(config, "trial", gateway, lambda _: "000000000000")
    assert live_design(gateway) == before


def test_a_small_change_is_a_small_plan(config: Config, gateway: Gateway) -> None:
    """A label, a new choice, a field moved, a new form in an event: five lines, and only they are applied."""
    push(config, "trial", gateway)
    edit(config, "01_eligibility.csv", "Year of birth", "Year of birth (four digits)")
    edit(config, "01_eligibility.csv", "7, Other", "7, Unclear | 8, Other")
    edit(config, "mapping.csv", "1,week_12_arm_1,vas_pain", "1,week_12_arm_1,vas_pain\n1,week_12_arm_1,odi")
    shown = plan_of(config, gateway)
    assert [(c.part, c.kind, c.name, c.attribute, c.risk) for c in shown.changes] == [
        ("metadata", "update", "elig_yob", "label", "safe"),
        ("metadata", "update", "elig_np_rsn", "choices", "safe"),
        ("mapping", "create", "week_12_arm_1 odi", "", "safe"),
    ]
    push(config, "trial", gateway, lambda plan: plan.digest if plan.digest == shown.digest else "")
    assert plan_of(config, gateway).empty


def test_deleting_what_holds_data_needs_force(config: Config, gateway: Gateway) -> None:
    """The plan says how many records hold data; without --force nothing changes."""
    push(config, "trial", gateway)
    enter(gateway)
    edit(config, "01_eligibility.csv", "elig_sex,", "elig_gender,")
    (lost,) = plan_of(config, gateway).of("metadata", "delete")
    assert (lost.name, lost.risk, lost.records) == ("elig_sex", "destroys", 1)
    before = live_design(gateway)
    with pytest.raises(PlanRefused, match=r"1 change\(s\) destroy data, the first in elig_sex.*--force"):
        push(config, "trial", gateway)
    assert live_design(gateway) == before
    push(config, "trial", gateway, force=True)
    assert plan_of(config, gateway).empty


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("01_eligibility.csv", "[elig_group]='1'", "[elig_grup]='1'"),
        ("mapping.csv", "1,logs_arm_1,adverse_event", "1,diary_arm_1,adverse_event"),
    ],
)
def test_files_with_errors_are_not_applied_by_accident(
    file: str, before: str, after: str, config: Config, gateway: Gateway
) -> None:
    """What `check` finds holds an empty project too; nothing is changed."""
    edit(config, file, before, after)
    untouched = live_design(gateway)
    with pytest.raises(PlanRefused, match=r"`check` finds \d+ error.*--force"):
        push(config, "trial", gateway)
    assert live_design(gateway) == untouched


class Forgetful(Gateway):
    """A server that leaves a column out of one answer."""

    column = ""

    def _table(self, ask: Callable[[], object]) -> list[dict[str, str]]:
        rows = super()._table(ask)
        gone = "" if rows and "field_label" in rows[0] else self.column  # dictionaries are judged by their own rules
        return [{name: cell for name, cell in row.items() if name != gone} for row in rows]

    def project(self) -> Mapping[str, str]:
        return {name: cell for name, cell in super().project().items() if name != self.column}


@pytest.mark.parametrize(
    "column",
    [
        "in_production", "is_longitudinal", "has_repeating_instruments_or_events", "project_id",
        "unique_event_name", "name", "form", "form_name", "data_access_group_name", "role_label", "forms",
    ],
)  # fmt: skip
def test_a_server_that_leaves_out_what_decides_is_not_believed(
    column: str, config: Config, server: Running, secret: SecretStr
) -> None:
    """A column that is not there is not a blank one: no plan, one line that names it."""
    gateway = Forgetful(server.url, secret, patience=ONCE)
    push(config, "trial", gateway)
    gateway.column = column
    with pytest.raises(RedcapUnreachable, match=f"lacks {column}; nothing was used"):
        live_project(gateway, groups=True, roles=True)


def test_an_instrument_that_stops_repeating_is_weighed_by_its_instances(config: Config, gateway: Gateway) -> None:
    """A first instance stays within reach."""
    push(config, "trial", gateway)
    enter(gateway)
    edit(config, "repeating.csv", "logs_arm_1,adverse_event,[ae_start] [ae_term]\n", "")
    (change,) = plan_of(config, gateway).changes
    assert (change.part, change.kind, change.risk, change.records) == ("repeating", "delete", "safe", 0)


def test_arms_and_events_come_and_go(gateway: Gateway) -> None:
    """A second arm with its events, a renamed arm, an event given up."""
    fields = Dictionary((Field("record_id", "visit", "text", label="Record"),))
    first, second = Event("one_arm_1", "One"), Event("two_arm_1", "Two")
    other = Event("one_arm_2", "One", "2")

    def becomes(arms: tuple[Arm, ...], events: tuple[Event, ...]) -> list[tuple[str, str, str]]:
        slots = tuple(Slot(event.name, "visit") for event in events)
        design = Design(fields, arms, events, slots, (Repeat(events[0].name, ""),), ("ODE",))
        plan = make_plan("trial", design, gateway)
        apply(plan, design, gateway)
        assert make_plan("trial", design, gateway).empty
        return [(change.part, change.kind, change.name) for change in plan.changes if change.part in ("arm", "event")]

    assert becomes((Arm("1"),), (first, second))[-1] == ("event", "delete", "event_1_arm_1")
    assert becomes((Arm("1", "Main"), Arm("2", "Extra")), (first, second, other)) == [
        ("arm", "update", "1"),
        ("arm", "create", "2"),
        ("event", "create", "one_arm_2"),
    ]
    assert becomes((Arm("1"),), (first, second)) == [("event", "delete", "one_arm_2")]


def test_a_project_that_is_longitudinal_again_finds_its_events(gateway: Gateway) -> None:
    """REDCap kept them out of sight; made anew they would have other names."""
    fields = Dictionary((Field("record_id", "visit", "text", label="Record"),))
    events = (Event("one_arm_1", "One"), Event("two_arm_1", "Two"))
    longitudinal = Design(fields, (Arm("1"),), events, tuple(Slot(event.name, "visit") for event in events))
    for design in (longitudinal, Design(fields), longitudinal):
        plan = make_plan("trial", design, gateway)
        apply(plan, design, gateway)
        assert make_plan("trial", design, gateway).empty


class Breaking(Gateway):
    """A gateway on which one kind of write fails."""

    def write_mapping(self, rows: list[dict[str, str]]) -> int:
        raise RedcapUnreachable(f"the server went away before it took {len(rows)} rows")


def test_a_failure_in_the_middle_says_what_was_done_and_a_second_run_completes_it(
    config: Config, server: Running, secret: SecretStr
) -> None:
    """Nothing has to be undone."""
    with pytest.raises(RedcapUnreachable) as caught:
        push(config, "trial", Breaking(server.url, secret, patience=ONCE))
    assert "done: settings, metadata, event; not done: mapping, repeating, group, role" in str(caught.value)
    gateway = Gateway(server.url, secret, patience=ONCE)
    assert {change.part for change in plan_of(config, gateway).changes} == {"mapping", "repeating", "group", "role"}
    push(config, "trial", gateway)
    assert plan_of(config, gateway).empty


class Halving(Gateway):
    """A server that keeps half of a dictionary and says all is well."""

    def write_dictionary(self, dictionary: Dictionary) -> int:
        super().write_dictionary(Dictionary(dictionary.fields[: len(dictionary.fields) // 2]))
        return len(dictionary.fields)


def test_a_server_that_keeps_half_is_found_out(config: Config, server: Running, secret: SecretStr) -> None:
    """What REDCap says it took is not believed; it is read back."""
    (config.home / "instruments/register/roles.csv").unlink()  # roles would name the forms that are not there
    with pytest.raises(WriteBackFailed, match="left after applying"):
        push(config, "register", Halving(server.url, secret, patience=ONCE))


def test_a_server_that_answers_half_changes_nothing(config: Config) -> None:
    """A body that is cut off is no data."""

    class Half(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'[{"field_name": "record_')

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with HTTPServer(("127.0.0.1", 0), Half) as half:
        Thread(target=half.serve_forever, daemon=True).start()
        gateway = Gateway(f"http://127.0.0.1:{half.server_port}/api/", SecretStr("A" * 32), patience=ONCE)
        with pytest.raises(RedcapUnreachable):
            push(config, "trial", gateway)
        half.shutdown()


def test_a_project_in_production_gets_files_and_steps_instead(
    config: Config, gateway: Gateway, database: Path, tmp_path: Path
) -> None:
    """REDCap takes no metadata from its API there: the server refuses, and so does the plan, which says what to do."""
    push(config, "trial", gateway)
    command = [sys.executable, str(HOME / "scripts/local_redcap.py"), "project", "production"]
    place = ["--db", str(database), "--project", gateway.project()["project_id"]]
    subprocess.run([*command, *place], check=True)
    with pytest.raises(RedcapRefused):
        gateway.write_dictionary(read_design(config, "trial").dictionary)
    edit(config, "01_eligibility.csv", "Year of birth", "Birth year")
    edit(config, "events.csv", "Week 1,1,7,3,3", "Week 1,1,7,3,4")
    edit(config, "repeating.csv", "[ae_start] [ae_term]", "[ae_term]")
    edit(config, "events.csv", "Week 2,1,14,3,3,week_2_arm_1,\n", "")
    desired = read_design(config, "trial")
    plan = plan_of(config, gateway)
    before = live_design(gateway)
    with pytest.raises(PlanRefused, match="in production"):
        apply(plan, desired, gateway)
    assert live_design(gateway) == before
    page = write_checklist(draft_steps(plan, desired, config.home / "instruments/trial"), tmp_path / "draft")
    text = page.read_text(encoding="utf-8")
    assert "1. [ ] Online Designer → Enter Draft Mode" in text
    assert "logs_arm_1 adverse_event (label: [ae_start] [ae_term] → [ae_term])" in text
    assert "Define My Events: delete week_2_arm_1" in text  # an uploaded list of events takes none away
    assert "Birth year" in (tmp_path / "draft" / "trial_dictionary.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("project", ["trial", "register"])
def test_a_pulled_project_is_under_control_at_once(
    project: ProjectName, config: Config, gateway: Gateway, tmp_path: Path
) -> None:
    """Pull → check → plan: no error and nothing to change."""
    push(config, project, gateway)
    there = config.model_copy(update={"home": tmp_path / "pulled"})
    files = pulled(live_design(gateway, groups=project == "trial"), "da")
    write_pulled(files, there.home / "instruments" / project, overlay_folder(there))
    assert files.wording == {}
    assert [fault for fault in check_projects(there, (project,)) if fault.severity == "error"] == []
    assert plan_of(there, gateway, project).empty


def test_blanks_around_a_live_label_are_no_difference(
    config: Config, gateway: Gateway, secret: SecretStr, server: Running
) -> None:
    """REDCap keeps them, for example in a project made from XML; a file has none."""
    push(config, "trial", gateway)
    asked = {"token": secret.get_secret_value(), "content": "project_xml", "format": "xml"}
    xml = requests.post(server.url, data=asked, timeout=30).text
    spaced = re.sub(r'((?:Event|Arm)Name=)"([^"]*)"', r'\1" \2 "', xml)
    made = {"token": server.super_token, "content": "project", "format": "json", "odm": spaced}
    made["data"] = json.dumps([{"project_title": "Spaced", "purpose": "0"}])
    copy = SecretStr(requests.post(server.url, data=made, timeout=30).text)
    spaced_gateway = Gateway(server.url, copy, patience=ONCE)
    assert all(event["event_name"].startswith(" ") for event in spaced_gateway.events())
    assert [change for change in plan_of(config, spaced_gateway).changes if change.part in ("arm", "event")] == []


def test_licensed_wording_goes_to_redcap_and_never_into_a_pulled_folder(
    config: Config, gateway: Gateway, tmp_path: Path
) -> None:
    """The overlay is merged at push; pull takes the wording out again and puts it into an overlay."""
    wording = "Hvor ondt gør det, når du hoster?"
    overlay_folder(config).mkdir(parents=True)
    (overlay_folder(config) / "odi.da.csv").write_text(
        "field_name,label_da,choices_da,note_da,source_version\n"
        f'odi_1,"{wording}","0, Slet ikke | 1, Lidt | 2, En del | 3, Meget | 4, Rigtig meget | 5, Værst",,2.1a\n',
        encoding="utf-8",
    )
    done = push(config, "trial", gateway)
    assert live_design(gateway).dictionary.get("odi_1").label == wording
    assert wording not in json.dumps([c.after for c in done.changes])
    there = config.model_copy(update={"home": tmp_path / "pulled"})
    write_pulled(pulled(live_design(gateway), "da"), there.home / "instruments/trial", overlay_folder(there))
    repository = "".join(path.read_text(encoding="utf-8") for path in (there.home / "instruments").rglob("*.csv"))
    assert wording not in repository
    assert "Rigtig meget" not in repository
    assert wording in (overlay_folder(there) / "odi.da.csv").read_text(encoding="utf-8")
    assert plan_of(there, gateway).empty


def test_the_script_plans_applies_and_has_nothing_left(config: Config, server: Running, secret: SecretStr) -> None:
    """What a data manager types."""
    token = secret.get_secret_value()

    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(HOME / "scripts/push_instruments.py"), *words, "--config", "config.yaml"]
        environment = {
            "TRIALDESK_PACKER_TOKEN": token,
            "TRIALDESK_TRIAL_TOKEN": token,
            "PATH": "",
            "PYTHONPATH": str(HOME / "src"),
        }
        return subprocess.run(
            command, cwd=config.home, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    assert typed("check").stdout == "0 error(s), 0 warning(s)\n"
    shown = typed("plan", "--project", "register", "--json")
    digest = json.loads(shown.stdout)["digest"]
    both = typed("plan", "--json")  # one token stands for both projects here
    assert [(plan["project"], plan["digest"] == digest) for plan in json.loads(both.stdout)] == [
        ("trial", False),
        ("register", True),
    ]
    assert typed("apply", "0" * 12, "--project", "register").returncode == 22
    applied = typed("apply", digest, "--project", "register")
    first, second = applied.stdout.splitlines()
    assert first == "register: 22 change(s) applied and read back"
    assert second.startswith("config.yaml: redcap.projects names project ")
    number = load(config.home / "config.yaml").redcap.projects.envelopes
    assert f"names project {number} now" in second
    text = (config.home / "config.yaml").read_text(encoding="utf-8")
    assert f'projects: {{envelopes: "{number}"}}' in text
    other = text.replace(f'envelopes: "{number}"', 'envelopes: "99999"')
    (config.home / "config.yaml").write_text(other, encoding="utf-8")
    refused = typed("apply", digest, "--project", "register")
    assert (refused.returncode, "not of project 99999" in refused.stderr) == (31, True)
    (config.home / "config.yaml").write_text(text, encoding="utf-8")
    assert typed("plan", "--project", "register").stdout == "register: nothing to change\n"
    edit(config, "01_eligibility.csv", "[elig_group]='1'", "[elig_grup]='1'")
    wrong = typed("check", "--json")
    assert wrong.returncode == 21
    assert {fault["file"] for fault in json.loads(wrong.stdout)} == {"01_eligibility.csv"}
    assert token not in shown.stdout + shown.stderr + applied.stdout + applied.stderr


def test_what_an_older_project_agreed_stays_hidden_and_is_copied(config: Config, gateway: Gateway) -> None:
    """Its count and call back get the action tags, nothing is deleted, and the open call back can go into the log."""
    push(config, "trial", gateway)
    asked = {"nc_stat": "2", "nc_date": "2026-02-20", "nc_tries": "3", "nc_cb_date": "2026-02-24"}
    gateway.write("record_id", [Row("ODE-001", "week_3_arm_1", "", 0, asked)])
    for name in ("nc_tries", "nc_cb_date", "nc_cb_time"):
        file = config.home / "instruments" / "trial" / "15_nurse_contact.csv"
        (line,) = (one for one in file.read_text(encoding="utf-8").splitlines() if one.startswith(f"{name},"))
        edit(config, file.name, line, f"{line}@HIDDEN @READONLY")
    plan = plan_of(config, gateway)
    assert {change.name for change in plan.changes} == {"nc_tries", "nc_cb_date", "nc_cb_time"}
    assert "destroys" not in {change.risk for change in plan.changes}
    push(config, "trial", gateway)
    (row,) = gateway.records("record_id", [*asked], records=["ODE-001"]).rows
    assert row.values == asked
    found = sort_out_bookings(views(gateway, config), config, Keys(b"k" * 32), date(2026, 2, 23))
    assert [str(one) for one in found.new] == ["ODE-001 W03 2026-02-20 asks to be called later, call back 2026-02-24"]
