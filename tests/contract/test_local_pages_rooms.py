"""The pages beside a project's records: status, export, import, data quality, log, allocation tables."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable
from datetime import date, datetime
from io import StringIO
from typing import Any

import pytest
import requests

from pages import OpenForm, Person
from redcap_local.administration import change_settings, enable_survey, loaded, opened, save_report
from redcap_local.allocation_table import APPENDED, BAD_HEADER, ERRORS, NOT_A_CODE, SUCCESS
from redcap_local.export.shifting import MOST_DAYS
from redcap_local.pages.rooms import ROOMS
from redcap_local.randomization_setup import define_randomization
from redcap_local.server import Running
from redcap_local.storage import quality
from redcap_local.storage.quality import QualityRule
from redcap_local.storage.randomization import Model
from redcap_rules.validation import WRONG_FORMAT

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"
GROUPS = [{"data_access_group_name": name, "unique_group_name": ""} for name in ("North", "South")]
SETUP, LOG, EXPORT = "ProjectSetup/index.php", "Logging/index.php", "DataExport/index.php"
QUALITY, TABLES, IMPORT = "DataQuality/index.php", "Randomization/index.php", "index.php"
ROUTE = {"route": "DataImportController:index"}


@pytest.fixture
def site(clinic: Any) -> Any:
    """A clinic with two groups and a record in each."""
    clinic.admin.ok(content="dag", action="import", data=GROUPS)
    rows = [("n1", "north", "Ida", "1950-02-01"), ("s1", "south", "Bo", "1960-12-31")]
    clinic.admin.put(
        *(
            {
                "record_id": record, "redcap_event_name": START, "redcap_data_access_group": group, "name": name,
                "born": born, "sex": "1", "remark": "talks", "weight": "70.0",
            }
            for record, group, name, born in rows
        )
    )  # fmt: skip
    return clinic


@pytest.fixture
def person(local_redcap: Running, site: Any) -> Callable[..., Person]:
    """A function that seats a user at a browser of their own."""
    return lambda name="site_admin": Person.entered(local_redcap.start(), name, site.project)


def log_of(site: Any) -> list[tuple[str, str, str]]:
    return [(row["username"], row["action"].strip(), row["details"]) for row in site.admin.ok(content="log")]


def told(answer: requests.Response) -> str:
    """The text of a page's main part."""
    main = answer.text.split("<main", 1)[1].split("</main>")[0]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main)))


def randomized(site: Any) -> int:
    with opened(site.db) as connection:
        model = Model(0, "arm", START, (("sex", START),), by_group=False)
        return define_randomization(connection, loaded(connection, site.project), model, datetime(2026, 11, 23, 12))


def test_the_menu_names_what_the_rights_open_and_the_rest_is_refused(site: Any, person: Callable[..., Person]) -> None:
    """Also who knows the address gets no further; a project without randomization has no page for it."""
    site.user("ann", logging=1, forms_export=dict.fromkeys(("intake", "visit", "medicine", "allocation"), 0))
    menus = [re.findall(r'class="rooms".*?</nav>', who.get(who.address(LOG)).text, re.DOTALL)[0]
             for who in (person(), person("ann"))]  # fmt: skip
    labels = [re.findall(r">([^<]+)</a>", menu) for menu in menus]
    assert labels == [[room.label for room in ROOMS.values() if room.label != "Randomization"],
                      ["Record status", "Logging"]]  # fmt: skip
    ann = person("ann")
    for place in (SETUP, EXPORT, QUALITY, TABLES):
        assert ann.get(ann.address(place)).status_code == 403
        assert ann.post(ann.address(place), action="execute").status_code == 403
    assert ann.get(ann.address(IMPORT, **ROUTE)).status_code == 403
    assert person().get(person().address(TABLES)).status_code == 403


