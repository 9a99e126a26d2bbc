"""The Randomization module (reference/redcap-api.md 8, reference/randomisation.md 2)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from redcap_local import administration
from redcap_local.allocation_rows import Action, act
from redcap_local.allocation_table import BAD_HEADER, DUPLICATE_TABLE, SUCCESS, TableError
from redcap_local.messages import AdministrationError
from redcap_local.production import move_to_development, move_to_production
from redcap_local.randomization_setup import Upload, define_randomization, find_model, upload_allocations
from redcap_local.storage import randomization, records
from redcap_local.storage.randomization import Model, Slot

pytestmark = pytest.mark.requirement("RCP-02")

START = "start_arm_1"
NOW = datetime(2026, 11, 23, 12, 0)
HEADER = "redcap_randomization_number,redcap_randomization_group,sex,smoker"
WITH_GROUP = "redcap_randomization_number,redcap_randomization_group,redcap_data_access_group,sex,smoker"
TABLE = f"{HEADER}\nE-1,1,1,0\nE-2,2,1,0\nE-3,2,2,0\n"


def define(clinic: Any, target: str = "arm", *, by_group: bool = False) -> int:
    with administration.opened(clinic.db) as connection:
        project = administration.loaded(connection, clinic.project)
        model = Model(0, target, START, (("sex", START), ("smoker", START)), by_group)
        return define_randomization(connection, project, model, NOW)


def upload(clinic: Any, rid: int, text: str, *, production: bool = False, version: str = "15.0.12") -> str:
    with administration.opened(clinic.db) as connection:
        project = administration.loaded(connection, clinic.project)
        model = find_model(connection, project, rid)
        return upload_allocations(connection, project, model, text, Upload(production, version, NOW))


def table(clinic: Any, rid: int, *, production: bool = False) -> list[Slot]:
    with administration.opened(clinic.db) as connection:
        return randomization.slots(connection, rid, production=production)


def randomize(clinic: Any, record: str, rid: int, **more: Any) -> Any:
    return clinic.admin.post(content="record", action="randomize", record=record, randomization_id=rid, **more)


@pytest.fixture
def ready(clinic: Any) -> Any:
    """Three patients, two of one stratum, and a development table."""
    clinic.rid = define(clinic)
    upload(clinic, clinic.rid, TABLE)
    clinic.admin.put(*({"record_id": n, "sex": "1", "smoker": "0"} for n in "123"))
    return clinic


def test_rows_are_used_in_upload_order_within_a_stratum(ready: Any) -> None:
    """8.1, 8.3: an open model answers group code and number."""
    first = randomize(ready, "1", ready.rid, returnAlt="true").json()
    assert first == {
        "randomization_id": ready.rid, "record": "1", "target_field": "1", "target_field_alt": "E-1",
    }  # fmt: skip
    second = randomize(ready, "2", ready.rid)
    assert second.json() == {"randomization_id": ready.rid, "record": "2", "target_field": "2"}
    assert [row["arm"] for row in ready.admin.rows()] == ["1", "2", ""]


def test_an_exhausted_stratum_is_refused_and_nothing_changes(ready: Any) -> None:
    """8.1."""
    randomize(ready, "1", ready.rid)
    randomize(ready, "2", ready.rid)
    assert "no allocations available for assignment" in randomize(ready, "3", ready.rid).json()["error"]
    assert ready.admin.rows(records=["3"])[0]["arm"] == ""


def test_a_record_is_randomised_once_and_only_with_its_strata(ready: Any) -> None:
    """8.1."""
    randomize(ready, "1", ready.rid)
    assert "already" in randomize(ready, "1", ready.rid).json()["error"]
    ready.admin.put({"record_id": "9", "sex": "1"})
    assert "smoker" in randomize(ready, "9", ready.rid).json()["error"]
    assert randomize(ready, "nobody", ready.rid).json()["error"] == 'The record "nobody" does not exist'
    assert randomize(ready, "2", 10**6).status_code == 400


def test_target_and_strata_are_fixed_after_randomization(ready: Any) -> None:
    """6.2, 8.1 [V]: the target is locked for editing; an unchanged value does no harm."""
    randomize(ready, "1", ready.rid)
    for field, value in (("arm", "2"), ("sex", "2")):
        assert f'"1","{field}"' in ready.admin.refused(content="record", data=[{"record_id": "1", field: value}])
    assert ready.admin.put({"record_id": "1", "arm": "1", "sex": "1", "name": "Ida"}) == {"count": 1}


def test_no_part_that_holds_target_or_strata_can_be_deleted(ready: Any) -> None:
    """6.2, 8.1: else the arm would be blank and its allocation used."""
    randomize(ready, "1", ready.rid)
    delete = {"content": "record", "action": "delete", "records": ["1"], "event": START}
    for part in ({}, {"instrument": "allocation"}, {"instrument": "intake"}):
        assert "has been randomised" in ready.admin.refused(**delete, **part)
    assert ready.admin.rows(records=["1"])[0]["arm"] == "1"
    assert ready.admin.ok(**delete, instrument="visit") == 1


def test_a_deleted_record_does_not_free_its_row(ready: Any) -> None:
    """A used allocation is never given twice."""
    randomize(ready, "1", ready.rid)
    ready.admin.ok(content="record", action="delete", records=["1"])
    assert randomize(ready, "2", ready.rid, returnAlt="true").json()["target_field_alt"] == "E-2"


def test_randomization_is_logged_as_redcap_does(ready: Any) -> None:
    """8.1, 8.3 [V]."""
    randomize(ready, "1", ready.rid)
    entries = [(e["action"], e["details"]) for e in ready.admin.ok(content="log", logtype="record")]
    assert ("Randomize Record 1", "Randomize record") in entries
    assert ("Update record (API) 1", "arm = '1'") in entries
    design = [e["details"] for e in ready.admin.ok(content="log", logtype="manage")]
    assert f"Save randomization model (rid={ready.rid})" in design
    assert f"Upload randomization allocation table - development (rid={ready.rid})" in design


@pytest.fixture
def denmark(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server's clock is Danish."""
    monkeypatch.setenv("TZ", "Europe/Copenhagen")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def allocated(clinic: Any, record: str, rid: int, used: str) -> None:
    """The record is randomised at that time."""
    assert randomize(clinic, record, rid).status_code == 200
    with administration.opened(clinic.db) as connection:
        found = records.records(connection, clinic.project, [record])[0]
        slot = randomization.slot_of_record(connection, rid, found.id, production=False)
        assert slot is not None
        randomization.use(connection, slot.id, found.id, used)


