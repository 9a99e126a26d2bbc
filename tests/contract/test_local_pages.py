"""The pages of the local REDCap as a browser's requests see them: who gets in, what is refused, what is stored."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from pages import VERSION, Person
from redcap_local.administration import allow_groups, change_settings, loaded, opened, save_password
from redcap_local.display_logic import set_display_logic
from redcap_local.messages import AdministrationError
from redcap_local.pages.editors import LASTS, Editors
from redcap_local.randomization_setup import Upload, define_randomization, find_model, upload_allocations
from redcap_local.server import Running, running
from redcap_local.storage.randomization import Model

pytestmark = pytest.mark.requirement("RCP-02")

GROUPS = [{"data_access_group_name": name, "unique_group_name": ""} for name in ("North", "South")]


@pytest.fixture(scope="module")
def site(new_clinic: Callable[[], Any]) -> Any:
    """A clinic with two groups, and users of every kind."""
    made = new_clinic()
    made.admin.ok(content="project_settings", data={"record_autonumbering_enabled": 1})
    made.admin.ok(content="dag", action="import", data=GROUPS)
    made.user("ann", data_access_group="north")
    made.user("sue", data_access_group="south")
    made.user("bob", forms={"visit": 2, "allocation": 0}, record_create=0)
    made.user("cai", record_delete=1, record_rename=1)
    return made


@pytest.fixture
def person(local_redcap: Running, site: Any) -> Callable[..., Person]:
    """A function that seats a user at a browser of their own."""
    return lambda name="site_admin": Person.entered(local_redcap.start(), name, site.project)


def event_of(site: Any, name: str = "start_arm_1") -> int:
    with opened(site.db) as connection:
        return loaded(connection, site.project).events_by_name[name].id


def log_of(site: Any, record: str) -> list[tuple[str, str, str]]:
    return [(r["username"], r["action"], r["details"]) for r in site.admin.ok(content="log", record=record)]


# Who gets in ---------------------------------------------------------------------------------------------------------


def test_a_start_address_lets_one_browser_in(local_redcap: Running) -> None:
    """It is in the terminal's history and in the browser's: used once, it is worth nothing."""
    start = local_redcap.start()
    first = requests.get(start, timeout=10)
    assert "Who are you?" in first.text
    assert requests.get(start, timeout=10).status_code == 403
    assert requests.get(local_redcap.url.replace("/api/", "/"), timeout=10).status_code == 403


def test_the_cookie_is_out_of_reach_of_scripts_and_foreign_pages(local_redcap: Running) -> None:
    """HttpOnly, SameSite=Strict, and another name on another port."""
    cookie = requests.get(local_redcap.start(), timeout=10, allow_redirects=False).headers["set-cookie"]
    port = local_redcap.url.split(":")[2].split("/")[0]
    assert cookie.startswith(f"redcap_local_{port}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "127.0.0.1:1"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_a_foreign_name_or_page_is_refused(person: Any, headers: dict[str, str], status: int) -> None:
    """DNS rebinding brings a foreign Host, a form elsewhere a foreign Origin."""
    assert person().get("/", **headers).status_code == status


def test_the_api_refuses_a_foreign_name_too(local_redcap: Running) -> None:
    """But no origin: a page of somebody's own may ask it, as REDCap lets it."""
    asked = {"token": local_redcap.super_token, "content": "version"}
    refused = requests.post(local_redcap.url, data=asked, headers={"Host": "evil.example"}, timeout=10)
    assert refused.status_code == 403
    answered = requests.post(local_redcap.url, data=asked, headers={"Origin": "https://my.example"}, timeout=10)
    assert answered.headers["access-control-allow-origin"] == "*"


def test_pages_run_their_own_script_only(person: Any, site: Any) -> None:
    """Nonces, nothing from elsewhere, and no other site may read or frame them."""
    answer = person().form("1", event_of(site), "intake").answer
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'nonce-" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "access-control-allow-origin" not in answer.headers


def test_a_form_without_the_session_s_own_word_changes_nothing(person: Any, site: Any) -> None:
    """CSRF: the cookie alone is not enough."""
    ann = person()
    ann.csrf = "something"
    refused = ann.form("csrf", event_of(site), "intake").save(name="Ann")
    assert refused.status_code == 403
    assert not site.admin.rows(records=["csrf"])


def test_every_page_says_what_it_is(person: Any) -> None:
    """No patient is entered here by mistake."""
    me = person()
    for path in ("/", me.address("DataEntry/record_status_dashboard.php"), "/redcap_v1.0/index.php?pid=1"):
        assert "This is not REDCap" in me.get(path).text


