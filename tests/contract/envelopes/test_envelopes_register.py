"""The register: pushed from the tables, compared, blind to the coordinator, read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from redcap.project import Project

from contract.envelopes.conftest import World
from redcap_rules.record import Row
from trialdesk.allocation.cards import verify_card
from trialdesk.allocation.making import PackerFiles, make_version, open_tables
from trialdesk.allocation.numbering import envelope_id
from trialdesk.envelopes.exposure import exposures
from trialdesk.envelopes.push import check_tables, plan_push, push
from trialdesk.envelopes.register import PROOF, RECORD_ID, prove_blind, read_register, write_use
from trialdesk.envelopes.release import release
from trialdesk.errors import ConcealmentBroken, TableError, WriteBackFailed
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-09", "ENV-11", "ENV-02")

TODAY = date(2026, 1, 2)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ODE_1, ODE_2 = (envelope_id(Pile("ODE", "K1N"), number) for number in (1, 2))


def test_the_register_holds_every_envelope_of_the_tables(world: World) -> None:
    """One record an envelope: pile, number, batch, commitment, status; a second push has nothing to add."""
    tables = open_tables(world.config, world.config.home / "identity.txt")
    made = sorted(allocation.envelope for table in tables for allocation in table.allocations)
    held = read_register(world.packer())
    assert [(e.pile, e.number, e.id, e.batch, e.commitment) for e in held] == [
        (e.pile, e.number, e.id, e.batch, e.commitment) for e in made
    ]
    again = plan_push(tables, world.packer())
    assert (again.new, again.present) == ((), len(made))


def test_a_push_adds_what_is_missing_and_leaves_status_and_dates_alone(desk: World, tmp_path: Path) -> None:
    """A resupply adds its envelopes as `made`; a released envelope stays released, with its dates."""
    used = replace(desk.envelope(ODE_1), status="released", record="A", released_at=datetime(2026, 3, 2, 10, 30))
    write_use(desk.register(), [used])
    identity = desk.config.home / "identity.txt"
    made = make_version(desk.config, PackerFiles(identity), ("RIG-K1F",), lambda: b"", TODAY)
    tables = open_tables(desk.config, identity)
    plan = plan_push(tables, desk.packer())
    assert len(plan.new) == made.envelopes in (5, 6, 7, 3, 4)
    push(plan, tables, desk.packer())
    assert desk.envelope(ODE_1) == used
    assert {desk.envelope(new.record).status for new in plan.new} == {"made"}


@pytest.mark.parametrize(
    ("column", "value"), [("env_arm", "9"), ("env_code", "0" * 12), ("env_commitment", "00"), ("env_batch", "7")]
)
def test_a_register_that_differs_from_the_tables_is_refused(desk: World, column: str, value: str) -> None:
    """Names the envelope and the column, never a value, and writes nothing."""
    tables = open_tables(desk.config, desk.config.home / "identity.txt")
    packer = desk.packer()
    before = packer.records(RECORD_ID, [column], records=[ODE_1]).rows[0]
    packer.write(RECORD_ID, [Row(ODE_1, "", "", 0, {column: value})])
    try:
        with pytest.raises(TableError) as caught:
            plan_push(tables, packer)
        assert (
            before.values[column] not in str(caught.value).replace(ODE_1, "").replace(column, "")
            or column == "env_batch"
        )
    finally:
        packer.write(RECORD_ID, [before])


def test_an_envelope_that_is_not_in_the_tables_is_refused(desk: World) -> None:
    """The wrong folder or the wrong register is noticed before anything is written."""
    tables = open_tables(desk.config, desk.config.home / "identity.txt")
    fewer = [replace(tables[0], allocations=tables[0].allocations[1:])]
    with pytest.raises(TableError, match="is not in the tables"):
        plan_push(fewer, desk.packer())


def test_the_coordinators_token_is_proved_blind(world: World) -> None:
    """The coordinator's export right on the sealed form is none: its columns do not come, whatever is asked."""
    prove_blind(world.register())
    answer = world.register().columns_shown(RECORD_ID, ["allocation_complete", "env_arm", "env_code", "env_status"])
    assert "env_status" in answer
    assert not answer & {"allocation_complete", "env_arm", "env_code"}


def test_a_token_that_can_see_the_sealed_form_stops_everything(desk: World) -> None:
    """With the packer's token nothing is released, and no arm is read to find out."""
    desk.enter("A", "ODE")
    with pytest.raises(ConcealmentBroken, match="export right"):
        release(desk.config, desk.trial(), desk.packer(), "A", NOW)
    assert desk.open() == []


def test_a_register_that_is_not_one_is_refused_line_by_line(desk: World) -> None:
    """Records that are no envelopes, and facts that do not fit, are all named at once."""
    packer = desk.packer()
    packer.write(RECORD_ID, [Row("test 1", "", "", 0, {"env_status": "made"})])
    packer.write(RECORD_ID, [Row(ODE_2, "", "", 0, {"env_site": "RIG", "env_status": ""})], clear=True)
    try:
        with pytest.raises(TableError) as caught:
            read_register(desk.register())
        lines = str(caught.value).splitlines()
        assert len(lines) == 3
        assert any("'test 1' is not an envelope number" in line for line in lines)
        assert any(f"{ODE_2}: env_site does not fit" in line for line in lines)
    finally:
        packer.write(RECORD_ID, [Row(ODE_2, "", "", 0, {"env_site": "ODE", "env_status": "received"})])
        Project(desk.url, desk.packer_token.get_secret_value()).delete_records(["test 1"])