@pytest.mark.usefixtures("denmark")
@pytest.mark.parametrize(
    ("logic", "kept"),
    [
        ("[rand-number] = 'E-2'", ["2"]),
        ("[rand-number] = ''", ["3"]),
        ("[rand-time] = '2026-07-01 12:00:00'", ["1"]),
        ("[rand-utc-time] = '2026-07-01 10:00:00'", ["1"]),
        ("[rand-utc-time:1:value] = '2026-12-01 11:00:00'", ["2"]),
        ("[rand-time:value] > '2026-09-01 00:00:00'", ["2"]),
        ("[rand-number:2] = 'S-1'", ["2"]),
        ("[rand-number:1] = 'E-1'", ["1"]),
        ("[rand-number:3] <> ''", []),
        ("[rand-number:0] <> ''", []),
    ],
)
def test_smart_variables_tell_of_the_allocation(ready: Any, logic: str, kept: list[str]) -> None:
    """8.1 [V]: number and time of the first model, or of the n-th; blank before randomization; in reports too."""
    second = define(ready, "name")
    upload(ready, second, f"{HEADER}\nS-1,1,1,0\n")
    allocated(ready, "1", ready.rid, "2026-07-01 12:00:00")
    allocated(ready, "2", ready.rid, "2026-12-01 12:00:00")
    allocated(ready, "2", second, "2026-12-02 12:00:00")
    assert [row["record_id"] for row in ready.admin.rows(filterLogic=logic)] == kept
    assert {row["record"] for row in ready.admin.rows(filterLogic=logic, type="eav")} == set(kept)
    with administration.opened(ready.db) as connection:
        project = administration.loaded(connection, ready.project)
        report = administration.save_report(connection, project, "R", ["record_id"], logic)
    assert [row["record_id"] for row in ready.admin.ok(content="report", report_id=report)] == kept


