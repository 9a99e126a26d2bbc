"""The pages of the local REDCap in a real browser: what REDCap's own validation features ask of entry pages.

The numbers are those of reference/redcap-validation-facts.md 11.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from browser import launched
from hands import Hand, Site, furnished, seat
from pages import VERSION
from redcap_local.administration import loaded, opened
from redcap_local.randomization_setup import Upload, define_randomization, find_model, upload_allocations
from redcap_local.server import running
from redcap_local.storage.randomization import Model
from redcap_rules.validation import NOT_A_NUMBER, NOT_A_TIME, NOT_AN_EMAIL, NOT_AN_INTEGER, WRONG_FORMAT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.requirement("RCP-02")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = tmp_path_factory.mktemp("pages") / "redcap.db"
    with running(database) as server:
        yield furnished(server, database)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def seated(site: Site, browser: Browser) -> Iterator[Callable[..., Hand]]:
    """A function that seats a user at a browser of their own, the same one every time."""
    known: dict[str, Hand] = {}

    def seated_as(user: str = "site_admin") -> Hand:
        if user not in known:
            known[user] = seat(browser, site, user)
        return known[user]

    yield seated_as
    for hand in known.values():
        hand.page.context.close()


@pytest.fixture
def hand(seated: Callable[..., Hand]) -> Iterator[Hand]:
    """The project's creator at a browser; no page may have had an error."""
    person = seated()
    yield person
    refusals = ("409 (CONFLICT)", "400 (BAD REQUEST)")
    wrong = [text for text in person.wrong if not any(word in text for word in refusals)]
    person.wrong.clear()
    person.page.goto("about:blank")
    assert not wrong


def test_a_new_record_has_the_next_number_and_exists_once_saved(hand: Hand) -> None:
    """B.3.14.0100, 0700: cancelled, there is nothing; the grid shows four states."""
    hand.grid()
    with hand.page.expect_navigation():
        hand.page.get_by_role("link", name="Add new record").click()
    name = hand.page.locator("h1").inner_text().removeprefix("Adding new Record ID ")
    with hand.page.expect_navigation():
        hand.page.get_by_role("link", name=re.compile("^Intake")).click()
    assert hand.page.locator("h1").inner_text() == f"Adding new Record ID {name}"
    with hand.page.expect_navigation():
        hand.press("Cancel")
    assert "data entry cancelled - not saved" in hand.page.locator("main").inner_text()
    assert not hand.site.row(name)
    for form, status in (("intake", "Incomplete"), ("limits", "Unverified"), ("logic", "Complete")):
        hand.go(form, name)
        if form == "intake":
            hand.type("who", "Ann")
        hand.input(f"{form}_complete").select_option(label=status)
        hand.save()
    hand.grid()
    row = hand.page.locator("tbody tr", has=hand.page.get_by_role("rowheader", name=name, exact=True))
    told = [mark.get_attribute("title") for mark in row.locator("a.dot").all()]
    assert [text.rpartition(": ")[2] for text in told[:4] if text] == [
        "Incomplete", "Unverified", "Complete", "no data saved",
    ]  # fmt: skip


def test_every_type_of_field_is_entered_stored_and_shown_again(hand: Hand) -> None:
    """B.3.14.0200: and the log has every value."""
    hand.go("intake", "types")
    hand.type("who", "Bo")
    hand.type("born", "1-2-1950")
    hand.type("seen", "2026-11-23 08:30")
    hand.type("clock", "07:15")
    hand.pick("sex", "2")
    hand.pick("smoker", "0")
    hand.pick("agrees", "1")
    hand.input("town").select_option(label="Odense & Fyn")
    hand.pick("fears", "1")
    hand.type("remark", "two\nlines")
    hand.input("pain").fill("71")
    hand.pick("sleep", "3")
    hand.pick("walk", "1")
    hand.save()
    values = {
        "who": "Bo", "born": "1950-02-01", "seen": "2026-11-23 08:30", "clock": "07:15", "sex": "2", "smoker": "0",
        "agrees": "1", "town": "2", "fears___1": "1", "fears___2": "0", "remark": "two\nlines", "pain": "71",
        "sleep": "3", "walk": "1", "intake_complete": "0",
    }  # fmt: skip
    row = hand.site.row("types")
    assert {name: row[name] for name in values} == values
    assert (hand.reads("born"), hand.reads("seen"), hand.reads("remark")) == (
        "01-02-1950",
        values["seen"],
        "two\nlines",
    )
    assert hand.page.locator('input[name="sleep"][value="3"]').is_checked()
    assert "fears(1) = checked" in hand.site.log("types")[0]