# Status --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "left", "words"), [("keep", 2, ""), ("delete", 0, " (delete all records)")])
def test_a_project_is_moved_to_production_and_back(
    site: Any, person: Callable[..., Person], data: str, left: int, words: str
) -> None:
    """B.6.11.0300: by who may design it, with or without its records; back by the administrator alone."""
    site.user("ann", design=1)
    ann, path = person("ann"), person().address(SETUP)
    assert "is in production now" in told(ann.post(path, action="production", data=data))
    assert len(site.admin.rows(fields=["record_id"])) == left
    assert site.admin.ok(content="project")["in_production"] == 1
    assert ("ann", "Manage/Design", f"Move project to Production status{words}") in log_of(site)
    assert "Move back" not in ann.get(path).text
    assert ann.post(path, action="development").status_code == 404
    assert person().post(path, action="production").status_code == 404
    assert "is in development again" in told(person().post(path, action="development"))
    assert ("site_admin", "Manage/Design", "Move project back to Development status") in log_of(site)


def test_production_waits_for_its_allocation_table_and_warns_of_what_it_empties(
    site: Any, person: Callable[..., Person]
) -> None:
    """reference/randomisation.md 2c; C.3.30.0800, C.3.30.0900."""
    rid, me = randomized(site), person()
    table = "redcap_randomization_number,redcap_randomization_group,sex\n,{},1\n"
    me.post(me.address(TABLES), action="development", rid=rid, file=table.format(2))
    me.form("n1", me_event(site), "allocation").send("randomize", rid=str(rid))
    assert "WARNING: RANDOMIZATION FIELD'S DATA WILL BE DELETED" in told(me.get(me.address(SETUP)))
    refused = me.post(me.address(SETUP), action="production", data="keep")
    assert (refused.status_code, "no production allocation table" in told(refused)) == (400, True)
    me.post(me.address(TABLES), action="production", rid=rid, file=table.format(1))
    me.post(me.address(SETUP), action="production", data="keep")
    assert site.admin.rows(records=["n1"], events=[START])[0]["arm"] == ""
    assert me.post(me.address(SETUP), action="development").status_code == 400


def me_event(site: Any) -> int:
    with opened(site.db) as connection:
        return loaded(connection, site.project).first_event.id


# Export --------------------------------------------------------------------------------------------------------------


def exported(who: Person, **asked: str) -> list[dict[str, str]]:
    answer = who.post(who.address(EXPORT), **{"report_id": "ALL", **asked})
    assert answer.headers["content-disposition"].startswith("attachment"), answer.text
    return list(csv.DictReader(StringIO(answer.content.decode())))


@pytest.mark.parametrize(
    ("right", "there", "gone"),
    [
        (1, {"name", "born", "remark", "scan", "sex"}, set()),
        (3, {"born", "remark", "scan", "sex"}, {"name"}),
        (2, {"born", "scan", "sex"}, {"name", "remark"}),
        (0, {"weight"}, {"name", "born", "remark", "scan", "sex"}),
    ],
)
def test_an_export_holds_what_the_export_right_of_each_form_leaves(
    site: Any, person: Callable[..., Person], right: int, there: set[str], gone: set[str]
) -> None:
    """B.2.6.0300: full, without identifiers, de-identified, none; the record's group is no matter."""
    site.user("ann", forms_export={"intake": right})
    rows = exported(person("ann"))
    columns = set(rows[0])
    assert there <= columns
    assert not gone & columns
    assert {row["record_id"] for row in rows} == {"n1", "s1"}
    born = [date.fromisoformat(row["born"]) for row in rows if row.get("born")]
    if right == 2:
        days = [(true - moved).days for true, moved in zip((date(1950, 2, 1), date(1960, 12, 31)), born, strict=True)]
        assert all(1 <= count <= MOST_DAYS for count in days)
        assert [row["born"] for row in rows] == [row["born"] for row in exported(person("ann"))]
    elif right:
        assert born == [date(1950, 2, 1), date(1960, 12, 31)]


def test_all_dates_of_a_record_are_moved_alike_and_the_api_leaves_them_out(
    site: Any, person: Callable[..., Person]
) -> None:
    """B.2.6.0300: intervals stay; a missing-data code stays; what the API gives is unchanged."""
    site.admin.put({"record_id": "n1", "redcap_event_name": START, "name": "Ida"})
    ann = site.user("ann", forms_export={"intake": 2})
    assert "born" not in ann.rows(records=["n1"])[0]
    with opened(site.db) as connection:
        number = save_report(connection, loaded(connection, site.project), "Old", ["record_id", "born"], "[sex] = '1'")
    for labels, column in (("raw", "born"), ("label", "Born")):
        rows = exported(person("ann"), report_id=str(number), labels=labels)
        assert len(rows) == 2
        assert all(row[column] < "1961" for row in rows)


