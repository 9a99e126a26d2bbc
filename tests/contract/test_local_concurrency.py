"""Many clients at once.

Source: reference/redcap-api.md 7: two callers of generateNextRecordName may collide; imports may not.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.requirement("RCP-02")


def test_auto_numbers_are_given_once(new_project: Any) -> None:
    """No duplicate and no gap, whoever asks at the same time."""
    made = new_project(record_autonumbering_enabled=1)

    def add(place: int) -> str:
        row = {"content": "record", "data": [{"record_id": str(place)}], "forceAutoNumber": "true"}
        pair = made.admin.ok(**row, returnContent="auto_ids")[0]
        return str(pair).split(",")[0]

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(add, range(80)))
    assert sorted(map(int, names)) == list(range(1, 81))
    assert len(made.admin.rows()) == 80


def test_writers_lose_nothing_of_each_other(clinic: Any) -> None:
    """Eight clients write different fields of the same record, all at once, over and over."""
    fields = ["name", "remark", "born", "sex", "smoker", "fears___1", "fears___2", "fears____99"]

    def write(field: str) -> None:
        for turn in range(10):
            values = {"born": f"1950-01-{turn + 1:02}", "sex": "2", "smoker": "1"}
            value = values.get(field, "1" if "___" in field else f"{field} {turn}")
            clinic.admin.put({"record_id": "1", field: value})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, fields))
    row = clinic.admin.rows()[0]
    assert {field: row[field] for field in fields} == {
        "name": "name 9", "remark": "remark 9", "born": "1950-01-10", "sex": "2", "smoker": "1", "fears___1": "1",
        "fears___2": "1", "fears____99": "1",
    }  # fmt: skip


def test_readers_see_whole_imports_only(clinic: Any) -> None:
    """An export beside imports shows either all of one or nothing of it."""
    clinic.admin.put(*({"record_id": str(n), "name": "0"} for n in range(20)))

    def write() -> None:
        for turn in range(1, 16):
            clinic.admin.put(*({"record_id": str(n), "name": str(turn)} for n in range(20)))

    with ThreadPoolExecutor(4) as pool:
        writing = pool.submit(write)
        while not writing.done():
            assert len({row["name"] for row in clinic.admin.rows(fields=["name"], events=["start_arm_1"])}) == 1
        writing.result()


def test_one_allocation_is_never_given_to_two(clinic: Any) -> None:
    """Randomizing at the same time uses every row once."""
    from datetime import datetime

    from redcap_local import administration, randomization_setup
    from redcap_local.storage.randomization import Model

    with administration.opened(clinic.db) as connection:
        project = administration.loaded(connection, clinic.project)
        now = datetime(2026, 1, 1)
        model = Model(0, "arm", "start_arm_1", (("sex", "start_arm_1"),), by_group=False)
        rid = randomization_setup.define_randomization(connection, project, model, now)
        table = "redcap_randomization_number,redcap_randomization_group,sex\n" + "".join(
            f"E-{n},1,1\n" for n in range(30)
        )
        found = randomization_setup.find_model(connection, project, rid)
        how = randomization_setup.Upload(production=False, version="15.0.12", now=now)
        randomization_setup.upload_allocations(connection, project, found, table, how)
    clinic.admin.put(*({"record_id": str(n), "sex": "1"} for n in range(30)))

    def give(record: int) -> str:
        answer = clinic.admin.ok(
            content="record", action="randomize", record=str(record), randomization_id=rid, returnAlt="true"
        )
        return str(answer["target_field_alt"])

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(give, range(30)))
    assert sorted(numbers) == sorted(f"E-{n}" for n in range(30))