@pytest.mark.parametrize(
    "path",
    ["index.php?pid=999999", "index.php?pid=x", "DataEntry/record_home.php?id=1&arm=9", "DataEntry/other.php"],
)
def test_what_is_not_there_is_said_in_one_sentence(person: Any, site: Any, path: str) -> None:
    """A mistyped address is no reason for a traceback."""
    whole = path if "pid=" in path else f"{path}{'&' if '?' in path else '?'}pid={site.project}"
    answer = person().get(f"/redcap_v{VERSION}/{whole}")
    assert answer.status_code == 404
    assert "Not found" in answer.text


def test_a_link_to_a_form_asks_first_who_one_is(local_redcap: Running, site: Any) -> None:
    """A link of a spreadsheet leads to the form once a user is chosen."""
    me = Person.entered(local_redcap.start(), project=site.project)
    path = me.address("DataEntry/index.php", id="1", event_id=event_of(site), page="intake")
    assert "Who are you?" in me.get(path).text
    assert "Record ID 1" in me.post("/", username="site_admin", to=path).text
    assert "Record ID" not in me.post("/", username="site_admin", to="https://evil.example/").text


# Off this machine ----------------------------------------------------------------------------------------------------


def test_beyond_this_machine_there_are_no_pages_without_https(tmp_path: Path) -> None:
    """Their cookies and answers would cross the network readable."""
    with running(tmp_path / "r.db", host="0.0.0.0") as server:  # noqa: S104 - it is what is tested
        assert server.start() == ""
        here = server.url.replace("0.0.0.0", "127.0.0.1").replace("/api/", "/")  # noqa: S104
        refused = requests.get(here, timeout=10)
        assert (refused.status_code, "--behind-https" in refused.text) == (403, True)


def test_behind_https_a_password_is_asked_for_and_five_tries_are_enough(tmp_path: Path) -> None:
    """Also the right one has to wait then."""
    now = [datetime(2026, 11, 23, 9)]
    with running(tmp_path / "r.db", behind_https="https://r.example", clock=lambda: now[0]) as server:
        new = {"token": server.super_token, "content": "project", "format": "json"}
        requests.post(server.url, data={**new, "data": '[{"project_title":"T","purpose":0}]'}, timeout=10)
        with opened(tmp_path / "r.db") as connection:
            save_password(connection, "site_admin", "correct horse")
        me = Person(server.url.replace("/api/", ""))
        head = {"Host": "r.example", "Origin": "https://r.example"}

        def enter(password: str) -> requests.Response:
            first = me.http.get(me.home + "/", headers=head, timeout=10)
            assert "Secure" in first.headers["set-cookie"]
            word = first.text.split('name="csrf" value="')[1].split('"')[0]
            # requests keeps a Secure cookie back from http: the proxy in front has it
            key = first.headers["set-cookie"].split(";")[0]
            sent = {"csrf": word, "username": "site_admin", "password": password}
            return me.http.post(
                me.home + "/", data=sent, headers={**head, "Cookie": key}, timeout=10, allow_redirects=False
            )

        assert server.start() == "https://r.example"
        assert enter("correct horse").status_code == 303
        assert [enter("wrong").status_code for _ in range(5)] == [403] * 5
        assert "wait" in enter("correct horse").text
        now[0] = datetime(2026, 11, 23, 9, 6)
        assert enter("correct horse").status_code == 303


# What is stored ------------------------------------------------------------------------------------------------------


def test_a_page_saves_as_the_api_imports(person: Any, site: Any) -> None:
    """The same check, the same log but for the words (API), calculations that follow, the record made on saving."""
    me, start = person(), event_of(site)
    opened_form = me.form("new1", start, "visit")
    assert not site.admin.rows(records=["new1"])
    assert opened_form.save(weight="70.5", height="180", visit_complete="2").status_code == 200
    row = site.admin.rows(records=["new1"])[0]
    assert (row["weight"], row["bmi"], row["visit_complete"]) == ("70.5", "21.8", "2")
    user, action, details = log_of(site, "new1")[0]
    assert (user, action) == ("site_admin", "Create record new1")
    assert "weight = '70.5'" in details
    me.form("new1", start, "visit").save(height="")
    assert site.admin.rows(records=["new1"])[0]["bmi"] == ""
    assert log_of(site, "new1")[0][1:] == ("Update record new1", "height = '', bmi = ''")