@pytest.mark.parametrize(("right", "named"), [(1, True), (2, False), (3, False)])
def test_who_answered_a_survey_is_an_identifier(
    site: Any, person: Callable[..., Person], right: int, named: bool
) -> None:
    """B.2.6.0300, B.5.21.0100: its time stamps stay."""
    with opened(site.db) as connection:
        enable_survey(connection, loaded(connection, site.project), "intake")
    site.user("ann", forms_export=dict.fromkeys(("intake", "visit", "medicine", "allocation"), right))
    columns = exported(person("ann"))[0]
    assert ("redcap_survey_identifier" in columns, "intake_timestamp" in columns) == (named, True)


def test_an_export_is_the_group_s_own_and_is_logged_without_api(site: Any, person: Callable[..., Person]) -> None:
    """C.5.22.0100; labels of choices and headers where they are wanted; who may export nothing has no page."""
    site.user("ann", data_access_group="north")
    (row,) = exported(person("ann"), labels="label")
    assert (row["Record Id"], row["Sex"]) == ("n1", "Female")
    assert ("ann", "Data export", "Export 1 records") in log_of(site)
    rows = exported(person())
    assert [row["redcap_data_access_group"] for row in rows] == ["north", "south"]


def test_a_report_that_is_not_there_is_said_on_the_page(person: Callable[..., Person]) -> None:
    """No file comes then."""
    me = person()
    answer = me.post(me.address(EXPORT), report_id="999")
    assert (answer.status_code, "999" in told(answer)) == (400, True)


# Import --------------------------------------------------------------------------------------------------------------


def imported(who: Person, text: str | bytes, **asked: str) -> requests.Response:
    """The review of a file, and the import of what it shows if it has no fault."""
    return who.post(who.address(IMPORT, **ROUTE), action="review", file=text, **asked)


def test_a_file_is_reviewed_and_then_stored(site: Any, person: Callable[..., Person]) -> None:
    """B.3.16.1000: empty lines skipped, dates as a spreadsheet saves them; until it is confirmed nothing is there."""
    me = person()
    text = f"record_id,redcap_event_name,born,weight\nn1,{START},2/25/43,70.0\n7,{START},7/7/1940,\n,,,\n"
    review = imported(me, text, dateFormat="MDY")
    rows = [
        re.sub(r"<[^>]*>", "|", row).split("|")
        for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", review.text, re.DOTALL)
    ]
    seen = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert ["n1", "Start", "Born", "1950-02-01", "1943-02-25"] in seen
    assert ["7 (new record)", "Start", "Born", "blank", "1940-07-07"] in seen
    assert not [row for row in seen if "Weight" in row]
    assert not site.admin.rows(records=["7"])
    kept = html.unescape(re.search(r"<textarea name=\"data\"[^>]*>\n(.*?)</textarea>", review.text, re.DOTALL)[1])  # type: ignore[index]
    assert kept == text
    done = me.post(me.address(IMPORT, **ROUTE), action="import", data=kept, dateFormat="MDY")
    assert "2 records imported." in told(done)
    assert [site.admin.rows(records=[name])[0]["born"] for name in ("n1", "7")] == ["1943-02-25", "1940-07-07"]
    words = [(action, details) for _, action, details in log_of(site)]
    assert ("Update record (import) n1", "born = '1943-02-25'") in words
    assert ("Create record (import) 7", "record_id = '7', born = '1940-07-07', intake_complete = '0'") in words


