"""Thirty ways in which a record changes between two nights: each is named, or stops the run by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from trialdesk.allocation.cards import commitment
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import load
from trialdesk.errors import SanityFailed
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.links import Links
from trialdesk.facts.pulling import Pull
from trialdesk.facts.todo import tasks
from trialdesk.memory.values import Remembered, Scope
from trialdesk.model import Envelope, Pile
from trialdesk.redcap.observing import moves, observe, settled
from trialdesk.redcap.patients import patients
from trialdesk.redcap.sanity import Beside, gate
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.coordinator import coordinator_sheets
from trialdesk.reports.pack import enrolment_packs

CONFIG = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
MAPPING = forms_by_event(trial_rows("mapping.csv"))
TODAY = date(2026, 7, 1)
TABLE = YAML(typ="safe").load((Path(__file__).parents[1] / "data" / "mutations.yaml").read_text(encoding="utf-8"))
CODE = "0123456789AB"

Life = dict[str, dict[str, str]]


@dataclass(frozen=True)
class World:
    """What stands in REDCap on one night."""

    lives: Mapping[str, Life]
    groups: Mapping[str, str]

    @property
    def snapshot(self) -> Snapshot:
        rows = {r: tuple(Row(r, e, "", 0, v) for e, v in life.items()) for r, life in self.lives.items()}
        return Snapshot("1", "trial", DICTIONARY, EVENTS, rows, self.groups)


def screened(site: str) -> Life:
    return {"screening_arm_1": {"elig_site": site, "elig_date": "2026-06-20", "elig_ok": "1", "elig_sex": "1"}}


def randomised(site: str, number: int, arm: str) -> Life:
    envelope = envelope_id(Pile(site, "K1N"), number)
    return {
        "screening_arm_1": {
            "elig_site": site, "elig_date": "2026-02-20", "elig_ok": "1", "con_given": "1", "con_date": "2026-02-25",
            "sa_fit": "1", "elig_yob": f"19{40 + number}", "elig_sex": "1",
        },
        "randomisation_arm_1": {
            "rand_grp": "1", "rand_lvl": "1", "rand_for": "0", "rand_date": "2026-03-02", "rand_time": f"1{number}:30",
            "rand_env": envelope, "rand_env_released": envelope, "rand_released_at": f"2026-03-02 1{number}:10",
            "rand_arm": arm, "rand_code": CODE,
        },
        "week_2_arm_1": {"nc_stat": "1", "nc_date": "2026-03-16", "nc_tries": str(number)},
    }  # fmt: skip


def before() -> World:
    lives = {
        "ODE-001": randomised("ODE", 1, "1"), "ODE-002": randomised("ODE", 2, "2"),
        "RIG-001": randomised("RIG", 3, "1"),
        "ODE-004": screened("ODE"), "ODE-005": screened("ODE"), "RIG-003": screened("RIG"),
        **{f"HER-{n:03}": {"screening_arm_1": {**screened("HER")["screening_arm_1"], "elig_yob": f"{1930 + n}"}}
           for n in range(1, 30)},
    }  # fmt: skip
    lives["ODE-005"]["screening_arm_1"]["elig_sex"] = "2"
    return World(lives, {record: record[:3].lower() for record in lives})


def register() -> tuple[Envelope, ...]:
    made = []
    for site, number, record, arm in (
        ("ODE", 1, "ODE-001", "1"),
        ("ODE", 2, "ODE-002", "2"),
        ("RIG", 3, "RIG-001", "1"),
    ):
        pile = Pile(site, "K1N")
        for lower in range(1, number if site == "RIG" else 0):
            made.append(Envelope(pile, lower, envelope_id(pile, lower), 1, "void", "00"))
        name = envelope_id(pile, number)
        proof = commitment(CONFIG.trial.id, name, arm, CODE)
        day = date(2026, 3, 2)
        made.append(
            Envelope(pile, number, name, 1, "opened", proof, received_on=date(2026, 1, 5), record=record, opened_on=day)
        )
    return tuple(sorted(made))


REGISTER = register()


def mutated(change: Mapping[str, Any]) -> World:
    world = before()
    lives, groups, record = dict(world.lives), dict(world.groups), change["record"]
    life = {event: dict(values) for event, values in lives.pop(record).items()}
    group = groups.pop(record)
    for event, values in change.get("change", {}).items():
        life.setdefault(event, {}).update(values)
    if not change.get("delete"):
        name = change.get("rename", record)
        lives[name], groups[name] = life, change.get("group", group)
    return World(lives, groups)


SCOPE = Scope(CONFIG.trial.id, CONFIG.redcap.url)


def facts(world: World, remembered: Remembered) -> tuple[Facts, Remembered]:
    """A night: gate and derivation, and what the next one remembers."""
    snapshot = world.snapshot
    everyone = patients(snapshot, CONFIG)
    seen = observe(snapshot, everyone, {}, CONFIG, remembered)
    found = moves(remembered.night, seen)
    gate(snapshot, everyone, Beside(seen, remembered.night, found), TODAY)
    made = derive(Pull(snapshot, everyone, REGISTER, MAPPING), past(CONFIG, snapshot, remembered, found), CONFIG, TODAY)
    told = tuple(task.key for task in tasks(made))
    night = replace(settled(seen, remembered, found, "a", str(TODAY)), told=told)
    return made, Remembered(SCOPE, b"secret", night, made.lives)


FIRST, REMEMBERED = facts(before(), Remembered(SCOPE, b"secret"))


def rows(made: Facts) -> set[str]:
    """Every row of coordinator.xlsx as one text."""
    sheets = coordinator_sheets(made, Links())
    return {" ".join(str(value) for value in line.values) for sheet in sheets for line in sheet.lines}


MUTATIONS = [(kind, one) for kind, several in TABLE.items() for one in several]


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
    assert coordinator_sheets(again, Links())[2].lines == ()


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