def test_what_the_api_would_refuse_a_page_refuses_and_gives_back(person: Any, site: Any) -> None:
    """Nothing is stored, and nothing typed is lost."""
    answer = person().form("bad", event_of(site), "visit").save(weight="heavy", height="180")
    assert answer.status_code == 400
    assert "does not follow the expected format" in answer.text
    assert '"height": "180"' in answer.text
    assert not site.admin.rows(records=["bad"])


def test_the_next_number_is_free_until_somebody_saves(person: Any, site: Any) -> None:
    """Two who add at once get two records (B.3.14.0100)."""
    one, two, start = person(), person("cai"), event_of(site)
    name = one.get(one.address("DataEntry/record_status_dashboard.php")).text.split("record_home.php?pid=")[1]
    number = name.split("id=")[1].split("&")[0]
    first, second = one.form(number, start, "intake"), two.form(number, start, "visit")
    first.save(name="First")
    assert f"Record ID {int(number) + 1} was saved" in second.save(weight="50.0").text
    rows = {row["record_id"]: row for row in site.admin.rows(records=[number, str(int(number) + 1)])}
    assert (rows[number]["name"], rows[number]["weight"]) == ("First", "")


def test_repeating_forms_and_events_keep_their_instances(person: Any, site: Any) -> None:
    """Each instance is a page of its own; the log begins with its number."""
    me, start, phone = person(), event_of(site), event_of(site, "phone_arm_1")
    me.form("rep", start, "intake").save(name="R")
    me.form("rep", start, "medicine").save(drug="a")
    me.form("rep", start, "medicine", 2).save(drug="b")
    me.form("rep", phone, "visit", 3).save(weight="80.0")
    rows = site.admin.rows(records=["rep"])
    assert [(r["redcap_repeat_instrument"], r["redcap_repeat_instance"], r["drug"], r["weight"]) for r in rows] == [
        ("", "", "", ""), ("medicine", 1, "a", ""), ("medicine", 2, "b", ""), ("", 3, "", "80.0"),
    ]  # fmt: skip
    assert log_of(site, "rep")[0][2].startswith("[instance = 3], ")
    assert me.form("rep", start, "medicine", 2).own["drug"] == "b"
    home = me.get(me.address("DataEntry/record_home.php", id="rep")).text
    assert "Medicine #2: Incomplete" in home
    assert "Phone #3" in home


# Rights and groups ---------------------------------------------------------------------------------------------------


def test_forms_follow_the_rights_to_enter_data_not_those_to_export(person: Any, site: Any) -> None:
    """No access: not listed and not opened; read only: no way to save (B.2.6.0200)."""
    person().form("rights", event_of(site), "intake").save(name="R")
    bob, start = person("bob"), event_of(site)
    home = bob.get(bob.address("DataEntry/record_home.php", id="rights")).text
    assert "Visit" in home
    assert "Allocation" not in home
    assert bob.form("rights", start, "allocation").answer.status_code == 404
    visit = bob.form("rights", start, "visit")
    assert visit.model["frozen"]
    assert "Save &amp;" not in visit.answer.text
    assert visit.save(weight="1.0").status_code == 403
    assert site.admin.rows(records=["rights"])[0]["weight"] == ""


def test_who_may_not_create_records_has_no_button_and_makes_none(person: Any, site: Any) -> None:
    """B.3.14.0100."""
    bob = person("bob")
    assert "Add new record" not in bob.get(bob.address("DataEntry/record_status_dashboard.php")).text
    assert bob.form("nobody", event_of(site), "intake").answer.status_code == 403
    path = bob.address("DataEntry/index.php", id="nobody", event_id=event_of(site), page="intake")
    empty = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
    sent = {"action": "save", "values": '{"name": "x"}', "new": "1", "digest": empty}
    assert bob.post(path, **sent).status_code in {400, 403}
    assert not site.admin.rows(records=["nobody"])


def test_a_value_behind_a_form_one_may_not_see_never_reaches_the_browser(
    new_clinic: Any, local_redcap: Running
) -> None:
    """Branching that asks for it is decided on the server; nothing hidden is erased by saving."""
    made = new_clinic()
    rows = made.admin.ok(content="metadata")
    for row in rows:
        if row["field_name"] == "height":
            row["branching_logic"] = "[arm] = '2'"
        if row["field_name"] == "weight":
            row["field_label"] = "Weight under [arm]"
    made.admin.ok(content="metadata", data=rows)
    made.admin.put({"record_id": "1", "redcap_event_name": "start_arm_1", "arm": "2", "height": "180"})
    made.user("dan", forms={"allocation": 0})
    dan = Person.entered(local_redcap.start(), "dan", made.project)
    form = dan.form("1", event_of(made), "visit")
    assert '"arm"' not in str(form.entry["rows"])
    assert '"height":r=>1' in form.answer.text
    form.save(weight="70.0")
    row = made.admin.rows(records=["1"])[0]
    assert (row["height"], row["weight"], row["arm"]) == ("180", "70.0", "2")