@pytest.mark.parametrize(
    ("rights", "text", "said"),
    [
        ({"record_create": 0}, f"record_id,redcap_event_name,sex\nnew,{START},1\n", "new"),
        ({"forms": {"intake": 2}}, f"record_id,redcap_event_name,sex\nn1,{START},2\n", "sex"),
        ({"data_access_group": "south"}, f"record_id,redcap_event_name,sex\nn1,{START},2\n", "n1"),
        (
            {"data_access_group": "north"},
            f"record_id,redcap_event_name,redcap_data_access_group\nn1,{START},south\n",
            "group",
        ),
        ({}, f"record_id,redcap_event_name,sex\nn1,{START},9\n", "The value is not a valid category for sex"),
        ({}, f"record_id,redcap_event_name,born\nn1,{START},1950-13-01\n", WRONG_FORMAT),
        ({}, f"record_id,redcap_event_name,nothing\nn1,{START},1\n", "nothing"),
        ({}, b"record_id,redcap_event_name,name\nn1,start_arm_1,\xe6\n", "UTF-8"),
        ({}, "", "Choose a file"),
    ],
)
def test_what_the_api_would_refuse_is_told_before_anything_is_stored(
    site: Any, person: Callable[..., Person], rights: dict[str, Any], text: str | bytes, said: str
) -> None:
    """B.3.16.1000, 1100, 1300, 1400: rights over records, forms and groups, values, columns."""
    site.user("ann", **{"data_import_tool": 1, **rights})
    before = site.admin.rows()
    answer = imported(person("ann"), text)
    assert answer.status_code in {400, 403}
    assert said in told(answer)
    sent = text.decode("latin-1") if isinstance(text, bytes) else text
    if sent and "UTF-8" not in said:
        ann = person("ann")
        assert ann.post(ann.address(IMPORT, **ROUTE), action="import", data=sent).status_code in {400, 403}
    assert site.admin.rows() == before


def test_blank_cells_erase_and_records_are_numbered_where_that_is_wanted(
    site: Any, person: Callable[..., Person]
) -> None:
    """B.3.16.1200."""
    me = person()
    text = f"record_id;redcap_event_name;remark\nn1;{START};\n"
    assert "0 values would change" in told(imported(me, text, csvDelimiter=";"))
    review = imported(me, text, csvDelimiter=";", overwriteBehavior="overwrite")
    assert "1 value would change" in told(review)
    assert 'name="overwriteBehavior" value="overwrite"' in review.text
    fresh = imported(me, f"record_id,redcap_event_name,sex\nx,{START},1\n", forceAutoNumber="1")
    assert "x (new record)" in told(fresh)
    site.admin.ok(content="project_settings", data={"record_autonumbering_enabled": 1})
    fresh = imported(me, f"record_id,redcap_event_name,sex\nx,{START},1\n", forceAutoNumber="1")
    assert "1 (new record)" in told(fresh)


# Data quality --------------------------------------------------------------------------------------------------------


def discrepancies(answer: requests.Response) -> list[list[str]]:
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", answer.text, re.DOTALL)
    return [
        [html.unescape(cell).strip() for cell in re.sub(r"<[^>]*>", "|", row).split("|") if cell.strip()]
        for row in rows
    ]


def test_rules_are_executed_over_the_records_of_the_user_s_group(site: Any, person: Callable[..., Person]) -> None:
    """C.4.18.1300: a member's counts are those of the group, and a rule may ask which group that is."""
    site.user("ann", data_access_group="north", data_quality_execute=1)
    me, ann = person(), person("ann")
    path = me.address(QUALITY)
    me.post(path, action="add", name="Women", logic="[sex] = '1'")
    me.post(path, action="add", name="Seen from the north", logic="[user-dag-name] = 'north' and [sex] = '1'")
    ours, theirs = me.post(path, action="execute", rule="custom"), ann.post(path, action="execute", rule="custom")
    assert discrepancies(ours) == [["n1", "Start", "sex = '1'"], ["s1", "Start", "sex = '1'"]]
    assert discrepancies(theirs) == [["n1", "Start", "sex = '1'"]] * 2
    assert re.findall(r"Total discrepancies: (\d+)", ours.text + theirs.text) == ["2", "0", "1", "1"]
    assert ann.post(path, action="add", name="x", logic="1").status_code == 403
    assert "Add a rule" not in theirs.text


