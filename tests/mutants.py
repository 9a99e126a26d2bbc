"""A world in which records change between two nights, as tests/data/mutations.yaml says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from trialdesk.allocation.cards import commitment
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import load
from trialdesk.model import Envelope, Pile
from trialdesk.redcap.snapshot import Snapshot

CONFIG = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
TODAY = date(2026, 7, 1)
TABLE = YAML(typ="safe").load((Path(__file__).parent / "data" / "mutations.yaml").read_text(encoding="utf-8"))
MUTATIONS: list[tuple[str, Mapping[str, Any]]] = [(kind, one) for kind, several in TABLE.items() for one in several]
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
    envelope, hour = envelope_id(Pile(site, "K1N"), number), f"1{number % 10}"
    return {
        "screening_arm_1": {
            "elig_site": site, "elig_date": "2026-02-20", "elig_ok": "1", "con_given": "1", "con_date": "2026-02-25",
            "sa_fit": "1", "elig_yob": f"19{40 + number}", "elig_sex": "1",
        },
        "randomisation_arm_1": {
            "rand_grp": "1", "rand_lvl": "1", "rand_for": "0", "rand_date": "2026-03-02", "rand_time": f"{hour}:30",
            "rand_env": envelope, "rand_env_released": envelope, "rand_released_at": f"2026-03-02 {hour}:10",
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


def register(cards: Iterable[tuple[str, int, str, str]]) -> tuple[Envelope, ...]:
    """Opened envelopes by site, number, record and arm, and void ones in every gap below them."""
    made: dict[str, Envelope] = {}
    for site, number, record, arm in cards:
        pile = Pile(site, "K1N")
        for lower in range(1, number):
            name = envelope_id(pile, lower)
            made.setdefault(name, Envelope(pile, lower, name, 1, "void", "00"))
        name = envelope_id(pile, number)
        proof, day = commitment(CONFIG.trial.id, name, arm, CODE), date(2026, 3, 2)
        made[name] = Envelope(
            pile, number, name, 1, "opened", proof, received_on=date(2026, 1, 5), record=record, opened_on=day
        )
    return tuple(sorted(made.values()))


REGISTER = register((("ODE", 1, "ODE-001", "1"), ("ODE", 2, "ODE-002", "2"), ("RIG", 3, "RIG-001", "1")))


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