def test_a_member_of_a_group_sees_and_makes_records_of_it_alone(person: Any, site: Any) -> None:
    """New ones are called <group>-<n>; others do not exist for them (B.2.10.0400)."""
    ann, sue, start = person("ann"), person("sue"), event_of(site)
    grid = ann.get(ann.address("DataEntry/record_status_dashboard.php")).text
    name = grid.split("record_home.php?pid=")[1].split("id=")[1].split("&")[0]
    ann.form(name, start, "intake").save(name="Mine")
    row = site.admin.rows(records=[name], exportDataAccessGroups="true")[0]
    assert row["redcap_data_access_group"] == "north"
    assert name.partition("-")[2] == "1"
    assert name not in sue.get(sue.address("DataEntry/record_status_dashboard.php")).text
    assert sue.form(name, start, "intake").answer.status_code in {400, 404}


def test_records_are_moved_by_who_stands_in_no_group(person: Any, site: Any) -> None:
    """The name stays; a member cannot (D.10.700); the log has a line of its own."""
    me, ann = person(), person("ann")
    me.form("moving", event_of(site), "intake").save(name="M")
    path = me.address("DataEntry/record_home.php", id="moving")
    assert me.post(path, action="assign", group="north").status_code == 200
    assert site.admin.rows(records=["moving"], exportDataAccessGroups="true")[0]["redcap_data_access_group"] == "north"
    words = "Assign record to Data Access Group (redcap_data_access_group = 'north')"
    assert log_of(site, "moving")[0] == ("site_admin", "Update record moving", words)
    assert ann.post(path, action="assign", group="south").status_code == 404


def test_a_user_of_several_groups_stands_in_one_at_a_time(person: Any, site: Any) -> None:
    """And switches between them (B.2.10.0300)."""
    site.user("tom", data_access_group="north")
    with opened(site.db) as connection:
        allow_groups(connection, loaded(connection, site.project), "tom", ["north", "south"])
    me, tom = person(), person("tom")
    me.form("tomorrow", event_of(site), "intake").save(name="T")
    me.post(me.address("DataEntry/record_home.php", id="tomorrow"), action="assign", group="south")
    assert "tomorrow" not in tom.get(tom.address("DataEntry/record_status_dashboard.php")).text
    assert "tomorrow" in tom.post(tom.address("index.php"), action="switch", group="south").text


def test_an_expired_user_is_refused_until_the_expiry_is_lifted(person: Any, site: Any) -> None:
    """B.2.6.0100."""
    site.user("eva")
    eva = person("eva")
    path = eva.address("DataEntry/record_status_dashboard.php")
    site.admin.ok(content="user", data=[{"username": "eva", "expiration": "2020-01-01"}])
    assert eva.get(path).status_code == 404
    site.admin.ok(content="user", data=[{"username": "eva", "expiration": ""}])
    assert eva.get(path).status_code == 200


# Deleting and renaming -----------------------------------------------------------------------------------------------


def test_data_of_a_form_an_event_and_a_record_are_deleted(person: Any, site: Any) -> None:
    """Only the whole record is a deletion in the log; without the right nothing goes (B.3.14.1000 to 1200)."""
    cai, ann, start, week = person("cai"), person("bob"), event_of(site), event_of(site, "week_1_arm_1")
    cai.form("gone", start, "intake").save(name="G")
    cai.form("gone", start, "visit").save(weight="70.0")
    cai.form("gone", week, "visit").save(weight="71.0")
    home = cai.address("DataEntry/record_home.php", id="gone")
    assert ann.post(home, action="delete_record").status_code == 403
    cai.form("gone", start, "visit").send("delete")
    assert log_of(site, "gone")[0][1] == "Update record gone"
    assert [r["weight"] for r in site.admin.rows(records=["gone"])] == ["", "71.0"]
    cai.post(home, action="delete_event", event_id=week)
    assert [r["name"] for r in site.admin.rows(records=["gone"])] == ["G"]
    cai.post(home, action="delete_record")
    assert not site.admin.rows(records=["gone"])
    assert log_of(site, "gone")[0] == ("cai", "Delete record gone", "record_id = 'gone'")