def test_a_row_sees_its_event_and_no_other_row_of_what_repeats(site: Any, person: Callable[..., Person]) -> None:
    """C.4.18.0300, 0700: the base row sees nothing of a repeating form, unless an instance is named."""
    doses = [{"record_id": "n1", "redcap_event_name": START, "redcap_repeat_instrument": "medicine",
              "redcap_repeat_instance": n, "dose": n} for n in (1, 2)]  # fmt: skip
    site.admin.put(*doses)
    me = person()
    path = me.address(QUALITY)

    def count(logic: str) -> list[list[str]]:
        me.post(path, action="add", name="r", logic=logic)
        rule = re.findall(r'name="rule" value="(\d+)"', me.get(path).text)[-1]
        return discrepancies(me.post(path, action="execute", rule=rule))

    assert count("[dose] > 0") == [["n1", "Start", "1", "dose = '1'"], ["n1", "Start", "2", "dose = '2'"]]
    assert count("[dose] > 0 and [sex] = '1'") == [
        ["n1", "Start", "1", "dose = '1', sex = '1'"], ["n1", "Start", "2", "dose = '2', sex = '1'"],
    ]  # fmt: skip
    assert len(count("[dose][2] = '2' and [sex] = '1'")) == 3
    assert count("[dose] = '' and [name] = 'Ida'") == [["n1", "Start", "dose = '', name = 'Ida'"]]


def test_a_rule_tells_nothing_of_a_form_its_user_may_not_see(site: Any, person: Callable[..., Person]) -> None:
    """Its count would."""
    site.user("ann", data_quality_execute=1, forms={"intake": 0})
    me = person()
    me.post(me.address(QUALITY), action="add", name="Women", logic="[sex] = '1'")
    answer = person("ann").post(me.address(QUALITY), action="execute", rule="custom")
    assert "a form that you have no access to" in told(answer)
    assert not discrepancies(answer)


def test_a_live_rule_is_told_when_a_form_is_saved_and_the_save_stands(site: Any, person: Callable[..., Person]) -> None:
    """Of the row that was saved, and to who may see what it asks for."""
    site.user("ann", forms={"intake": 0})
    me = person()
    for name, logic, live in (("Heavy", "[weight] > 100", "1"), ("Woman", "[sex] = '1'", "1"), ("Any", "1", "")):
        me.post(me.address(QUALITY), action="add", name=name, logic=logic, live=live)

    def told_of(who: Person, weight: str) -> list[str]:
        answer = who.form("n1", me_event(site), "visit").save("exit_form", weight=weight)
        return list(OpenForm(who, "", answer).entry["violated"]) if "msg=look" in answer.url else []

    assert told_of(me, "120.0") == ["Heavy", "Woman"]
    assert told_of(me, "70.0") == ["Woman"]
    assert told_of(person("ann"), "70.1") == []
    assert site.admin.rows(records=["n1"])[0]["weight"] == "70.1"


def test_a_rule_whose_field_is_gone_says_so(site: Any, person: Callable[..., Person]) -> None:
    """It came with a project's XML, or its field went later."""
    with opened(site.db) as connection:
        quality.insert(connection, site.project, QualityRule(0, "Old", "[gone] = 1", live=True))
    me = person()
    assert "there is no field 'gone'" in told(me.post(me.address(QUALITY), action="execute", rule="custom"))
    assert "msg=look" not in me.form("n1", me_event(site), "visit").save(weight="70.1").url


