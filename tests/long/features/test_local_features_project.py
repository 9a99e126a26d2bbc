"""Features of REDCap's own validation that go beyond the entry of a form, step by step at the pages in a real browser.

The numbers are those of reference/redcap-validation-facts.md 11; what each asks stands there in 3 to 10.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest

from hands import FORMS, START, Hand, Site, groups, links, log_lines, main, member, opens, presses, uploads
from redcap_local.administration import loaded, opened
from redcap_local.allocation_table import APPENDED, BAD_HEADER, DUPLICATE_TABLE, ERRORS, SUCCESS
from redcap_local.pages.rooms import ROOMS
from redcap_local.randomization_setup import define_randomization, find_model, set_trigger
from redcap_local.storage.randomization import Model, Trigger

pytestmark = pytest.mark.requirement("RCP-02")

TABLE = "redcap_randomization_number,redcap_randomization_group,sex"


def test_the_project_is_moved_to_production_and_back(site: Site, seated: Callable[..., Hand]) -> None:
    """B.6.11.0300: a question first; records kept; then deleted; the log has each step."""
    member(site, "dee", design=1, logging=1)
    site.put(record_id="1", who="A")
    dee, admin = seated("dee"), seated()
    opens(dee, "Project setup")
    assert "development" in main(dee)
    dee.press("Move to production")
    dee.answers("Cancel")
    assert "development" in main(dee)
    dee.press("Move to production")
    with dee.page.expect_navigation():
        dee.answers("Move to production")
    assert "The project is in production now." in main(dee)
    assert dee.page.get_by_role("button", name="Move back to development").count() == 0
    assert site.row("1")["who"] == "A"
    opens(admin, "Project setup")
    admin.press("Move back to development")
    with admin.page.expect_navigation():
        admin.answers("Move back to development")
    opens(dee, "Project setup")
    dee.page.get_by_label("Delete ALL data in the project").check()
    dee.press("Move to production")
    with dee.page.expect_navigation():
        dee.answers("Move to production")
    assert "holds 0 records" in main(dee)
    dee.grid()
    assert "There are no records yet." in main(dee)
    told = [line for line in log_lines(dee, Event_type="manage") if "Move" in line]
    assert told == [
        "dee: Manage/Design: Move project to Production status (delete all records)",
        "site_admin: Manage/Design: Move project back to Development status",
        "dee: Manage/Design: Move project to Production status",
    ]


def test_records_are_named_and_renamed_by_who_may(site: Site, seated: Callable[..., Hand]) -> None:
    """B.3.14.0800: names typed where nothing is numbered; a name that is taken is refused; the log has the new one."""
    site.set(record_autonumbering_enabled="0")
    member(site, "ren", record_rename=1)
    member(site, "not")
    ren = seated("ren")
    ren.page.get_by_label("New record ID").fill("P-7")
    presses(ren, "Add new record")
    assert ren.page.locator("h1").inner_text() == "Adding new Record ID P-7"
    with ren.page.expect_navigation():
        ren.page.get_by_role("link", name="Intake").first.click()
    ren.type("who", "A")
    ren.save("Save & Exit Form")
    site.put(record_id="P-8", who="B")
    ren.page.get_by_label("New record ID").fill("P-8")
    presses(ren, "Rename")
    assert "P-8" in main(ren)
    assert site.row("P-7")["who"] == "A"
    ren.record("P-7")
    ren.page.get_by_label("New record ID").fill("P-9")
    presses(ren, "Rename")
    assert "The record is called P-9 now." in main(ren)
    ren.grid()
    assert links(ren) == ["P-8", "P-9"]
    assert "Update record P-9: record_id = 'P-9'" in site.log("P-9")
    other = seated("not")
    other.record("P-9")
    assert other.page.get_by_role("button", name="Rename").count() == 0


def test_a_record_is_put_into_a_group_by_who_is_in_none(site: Site, seated: Callable[..., Hand]) -> None:
    """B.2.10.0600: to one, to another, to none; it keeps its name, and members follow what they see."""
    groups(site, "North", "South")
    member(site, "nora", data_access_group="north")
    member(site, "sven", data_access_group="south")
    site.put(record_id="1", who="A")
    admin, nora, sven = seated(), seated("nora"), seated("sven")
    for group, seen in (("North", (["1"], [])), ("South", ([], ["1"])), ("none", ([], []))):
        admin.record("1")
        admin.page.get_by_label("Data access group").select_option(label=group)
        presses(admin, "Assign")
        assert "is in its data access group now" in main(admin)
        for hand, names in zip((nora, sven), seen, strict=True):
            hand.grid()
            assert links(hand) == names
    assert [line for line in site.log("1") if "Assign" in line] == [
        f"Update record 1: Assign record to Data Access Group (redcap_data_access_group = '{name}')"
        for name in ("", "south", "north")
    ]
    nora.go("intake", "n")
    nora.type("who", "N")
    nora.save("Save & Exit Form")
    assert nora.page.get_by_role("button", name="Assign").count() == 0


def test_the_log_is_read_by_type_user_and_record(site: Site, seated: Callable[..., Hand]) -> None:
    """B.2.23.0300: every kind of event has its line; a member of a group reads what concerns the group."""
    groups(site, "North")
    member(site, "nora", data_access_group="north", logging=1, record_delete=1)
    member(site, "hal")
    nora, admin, hal = seated("nora"), seated(), seated("hal")
    assert hal.page.get_by_role("link", name="Logging").count() == 0
    nora.go("intake", "n")
    nora.type("who", "N")
    nora.pick("sex", "1")
    nora.save()
    nora.at("sex").get_by_role("button", name="reset").click()
    nora.pick("fears", "1")
    nora.save()
    site.put(record_id="other", who="O")
    created = "nora: Create record n: record_id = 'n', who = 'N', intake_complete = '0', sex = '1'"
    assert log_lines(nora, Event_type="record") == ["nora: Update record n: fears(1) = checked, sex = ''", created]
    assert log_lines(admin, Event_type="record_add", User="nora") == [created]
    assert log_lines(admin, Record="other")[0].startswith("site_admin: Create record (API) other")
    assert log_lines(admin, Record="n", To="2020-01-01T00:00") == []
    nora.record("n")
    nora.press("Delete record")
    with nora.page.expect_navigation():
        nora.answers("Delete record")
    assert log_lines(admin, Event_type="record_delete") == ["nora: Delete record n: record_id = 'n'"]


def test_exports_hold_what_the_export_right_leaves(site: Site, seated: Callable[..., Hand]) -> None:
    """B.2.6.0300: four users with four rights; who has none finds no page."""
    site.put(record_id="1", who="A", born="1950-02-01", remark="talks", sex="1")
    site.put(record_id="1", mail="a@b.dk", num="5")
    for name, right in (("full", 1), ("deid", 2), ("noid", 3), ("none", 0)):
        member(site, name, forms_export=dict.fromkeys(FORMS, right))
    rows: dict[str, dict[str, str]] = {}
    for name in ("full", "noid", "deid"):
        hand = seated(name)
        opens(hand, "Data export")
        hand.page.get_by_label("CSV (labels)" if name == "noid" else "CSV (raw data)").check()
        with hand.page.expect_download() as given:
            hand.press("Export data")
        assert given.value.suggested_filename.startswith("Playground_DATA")
        text = Path(given.value.path()).read_text(encoding="utf-8")
        rows[name] = next(csv.DictReader(StringIO(text)))
    assert (rows["full"]["who"], rows["full"]["born"], rows["full"]["remark"]) == ("A", "1950-02-01", "talks")
    assert (rows["noid"]["Born"], rows["noid"]["E-mail"]) == ("1950-02-01", "a@b.dk")
    assert not {"who", "remark", "nick"} & set(rows["deid"])
    assert {"born", "scan", "mail"} < set(rows["deid"])
    assert (rows["deid"]["sex"], rows["deid"]["num"]) == ("1", "5")
    assert "1949-01-31" < rows["deid"]["born"] < "1950-02-01"
    assert seated("none").page.get_by_role("link", name="Data export").count() == 0


def test_imports_are_reviewed_and_need_the_rights(site: Site, seated: Callable[..., Hand]) -> None:
    """B.3.16.1000, 1100: a spreadsheet's dates and empty lines; no new records without the right to make them."""
    member(site, "imp", data_import_tool=1, record_create=0, logging=1)
    member(site, "hal")
    site.put(record_id="1", who="A", born="1950-02-01")
    assert seated("hal").page.get_by_role("link", name="Data import").count() == 0
    imp = seated("imp")
    opens(imp, "Data import")
    imp.page.get_by_label("Dates are written").select_option("MM/DD/YYYY")
    head = "record_id,redcap_event_name,who,born"
    said = uploads(imp, "CSV file", f"{head}\n2,{START},B,7/7/1940\n", "Review the file")
    assert "2" in said and "create" in said
    assert not site.row("2")
    imp.page.get_by_label("Dates are written").select_option("MM/DD/YYYY")
    said = uploads(imp, "CSV file", f"{head}\n1,{START},,2/25/43\n,,,\n,,,\n", "Review the file")
    assert "1 record, 1 value would change. Nothing is stored yet." in said
    assert site.row("1")["born"] == "1950-02-01"
    presses(imp, "Import data")
    assert "1 record imported." in main(imp)
    assert (site.row("1")["who"], site.row("1")["born"]) == ("A", "1943-02-25")
    assert log_lines(imp, Record="1")[0] == "imp: Update record (import) 1: born = '1943-02-25'"
    opens(imp, "Data import")
    said = uploads(imp, "CSV file", f"{head}\n1,{START},A,1943-13-25\n", "Review the file")
    assert "could not be validated" in said
    with opened(site.database) as connection:
        connection.execute("update record set locked = 1 where project = ?", (site.project,))
    said = uploads(imp, "CSV file", f"{head}\n1,{START},C,\n", "Review the file")
    assert "locked" in said
    assert site.row("1")["who"] == "A"