def test_a_radio_is_reset_to_a_blank(hand: Hand) -> None:
    """B.3.14.0300: the log says so."""
    hand.site.put(record_id="reset", who="R", sex="1", sleep="2")
    hand.go("intake", "reset")
    for name in ("sex", "sleep"):
        hand.at(name).get_by_role("button", name="reset").click()
    hand.save()
    assert (hand.site.row("reset")["sex"], hand.site.row("reset")["sleep"]) == ("", "")
    assert "sex = ''" in hand.site.log("reset")[0]


def test_dates_have_a_calendar_and_today_and_now(hand: Hand) -> None:
    """B.3.14.0400: and neither button when the project does not want them."""
    hand.go("intake", "dates")
    hand.at("born").get_by_role("button", name="Today").click()
    assert hand.reads("born") == f"{date.today():%d-%m-%Y}"
    hand.at("clock").get_by_role("button", name="Now").click()
    assert re.fullmatch(r"\d\d:\d\d", hand.reads("clock"))
    hand.at("born").locator("input.picker").fill("1950-02-01")
    assert hand.reads("born") == "01-02-1950"
    hand.site.set(display_today_now_button="0")
    hand.go("intake", "dates")
    assert hand.page.get_by_role("button", name="Today").count() == 0
    hand.site.set(display_today_now_button="1")


