"""Another trial is another pair: three arms, no procedure, no change of arm, four contacts; invented."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from followup_records import desk
from redcap_rules.record import Row
from trialdesk.allocation.cards import commitment
from trialdesk.allocation.numbering import envelope_id, parse_envelope_id
from trialdesk.config import Config, load
from trialdesk.envelopes.lists import coordinator_lists
from trialdesk.errors import ConfigError
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.pulling import Pull
from trialdesk.followup.sheets import tables as call_tables
from trialdesk.instruments.checks import check_projects
from trialdesk.instruments.folder import folder_of, read_folder
from trialdesk.instruments.treatment import treatment_events
from trialdesk.model import Envelope, Pile
from trialdesk.nightly.writeback import changes
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.pack import enrolment_packs
from trialdesk.workbook import SheetTable

pytestmark = pytest.mark.requirement("INS-05")

HOME = Path(__file__).parents[1] / "data" / "other-trial"
FIRST = date(2026, 5, 4)
ARMS = ("A", "B", "C")
CODE = "0123456789AB"


@pytest.fixture(scope="module")
def gait() -> Config:
    """The invented trial as it is written."""
    return load(HOME / "config.yaml")


def changed(tmp_path: Path, **blocks: object) -> Config:
    """The same trial with other blocks."""
    yaml = YAML()
    tree = yaml.load(HOME / "config.yaml")
    for name, value in blocks.items():
        tree[name] = value
    tree["folders"]["instruments"] = str(HOME / "instruments")
    yaml.dump(tree, tmp_path / "config.yaml")
    return load(tmp_path / "config.yaml")


def life(number: int, arm: str, opened: date, today: date) -> Mapping[str, Mapping[str, str]]:
    """A patient of the first site, called when due, every fourth one lost after week 2."""
    number_on_envelope = envelope_id(Pile("FJO", "YN"), number)
    events: dict[str, dict[str, str]] = {
        "intake_arm_1": {
            "scr_site": "FJO", "scr_date": str(opened - timedelta(9)), "scr_ok": "1", "scr_smoke": "0",
            "cns_given": "1", "cns_date": str(opened - timedelta(5)), "kns_total": "40", "knee_score_complete": "2",
        },
        "allocation_arm_1": {
            "rnd_date": str(opened), "rnd_time": "10:00", "rnd_arm": arm, "rnd_code": CODE, "rnd_age": "1",
            "rnd_smoke": "0", "rnd_env": number_on_envelope, "rnd_env_released": number_on_envelope,
            "rnd_released_at": f"{opened} 09:50",
        },
    }  # fmt: skip
    for event, days in (("week_2_arm_1", 14), ("week_6_arm_1", 42), ("week_12_arm_1", 84)):
        on = opened + timedelta(days)
        if on < today and (event == "week_2_arm_1" or number % 4):
            events[event] = {"pho_stat": "1", "pho_date": str(on)}
    return events


def facts_of(config: Config, today: date, more: Mapping[str, Mapping[str, str]] | None = None) -> Facts:
    """A pull in which a patient is randomised every six days, arm after arm; one died. `more` is in every record."""
    dictionary = read_folder(folder_of(config, "trial")).design.dictionary
    lives, register = {}, []
    days = [FIRST + timedelta(6 * step) for step in range(20) if FIRST + timedelta(6 * step) <= today]
    for number, opened in enumerate(days, 1):
        arm = ARMS[number % 3]
        lives[f"FJO-{number}"] = dict(life(number, arm, opened, today))
        name = envelope_id(Pile("FJO", "YN"), number)
        proof = commitment(config.trial.id, name, arm, CODE)
        register.append(Envelope(Pile("FJO", "YN"), number, name, 1, "received", proof, received_on=FIRST))
    for event, values in (more or {}).items():
        for found in lives.values():
            found[event] = {**found.get(event, {}), **values}
    if len(days) > 3:
        lives["FJO-2"]["closing_arm_1"] = {"end_stat": "4", "end_death": str(today), "end_date": str(today)}
    rows = {name: tuple(Row(name, e, "", 0, v) for e, v in found.items()) for name, found in lives.items()}
    events = tuple(dict.fromkeys(slot.event for slot in read_folder(folder_of(config, "trial")).design.mapping))
    snapshot = Snapshot("7", "GAIT", dictionary, events, rows, dict.fromkeys(rows, "fjo"))
    slots = read_folder(folder_of(config, "trial")).design.mapping
    mapping = {event: tuple(slot.form for slot in slots if slot.event == event) for event in events}
    pull = Pull(snapshot, patients(snapshot, config), tuple(register), mapping)
    return derive(pull, past(config, snapshot), config, today)


def words(tables: tuple[SheetTable, ...]) -> Iterator[str]:
    for table in tables:
        yield from (column.title for column in table.columns)
        yield from (str(value) for line in table.lines for value in line.values)


def test_it_is_written_as_a_person_would_and_check_finds_nothing(gait: Config) -> None:
    """No dummy form, no dummy key."""
    assert list(gait.stratum_levels) == ["YN", "YS", "ON", "OS"]
    assert check_projects(gait, ("trial", "register"), HOME / "config.yaml") == ()
    assert (gait.call_plan, gait.crosschecks, gait.facts.procedure_on) == (None, None, None)


@pytest.mark.parametrize("days", [0, 5, 30, 60, 90, 120, 200])
def test_every_night_of_its_life_is_proved_blind(gait: Config, days: int) -> None:
    """Nobody, some, many; contacts made, missed and lost, and a death."""
    facts = facts_of(gait, FIRST + timedelta(days))
    made = enrolment_packs(facts, ["monitor", "closed", "site:FJO"])
    assert facts.cohort.randomised == min(20, days // 6 + 1)
    assert {one.rule for one in facts.findings} & {"R11", "R49", "R06", "R04"} == set()
    assert changes(facts).plans == ()
    shown = set(words(made["closed"]))
    assert {"Supervised training", "Home training", "Advice alone", "Died"} <= shown
    assert not {"Procedure done", "Arm changed", "Not invited", "Hospital"} & shown


def test_sheets_have_no_word_for_what_the_trial_lacks(gait: Config) -> None:
    """No change of arm for the nurse, no hospital for the coordinator."""
    today = FIRST + timedelta(60)
    facts = facts_of(gait, today)
    calls = call_tables(facts.schedule, desk(gait), datetime(2026, 7, 3, 4, 30))
    lists = coordinator_lists(gait, facts.cards.register, today, facts.cards.findings)
    assert "Hospital" not in {c.title for table in (*calls, *lists) for c in table.columns}
    assert not any("change arm" in word for word in words(calls))
    assert next(table.name for table in calls) == "Today"


def test_a_contact_may_be_for_one_arm_alone(tmp_path: Path, gait: Config) -> None:
    """Only patients of that arm get it; its event tells the arm, so no open report counts it, and the proof holds."""
    contacts = [rule.model_dump(mode="json") for rule in gait.contacts]
    for rule in contacts:
        rule["window"] = list(rule["window"])
        rule.pop("months" if rule["days"] is not None else "days")
    contacts[1]["arms"] = ["B"]
    config = changed(tmp_path, contacts=contacts)
    facts = facts_of(config, FIRST + timedelta(90))
    having = {entry.contact.record for entry in facts.schedule.entries if entry.contact.rule.code == "W06"}
    assert having == {patient.record for patient in facts.patients if patient.arm == "B"}
    assert treatment_events(config) == {"week_6_arm_1"}
    made = enrolment_packs(facts, ["monitor", "closed"])
    events = next(table for table in made["monitor"] if table.name == "Completeness")
    assert "Week 6" not in {line.values[0] for line in events.lines}
    assert "Week 6" in set(words(made["closed"]))


def for_one_arm(tmp_path: Path, config: Config, **blocks: object) -> Config:
    """The trial with the contact of week 6 for home training alone, and with instruments that a test may change."""
    contacts = [rule.model_dump(mode="json", exclude_none=True) for rule in config.contacts]
    contacts[1]["arms"] = ["B"]
    made = changed(tmp_path, contacts=contacts, **blocks)
    shutil.copytree(HOME / "instruments", tmp_path / "instruments")
    return made.model_copy(
        update={"folders": made.folders.model_copy(update={"instruments": tmp_path / "instruments"})}
    )


def test_a_rule_about_an_event_of_one_arm_tells_the_arm(tmp_path: Path, gait: Config) -> None:
    """Its field is one that every arm has; the event it names is not, so only the closed report lists it."""
    config = for_one_arm(tmp_path, gait)
    path = tmp_path / "instruments" / "trial" / "dq_rules.csv"
    rule = "T09 No week 6,\"[allocation_arm_1][rnd_date]<>'' and [week_6_arm_1][pho_stat]<>'1'\",n\n"
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + f"\n{rule}", encoding="utf-8")
    made = enrolment_packs(facts_of(config, FIRST + timedelta(90)), ["monitor", "closed"])
    assert "T09" in set(words(made["closed"]))
    assert "T09" not in set(words(made["monitor"]))


def test_a_contact_of_one_arm_changes_nothing_that_is_said_of_the_others(tmp_path: Path, gait: Config) -> None:
    """Whether week 12 is logged since the contact before it must not depend on a week 6 that one arm has."""
    crosschecks = {
        "events": {"instrument": "end_of_study", "started": "end_date"},
        "contact": {"instrument": "phone_contact", "date": "pho_date", "new_event": "[pho_train]='7'"},
    }
    config = for_one_arm(tmp_path, gait, crosschecks=crosschecks)
    path = tmp_path / "instruments" / "trial" / "dq_classes.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    names = header.split(",")
    wanted = {"rule": "Q48", "severity": "warning", "open": "y"}
    path.write_text(
        "\n".join([header, *rows, ",".join(wanted.get(name, "") for name in names)]) + "\n", encoding="utf-8"
    )
    logged = {"closing_arm_1": {"end_date": str(FIRST + timedelta(45))}, "week_12_arm_1": {"pho_train": "7"}}
    facts = facts_of(config, FIRST + timedelta(160), logged)
    assert "Q48" in {one.rule for one in facts.findings}
    assert enrolment_packs(facts, ["monitor"])["monitor"]


def test_a_contact_may_count_from_a_date_of_the_trial_s_own(tmp_path: Path, gait: Config) -> None:
    """Four weeks after the consent form was signed, for example."""
    contacts = [rule.model_dump(mode="json", exclude_none=True) for rule in gait.contacts]
    contacts[0] |= {"anchor": "signed"}
    config = changed(
        tmp_path, contacts=contacts, anchors={"signed": {"date": "[intake_arm_1][cns_date]", "every_arm": True}}
    )
    facts = facts_of(config, FIRST + timedelta(30))
    windows = {e.contact.record: e.contact.window for e in facts.schedule.entries if e.contact.rule.code == "W02"}
    first = windows["FJO-1"]
    assert first is not None
    assert first.target == FIRST - timedelta(5) + timedelta(14)


def test_a_trial_without_factors_has_one_pile_a_site(tmp_path: Path) -> None:
    """Its code stands in the envelope's number, which is read back."""
    config = changed(tmp_path, strata=[])
    assert [str(pile) for pile in config.piles] == ["FJO-0", "BAK-0", "LYN-0"]
    assert (config.stratum_of([]), config.stratum_label("0")) == ("0", "all patients")
    assert parse_envelope_id(envelope_id(config.piles[0], 3)) == (Pile("FJO", "0"), 3)


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ({"contacts": [{"code": "X", "label": "X", "event": "week_2_arm_1", "form": "call", "anchor": "surgery",
                        "days": 3, "window": [0, 1]}]}, "surgery is no anchor; there are enrolment"),
        ({"contacts": [{"code": "X", "label": "X", "event": "week_2_arm_1", "form": "call", "anchor": "enrolment",
                        "arms": ["D"], "days": 3, "window": [0, 1]}]}, "there is no arm D; arms are A, B, C"),
        ({"anchors": {"enrolment": {"date": "[intake_arm_1][cns_date]"}}}, "give a date of your own another name"),
        ({"states": {"procedure_done": "[intake_arm_1][scr_ok]='1'"}}, "goes with states.procedure_done"),
    ],
)  # fmt: skip
def test_half_a_concept_is_named(tmp_path: Path, blocks: dict[str, object], said: str) -> None:
    """With its line and the way out."""
    with pytest.raises(ConfigError, match=said):
        changed(tmp_path, **blocks)