def test_rules_are_executed_within_the_group(site: Site, seated: Callable[..., Hand]) -> None:
    """C.4.18.1300: added by one user, executed by members; each sees the discrepancies of their own records."""
    groups(site, "North", "South")
    member(site, "nora", data_access_group="north", data_quality_execute=1)
    for record, group, sex in (("n1", "north", "1"), ("n2", "north", "2"), ("s1", "south", "1")):
        site.put(record_id=record, redcap_data_access_group=group, who=record, sex=sex)
    admin, nora = seated(), seated("nora")
    opens(admin, "Data quality")
    for name, logic in (("Women", "[sex] = '1'"), ("Of the north", "[user-dag-name] = 'north' and [who] <> ''")):
        admin.page.get_by_label("Name").fill(name)
        admin.page.get_by_label("Logic").fill(logic)
        presses(admin, "Add rule")
    presses(admin, "Execute all custom rules")
    assert links(admin) == ["n1", "s1"]
    opens(nora, "Data quality")
    presses(nora, "Execute all custom rules")
    assert links(nora) == ["n1", "n1", "n2"]
    assert nora.page.get_by_role("button", name="Delete rule").count() == 0
    with nora.page.expect_navigation():
        nora.page.locator("tbody th a").first.click()
    assert nora.page.locator("h1").inner_text() == "Editing existing Record ID n1"
    opens(nora, "Data quality")
    presses(nora, "Execute Of the north")
    assert links(nora) == ["n1", "n2"]
    admin.press("Delete rule Women")
    with admin.page.expect_navigation():
        admin.answers("Delete rule Women")
    assert "Women" not in main(admin)


