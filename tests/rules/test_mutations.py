"""Thirty ways in which a record changes between two nights: each is named, or stops the run by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from frozen import trial_rows
from mutants import CONFIG, MUTATIONS, REGISTER, TODAY, World, before, mutated
from trialdesk.allocation.numbering import envelope_id
from trialdesk.errors import SanityFailed
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.links import Links
from trialdesk.facts.pulling import Pull
from trialdesk.facts.todo import since, tasks
from trialdesk.memory.values import Remembered, Scope
from trialdesk.model import Pile
from trialdesk.redcap.observing import moves, observe, settled
from trialdesk.redcap.patients import patients
from trialdesk.redcap.sanity import Beside, gate
from trialdesk.reports.coordinator import coordinator_sheets
from trialdesk.reports.pack import enrolment_packs

pytestmark = pytest.mark.requirement("NGT-02")

MAPPING = forms_by_event(trial_rows("mapping.csv"))
SCOPE = Scope(CONFIG.trial.id, CONFIG.redcap.url)


def facts(world: World, remembered: Remembered) -> tuple[Facts, Remembered]:
    """A night: gate and derivation, and what the next one remembers."""
    snapshot = world.snapshot
    everyone = patients(snapshot, CONFIG)
    seen = observe(snapshot, everyone, {}, CONFIG, remembered)
    found = moves(remembered.night, seen)
    gate(snapshot, everyone, Beside(seen, remembered.night, found), TODAY)
    made = derive(Pull(snapshot, everyone, REGISTER, MAPPING), past(CONFIG, snapshot, remembered, found), CONFIG, TODAY)
    night = settled(replace(seen, told=since(tasks(made))), remembered, found, "a", str(TODAY))
    return made, Remembered(SCOPE, b"secret", night, made.lives)


FIRST, REMEMBERED = facts(before(), Remembered(SCOPE, b"secret"))


def rows(made: Facts) -> set[str]:
    """Every row of coordinator.xlsx as one text."""
    sheets = coordinator_sheets(made, Links())
    return {" ".join(str(value) for value in line.values) for sheet in sheets for line in sheet.lines}


def test_the_table_holds_thirty_and_at_least_five_of_each_kind() -> None:
    """Deleted, renamed, moved, postdated, blanked, contradictory."""
    kinds = Counter(kind for kind, _ in MUTATIONS)
    assert len(MUTATIONS) >= 30
    assert len(kinds) == 6
    assert min(kinds.values()) >= 5


def test_a_night_without_changes_names_nothing() -> None:
    """The baseline is no news, and neither is the same again."""
    again, _ = facts(before(), REMEMBERED)
    assert [task for task in tasks(again) if task.new] == []
    sheets = {sheet.name: sheet for sheet in coordinator_sheets(again, Links())}
    assert sheets["Changes"].lines == ()


@pytest.mark.parametrize(("kind", "change"), MUTATIONS, ids=[f"{k}-{i}" for i, (k, _) in enumerate(MUTATIONS)])
def test_every_mutation_is_named_or_stops_the_run_by_name(kind: str, change: Mapping[str, Any]) -> None:
    """In a row with its record, which the first night did not have."""
    if "stops" in change:
        with pytest.raises(SanityFailed, match=change["stops"]):
            facts(mutated(change), REMEMBERED)
        return
    made, _ = facts(mutated(change), REMEMBERED)
    record, words = change.get("rename", change["record"]), str(change["named"]).casefold()
    new = rows(made) - rows(FIRST)
    assert [row for row in new if record in row and words in row.casefold()], (kind, new)


def test_what_is_accepted_goes_through_and_is_named() -> None:
    """The record that was randomised and is gone, once somebody says that it is right."""
    world = mutated({"record": "ODE-001", "delete": True})
    snapshot = world.snapshot
    everyone = patients(snapshot, CONFIG)
    seen = observe(snapshot, everyone, {}, CONFIG, REMEMBERED)
    gate(snapshot, everyone, Beside(seen, REMEMBERED.night, moves(REMEMBERED.night, seen)), TODAY, ("ODE-001",))


def test_many_losses_in_one_night_are_no_correction() -> None:
    """A wrong import: four consents gone at once; many values of one form gone."""
    world = before()
    lives = {r: {e: dict(v) for e, v in life.items()} for r, life in world.lives.items()}
    for record in list(lives)[3:9]:
        lives[record]["screening_arm_1"]["elig_ok"] = ""
    with pytest.raises(SanityFailed, match="lost in one night"):
        facts(World(lives, world.groups), REMEMBERED)
    emptied = {r: {e: dict(v) for e, v in life.items()} for r, life in world.lives.items()}
    for life in emptied.values():
        life["screening_arm_1"].pop("elig_sex", None)
    with pytest.raises(SanityFailed, match="--accept-drop screening_arm_1:eligibility"):
        facts(World(emptied, world.groups), REMEMBERED)


def test_a_renamed_record_keeps_findings_and_gets_its_envelope() -> None:
    """The card proves it: the register is given the new id, and nothing is closed or new about it."""
    change = {"record": "ODE-001", "rename": "ODE-101"}
    made, _ = facts(mutated(change), REMEMBERED)
    assert [(one.id, one.record) for one in made.cards.opened] == [(envelope_id(Pile("ODE", "K1N"), 1), "ODE-101")]
    assert not [one for one in made.lives if one.change and one.finding.record in ("ODE-001", "ODE-101")]
    assert "R51" not in {one.rule for one in made.findings if one.record == "ODE-101"}


@pytest.mark.parametrize(
    "change",
    [
        {"record": "ODE-002", "change": {"pvp_procedure_arm_1": {"pvp_done": "1", "pvp_date": "2026-03-09"}}},
        {"record": "ODE-002", "change": {"pvp_procedure_arm_1": {"pvp_done": "1", "pvp_date": "2026-03-10"}}},
        {"record": "ODE-002", "change": {"logs_arm_1": {"xo_req": "1", "xo_dec": "1", "xo_date": "2026-08-02"}}},
    ],
)
def test_what_the_memory_knows_of_treatment_changes_no_cell_of_the_monitor(change: Mapping[str, Any]) -> None:
    """A treatment finding that appears, closes, is accepted or reopens, or an operation date that moves."""
    told = [enrolment_packs(FIRST, ["monitor"])["monitor"]]
    with_it, remembered = facts(mutated(change), REMEMBERED)
    told.append(enrolment_packs(with_it, ["monitor"])["monitor"])
    closed, remembered = facts(before(), remembered)
    told.append(enrolment_packs(closed, ["monitor"])["monitor"])
    reopened, _ = facts(mutated(change), remembered)
    told.append(enrolment_packs(reopened, ["monitor"])["monitor"])
    assert any(one.treatment and one.change == "reopened" for one in reopened.lives)
    assert all(one == told[0] for one in told)


def test_the_monitor_reads_what_is_new_and_over_and_how_old_the_rest_is() -> None:
    """Of findings that tell no treatment alone: a date ahead appears, grows old, and is corrected."""
    wrong = mutated({"record": "ODE-002", "change": {"screening_arm_1": {"con_date": "2026-08-02"}}})

    def said(made: Facts) -> str:
        tables = enrolment_packs(made, ["monitor"])["monitor"]
        return next(table.about for table in tables if table.name == "Findings").partition("Since the last issue ")[2]

    first, remembered = facts(wrong, REMEMBERED)
    new = int(said(first).split()[0])
    assert new >= 1
    again, remembered = facts(wrong, remembered)
    assert said(again).startswith("0 new, 0 closed; open ")
    assert "0 longer" in said(again)
    mended, _ = facts(before(), remembered)
    assert said(mended).startswith(f"0 new, {new} closed")