def test_a_record_is_renamed_by_who_may(person: Any, site: Any) -> None:
    """B.3.14.0900."""
    cai, start = person("cai"), event_of(site)
    cai.form("old", start, "intake").save(name="O")
    path = cai.address("DataEntry/record_home.php", id="old")
    assert person("bob").post(path, action="rename", new_name="new").status_code == 403
    assert "Record ID new" in cai.post(path, action="rename", new_name="new").text
    assert not site.admin.rows(records=["old"])


# Two editors ---------------------------------------------------------------------------------------------------------


def test_the_second_to_open_a_form_reads_only_until_the_first_leaves(person: Any, site: Any) -> None:
    """Other forms of the record stay open (D.129.100)."""
    one, two, start = person(), person("cai"), event_of(site)
    one.form("two", start, "intake").save("exit_form", name="A")
    first = one.form("two", start, "intake")
    second = two.form("two", start, "intake")
    assert second.model["frozen"]
    assert "site_admin has had this form open" in second.answer.text
    assert not two.form("two", start, "visit").model["frozen"]
    first.send("cancel")
    assert not two.form("two", start, "intake").model["frozen"]


def test_who_went_away_keeps_a_form_for_half_an_hour() -> None:
    """A word from an older opening ends no newer one."""
    now = [datetime(2026, 11, 23, 9)]
    editors = Editors(lambda: now[0])
    spot = (1, "1", 1, "intake", 1)
    first = editors.open(spot, "ann")
    assert editors.open(spot, "sue").username == "ann"
    now[0] += LASTS
    assert editors.open(spot, "sue").username == "sue"
    editors.leave(spot, first.word)
    assert editors.open(spot, "ann").username == "sue"


@pytest.mark.parametrize("other", ["a page", "the API"])
def test_a_form_changed_meanwhile_is_not_overwritten(person: Any, site: Any, other: str) -> None:
    """Nothing is stored, and both values are shown: page × page, and page × API."""
    me, start = person(), event_of(site)
    record = f"both {other}"
    me.form(record, start, "intake").save(name="Before", sex="1", fears___1="1")
    mine = me.form(record, start, "intake")
    if other == "a page":
        person().form(record, start, "intake").save(name="Theirs", sex="2", fears___1="")
    else:
        theirs = {"name": "Theirs", "sex": "2", "fears___1": "0"}
        site.admin.put({"record_id": record, "redcap_event_name": "start_arm_1", **theirs})
    answer = mine.save(name="Mine", sex="1", fears___1="1", intake_complete="2")
    assert answer.status_code == 409
    shown = [row[:4] for row in type(mine)(me, mine.path, answer).entry["conflict"]]
    assert shown == [
        ["name", "Name", "Theirs", "Mine"], ["sex", "Sex", "Male", "Female"],
        ["fears___1", "Fears (choice=Needles)", "not ticked", "ticked"],
        ["intake_complete", "Complete?", "Incomplete", "Complete"],
    ]  # fmt: skip
    row = site.admin.rows(records=[record])[0]
    assert (row["name"], row["sex"], row["intake_complete"]) == ("Theirs", "2", "0")
    # The page that shows both can be saved.
    again = type(mine)(me, mine.path, answer)
    assert again.save(name="Mine").status_code == 200
    assert site.admin.rows(records=[record])[0]["name"] == "Mine"


def test_a_form_is_not_overwritten_by_a_change_elsewhere_in_the_record(person: Any, site: Any) -> None:
    """Another form, or what is calculated here from it, is no conflict."""
    me, start = person(), event_of(site)
    me.form("else", start, "intake").save(name="E")
    mine = me.form("else", start, "intake")
    site.admin.put({"record_id": "else", "redcap_event_name": "start_arm_1", "weight": "70.0"})
    assert mine.save(name="F").status_code == 200


# Files ---------------------------------------------------------------------------------------------------------------


def test_a_file_is_uploaded_read_and_removed_with_its_form(person: Any, site: Any) -> None:
    """It comes back as a download, never as a page of this server; who has no access to the form has none to it."""
    me, start = person(), event_of(site)
    form = me.form("filed", start, "intake")
    parts = {"csrf": me.csrf, "action": "save", "values": "{}", "new": "1", "then": "stay",
             "digest": form.answer.text.split('name="digest" value="')[1].split('"')[0]}  # fmt: skip
    upload = {"file__scan": ("my scan.html", b"<script>alert(1)</script>", "text/html")}
    me.http.post(me.home + form.path, data=parts, files=upload, timeout=10)
    there = me.form("filed", start, "intake").entry["files"]["scan"]
    assert there["name"] == "my scan.html"
    got = me.get(there["address"])
    assert got.content == b"<script>alert(1)</script>"
    assert got.headers["Content-Disposition"].startswith("attachment")
    me.form("filed", start, "intake").send("save", values="{}", remove__scan="1")
    assert me.get(there["address"]).status_code == 404