def randomized(site: Site) -> int:
    with opened(site.database) as connection:
        model = Model(0, "preset", "later_arm_1", (("sex", START),), by_group=False)
        return define_randomization(connection, loaded(connection, site.project), model, datetime.now())


def test_a_saved_form_randomizes_in_development_and_again_in_production(
    site: Site, seated: Callable[..., Hand]
) -> None:
    """C.3.30.0800: once the trigger holds; moving to production empties the arm, which is given anew."""
    rid = randomized(site)
    with opened(site.database) as connection:
        project = loaded(connection, site.project)
        trigger = Trigger("intake", START, "[who] = 'ready' and [sex] <> ''", everybody=False)
        set_trigger(connection, project, find_model(connection, project, rid), trigger, datetime.now())
    admin = seated()
    opens(admin, "Randomization")
    uploads(admin, "Allocation table for development", f"{TABLE}\n,5,1\n,6,1\n", "Upload for development")
    uploads(admin, "Allocation table for production", f"{TABLE}\n,1,1\n", "Upload for production")
    admin.go("intake", "1")
    admin.pick("sex", "1")
    admin.type("who", "not yet")
    admin.save()
    assert site.row("1", "later_arm_1").get("preset", "") == ""
    admin.type("who", "ready")
    admin.save()
    admin.go("logic", "1", "later_arm_1")
    assert "Already randomized" in admin.at("preset").inner_text()
    assert site.row("1", "later_arm_1")["preset"] == "5"
    assert "Randomize Record 1: Randomize record (via trigger)" in site.log("1")
    opens(admin, "Project setup")
    assert "WARNING: RANDOMIZATION FIELD'S DATA WILL BE DELETED" in main(admin)
    admin.press("Move to production")
    with admin.page.expect_navigation():
        admin.answers("Move to production")
    assert site.row("1", "later_arm_1")["preset"] == ""
    assert "Update record 1: preset = ''" in site.log("1")
    admin.go("intake", "1")
    admin.type("remark", "x")
    admin.save()
    assert site.row("1", "later_arm_1")["preset"] == "1"
    opens(admin, "Project setup")
    admin.press("Move back to development")
    with admin.page.expect_navigation():
        admin.answers("Move back to development")
    assert "uses randomization" in main(admin)


