"""Features of REDCap's own validation about records, rights, groups, locks and randomization, at the pages.

What the entry of one form asks is in tests/product/test_local_pages.py; the numbers are those of
reference/redcap-validation-facts.md 11.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import pytest

from hands import START, Hand, Site, groups, links, log_lines, main, member, opens, presses, uploads
from redcap_local.administration import allow_groups, loaded, opened
from redcap_local.display_logic import set_display_logic
from redcap_local.randomization_setup import define_randomization
from redcap_local.storage.randomization import Model

pytestmark = pytest.mark.requirement("RCP-02")

Seated = Callable[..., Hand]
TABLE = "redcap_randomization_number,redcap_randomization_group"


def listed(hand: Hand) -> list[str]:
    """The forms on a record's own page, in order."""
    return [text.split(":")[0].strip() for text in hand.page.locator(".forms li").all_inner_texts()]


def follows(hand: Hand, name: str | re.Pattern[str]) -> None:
    with hand.page.expect_navigation():
        hand.page.get_by_role("link", name=name).first.click()


def defined(site: Site, target: str, *strata: str, by_group: bool = False, event: str = START) -> int:
    with opened(site.database) as connection:
        model = Model(0, target, event, tuple((name, START) for name in strata), by_group)
        return define_randomization(connection, loaded(connection, site.project), model, datetime.now())


# Records and grid ----------------------------------------------------------------------------------------------------


def test_arms_have_tabs_and_only_designated_forms_are_there(site: Site, seated: Seated) -> None:
    """B.3.14.0700, B.4.27.0300, B.4.27.0400: longitudinal off shows one list, on again the events as they were."""
    site.ask(content="arm", action="import", data=[{"arm_num": 2, "name": "Registry"}])
    site.ask(content="event", action="import", data=[{"event_name": "Only", "arm_num": 2}])
    mapping = site.ask(content="formEventMapping")
    added = {"arm_num": 2, "unique_event_name": "only_arm_2", "form": "limits"}
    site.ask(content="formEventMapping", data=[*mapping, added])
    site.put(record_id="one", who="A")
    site.ask(content="record", data=[{"redcap_event_name": "only_arm_2", "record_id": "two", "num": "1"}])
    admin = seated()
    assert links(admin) == ["one"]
    assert admin.page.locator("td .dot.s0").count() == 1
    follows(admin, "Arm 2: Registry")
    assert links(admin) == ["two"]
    assert admin.page.locator("thead th.form").all_inner_texts() == ["Limits"]
    admin.record("one")
    assert listed(admin) == ["Intake", "Limits", "Logic", "Medicine", "Logic", "Limits"]
    for longitudinal, names in (("0", ["Intake", "Limits", "Logic", "Medicine"]), ("1", listed(admin))):
        site.ask(content="project_settings", data={"is_longitudinal": longitudinal})
        admin.record("one")
        assert listed(admin) == names


def test_a_record_is_renamed_by_who_has_the_right(site: Site, seated: Seated) -> None:
    """B.3.14.0900: everything of it goes along; the old name leads to nothing."""
    site.put(record_id="1", who="A", num="3")
    member(site, "hal")
    admin, hal = seated(), seated("hal")
    hal.record("1")
    assert hal.page.get_by_role("button", name="Rename").count() == 0
    admin.record("1")
    admin.page.get_by_label("New record ID").fill("A-1")
    presses(admin, "Rename")
    assert (site.row("A-1")["who"], site.row("A-1")["num"], site.row("1")) == ("A", "3", {})
    hal.grid()
    assert links(hal) == ["A-1"]


# Rights --------------------------------------------------------------------------------------------------------------


def test_forms_are_edited_read_or_not_there(site: Site, seated: Seated) -> None:
    """B.2.6.0200: none, read only, edit; each for one form."""
    member(site, "ria", forms={"intake": 1, "limits": 2, "logic": 0, "medicine": 0})
    site.put(record_id="1", who="A", num="3")
    ria = seated("ria")
    ria.record("1")
    assert set(listed(ria)) == {"Intake", "Limits"}
    ria.go("limits", "1")
    assert "You may read this form, not change it." in main(ria)
    assert ria.page.get_by_role("button", name=re.compile("^Save")).count() == 0
    assert ria.reads("num") == "3"
    ria.go("logic", "1")
    assert "you have no access to the form" in main(ria)
    ria.go("intake", "1")
    ria.type("who", "B")
    ria.save()
    assert site.row("1")["who"] == "B"


def test_an_expired_user_is_out_until_the_expiry_is_lifted(site: Site, seated: Seated) -> None:
    """B.2.6.0100."""
    member(site, "exp")
    exp = seated("exp")
    for expiration, seen in (("2020-01-01", "or not any more"), ("", "Record status")):
        site.ask(content="user", data=[{"username": "exp", "expiration": expiration}])
        exp.grid()
        assert seen in main(exp)