# Locking -------------------------------------------------------------------------------------------------------------


def test_a_locked_form_is_changed_by_nobody_until_it_is_unlocked(person: Any, site: Any) -> None:
    """Who and when; not by a page, the API, a file, or a deletion; other forms stay open (C.2.19.0200, 0300)."""
    me, start = person(), event_of(site)
    me.form("lock", start, "visit").save(weight="70.0", height="180")
    me.form("lock", start, "intake").save(name="L")
    bob = person("bob")
    assert 'id="lock"' not in bob.form("lock", start, "intake").answer.text
    assert bob.form("lock", start, "intake").send("lock").status_code == 403
    me.form("lock", start, "visit").send("lock")
    locked = me.form("lock", start, "visit")
    assert "This form was locked by site_admin at 20" in locked.answer.text
    assert locked.model["frozen"]
    assert log_of(site, "lock")[0][1:] == (
        "Lock/Unlock Record lock", "Action: Lock instrument, Form: Visit, Event: Start",
    )  # fmt: skip
    assert "This form was locked by" in locked.save(weight="71.0").text
    where = {"record_id": "lock", "redcap_event_name": "start_arm_1"}
    refused = site.admin.refused(content="record", data=[{**where, "weight": "72.0"}])
    assert "[local] The form of this field is locked" in refused
    part = {"records": ["lock"], "event": "start_arm_1", "instrument": "visit"}
    assert "locked" in site.admin.refused(content="record", action="delete", **part)
    assert site.admin.put({**where, "name": "M"}) == {"count": 1}
    me.form("lock", start, "visit").send("unlock")
    assert me.form("lock", start, "visit").save(weight="73.0").status_code == 200
    assert site.admin.rows(records=["lock"])[0]["weight"] == "73.0"


def test_what_is_calculated_in_a_locked_form_stays_as_it_was_locked(new_clinic: Any, local_redcap: Running) -> None:
    """A value it is computed from may change in another form; nothing is refused for that."""
    made = new_clinic()
    rows = made.admin.ok(content="metadata")
    extra = {**rows[1], "field_name": "age", "field_type": "calc", "identifier": "",
             "select_choices_or_calculations": "[weight]*2"}  # fmt: skip
    made.admin.ok(content="metadata", data=[*rows[:2], extra, *rows[2:]])
    me, start = Person.entered(local_redcap.start(), "site_admin", made.project), event_of(made)
    me.form("1", start, "visit").save(weight="70.0")
    me.form("1", start, "intake").save(name="C")
    me.form("1", start, "intake").send("lock")
    me.form("1", start, "visit").save(weight="80.0")
    row = made.admin.rows(records=["1"])[0]
    assert (row["weight"], row["age"]) == ("80.0", "140")


def test_a_locked_record_locks_all_its_forms(person: Any, site: Any) -> None:
    """C.2.19.0400."""
    me, start = person(), event_of(site)
    me.form("shut", start, "intake").save(name="S")
    path = me.address("DataEntry/record_home.php", id="shut")
    assert person("bob").post(path, action="lock").status_code == 403
    me.post(path, action="lock")
    assert "This record is locked" in me.form("shut", start, "visit").answer.text
    assert me.form("shut", start, "intake").save(name="T").status_code == 403
    assert log_of(site, "shut")[0][2] == "Action: Lock entire record"
    me.post(path, action="unlock")
    assert me.form("shut", start, "intake").save(name="T").status_code == 200


def test_a_field_s_history_is_every_value_it_has_held(person: Any, site: Any) -> None:
    """By whom and when, of this event and instance alone; whatever quotes and commas a value has (D.113.200)."""
    me, start = person(), event_of(site)
    odd = "it's', name = 'no"
    me.form("was", start, "intake").save(name="A", sex="1", fears___2="1")
    me.form("was", start, "medicine", 2).save(drug="x")
    site.admin.put({"record_id": "was", "redcap_event_name": "start_arm_1", "name": odd})
    me.form("was", start, "intake").save(name="", sex="2", fears___2="")

    def history(name: str, instance: int = 1) -> list[str]:
        path = me.address("DataEntry/data_history.php", id="was", event_id=start, field_name=name, instance=instance)
        return re.findall(r"<td>site_admin</td><td>(.*?)</td>", me.get(path).text)

    assert history("name") == ["A", html.escape(odd).replace("&#x27;", "&#39;"), "blank"]
    assert history("sex") == ["Female (1)", "Male (2)"]
    assert history("fears") == ["Heights: checked", "Heights: unchecked"]
    assert (history("drug", 2), history("drug")) == (["x"], [])
    bob = person("bob")
    path = bob.address("DataEntry/data_history.php", id="was", event_id=start, field_name="arm")
    assert bob.get(path).status_code == 404