def test_a_lost_write_to_the_register_is_noticed(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is read back."""
    lossy = desk.register()
    monkeypatch.setattr(lossy, "write", lambda *_, **__: 1)
    with pytest.raises(WriteBackFailed, match=ODE_1):
        write_use(lossy, [replace(desk.envelope(ODE_1), status="void")])


def test_tables_of_a_rehearsal_are_never_pushed_into_the_trial(desk: World) -> None:
    """Another domain, or another meaning of a code: named, and nothing is pushed."""
    tables = open_tables(desk.config, desk.config.home / "identity.txt")
    check_tables(desk.config, tables)
    dev = desk.config.envelopes.model_copy(update={"domain": "dev"})
    with pytest.raises(TableError, match="the tables are of PVP-MM, prod, and this is PVP-MM, dev"):
        check_tables(desk.config.model_copy(update={"envelopes": dev}), tables)
    turned = desk.config.model_copy(update={"strata": desk.config.strata[::-1]})
    with pytest.raises(TableError, match="their order are other"):
        check_tables(turned, tables)


def test_the_register_holds_version_domain_and_parcel(desk: World) -> None:
    """The packer's facts beside the commitment; the coordinator may read them."""
    (row,) = desk.register().records(RECORD_ID, [*PROOF], records=[ODE_1]).rows
    assert row.values == {"env_version": "1", "env_domain": "prod", "env_parcel": "ODE-v001"}


def test_an_older_register_is_given_what_it_lacks_and_nothing_else(desk: World) -> None:
    """Version, domain and parcel were not there before: a push fills them in, and touches no use."""
    used = replace(desk.envelope(ODE_1), status="released", record="A", released_at=datetime(2026, 3, 2, 10, 30))
    write_use(desk.register(), [used])
    packer = desk.packer()
    packer.write(RECORD_ID, [Row(ODE_1, "", "", 0, dict.fromkeys(PROOF, ""))], clear=True)
    tables = open_tables(desk.config, desk.config.home / "identity.txt")
    plan = plan_push(tables, packer)
    assert (plan.new, [set(row.values) for row in plan.fill]) == ((), [set(PROOF)])
    push(plan, tables, packer)
    assert desk.envelope(ODE_1) == used
    assert plan_push(tables, packer).empty


def test_cards_can_leave_the_register_and_are_proved_all_the_same(desk: World) -> None:
    """What a filter could ask about is gone; arm and code still belong to the commitment."""
    packer, tables = desk.packer(), open_tables(desk.config, desk.config.home / "identity.txt")
    push(plan_push(tables, packer, cards=False), tables, packer, cards=False)
    assert not [row.values for row in packer.records(RECORD_ID, ["env_arm", "env_code"]).rows if row.values]
    arm, code = desk.card(ODE_1)
    assert verify_card(desk.envelope(ODE_1).commitment, desk.config.trial.id, ODE_1, arm, code)
    push(plan_push(tables, packer), tables, packer)
    assert packer.records(RECORD_ID, ["env_arm"], records=[ODE_1]).rows[0].values == {"env_arm": arm}


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ({"logging": "1"}, "may read the register's log; take the right Logging"),
        ({"user_rights": "2"}, "may see the register's users; take the right User Rights"),
        ({"forms_export": {"envelope": "1", "proof": "1", "allocation": "1"}}, "can export the register's form"),
    ],
)
def test_a_coordinator_who_could_learn_an_arm_some_other_way_is_stopped(
    desk: World, rights: dict[str, Any], words: str
) -> None:
    """The log tells what was typed, rights can be changed, a form can be exported."""
    project = Project(desk.url, desk.packer_token.get_secret_value())
    (before,) = [user for user in project.export_users() if user["username"] == "nurse"]
    project.import_users([{**before, **rights}])
    try:
        with pytest.raises(ConcealmentBroken, match=words):
            prove_blind(desk.register())
    finally:
        project.import_users([before])
    prove_blind(desk.register())


def test_a_filter_that_tells_of_arms_stops_every_run(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A REDCap that answers a filter about a hidden field: the cards have to leave the register."""
    asked: list[Any] = []

    def told(**given: Any) -> list[dict[str, str]]:
        asked.append(given)
        return [{"env_id": ODE_1}]

    register = desk.register()
    monkeypatch.setattr(register._project, "export_records", told)
    monkeypatch.setattr(register, "ids", lambda _: (ODE_1,))
    monkeypatch.setattr(register, "columns_shown", lambda *_: frozenset())
    with pytest.raises(ConcealmentBroken, match="push_tables --without-cards"):
        prove_blind(register)
    assert (asked[0]["filter_logic"], asked[0]["fields"]) == ("[env_arm]<>''", ["env_id"])


def test_the_packer_is_told_who_could_see_or_change_what(desk: World) -> None:
    """Every user with such a right, by right; the coordinator as she ought to be is not among them."""
    found = list(exposures(desk.packer()))
    assert "site_admin can see the form allocation" in found
    assert "site_admin may delete envelopes" in found
    assert not [line for line in found if line.startswith("nurse")]