def test_redcap_s_own_rules_find_what_no_import_of_today_would_take(
    new_clinic: Callable[..., Any], local_redcap: Running
) -> None:
    """C.4.18.0300, D.113.100: blanks, wrong types, ranges, hidden values, choices, calculations, missing codes."""
    made = new_clinic()
    rows = made.admin.ok(content="metadata")
    more = {"name": {"required_field": "y"}, "height": {"text_validation_min": "100", "text_validation_max": "220"},
            "remark": {"branching_logic": "[sex] = '2'"}}  # fmt: skip
    made.admin.ok(content="metadata", data=[{**row, **more.get(row["field_name"], {})} for row in rows])
    with opened(made.db) as connection:
        change_settings(connection, loaded(connection, made.project), {"missing_data_codes": "UNK, Unknown"})
    row = {"record_id": "1", "redcap_event_name": START, "sex": "1", "born": "UNK", "remark": "talks", "smoker": "0"}
    made.admin.put({**row, "weight": "70.0", "height": "250", "fears___unk": "1"})
    with opened(made.db) as connection:
        for field, value in (("weight", "heavy"), ("smoker", "7"), ("bmi", "99")):
            connection.execute(
                "update value set value = ? where field = ? and record in (select id from record where project = ?)",
                (value, field, made.project),
            )
    made.user("ann", data_quality_execute=1, forms={"visit": 0})
    me, ann = (Person.entered(local_redcap.start(), name, made.project) for name in ("site_admin", "ann"))

    def found(who: Person, letter: str) -> list[str]:
        return [row[-1] for row in discrepancies(who.post(who.address(QUALITY), action="execute", rule=letter))]

    assert found(me, "A") == ["name = ''", "scan = ''", "pain = ''"]
    assert found(me, "B") == ["name = ''"]
    assert found(me, "C") == ["weight = 'heavy'"]
    assert found(me, "D") == ["height = '250'"]
    assert found(me, "F") == ["remark = 'talks'"]
    assert found(me, "G") == ["smoker = '7'"]
    assert found(me, "H") == ["bmi = '99'"]
    assert found(me, "I") == ["born = 'UNK'", "fears = 'UNK'"]
    assert (found(ann, "C"), found(ann, "G")) == ([], ["smoker = '7'"])
    answer = me.post(me.address(QUALITY), action="execute", rule="own")
    assert re.findall(r"Total discrepancies: (\d+)", answer.text) == ["3", "1", "1", "1", "0", "1", "1", "1", "2"]


def test_an_outlier_is_more_than_two_deviations_from_the_mean_of_its_field(
    new_clinic: Callable[..., Any], local_redcap: Running
) -> None:
    """Rule E: of numbers, sliders and calculations; one value, or all alike, are none; `heavy` is no number."""
    made = new_clinic()
    heights = ["170", "171", "172", "173", "174", "175", "176", "250"]
    made.admin.put(
        *(
            {"record_id": str(n), "redcap_event_name": START, "height": text, "pain": "50", "remark": text}
            for n, text in enumerate(heights, start=1)
        ),
        {"record_id": "9", "redcap_event_name": START, "weight": "70.0"},
    )
    me = Person.entered(local_redcap.start(), "site_admin", made.project)
    assert discrepancies(me.post(me.address(QUALITY), action="execute", rule="E")) == [["8", "Start", "height = '250'"]]


@pytest.mark.parametrize(("name", "logic"), [("", "1"), ("x", "[sex] ="), ("x", "[nothing] = 1"), ("x", "")])
def test_a_rule_that_cannot_be_read_is_refused(person: Callable[..., Person], name: str, logic: str) -> None:
    """When it is written, not when it is executed."""
    me = person()
    assert me.post(me.address(QUALITY), action="add", name=name, logic=logic).status_code == 400
    assert "There are no rules yet" in told(me.get(me.address(QUALITY)))


def test_rules_go_with_the_project_s_xml(site: Any, person: Callable[..., Person]) -> None:
    """reference/redcap-validation-facts.md 1: in their order, with the mark of those executed at once."""
    me = person()
    me.post(me.address(QUALITY), action="add", name="A & B", logic="[sex] <> ''", live="1")
    me.post(me.address(QUALITY), action="add", name="Gone", logic="1")
    rule = re.findall(r'name="rule" value="(\d+)"', me.get(me.address(QUALITY)).text)[-1]
    me.post(me.address(QUALITY), action="delete", rule=rule)
    xml = site.admin.post(content="project_xml", format="xml").text
    assert re.findall("<redcap:DataQualityRules .*?/>", xml) == [
        '<redcap:DataQualityRules rule_order="1" rule_name="A &amp; B" rule_logic="[sex] &lt;&gt; \'\'" '
        'real_time_execute="1"/>'
    ]


# Log -----------------------------------------------------------------------------------------------------------------


def test_the_log_is_read_within_limits_and_of_the_own_group(site: Any, person: Callable[..., Person]) -> None:
    """B.2.23.0100, 0300: by type, user, record and time; a member of a group sees what concerns it."""
    site.user("ann", data_access_group="north", logging=1)
    me, ann = person(), person("ann")
    me.form("s1", me_event(site), "visit").save(height="180")

    def actions(who: Person, **asked: str) -> list[str]:
        page = who.get(who.address(LOG, **asked)).text
        return re.findall(r"<tr><td>.*?</td><td>.*?</td><td>(.*?)</td>", page)

    assert actions(me, record="s1") == ["Update record s1", "Update record (API) s1", "Create record (API) s1"]
    assert actions(me, logtype="record_add") == ["Create record (API) s1", "Create record (API) n1"]
    assert actions(me, user="ann") == []
    assert actions(me, record="s1", endTime="2020-01-01T00:00") == []
    assert len(actions(me, record="s1", beginTime="2020-01-01T00:00")) == 3
    assert set(actions(ann)) == {"Create record (API) n1", "Update record (API) n1"}
    assert me.get(me.address(LOG, logtype="nothing")).status_code == 400