# Groups --------------------------------------------------------------------------------------------------------------


def test_members_number_and_see_their_own_records(site: Site, seated: Seated) -> None:
    """B.2.10.0300, 0400, D.10.700: `<group>-<n>`; one group at a time; a moved record keeps its name."""
    groups(site, "North", "South")
    for name, group in (("nora", "north"), ("sven", "south"), ("both", "north")):
        member(site, name, data_access_group=group)
    with opened(site.database) as connection:
        project = loaded(connection, site.project)
        allow_groups(connection, project, "both", ["north", "south"])
        ids = {name: group.id for name, group in project.groups_by_name.items()}
    nora, sven, both = seated("nora"), seated("sven"), seated("both")
    for hand in (nora, nora, sven):
        hand.grid()
        follows(hand, "Add new record")
        follows(hand, re.compile("^Intake"))
        hand.type("who", "X")
        hand.save("Save & Exit Record")
    mine, theirs = [f"{ids['north']}-1", f"{ids['north']}-2"], [f"{ids['south']}-1"]
    assert (links(nora), links(sven)) == (mine, theirs)
    sven.record(mine[0])
    assert "X" not in main(sven)
    assert sven.page.get_by_role("link", name=re.compile("^Intake")).count() == 0
    both.grid()
    assert links(both) == mine
    both.page.get_by_role("combobox", name="Group").select_option("South")
    presses(both, "Switch")
    assert links(both) == theirs
    admin = seated()
    admin.record(mine[1])
    admin.page.get_by_label("Data access group").select_option("South")
    presses(admin, "Assign")
    sven.grid()
    assert links(sven) == [mine[1], *theirs]
    sven.record(mine[1])
    assert sven.page.get_by_role("button", name="Assign").count() == 0


# Locking -------------------------------------------------------------------------------------------------------------


def test_forms_and_records_are_locked_and_unlocked(site: Site, seated: Seated) -> None:
    """C.2.19.0200, 0300, 0400: who and when; nobody changes it meanwhile; a record locks all its forms."""
    member(site, "hal", logging=1)
    site.put(record_id="1", who="A", num="3")
    admin, hal = seated(), seated("hal")
    admin.go("limits", "1")
    presses(admin, "Lock form")
    assert re.search(r"This form was locked by site_admin at \d{4}-\d\d-\d\d", main(admin))
    hal.go("limits", "1")
    assert "This form was locked by site_admin" in main(hal)
    assert hal.page.get_by_role("button", name=re.compile("^(Save|Unlock)")).count() == 0
    hal.go("intake", "1")
    hal.type("who", "B")
    hal.save()
    admin.go("limits", "1")
    presses(admin, "Unlock form")
    admin.type("num", "4")
    admin.save()
    assert site.row("1")["num"] == "4"
    admin.record("1")
    presses(admin, "Lock record")
    for form in ("intake", "limits", "logic"):
        hal.go(form, "1")
        assert "This record is locked" in main(hal)
    admin.record("1")
    presses(admin, "Unlock record")
    told = [line.partition("Action: ")[2] for line in log_lines(hal, Event_type="lock_record")]
    assert told == [
        "Unlock entire record", "Lock entire record", "Unlock instrument, Form: Limits, Event: Start",
        "Lock instrument, Form: Limits, Event: Start",
    ]  # fmt: skip


# Randomization -------------------------------------------------------------------------------------------------------