def test_smart_variables_are_for_those_who_may_export_the_target(ready: Any) -> None:
    """2.5, 8.1: the number of a concealed model is the target's value; the record's other fields stay open."""
    randomize(ready, "1", ready.rid)
    blind = ready.user("blind", forms_export={"allocation": 0})
    assert "no right to the field 'arm'" in blind.refused(content="record", filterLogic="[rand-number] = 'E-1'")
    assert len(blind.rows(filterLogic="[sex] = '1'")) == 3


def test_a_concealed_model_tells_the_number_only(clinic: Any) -> None:
    """8.1 [D]: the text target takes the number; the arm is `*`."""
    rid = define(clinic, "name")
    upload(clinic, rid, f"{HEADER}\nK-77,1,1,0\n")
    clinic.admin.put({"record_id": "1", "sex": "1", "smoker": "0"})
    answer = randomize(clinic, "1", rid, returnAlt="true").json()
    assert (answer["target_field"], answer["target_field_alt"]) == ("K-77", "*")
    assert clinic.admin.rows()[0]["name"] == "K-77"


def test_groups_can_be_a_stratum(clinic: Any) -> None:
    """8.3: the group column holds numeric ids."""
    groups = [{"data_access_group_name": name, "unique_group_name": ""} for name in ("North", "South")]
    clinic.admin.ok(content="dag", action="import", data=groups)
    ids = [g["data_access_group_id"] for g in clinic.admin.ok(content="dag")]
    rid = define(clinic, by_group=True)
    upload(clinic, rid, f"{WITH_GROUP}\nN,1,{ids[0]},1,0\nS,2,{ids[1]},1,0\n")
    row = {"sex": "1", "smoker": "0"}
    clinic.admin.put({"record_id": "1", "redcap_data_access_group": "south", **row}, {"record_id": "2", **row})
    assert randomize(clinic, "1", rid).json()["target_field"] == "2"
    assert "redcap_data_access_group" in randomize(clinic, "2", rid).json()["error"]
    refused = clinic.admin.post(
        content="record", data='[{"record_id":"1","redcap_data_access_group":"north"}]', format="json"
    )
    assert (refused.status_code, "redcap_data_access_group" in refused.text) == (400, True)
    clinic.admin.put({"record_id": "1", "redcap_data_access_group": "south"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", BAD_HEADER),
        ("arm,sex,smoker\n1,1,0\n", BAD_HEADER),
        (f"{HEADER},block\nE-1,1,1,0,4\n", BAD_HEADER),
        (f"{HEADER}\nE-1,3,1,0\n", '"3" is not a valid categorical option for the field "arm"'),
        (f"{HEADER}\nE-1,1,9,0\n", '"9" is not a valid categorical option for the field "sex"'),
        (f"{HEADER}\nE-1,,1,0\n", "group is missing"),
        (f"{HEADER}\n", "no allocations"),
    ],
)
def test_a_faulty_table_is_refused_in_redcaps_words(ready: Any, text: str, message: str) -> None:
    """reference/randomisation.md 2c [V]."""
    with pytest.raises(TableError) as refused:
        upload(ready, ready.rid, text)
    first, *rest = str(refused.value).splitlines()
    assert first == "ERROR: The following errors occurred. Please address them and try again."
    assert any(message in line for line in rest)


def test_notes_and_empty_rows_are_ignored(ready: Any) -> None:
    """reference/randomisation.md 2a [V]: templates upload as they are."""
    text = f"{HEADER},,NOTES: read me\nE-1,1,1,0,,first\n,,,,,only a note\nE-2,2,1,0\n"
    assert upload(ready, ready.rid, text) == SUCCESS
    assert [slot.number for slot in table(ready, ready.rid)] == ["E-1", "E-2"]


def test_the_older_format_names_the_target_field(ready: Any) -> None:
    """reference/randomisation.md 2b [V]: before 14.7."""
    assert upload(ready, ready.rid, "arm,sex,smoker\n2,1,0\n", version="14.5.10") == SUCCESS
    assert randomize(ready, "1", ready.rid).json()["target_field"] == "2"