# Allocation tables ---------------------------------------------------------------------------------------------------

HEADER = "redcap_randomization_number,redcap_randomization_group,sex"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("redcap_randomization_number,redcap_randomization_group,smoker\n,1,1\n", BAD_HEADER),
        ("redcap_randomization_number,redcap_randomization_group\n,1\n", BAD_HEADER),
        (f"{HEADER}\n,9,1\n", NOT_A_CODE.format(9, "arm")),
        (f"{HEADER}\n,1,7\n", NOT_A_CODE.format(7, "sex")),
    ],
)
def test_a_wrong_allocation_table_is_refused_in_redcap_s_words(
    site: Any, person: Callable[..., Person], table: str, said: str
) -> None:
    """C.3.30.0700, 1000: the sentence that there are errors comes first."""
    rid, me = randomized(site), person()
    answer = me.post(me.address(TABLES), action="development", rid=rid, file=table)
    assert answer.status_code == 400
    assert f"{ERRORS} {said}" in told(answer).replace("  ", " ")
    assert "Rows: 0 for development" in told(answer)


def test_numbers_are_blank_repeated_or_text_and_keep_their_zeros(site: Any, person: Callable[..., Person]) -> None:
    """C.3.30.1000.0200: also beside notes; the template has every combination."""
    rid, me = randomized(site), person()
    path = me.address(TABLES)
    template = me.post(path, action="template", rid=rid).text
    assert template == f"{HEADER}\n,1,1\n,1,2\n,2,1\n,2,2\n"
    table = f"{HEADER},,notes\n01,1,1,,\n01,2,1,,read me\n,1,2,,\nfree text,2,2,,\n"
    assert SUCCESS in told(me.post(path, action="development", rid=rid, file=table))
    assert "Rows: 4 for development, 0 for production; 0 of those" in told(me.get(path))
    given = site.admin.ok(content="record", action="randomize", record="n1", randomization_id=rid, returnAlt="1")
    assert given["target_field_alt"] == "01"
    assert (
        "site_admin",
        "Manage/Design",
        f"Upload randomization allocation table - development (rid={rid})",
    ) in log_of(site)


def test_in_production_the_administrator_appends_and_nobody_replaces(site: Any, person: Callable[..., Person]) -> None:
    """C.3.30.0700.1900, 0900: who sets up randomization in development does not then."""
    rid, me = randomized(site), person()
    site.user("ann", random_setup=1)
    ann, path = person("ann"), me.address(TABLES)
    ann.post(path, action="development", rid=rid, file=f"{HEADER}\n,1,1\n")
    ann.post(path, action="production", rid=rid, file=f"{HEADER}\n,2,1\n")
    me.post(me.address(SETUP), action="production", data="keep")
    more = f"{HEADER}\n,1,2\n"
    assert ann.post(path, action="production", rid=rid, file=more).status_code == 403
    assert APPENDED in told(me.post(path, action="production", rid=rid, file=more))
    assert me.post(path, action="development", rid=rid, file=more).status_code == 400
    assert "Rows: 1 for development, 2 for production" in told(me.get(path))


def test_who_only_sees_the_dashboard_uploads_nothing(site: Any, person: Callable[..., Person]) -> None:
    """Nor has the template of the table."""
    rid = randomized(site)
    site.user("ann", random_dashboard=1)
    ann = person("ann")
    page = ann.get(ann.address(TABLES))
    assert (page.status_code, "Upload" in page.text, "Download" in page.text) == (200, False, False)
    for action in ("template", "development"):
        assert ann.post(ann.address(TABLES), action=action, rid=rid, file=f"{HEADER}\n,1,1\n").status_code == 403