def test_a_group_is_asked_for_and_two_models_fill_two_fields(site: Site, seated: Seated) -> None:
    """C.3.30.0600, 1100, 1400: by who has the right; gray for everybody before and after; each model once."""
    groups(site, "North")
    member(site, "hal")
    first = defined(site, "preset", by_group=True)
    defined(site, "town", "sex")
    site.put(record_id="1", who="A", sex="2")
    with opened(site.database) as connection:
        north = loaded(connection, site.project).groups_by_name["north"].id
    admin, hal = seated(), seated("hal")
    opens(admin, "Randomization")
    table = admin.page.locator(f'section[aria-labelledby="rid-{first}"]').get_by_label("for development")
    file = {
        "name": "t.csv",
        "mimeType": "text/csv",
        "buffer": f"{TABLE},redcap_data_access_group\n,5,{north}\n".encode(),
    }
    table.set_input_files(file)  # type: ignore[arg-type]
    with admin.page.expect_navigation():
        admin.page.get_by_role("button", name="Upload for development").first.click()
    file["buffer"] = f"{TABLE},sex\n,2,2\n".encode()
    admin.page.get_by_label("for development").last.set_input_files(file)  # type: ignore[arg-type]
    with admin.page.expect_navigation():
        admin.page.get_by_role("button", name="Upload for development").last.click()
    hal.go("logic", "1")
    assert "Not yet randomized" in hal.at("preset").inner_text()
    assert hal.page.get_by_role("button", name="Randomize").count() == 0
    assert hal.input("preset").first.is_disabled()
    presses(hal, "Cancel")
    admin.go("logic", "1")
    admin.press("Randomize")
    admin.page.locator("dialog[open] select").select_option(label="North")
    with admin.page.expect_navigation():
        admin.answers("Randomize")
    admin.go("intake", "1")
    assert "Not yet randomized" in admin.at("town").inner_text()
    admin.press("Randomize")
    with admin.page.expect_navigation():
        admin.answers("Randomize")
    assert "Already randomized" in admin.at("town").inner_text()
    assert admin.input("town").is_disabled()
    row = site.ask(content="record", exportDataAccessGroups="true", **{"records[0]": "1", "events[0]": START})[0]
    assert (row["preset"], row["town"], row["redcap_data_access_group"]) == ("5", "2", "north")
    assert site.log("1").count("Randomize Record 1: Randomize record") == 2


def test_a_text_field_conceals_the_arm(site: Site, seated: Seated) -> None:
    """C.3.30.1200, 1500: neither on the form, in history, log and export, nor on the page of the tables."""
    member(site, "mon", logging=1, random_dashboard=1)
    defined(site, "detail", "sex")
    site.put(record_id="1", who="A", sex="1", more="1")
    admin = seated()
    opens(admin, "Randomization")
    uploads(admin, "for development", f"{TABLE},sex\nN-017,hidden arm,1\n", "Upload for development")
    admin.go("logic", "1")
    admin.press("Randomize")
    with admin.page.expect_navigation():
        admin.answers("Randomize")
    assert admin.reads("detail") == "N-017"
    seen = [admin.page.content()]
    with admin.page.context.expect_page() as history:
        admin.page.get_by_role("link", name="history of Detail").click()
    assert "N-017" in history.value.locator("main").inner_text()
    seen.append(history.value.content())
    mon = seated("mon")
    opens(mon, "Randomization")
    assert "1 of those in use have been given" in main(mon)
    seen += [mon.page.content(), "\n".join(log_lines(mon)), str(site.row("1"))]
    assert not [text for text in seen if "hidden arm" in text]


# Logic of forms, history ---------------------------------------------------------------------------------------------


def test_forms_are_disabled_until_their_condition_holds(site: Site, seated: Seated) -> None:
    """D.103.100: enabled all the same where they hold data, hidden where that is wanted."""
    text = f"form_name,event_name,control_condition\nlimits,{START},[{START}][sex] = '2'\n"

    def decide(**how: bool) -> None:
        with opened(site.database) as connection:
            set_display_logic(connection, loaded(connection, site.project), text, **how)

    decide()
    admin = seated()
    admin.go("intake", "1")
    admin.type("who", "A")
    admin.save("Save & Exit Form")
    start = admin.page.locator("section.event").first
    assert start.get_by_role("link", name=re.compile("^Limits")).count() == 0
    assert "Limits" in start.inner_text()
    admin.go("intake", "1")
    admin.pick("sex", "2")
    admin.save("Save & Exit Form")
    with admin.page.expect_navigation():
        start.get_by_role("link", name=re.compile("^Limits")).click()
    admin.type("num", "3")
    admin.save()
    admin.go("intake", "1")
    admin.pick("sex", "1")
    admin.save()
    admin.go("limits", "1")
    assert "This form is disabled" in main(admin)
    decide(keeps_data=True)
    admin.go("limits", "1")
    admin.type("num", "4")
    admin.save()
    decide(hides=True)
    admin.record("1")
    assert "Limits" not in start.inner_text()


def test_a_field_s_history_opens_beside_it(site: Site, seated: Seated) -> None:
    """D.113.200, B.2.23.0100: every value with who and when; of a text that looks like the log too."""
    member(site, "hal")
    admin, hal = seated(), seated("hal")
    odd = "B', sex = '1"
    for hand, text in ((admin, "A"), (hal, odd)):
        hand.go("intake", "1")
        hand.type("who", text)
        hand.save("Save & Exit Form")
    admin.go("intake", "1")
    with admin.page.context.expect_page() as opened_page:
        admin.page.get_by_role("link", name="history of Name").click()
    history = opened_page.value
    rows = [row.inner_text().split("\t")[1:] for row in history.locator("tbody tr").all()]
    assert rows == [["site_admin", "A"], ["hal", odd]]
    assert log_lines(admin, Record="1")[0] == f"hal: Update record 1: who = '{odd}'"