def test_allocation_tables_are_taken_or_refused_in_redcap_s_words(site: Site, seated: Callable[..., Hand]) -> None:
    """C.3.30.1000: template, wrong headers and codes; numbers blank, repeated, as text, with zeros in front."""
    randomized(site)
    admin = seated()
    opens(admin, "Randomization")
    with admin.page.expect_download() as given:
        admin.press("Download a template")
    template = Path(given.value.path()).read_text(encoding="utf-8").splitlines()
    assert template[:3] == [TABLE, ",1,1", ",1,2"]

    def upload(text: str, status: str = "development", button: str = "") -> str:
        return uploads(admin, f"Allocation table for {status}", text, button or f"Upload for {status}")

    for text, said in (
        (TABLE.replace("sex", "smoker") + "\n,1,1\n", BAD_HEADER),
        (TABLE.replace(",sex", "") + "\n,1\n", BAD_HEADER),
        (f"{TABLE}\n,9,1\n", '"9" is not a valid categorical option for the field "preset"'),
        (f"{TABLE}\n,1,3\n", '"3" is not a valid categorical option for the field "sex"'),
    ):
        shown = upload(text)
        assert shown.index(ERRORS) < shown.index(said)
    table = f"{TABLE},,notes\n01,1,1,,\n01,5,1,,kept apart\n,6,2,,\nenvelope three,1,2,,\n"
    assert SUCCESS in upload(table)
    assert "Rows: 4 for development" in main(admin)
    assert DUPLICATE_TABLE in upload(table, "production")
    assert SUCCESS in upload(f"{TABLE}\n,1,1\n", "production")
    opens(admin, "Project setup")
    admin.press("Move to production")
    with admin.page.expect_navigation():
        admin.answers("Move to production")
    opens(admin, "Randomization")
    assert APPENDED in upload(f"{TABLE}\n,5,1\n", "production", "Upload for production (append)")
    assert admin.page.get_by_label("Allocation table for development").count() == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_these_pages_are_fit_for_everybody(site: Site, seated: Callable[..., Hand], width: int) -> None:
    """Nothing serious for those who can't see them well, and nothing wider than a telephone."""
    from axe_playwright_python.sync_playwright import Axe

    randomized(site)
    site.put(record_id="1", who="A", sex="1", remark="long" * 50)
    admin = seated()
    opens(admin, "Data quality")
    admin.page.get_by_label("Name").fill("Women")
    admin.page.get_by_label("Logic").fill("[sex] = '1'")
    presses(admin, "Add rule")
    admin.page.set_viewport_size({"width": width, "height": 844})

    def fit() -> None:
        found = Axe().run(admin.page).response["violations"]
        assert not [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in {"serious", "critical"}]
        assert admin.page.evaluate("document.documentElement.scrollWidth") <= width

    for room in ROOMS.values():
        opens(admin, room.label)
        fit()
    opens(admin, "Data quality")
    for rules in ("Execute all custom rules", "Execute REDCap's own rules"):
        presses(admin, rules)
        fit()
    opens(admin, "Data import")
    uploads(admin, "CSV file", f"record_id,redcap_event_name,who\n1,{START},B\n", "Review the file")
    fit()
    admin.go("limits", "1")
    site.set(missing_data_codes="UNK, Unknown")
    admin.go("limits", "1")
    admin.press("missing data code of E-mail")
    fit()