# Where each way to save leads: a piece of the address, and what its heading says.
WAYS = {
    "Save & Stay": ("index.php", "Record ID ways1"),
    "Save & Exit Form": ("record_home.php", "Record ID ways1"),
    "Save & Go To Next Form": ("page=logic", "Record ID ways1"),
    "Save & Exit Record": ("record_status_dashboard.php", "Record status"),
    "Save & Go To Next Record": ("id=ways2", "Record ID ways2"),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_save_leads_somewhere(hand: Hand, way: str) -> None:
    """B.3.14.0500."""
    hand.site.put(record_id="ways1", who="W")
    hand.site.put(record_id="ways2", who="W")
    hand.go("limits", "ways1")
    hand.type("num", str(len(way)))
    hand.save(way)
    address, heading = WAYS[way]
    assert address in hand.page.url
    assert heading in hand.page.locator("h1").inner_text()
    assert hand.site.row("ways1")["num"] == str(len(way))


def test_leaving_with_changes_asks(hand: Hand) -> None:
    """B.3.14.0600: save and leave, leave, stay; without changes nothing is asked."""
    hand.site.put(record_id="leave", who="L")
    hand.go("limits", "leave")
    with hand.page.expect_navigation():
        hand.page.get_by_role("link", name="Playground").click()
    assert "dashboard" in hand.page.url
    hand.go("limits", "leave")
    hand.type("num", "1")
    hand.page.get_by_role("link", name="Playground").click()
    hand.answers("Stay")
    assert "index.php" in hand.page.url
    hand.page.get_by_role("link", name="Playground").click()
    with hand.page.expect_navigation():
        hand.answers("Leave without saving")
    assert hand.site.row("leave")["num"] == ""
    hand.go("limits", "leave")
    hand.type("num", "2")
    hand.page.get_by_role("link", name="Playground").click()
    with hand.page.expect_navigation():
        hand.answers("Save and leave")
    assert hand.site.row("leave")["num"] == "2"


def test_a_required_field_that_is_blank_is_named_once_the_rest_is_saved(hand: Hand) -> None:
    """B.3.14.0500: the button leads where it said it would once that is wanted all the same."""
    hand.go("intake", "needs")
    hand.type("remark", "x")
    hand.save("Save & Go To Next Form")
    assert hand.site.row("needs")["remark"] == "x"
    assert hand.asked.endswith("these have no value: “Name”.")
    hand.answers("Okay")
    assert hand.page.evaluate("document.activeElement.name") == "who"
    hand.save("Save & Exit Form")
    with hand.page.expect_navigation():
        hand.answers("Ignore and go on")
    assert "Record ID needs was saved." in hand.page.locator("main").inner_text()
    hand.go("intake", "needs")
    hand.type("who", "N")
    hand.save()
    assert hand.asked == ""


def test_a_missing_data_code_is_chosen_beside_any_field(hand: Hand) -> None:
    """D.113.100: it stands in place of an answer, which then is not typed; a checkbox ticks it alone."""
    hand.site.set(missing_data_codes="INV, Invalid | UNK, Unknown")
    hand.site.put(record_id="codes", who="C", sex="1", fears___1="1")
    hand.go("intake", "codes")
    for name in ("born", "sex", "fears", "town", "pain", "remark", "sleep"):
        hand.at(name).get_by_role("button", name="missing data code of").click()
        hand.answers("Unknown (UNK)")
        assert "Unknown (UNK)" in hand.at(name).inner_text()
        assert hand.input(name).first.is_disabled()
    assert hand.at("told").inner_text().startswith("Dear C, you are Unknown, born Unknown; fears: Unknown.")
    hand.at("town").get_by_role("button", name="missing data code of").click()
    hand.answers("Clear it")
    hand.save()
    row = hand.site.row("codes")
    assert [row[name] for name in ("born", "sex", "town", "pain", "remark", "sleep")] == [
        "UNK",
        "UNK",
        "",
        *["UNK"] * 3,
    ]
    assert [row[f"fears___{code}"] for code in ("1", "2", "inv", "unk")] == ["0", "0", "0", "1"]
    assert hand.input("born").is_disabled()
    assert hand.at("born").get_by_role("button", name="Today").is_disabled()
    hand.at("born").get_by_role("button", name="missing data code of").click()
    hand.answers("Clear it")
    assert hand.input("born").is_enabled()
    hand.site.set(missing_data_codes="")


def test_deleting_asks_first(hand: Hand) -> None:
    """B.3.14.1000 to 1200: the form, the event, the record."""
    hand.site.put(record_id="del", who="D", num="1", weight="70")
    hand.go("limits", "del")
    hand.press("Delete data of this form")
    hand.answers("Cancel")
    assert hand.site.row("del")["num"] == "1"
    hand.press("Delete data of this form")
    with hand.page.expect_navigation():
        hand.answers("Delete")
    assert (hand.site.row("del")["num"], hand.site.row("del")["weight"]) == ("", "70")
    hand.record("del")
    hand.press("Delete record")
    with hand.page.expect_navigation():
        hand.answers("Delete record")
    assert not hand.site.row("del")


# Field, text typed, what the field says, what stands in it afterwards.
TYPED: list[tuple[str, str, str, str]] = [
    ("num", "1.5", "", "1.5"), ("num", "0.0", "", "0.0"),
    ("num", "1,5", f"“1,5”: {NOT_A_NUMBER} Required format: Number", ""),
    ("num1", "10.0", "", "10.0"), ("num1", "10", f"“10”: {WRONG_FORMAT} Required format: Number (1 decimal place)", ""),
    ("comma", "1,5", "", "1,5"),
    ("comma", "1.5", f"“1.5”: {WRONG_FORMAT} Required format: Number (comma as decimal)", ""),
    ("int", "7", "", "7"), ("int", "7.5", f"“7.5”: {NOT_AN_INTEGER} Required format: Integer", ""),
    ("int", "11", "(5 - 10)", "11"), ("int", "4", "(5 - 10)", "4"),
    ("mail", "a@b.dk", "", "a@b.dk"), ("mail", "a@b", f"“a@b”: {NOT_AN_EMAIL} Required format: Email", ""),
    ("day", "2026-5-1", "", "2026-05-01"), ("day", "2025-12-31", "(2026-01-01 - 2026-12-31)", "2025-12-31"),
    ("day", "2026-02-30", f"“2026-02-30”: {WRONG_FORMAT} Required format: Date (Y-M-D)", ""),
    ("moment", "07-31-2026 14:49:00", "", "07-31-2026 14:49:00"),
    ("moment", "31-07-2026 14:49:00", "Required format: Datetime w/ seconds (M-D-Y)", ""),
    ("hour", "08:30", "", "08:30"), ("hour", "07:59", "(08:00 - 16:00)", "07:59"),
    ("hour", "24:10", f"“24:10”: {NOT_A_TIME} Required format: Time (HH:MM)", ""),
    ("zip", "12345", "", "12345"), ("zip", "1234", "Required format: Zipcode (U.S.)", ""),
    ("phone", "(615) 322-2222", "", "(615) 322-2222"), ("phone", "12", "Required format: Phone (North America)", ""),
]  # fmt: skip


def test_values_of_every_type_right_out_of_range_and_wrong(hand: Hand) -> None:
    """B.4.8.0200, 0300: a warning keeps the value with the limits of the dictionary, a wrong form clears it."""
    hand.go("limits", "typed")
    for name, text, told, left in TYPED:
        said = hand.type(name, text)
        assert (said.endswith(told) or f"{told}. This value is admissible" in said) if told else said == "", (
            name,
            text,
        )
        assert hand.reads(name) == left, (name, text)
    hand.type("int", "11")
    hand.type("num", "0.0")
    hand.press("Save & Stay")
    with hand.page.expect_navigation():
        hand.answers("Save without it")
    assert (hand.site.row("typed")["int"], hand.site.row("typed")["num"]) == ("11", "0.0")


def test_a_cleared_value_is_not_saved_unnoticed(hand: Hand) -> None:
    """B.4.8.0300: who types something wrong and saves at once is told first."""
    hand.go("limits", "cleared")
    hand.input("mail").fill("nobody")
    hand.press("Save & Stay")
    assert "“E-mail”" in hand.asked
    hand.answers("Back to the field")
    hand.input("mail").fill("a@b.dk")
    hand.save()
    assert hand.site.row("cleared")["mail"] == "a@b.dk"


def test_branching_follows_while_typing_and_asks_before_it_erases(hand: Hand) -> None:
    """B.4.9.0100, D.113.300: what one keeps stays to be seen; what one erases is erased."""
    hand.go("logic", "branch")
    assert not hand.sees("detail")
    hand.pick("more", "1")
    hand.type("detail", "x")
    hand.pick("more", "0")
    assert "“Detail”" in hand.asked
    hand.answers("Keep it")
    assert hand.sees("detail")
    hand.save()
    assert hand.site.row("branch")["detail"] == "x"
    hand.pick("more", "1")
    hand.pick("more", "0")
    hand.answers("Erase")
    assert not hand.sees("detail")
    hand.pick("ticks", "3")
    assert hand.sees("third")
    hand.save()
    assert hand.site.row("branch")["detail"] == ""
    hand.site.set(bypass_branching_erase_field_prompt="1")
    hand.go("logic", "branch")
    hand.type("third", "y")
    hand.pick("ticks", "3")
    assert (hand.asked, hand.sees("third")) == ("", False)
    hand.site.set(bypass_branching_erase_field_prompt="0")


def test_a_project_may_keep_what_branching_would_hide(hand: Hand) -> None:
    """D.113.300: with that setting nothing is asked and nothing hidden."""
    hand.site.put(record_id="keep", who="K", more="1", detail="x")
    hand.site.set(branching_keeps_values="1")
    hand.go("logic", "keep")
    hand.pick("more", "0")
    assert (hand.asked, hand.sees("detail")) == ("", True)
    hand.save()
    assert hand.site.row("keep")["detail"] == "x"
    hand.site.set(branching_keeps_values="0")


def test_a_project_may_ask_why_data_are_changed(hand: Hand) -> None:
    """D.113.400: of what is stored, not of what is new; the log has the reason."""
    hand.site.set(require_change_reason="1")
    hand.go("limits", "why")
    hand.type("num", "1")
    hand.save()
    hand.save()
    hand.type("num", "2")
    hand.press("Save & Stay")
    assert hand.asked == "Why are the data changed?"
    hand.page.locator("dialog textarea").fill("misread")
    with hand.page.expect_navigation():
        hand.answers("Save")
    assert hand.site.log("why")[:2] == [
        "Update record why: Reason for data change(s): misread", "Update record why: num = '2'",
    ]  # fmt: skip
    hand.site.set(require_change_reason="0")


def test_branching_reads_another_instance(hand: Hand) -> None:
    """D.9.200: blank while that instance is missing."""
    hand.go("medicine", "inst", instance=1)
    hand.type("dose", "20")
    hand.save("Save & Add New Instance")
    assert "instance=2" in hand.page.url
    hand.go("logic", "inst")
    assert not hand.sees("earlier")
    hand.go("medicine", "inst", instance=2)
    hand.type("dose", "20")
    hand.save()
    hand.go("logic", "inst", event="later_arm_1")
    assert hand.sees("earlier")


def test_calculations_follow_while_typing_and_are_saved(hand: Hand) -> None:
    """D.110.100, D.107.100, B.6.7.0900: with blanks, texts, dates, and one that needs no field."""
    hand.go("logic", "calc")
    assert (hand.reads("bmi"), hand.reads("word"), hand.reads("six")) == ("", "low", "6")
    hand.type("weight", "90")
    hand.type("height", "180")
    assert (hand.reads("bmi"), hand.reads("word")) == ("27.8", "high")
    hand.type("start", "01-07-2026")
    assert (hand.reads("gap"), hand.reads("next")) == ("14", "08-07-2026")
    hand.save()
    row = hand.site.row("calc")
    assert [row[name] for name in ("bmi", "word", "six", "gap", "next")] == ["27.8", "high", "6", "14", "2026-07-08"]


def test_action_tags_fill_hide_and_lock(hand: Hand) -> None:
    """D.107.100: defaults only where the form has no data yet; `@IF` is decided when the form is opened."""
    hand.go("logic", "tags")
    assert hand.page.locator('input[name="preset"]:checked').input_value() == "5"
    assert hand.page.locator('input[name="preset"][value="6"]').count() == 0
    assert (hand.reads("text"), hand.reads("today"), hand.reads("user")) == (
        "some words", f"{date.today()}", "site_admin",
    )  # fmt: skip
    assert hand.input("user").get_attribute("readonly") is not None
    assert not hand.sees("unseen")
    hand.type("text", "")
    hand.save()
    assert hand.reads("text") == ""
    assert (hand.site.row("tags")["unseen"], hand.site.row("tags")["preset"]) == ("kept", "5")
    hand.go("logic", "secret")
    assert hand.page.locator('input[name="preset"][value="6"]').count() == 1


def test_labels_pipe_values_and_embed_fields(hand: Hand) -> None:
    """D.109.100, D.120.100, D.108.100: labels of choices, ______ while blank, nothing of it as mark-up."""
    hand.go("intake", "pipe")
    told = hand.at("told")
    assert told.inner_text().startswith("Dear ______, you are ______, born ______; fears: ______.")
    hand.type("who", "<b>Eve</b>")
    hand.pick("sex", "1")
    hand.type("born", "01-02-1950")
    hand.pick("fears", "1")
    hand.pick("fears", "2")
    assert told.inner_text().startswith("Dear <b>Eve</b>, you are Female, born 01-02-1950; fears: Needles, Heights.")
    assert hand.at("sex").locator(".label").inner_text() == "Sex of <b>Eve</b>"
    told.locator("input").fill("Evie")
    told.locator("input").blur()
    assert not hand.at("nick").is_visible()
    hand.save()
    assert hand.site.row("pipe")["nick"] == "Evie"
    hand.go("logic", "pipe")
    assert hand.at("smart").inner_text().strip() == "site_admin in Start, logic of pipe"


def test_the_second_editor_reads_and_is_told_who_writes(hand: Hand, seated: Callable[..., Hand]) -> None:
    """D.129.100: until the first one leaves, by closing the page too."""
    hand.site.ask(
        content="user",
        data=[{"username": "bea", "forms": {form: 1 for form in ("intake", "limits", "logic", "medicine")}}],
    )
    bea = seated("bea")
    hand.site.put(record_id="two", who="T", num="1")
    hand.go("limits", "two")
    bea.go("limits", "two")
    assert "site_admin has had this form open" in bea.page.locator("main").inner_text()
    assert bea.input("num").get_attribute("readonly") is not None
    assert bea.page.get_by_role("button", name=re.compile("^Save")).count() == 0
    hand.page.goto("about:blank")
    for _ in range(20):  # the word that it was left is sent as the page goes
        bea.go("limits", "two")
        if bea.input("num").get_attribute("readonly") is None:
            break
        bea.page.wait_for_timeout(250)
    assert bea.input("num").get_attribute("readonly") is None


def test_both_values_are_shown_when_a_form_was_changed_meanwhile(hand: Hand) -> None:
    """D.129.100: nothing is stored; one takes over what one wants to keep."""
    hand.site.put(record_id="both", who="B", num="1", mail="a@b.dk")
    hand.go("limits", "both")
    hand.type("num", "3")
    hand.type("mail", "c@d.dk")
    hand.site.put(record_id="both", num="2")
    hand.save()
    assert "Nothing was saved" in hand.page.locator("#conflict").inner_text()
    rows = [row.inner_text().split("\t")[:3] for row in hand.page.locator(".both tbody tr").all()]
    assert rows == [["Number", "2", "3"], ["E-mail", "a@b.dk", "c@d.dk"]]
    assert hand.site.row("both")["num"] == "2"
    hand.press("Use mine: E-mail")
    hand.save()
    assert (hand.site.row("both")["num"], hand.site.row("both")["mail"]) == ("2", "c@d.dk")


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_are_fit_for_everybody(hand: Hand, width: int) -> None:
    """Nothing serious for those who can't see them well, and nothing wider than a telephone."""
    from axe_playwright_python.sync_playwright import Axe

    hand.site.put(record_id="axe", who="A", sex="1", more="1")
    hand.page.set_viewport_size({"width": width, "height": 844})
    try:
        field = f"event_id={hand.site.events['start_arm_1']}&field_name=sex"
        places: list[Callable[[], object]] = [
            lambda: hand.page.goto(hand.site.server.url.removesuffix("api/")),
            hand.grid,
            lambda: hand.record("axe"),
            lambda: hand.visit(f"DataEntry/data_history.php?pid={hand.site.project}&id=axe&{field}"),
            lambda: hand.go("intake", "axe"),
            lambda: hand.press("Delete data of this form"),
            lambda: hand.go("logic", "axe"),
        ]
        for place in places:
            place()
            found = Axe().run(hand.page).response["violations"]
            assert not [
                (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in {"serious", "critical"}
            ]
            assert hand.page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        hand.page.set_viewport_size({"width": 1280, "height": 900})


def test_a_form_is_filled_in_by_keyboard_alone(hand: Hand) -> None:
    """From the first field to the saved record."""
    hand.go("limits", "keys")
    hand.input("num").focus()
    keys = hand.page.keyboard
    keys.type("12")
    keys.press("Tab")
    keys.type("3.4")
    for _ in range(40):
        keys.press("Tab")
        if hand.page.evaluate("document.activeElement.textContent") == "Save & Exit Form":
            break
    with hand.page.expect_navigation():
        keys.press("Enter")
    row = hand.site.row("keys")
    assert (row["num"], row["num1"]) == ("12", "3.4")


def test_the_target_of_a_randomization_is_filled_by_its_dialog(hand: Hand) -> None:
    """C.3.30.0500, 1100: gray before and after; the dialog asks for the strata; once and no more."""
    site = hand.site
    with opened(site.database) as connection:
        project = loaded(connection, site.project)
        model = Model(0, "preset", "later_arm_1", (("sex", "start_arm_1"),), by_group=False)
        rid = define_randomization(connection, project, model, datetime.now())
    with opened(site.database) as connection:
        table = "redcap_randomization_number,redcap_randomization_group,sex\n,6,1\n,1,2\n"
        project = loaded(connection, site.project)
        found = find_model(connection, project, rid)
        upload_allocations(connection, project, found, table, Upload(False, VERSION, datetime.now()))
    site.put(record_id="random", who="R")
    hand.go("logic", "random", "later_arm_1")
    assert "Not yet randomized" in hand.at("preset").inner_text()
    assert hand.page.locator('input[name="preset"]').first.is_disabled()
    hand.type("weight", "80")
    hand.press("Randomize")
    hand.answers("Save & Stay")
    hand.press("Randomize")
    hand.page.locator("dialog[open] select").select_option(label="Male")
    with hand.page.expect_navigation():
        hand.page.locator("dialog[open]").get_by_role("button", name="Randomize").click()
    assert "Already randomized" in hand.at("preset").inner_text()
    assert hand.page.get_by_role("button", name="Randomize").count() == 0
    assert (site.row("random")["sex"], site.row("random", "later_arm_1")["preset"]) == ("2", "1")
    assert any(line.startswith("Randomize Record random: Randomize record") for line in site.log("random"))
    hand.go("intake", "random")
    assert hand.page.locator('input[name="sex"]').first.is_disabled()
    site.put(record_id="none left", who="N", sex="2")
    hand.go("logic", "none left", "later_arm_1")
    hand.save()
    hand.press("Randomize")
    with hand.page.expect_navigation():
        hand.page.locator("dialog[open]").get_by_role("button", name="Randomize").click()
    assert "there are no allocations available" in hand.page.locator(".fault").inner_text()
    site.set(randomization_enabled="0")