def test_development_and_production_tables_must_differ(ready: Any) -> None:
    """reference/randomisation.md 2c [V]; production starts with its own table, unused."""
    with pytest.raises(TableError, match=DUPLICATE_TABLE):
        upload(ready, ready.rid, TABLE, production=True)
    with administration.opened(ready.db) as connection, pytest.raises(AdministrationError):
        move_to_production(connection, administration.loaded(connection, ready.project), NOW)
    upload(ready, ready.rid, f"{HEADER}\nP-1,2,1,0\n", production=True)
    with administration.opened(ready.db) as connection:
        move_to_production(connection, administration.loaded(connection, ready.project), NOW)
    assert randomize(ready, "1", ready.rid, returnAlt="true").json()["target_field_alt"] == "P-1"
    said = upload(ready, ready.rid, f"{HEADER}\nP-2,1,1,0\n", production=True)
    assert said == "Success! New assignments were appended to your existing randomization allocation table!"
    assert randomize(ready, "2", ready.rid, returnAlt="true").json()["target_field_alt"] == "P-2"


def test_used_tables_are_not_replaced(ready: Any) -> None:
    """Rows in use cannot vanish under the records they were given to."""
    randomize(ready, "1", ready.rid)
    with pytest.raises(AdministrationError):
        upload(ready, ready.rid, f"{HEADER}\nE-9,1,1,0\n")


def test_the_older_format_has_the_group_after_the_strata(clinic: Any) -> None:
    """As redcapAPI writes it; from 14.7 on that order is refused (reference/redcap-validation-facts.md 8 [V])."""
    clinic.admin.ok(content="dag", action="import", data=[{"data_access_group_name": "North", "unique_group_name": ""}])
    group = clinic.admin.ok(content="dag")[0]["data_access_group_id"]
    rid = define(clinic, by_group=True)
    upload(clinic, rid, f"arm,sex,smoker,redcap_data_access_group\n1,1,0,{group}\n", version="14.5.10")
    assert [slot.group for slot in table(clinic, rid)] == [int(group)]
    with pytest.raises(TableError, match="header variables"):
        upload(clinic, rid, f"{HEADER},redcap_data_access_group\nN,1,1,0,{group}\n")


def produce(clinic: Any, rid: int) -> None:
    upload(clinic, rid, f"{HEADER}\nP-1,2,1,0\nP-2,1,1,0\n", production=True)
    with administration.opened(clinic.db) as connection:
        move_to_production(connection, administration.loaded(connection, clinic.project), NOW)


def details(clinic: Any, **asked: str) -> list[tuple[str, str]]:
    return [(entry["action"], entry["details"]) for entry in clinic.admin.ok(content="log", **asked)]


def test_moving_to_production_empties_the_arms_given_in_development(ready: Any) -> None:
    """C.3.30.0800 [V]: the targets alone; the records are randomised again from the production table."""
    ready.admin.put({"record_id": "1", "name": "Ida"})
    randomize(ready, "1", ready.rid)
    produce(ready, ready.rid)
    row = ready.admin.rows(records=["1"])[0]
    assert (row["arm"], row["name"], row["sex"]) == ("", "Ida", "1")
    assert ("Update record 1", "arm = ''") in details(ready)
    assert ("Manage/Design ", "Move project to Production status") in details(ready, logtype="manage")
    assert randomize(ready, "1", ready.rid, returnAlt="true").json()["target_field_alt"] == "P-1"


def test_a_calculation_from_the_target_follows_it(ready: Any) -> None:
    """The arm is given and taken by the server, and what is computed from it is too."""
    rows = ready.admin.ok(content="metadata")
    blank = dict.fromkeys(rows[0], "")
    calc = {"field_name": "twice", "form_name": "allocation", "field_type": "calc", "field_label": "x"}
    rows.append({**blank, **calc, "select_choices_or_calculations": "[arm]*2"})
    ready.admin.ok(content="metadata", data=rows)
    randomize(ready, "1", ready.rid)
    assert ready.admin.rows(records=["1"])[0]["twice"] == "2"
    produce(ready, ready.rid)
    assert ready.admin.rows(records=["1"])[0]["twice"] == ""