# Form display logic --------------------------------------------------------------------------------------------------

LOGIC = (
    "form_name,event_name,control_condition\nvisit,,[start_arm_1][sex] = '2'\nallocation,start_arm_1,[smoker] = '1'\n"
)


def test_forms_are_disabled_until_their_condition_holds(new_clinic: Any, local_redcap: Running) -> None:
    """D.103.100: in one event or all; with data it stays enabled, disabled it is hidden; imports do not heed it."""
    made = new_clinic()

    def decide(**how: bool) -> None:
        with opened(made.db) as connection:
            set_display_logic(connection, loaded(connection, made.project), LOGIC, **how)

    decide()
    me, start = Person.entered(local_redcap.start(), "site_admin", made.project), event_of(made)
    path = me.address("DataEntry/record_home.php", id="1")
    assert me.get(path).text.count(": no data saved, disabled<") == 4
    assert "This form is disabled" in me.form("1", start, "visit").answer.text
    assert me.form("1", start, "visit").save(weight="70.0").status_code == 403
    me.form("1", start, "intake").save(sex="2")
    assert me.form("1", start, "visit").save(weight="70.0").status_code == 200
    me.form("1", start, "intake").save(sex="1")
    grid = me.get(me.address("DataEntry/record_status_dashboard.php")).text
    assert "1, Start, Visit: Incomplete, disabled" in grid
    made.admin.put({"record_id": "1", "redcap_event_name": "start_arm_1", "height": "180"})
    decide(keeps_data=True, hides=True)
    home = me.get(path).text
    assert ("Visit" in home, "Allocation" in home) == (True, False)
    assert me.form("1", start, "visit").save(weight="71.0").status_code == 200


def test_form_display_logic_that_cannot_be_read_is_told_by_line(site: Any) -> None:
    """A form, an event, a condition or a column that is not there."""
    for text, told in (
        ("form_name,event_name\n", "no column 'control_condition'"),
        ("form_name,event_name,control_condition\nnone,,1\n", "line 2: the project has no form 'none'"),
        ("form_name,event_name,control_condition\nvisit,,[sex] =\n", "line 2: the condition cannot be read"),
    ):
        with opened(site.db) as connection, pytest.raises(AdministrationError, match=re.escape(told)):
            set_display_logic(connection, loaded(connection, site.project), text)


def test_a_change_without_the_reason_that_the_project_wants_is_refused(new_clinic: Any, local_redcap: Running) -> None:
    """Whoever leaves the question out (D.113.400)."""
    made = new_clinic()
    with opened(made.db) as connection:
        change_settings(connection, loaded(connection, made.project), {"require_change_reason": "1"})
    me, start = Person.entered(local_redcap.start(), "site_admin", made.project), event_of(made)
    assert me.form("1", start, "intake").save(name="A").status_code == 200
    assert me.form("1", start, "intake").save(name="B").status_code == 400
    assert me.form("1", start, "intake").save().status_code == 200
    assert made.admin.rows(records=["1"])[0]["name"] == "A"


