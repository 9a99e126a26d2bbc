"""Whose patient it is: site field and data access group, in one rule."""

from __future__ import annotations

from datetime import date

import pytest

from followup_records import pulled, record
from trialdesk.config import Config
from trialdesk.followup.schedule import Schedule, schedule
from trialdesk.model import Patient
from trialdesk.redcap.patients import patients


@pytest.mark.parametrize(
    ("site", "group", "owner"),
    [
        ("ODE", "ode", "ODE"),
        ("ODE", "", "ODE"),
        ("ODE", "rig", ""),
        ("", "ode", ""),
        ("Vejle Nord", "vejle_nord", "Vejle Nord"),
    ],
)
def test_a_patient_belongs_to_the_site_that_field_and_group_both_name(site: str, group: str, owner: str) -> None:
    """A record in no group goes by its site field; the group's name is REDCap's slug of the site's."""
    codes = ("ODE", "RIG", "Vejle Nord")
    assert [code for code in codes if Patient("ODE-1", site, group).belongs_to(code)] == ([owner] if owner else [])


def planned(config: Config) -> Schedule:
    """ODE-2 sits in another site's group, ODE-3 in none, RIG-2 has no site and is dead by another form."""
    lives = {name: record(site=name[:3]) for name in ("ODE-1", "ODE-2", "ODE-3", "RIG-1")}
    lives["RIG-2"] = record(site="", eos={"eos_dth_date": "2026-02-20"})
    groups = {"ODE-1": "ode", "ODE-2": "rig", "RIG-1": "rig", "RIG-2": "rig"}
    snapshot = pulled(lives, groups)
    return schedule(patients(snapshot, config), snapshot, config, date(2026, 2, 23))


def test_a_patient_whose_site_and_group_disagree_is_in_no_site_s_list(frozen: Config) -> None:
    """Neither site may learn of the record, not even that it is to be verified."""
    plan = planned(frozen)
    listed = {site: plan.at_site(site) for site in ("ODE", "RIG", "HER")}
    assert {site: sorted({e.contact.record for e in found.entries}) for site, found in listed.items()} == {
        "ODE": ["ODE-1", "ODE-3"],
        "RIG": ["RIG-1"],
        "HER": [],
    }
    assert [found.holds for found in listed.values()] == [(), (), ()]
    assert [who.record for who in plan.strays] == ["RIG-2", "ODE-2"]
    assert [found.strays for found in listed.values()] == [(), (), ()]


def test_the_list_of_all_sites_has_everybody_and_says_whose_place_is_unclear(frozen: Config) -> None:
    """On every contact still to be made; the patient to verify comes first in any case."""
    plan = planned(frozen)
    remark = "in no site's list: site field ODE, data access group rig; correct the wrong one"
    remarked = {e.contact.record for e in plan.entries if e.active and remark in e.flags}
    assert remarked == {e.contact.record for e in plan.entries if remark in e.flags} == {"ODE-2"}
    assert {e.contact.record for e in plan.entries} == {"ODE-1", "ODE-2", "ODE-3", "RIG-1", "RIG-2"}
    assert [hold.record for hold in plan.holds] == ["RIG-2"]