def test_in_production_the_development_table_is_out_of_reach(ready: Any) -> None:
    """C.3.30.0900 [V]; and with randomization on there is no way back."""
    produce(ready, ready.rid)
    before = table(ready, ready.rid)
    with pytest.raises(AdministrationError, match="development table"):
        upload(ready, ready.rid, f"{HEADER}\nE-9,1,1,0\n")
    with administration.opened(ready.db) as connection, pytest.raises(AdministrationError, match="randomization"):
        move_to_development(connection, administration.loaded(connection, ready.project), NOW)
    assert table(ready, ready.rid) == before


def test_records_can_be_deleted_on_the_way_to_production_and_back_is_logged(clinic: Any) -> None:
    """B.2.23.0100 [V]."""
    clinic.admin.put({"record_id": "1"})
    with administration.opened(clinic.db) as connection:
        project = administration.loaded(connection, clinic.project)
        move_to_production(connection, project, NOW, keep_records=False)
        move_to_development(connection, administration.loaded(connection, clinic.project), NOW)
    assert clinic.admin.rows() == []
    assert clinic.admin.ok(content="project")["in_production"] == 0
    assert [text for _, text in details(clinic, logtype="manage") if text.startswith("Move")] == [
        "Move project back to Development status", "Move project to Production status (delete all records)",
    ]  # fmt: skip


def administer(clinic: Any, place: int, what: str, value: str = "", reason: str = "Slip") -> int:
    aid = table(clinic, clinic.rid)[place].id
    with administration.opened(clinic.db) as connection:
        project = administration.loaded(connection, clinic.project)
        act(connection, project, find_model(connection, project, clinic.rid), Action(aid, what, reason, value), NOW)
    return aid


def test_an_administrator_randomises_by_hand_and_takes_it_back(ready: Any) -> None:
    """C.3.30.1800 [V]: the log has the reason; the row is free again and the target empty."""
    aid = administer(ready, 1, "randomize", "3")
    told = "Update randomization allocation table (development) - "
    assert details(ready)[:2] == [
        ("Update record 3", "arm = '2'"),
        ("Manage/Design ", f'{told}Randomize record (manual) (aid: {aid}, is_used_by: "3", reason: "Slip")'),
    ]
    assert ready.admin.rows(records=["3"])[0]["arm"] == "2"
    assert "already" in randomize(ready, "3", ready.rid).json()["error"]
    with pytest.raises(AdministrationError, match="in use"):
        administer(ready, 1, "unavailable")
    administer(ready, 1, "remove")
    assert details(ready)[1][1] == f'{told}Remove randomization (aid: {aid}, is_used_by: "", reason: "Slip")'
    assert ready.admin.rows(records=["3"])[0]["arm"] == ""
    assert randomize(ready, "1", ready.rid).json()["target_field"] == "1"
    assert randomize(ready, "3", ready.rid).json()["target_field"] == "2"


def test_an_unavailable_row_is_passed_over_until_it_is_restored(ready: Any) -> None:
    """C.3.30.1800 [V]."""
    aid = administer(ready, 0, "unavailable")
    assert f'(aid: {aid}, is_used_by: "{aid}-UNAVAILABLE", reason: "Slip")' in details(ready, logtype="manage")[0][1]
    assert (f"Update record {aid}-UNAVAILABLE", "arm = '1'") in details(ready)
    assert randomize(ready, "1", ready.rid).json()["target_field"] == "2"
    administer(ready, 0, "restore")
    assert randomize(ready, "2", ready.rid).json()["target_field"] == "1"


def test_an_administrator_changes_what_a_free_row_gives(ready: Any) -> None:
    """C.3.30.1800 [V]: target and alternate; only codes, only free rows, never without a reason."""
    aid = administer(ready, 0, "target", "2")
    assert f'(aid: {aid}, target_field: "2", reason: "Slip")' in details(ready, logtype="manage")[0][1]
    administer(ready, 0, "alternate", "E-77")
    answer = randomize(ready, "1", ready.rid, returnAlt="true").json()
    assert (answer["target_field"], answer["target_field_alt"]) == ("2", "E-77")
    for place, what, value, reason in (
        (0, "target", "1", "Slip"), (1, "target", "9", "Slip"), (1, "target", "1", " "), (1, "remove", "", "Slip"),
        (1, "restore", "", "Slip"), (1, "randomize", "nobody", "Slip"), (1, "dance", "", "Slip"),
    ):  # fmt: skip
        with pytest.raises(AdministrationError):
            administer(ready, place, what, value, reason)
