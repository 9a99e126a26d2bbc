"""User roles over real HTTP: real PyCap against the local REDCap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from redcap.project import Project

from redcap_local.administration import give_token
from redcap_local.server import Running
from redcap_rules.dictionary import Dictionary, Field
from trialdesk.errors import NotAllowed
from trialdesk.instruments.applying import apply
from trialdesk.instruments.change import Plan
from trialdesk.instruments.design import Design, Role
from trialdesk.instruments.folder import read_folder
from trialdesk.instruments.live import live_design, live_project
from trialdesk.instruments.plan import make_plan
from trialdesk.instruments.pulling import pulled, write_pulled
from trialdesk.instruments.roles import role_of
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patience import Patience

pytestmark = pytest.mark.requirement("INS-04")

ONCE = Patience(attempts=1)
FIELDS = (
    Field("id", "envelope", "text", label="Id"),
    Field("arm", "card", "text", label="Arm"),
    Field("sent", "post", "text", label="Sent"),
)
FORMS = ("envelope", "card")


def role(label: str, forms: str, export: str, **on: str) -> Role:
    return role_of({"role_label": label, **on, "forms": forms, "forms_export": export}, FORMS)


COORDINATOR = role("Coordinator", "envelope:1,card:0", "envelope:1,card:0", api_export="1", api_import="1")
PACKER = role("Packer", "envelope:130,card:130", "envelope:1,card:1", api_export="1", api_import="1", design="1")
DESIGN = Design(Dictionary(FIELDS[:2]), roles=(COORDINATOR, PACKER))


def become(design: Design, gateway: Gateway) -> Plan:
    done = make_plan("register", design, gateway)
    apply(done, design, gateway)
    assert make_plan("register", design, gateway).empty
    return done


def test_roles_are_made_changed_and_read_back(gateway: Gateway) -> None:
    """Two to create; one right changed is one change; a second plan is empty."""
    made = become(DESIGN, gateway).of("role")
    assert [(change.kind, change.name) for change in made] == [("create", "Coordinator"), ("create", "Packer")]
    names = {row["role_label"]: row["unique_role_name"] for row in gateway.roles()}
    fewer = role("Coordinator", "envelope:129,card:0", "envelope:1,card:0", api_export="1")
    changed = become(replace(DESIGN, roles=(fewer, PACKER)), gateway)
    assert [(c.part, c.name, c.attribute, c.before, c.after) for c in changed.changes] == [
        ("role", "Coordinator", "api_import", "on", "off"),
        ("role", "Coordinator", "forms envelope", "view and edit", "read only"),
    ]
    assert {row["role_label"]: row["unique_role_name"] for row in gateway.roles()} == names


def test_a_new_form_is_hidden_from_a_role_that_may_not_see_it(gateway: Gateway) -> None:
    """REDCap opens a new form to everybody; the roles are written after the dictionary and take that back."""
    become(DESIGN, gateway)
    forms = (*FORMS, "post")
    roles = tuple(
        replace(role, by_form={right: {**codes, "post": "0"} for right, codes in role.by_form.items()})
        for role in (COORDINATOR, PACKER)
    )
    become(Design(Dictionary(FIELDS), roles=roles), gateway)
    assert {role_of(row, forms).by_form["forms"]["post"] for row in gateway.roles()} == {"0"}


def test_roles_change_in_a_project_in_production_too(gateway: Gateway) -> None:
    """REDCap freezes instruments there, not rights."""
    become(DESIGN, gateway)
    fewer = replace(DESIGN, roles=(replace(COORDINATOR, switches={}), PACKER))
    apply(replace(make_plan("register", fewer, gateway), in_production=True), fewer, gateway)
    assert make_plan("register", fewer, gateway).empty


def test_a_role_made_in_redcap_is_left_alone_and_named(gateway: Gateway) -> None:
    """Nothing is deleted that its users' personal rights would replace."""
    become(DESIGN, gateway)
    gateway.write_roles([{"unique_role_name": "", "role_label": "Monitor"}])
    found = make_plan("register", DESIGN, gateway)
    assert found.empty
    assert any("Role Monitor is not in the files" in note for note in found.notes)


def test_a_pulled_project_brings_its_roles_along(gateway: Gateway, tmp_path: Path) -> None:
    """Pull → read → plan: nothing to change."""
    become(DESIGN, gateway)
    write_pulled(pulled(live_design(gateway, groups=False), "da"), tmp_path / "pulled", tmp_path / "overlay")
    again = read_folder(tmp_path / "pulled").design
    assert [role.label for role in again.roles or ()] == ["Coordinator", "Packer"]
    assert make_plan("register", again, gateway).empty


def test_a_token_without_user_rights_still_plans_and_applies(
    server: Running, database: Path, gateway: Gateway, secret: SecretStr
) -> None:
    """What it may not see is said in the plan, and is no failure."""
    become(DESIGN, gateway)
    project = Project(server.url, secret.get_secret_value())
    project.import_users([{"username": "packer"}])
    (name,) = (row["unique_role_name"] for row in gateway.roles() if row["role_label"] == "Packer")
    project.import_user_role_assignment([{"username": "packer", "unique_role_name": name}])
    token = give_token(database, int(gateway.project()["project_id"]), "packer")
    packer = Gateway(server.url, SecretStr(token), patience=ONCE)
    with pytest.raises(NotAllowed):
        packer.roles()
    fewer = replace(COORDINATOR, switches={})
    desired = Design(Dictionary((FIELDS[0], replace(FIELDS[1], label="Arm drawn"))), roles=(fewer, PACKER))
    found = make_plan("register", desired, packer)
    assert [(change.part, change.name) for change in found.changes] == [("metadata", "arm")]
    assert found.notes[0].startswith("Roles not shown, so not compared: the token lacks the right User Rights")
    assert become(desired, packer).of("role") == ()
    assert live_project(packer, groups=False, roles=False).notes == ()  # not asked for, not missed
