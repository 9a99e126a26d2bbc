"""Records that are randomized when a form is saved (C.3.30.0800)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from pages import VERSION, Person
from redcap_local.administration import loaded, opened
from redcap_local.messages import AdministrationError
from redcap_local.randomization_setup import Upload, define_randomization, find_model, set_trigger, upload_allocations
from redcap_local.server import Running
from redcap_local.storage.randomization import Model, Trigger

pytestmark = pytest.mark.requirement("RCP-02")

START, NOW = "start_arm_1", datetime(2026, 11, 23, 12)
TABLE = "redcap_randomization_number,redcap_randomization_group,sex\n,2,1\n,1,1\n,1,2\n"
READY = "[name] = 'ready' and [sex] <> ''"


@pytest.fixture
def site(clinic: Any) -> Any:
    """A clinic that randomizes by sex, with a development table."""
    with opened(clinic.db) as connection:
        model = Model(0, "arm", START, (("sex", START),), by_group=False)
        clinic.rid = define_randomization(connection, loaded(connection, clinic.project), model, NOW)
    with opened(clinic.db) as connection:
        project = loaded(connection, clinic.project)
        found = find_model(connection, project, clinic.rid)
        upload_allocations(connection, project, found, TABLE, Upload(False, VERSION, NOW))
        clinic.event = project.first_event.id
    return clinic


@pytest.fixture
def person(local_redcap: Running, site: Any) -> Callable[..., Person]:
    """A function that seats a user at a browser of their own."""
    return lambda name="site_admin": Person.entered(local_redcap.start(), name, site.project)


def triggered(site: Any, form: str = "intake", event: str = START, logic: str = READY, *, all_: bool = False) -> None:
    with opened(site.db) as connection:
        project = loaded(connection, site.project)
        model = find_model(connection, project, site.rid)
        set_trigger(connection, project, model, Trigger(form, event, logic, everybody=all_), NOW)


def arm(site: Any, record: str) -> str:
    return str(site.admin.rows(records=[record], events=[START])[0]["arm"])


def test_a_saved_form_randomizes_once_its_logic_holds(site: Any, person: Callable[..., Person]) -> None:
    """Not before, not by another form, and never twice; the log says by what."""
    triggered(site)
    me = person()
    me.form("1", site.event, "intake").save(name="ready")
    assert arm(site, "1") == ""
    me.form("1", site.event, "intake").save(sex="1")
    assert arm(site, "1") == "2"
    me.form("1", site.event, "intake").save(remark="x")
    assert arm(site, "1") == "2"
    told = [(row["action"], row["details"]) for row in site.admin.ok(content="log", record="1")]
    assert ("Randomize Record 1", "Randomize record (via trigger)") in told
    assert told.count(("Update record 1", "arm = '2'")) == 1
    assert told.count(("Randomize Record 1", "Randomize record (via trigger)")) == 1
    site.admin.put({"record_id": "2", "redcap_event_name": START, "name": "ready", "sex": "1"})
    me.form("2", site.event, "visit").save(height="180")
    assert arm(site, "2") == ""


def test_only_who_may_randomize_does_it_by_saving_unless_everybody_may(
    site: Any, person: Callable[..., Person]
) -> None:
    """The trigger option of the model."""
    site.user("ann", random_perform=0)
    ann = person("ann")
    triggered(site)
    ann.form("1", site.event, "intake").save(name="ready", sex="1")
    assert arm(site, "1") == ""
    triggered(site, all_=True)
    ann.form("1", site.event, "intake").save(remark="x")
    assert arm(site, "1") == "2"


def test_a_save_stands_when_its_record_cannot_be_randomized(site: Any, person: Callable[..., Person]) -> None:
    """A blank stratum, and a table without a row for it."""
    triggered(site, logic="[name] = 'ready'")
    me = person()
    assert me.form("1", site.event, "intake").save(name="ready").status_code == 200
    me.form("2", site.event, "intake").save(name="ready", sex="2")
    assert me.form("3", site.event, "intake").save(name="ready", sex="2").status_code == 200
    assert [(arm(site, n), site.admin.rows(records=[n])[0]["name"]) for n in "123"] == [
        ("", "ready"), ("1", "ready"), ("", "ready"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "event", "logic", "told"),
    [
        ("visit", "nowhere_arm_1", "1", "no form 'visit' in event 'nowhere_arm_1'"),
        ("intake", "week_1_arm_1", "1", "no form 'intake' in event 'week_1_arm_1'"),
        ("intake", START, "[sex] =", "cannot be read"),
    ],
)
def test_a_trigger_that_cannot_be_is_refused(site: Any, form: str, event: str, logic: str, told: str) -> None:
    """Before a record depends on it."""
    with pytest.raises(AdministrationError, match=told):
        triggered(site, form, event, logic)