def test_who_may_not_randomize_has_no_button(new_clinic: Any, local_redcap: Running) -> None:
    """The field is gray for everybody; a group that is a stratum is asked for (C.3.30.0600, 1400)."""
    made = new_clinic()
    made.admin.ok(content="dag", action="import", data=GROUPS)
    with opened(made.db) as connection:
        model = Model(0, "arm", "start_arm_1", (), by_group=True)
        rid = define_randomization(connection, loaded(connection, made.project), model, datetime.now())
        project = loaded(connection, made.project)
        group = project.groups_by_name["north"].id
        table = f"redcap_randomization_number,redcap_randomization_group,redcap_data_access_group\n,2,{group}\n"
        found = find_model(connection, project, rid)
        upload_allocations(connection, project, found, table, Upload(False, VERSION, datetime.now()))
    made.user("dan")
    made.admin.put({"record_id": "1", "redcap_event_name": "start_arm_1", "name": "A"})
    dan, start = Person.entered(local_redcap.start(), "dan", made.project), event_of(made)
    assert dan.form("1", start, "allocation").entry["targets"]["arm"] == {"id": rid, "done": False, "allowed": False}
    assert dan.form("1", start, "allocation").send("randomize", rid=str(rid)).status_code == 403
    assert dan.form("1", start, "allocation").save(arm="1").status_code == 200
    assert made.admin.rows(records=["1"])[0]["arm"] == ""
    dan.form("1", start, "allocation").send("cancel")
    me = Person.entered(local_redcap.start(), "site_admin", made.project)
    asked = me.form("1", start, "allocation")
    assert '<option value="north">North</option>' in asked.answer.text
    asked.send("randomize", rid=str(rid), group="north")
    row = made.admin.rows(records=["1"], exportDataAccessGroups="true")[0]
    assert (row["arm"], row["redcap_data_access_group"]) == ("2", "north")
    assert me.form("1", start, "allocation").entry["targets"]["arm"]["done"]


# Structure -----------------------------------------------------------------------------------------------------------


def test_each_arm_has_a_tab_of_its_own_with_its_records(new_clinic: Any, local_redcap: Running) -> None:
    """B.3.14.0700; only designated forms are there (B.4.27.0400), and without longitudinal one list (B.4.27.0300)."""
    made = new_clinic()
    made.admin.ok(content="arm", action="import", data=[{"arm_num": 2, "name": "Other"}])
    made.admin.ok(content="event", action="import", data=[{"event_name": "Only", "arm_num": 2}])
    mapping = made.admin.ok(content="formEventMapping")
    added = {"arm_num": 2, "unique_event_name": "only_arm_2", "form": "visit"}
    made.admin.ok(content="formEventMapping", data=[*mapping, added])
    made.admin.put({"record_id": "one", "redcap_event_name": "start_arm_1", "weight": "70.0"})
    made.admin.put({"record_id": "one", "redcap_event_name": "week_1_arm_1", "weight": "99.0"})
    made.admin.put({"record_id": "two", "redcap_event_name": "only_arm_2", "weight": "70.0"})
    me = Person.entered(local_redcap.start(), "site_admin", made.project)
    grids = [me.get(me.address("DataEntry/record_status_dashboard.php", arm=arm)).text for arm in (1, 2)]
    assert ["id=one" in grid for grid in grids] == [True, False]
    assert ["id=two" in grid for grid in grids] == [False, True]
    assert ["two, Only, Visit: Incomplete" in grids[1], "Intake" in grids[1]] == [True, False]
    made.admin.ok(content="project_settings", data={"is_longitudinal": 0})
    home = me.get(me.address("DataEntry/record_home.php", id="one")).text
    assert (home.count(">Instruments<"), "Week 1" in home, home.count("</span> Intake<")) == (1, False, 1)
    made.admin.put({"record_id": "one", "height": "200"})
    visit = me.form("one", event_of(made), "visit")
    assert (visit.own["weight"], visit.own["height"]) == ("70.0", "200")
    assert me.form("one", event_of(made, "week_1_arm_1"), "visit").answer.status_code == 404
    made.admin.ok(content="project_settings", data={"is_longitudinal": 1})
    assert "Week 1" in me.get(me.address("DataEntry/record_home.php", id="one")).text


def test_a_concealed_target_shows_the_number_and_never_the_arm(new_clinic: Any, local_redcap: Running) -> None:
    """Neither on the form nor in its history (C.3.30.1200, 1500)."""
    made = new_clinic()
    with opened(made.db) as connection:
        model = Model(0, "name", "start_arm_1", (("sex", "start_arm_1"),), by_group=False)
        rid = define_randomization(connection, loaded(connection, made.project), model, datetime.now())
        project = loaded(connection, made.project)
        table = "redcap_randomization_number,redcap_randomization_group,sex\nN-017,secret,2\n"
        found = find_model(connection, project, rid)
        upload_allocations(connection, project, found, table, Upload(False, VERSION, datetime.now()))
    me, start = Person.entered(local_redcap.start(), "site_admin", made.project), event_of(made)
    me.form("1", start, "intake").save(sex="2")
    me.form("1", start, "intake").send("randomize", rid=str(rid))
    form = me.form("1", start, "intake")
    assert form.own["name"] == "N-017"
    history = me.get(me.address("DataEntry/data_history.php", id="1", event_id=start, field_name="name"))
    assert "<td>N-017</td>" in history.text
    assert "secret" not in form.answer.text + history.text + str(log_of(made, "1"))
