"""The rehearsal: every value a site would be able to enter, and every planted deviation there to be found."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from frozen import FROZEN
from redcap_rules.dictionary import Dictionary, join, read_dictionary
from redcap_rules.logic import Given, evaluate, is_true, number_text, references
from redcap_rules.logic import parse as parsed
from redcap_rules.record import RecordView, Row
from redcap_rules.validation import out_of_range, refusal
from rehearsal.cast import Reach, roles
from rehearsal.play import play
from rehearsal.script import read_script
from rehearsal.setting import Setting, setting_of
from rehearsal.story import Deviation, Story, write_story
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import load
from trialdesk.instruments.folder import read_design

INSTRUMENTS = FROZEN / "instruments" / "trial"
TODAY = date(2027, 3, 17)
SEEDS = (1, 2, 3, 4)
CODE = "7K3M9QX2ABCD"
REPEATING = {"adverse_event", "con_treatment", "protocol_deviation", "call_log"}


@cache
def dictionary() -> Dictionary:
    return join(read_dictionary(p.read_text("utf-8")) for p in sorted(INSTRUMENTS.glob("[0-9]*.csv")))


def table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((INSTRUMENTS / name).read_text("utf-8").splitlines()))


@cache
def events_of_forms() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in table("mapping.csv"):
        found[row["form"]].add(row["unique_event_name"])
    return found


@cache
def setting() -> Setting:
    config = load(FROZEN / "config.yaml")
    return setting_of(config, read_design(config, "trial"), read_script(FROZEN / "config.yaml"))


@dataclass
class World:
    """A REDCap, a coordinator and boxes of envelopes, all made of paper."""

    story: Story
    requests: list[tuple[str, list[dict[str, str]]]] = field(default_factory=list)
    released: dict[str, str] = field(default_factory=dict)
    moments: list[datetime] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    progress: list[tuple[int, int]] = field(default_factory=list)
    deviations: tuple[Deviation, ...] = ()

    def play(self) -> World:
        self.deviations = play(
            self.story, lambda site: Post(self, site), self.release, self.card, lambda *seen: self.progress.append(seen)
        )
        return self

    def release(self, record: str, now: datetime) -> str:
        assert not self.waiting, f"{self.waiting} still wait when {record} asks"
        life = next(life for life in self.story.lives if life.record == record)
        used = {*self.released.values(), *self.opened}
        numbers = (envelope_id(life.pile, number) for number in range(1, 99))
        envelope = next(name for name in numbers if name not in used)
        self.released[record] = envelope
        self.moments.append(now)
        self.waiting.append(record)
        return envelope

    def card(self, envelope: str) -> tuple[str, str]:
        assert envelope not in self.opened
        self.opened.append(envelope)
        self.waiting.clear()
        return "12"[sum(map(ord, envelope)) % 2], CODE

    def cells(self) -> Iterator[tuple[dict[str, str], str, str]]:
        for _, rows in self.requests:
            for row in rows:
                for column, value in row.items():
                    if not column.startswith("redcap_") and column != "record_id":
                        yield row, column, value

    def records(self) -> dict[str, RecordView]:
        """Every record as REDCap holds it at the end, calculations done and releases written."""
        found: dict[str, dict[tuple[str, str, int], dict[str, str]]] = defaultdict(dict)
        for _, rows in self.requests:
            for row in rows:
                place = (
                    row["redcap_event_name"],
                    row["redcap_repeat_instrument"],
                    int(row["redcap_repeat_instance"] or 0),
                )
                found[row["record_id"]].setdefault(place, {}).update(row)
        for record, envelope in self.released.items():
            found[record]["randomisation_arm_1", "", 0]["rand_env_released"] = envelope
        return {record: calculated(record, places) for record, places in found.items()}


@dataclass
class Post:
    world: World
    site: str

    def import_records(self, to_import: list[dict[str, str]]) -> object:
        self.world.requests.append((self.site, to_import))
        return len(to_import)


def calculated(record: str, places: dict[tuple[str, str, int], dict[str, str]]) -> RecordView:
    view = RecordView([Row(record, *place, values) for place, values in places.items()], dictionary())
    for calc in (item for item in dictionary().fields if item.kind == "calc"):
        formula = parse(calc.choices)
        for (event, instrument, instance), values in places.items():
            if f"{calc.form}_complete" in values:
                value = evaluate(formula, view, event=event, instrument=instrument, instance=instance)
                values[calc.name] = value if isinstance(value, str) else number_text(value)
    return view


@cache
def world(seed: int) -> World:
    return World(write_story(seed, 44, TODAY, setting())).play()


@cache
def records(seed: int) -> dict[str, RecordView]:
    return world(seed).records()


parse = cache(parsed)


@cache
def quality_rules() -> dict[str, str]:
    return {row["rule_name"].split()[0]: row["rule_logic"] for row in table("dq_rules.csv")}


def fired(view: RecordView) -> set[str]:
    found = set()
    for rule, logic in quality_rules().items():
        formula = parse(logic)
        here = [row for row in view.rows if not all(ref.event for ref in references(formula))] or view.rows[:1]
        given = ((row.event, row.instrument, row.instance) for row in here)
        if any(is_true(evaluate(formula, view, event=e, instrument=i, instance=n)) for e, i, n in given):
            found.add(rule)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_every_value_is_one_redcap_accepts(seed: int) -> None:
    """No value is refused, none is out of its field's range, and calculations are never sent."""
    bad = []
    for row, column, value in world(seed).cells():
        if column.endswith("_complete"):
            assert value in {"0", "1", "2"}
            continue
        item = dictionary().get(column.split("___")[0])
        assert column in item.columns
        assert item.kind != "calc"
        if refusal(item, value) or out_of_range(item, value, TODAY):
            bad.append((row["record_id"], column, value))
    assert bad == []


@pytest.mark.parametrize("seed", SEEDS)
def test_every_form_stands_in_an_event_that_holds_it(seed: int) -> None:
    """Forms follow mapping.csv; exactly the repeating ones carry an instance, counted from 1 without a gap."""
    instances: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, column, _ in world(seed).cells():
        form = dictionary().form_of(column)
        assert row["redcap_event_name"] in events_of_forms()[form]
        assert row["redcap_repeat_instrument"] == (form if form in REPEATING else "")
        if column.endswith("_complete") and form in REPEATING:
            instances[row["record_id"], form].append(int(row["redcap_repeat_instance"]))
    assert instances
    assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in instances.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_call_log_is_played_as_its_rules_have_it(seed: int) -> None:
    """At most two tries a patient, contact and day; of no contact that only one arm has; some agree on a time."""
    log: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for row, column, value in world(seed).cells():
        if column.startswith("cl_"):
            log[row["record_id"], int(row["redcap_repeat_instance"])][column] = value
    days = Counter((record, values["cl_contact"], values["cl_date"]) for (record, _), values in log.items())
    assert len(log) > 10
    assert max(days.values()) == 2
    assert "SC12" not in {values["cl_contact"] for values in log.values()}
    assert {values["cl_out"] for values in log.values() if "cl_cb_date" in values} == {"1"}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_value_stands_in_a_hidden_field(seed: int) -> None:
    """What branching hides a site could not have entered."""
    hidden = set()
    for view in records(seed).values():
        for row in view.rows:
            for column in row.values:
                name = column.split("___")[0]
                logic = dictionary().get(name).branching if name in dictionary() else ""
                place: Given = {"event": row.event, "instrument": row.instrument, "instance": row.instance}
                if logic and not is_true(evaluate(parse(logic), view, **place)):
                    hidden.add((view.record, row.event, name))
    assert {item for item in hidden if dictionary().get(item[2]).kind != "calc"} == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_required_field_of_a_complete_form_is_blank(seed: int) -> None:
    """A form marked complete has every required field that branching shows."""
    blank = set()
    for view in records(seed).values():
        for row in view.rows:
            for form in (name for name in dictionary().forms if row.values.get(f"{name}_complete") == "2"):
                for item in dictionary().form(form):
                    place: Given = {"event": row.event, "instrument": row.instrument, "instance": row.instance}
                    logic = item.branching or "1=1"
                    shown = item.required and is_true(evaluate(parse(logic), view, **place))
                    if shown and not row.values.get(item.name):
                        blank.add((view.record, row.event, item.name))
    assert blank == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_data_quality_rules_find_the_planted_deviations_and_nothing_else(seed: int) -> None:
    """The 57 rules of the trial, run over all records, name exactly the planted records."""
    planted = {(d.record, d.rule) for d in world(seed).deviations if d.rule in quality_rules()}
    found = {(record, rule) for record, view in records(seed).items() for rule in fired(view)}
    assert found == planted
    assert len({rule for _, rule in planted}) >= 12


@pytest.mark.parametrize("seed", SEEDS)
def test_deviations_no_rule_of_redcap_can_see_are_planted_too(seed: int) -> None:
    """Site field (R52), skipped envelope (R02) and card code (R11) are for the nightly job alone."""
    played = world(seed)
    planted = {d.rule: d.record for d in played.deviations}
    codes = {row["record_id"]: value for row, column, value in played.cells() if column == "rand_code"}
    envelopes = {row["record_id"]: value for row, column, value in played.cells() if column == "rand_env"}
    sites = {row["record_id"]: value for row, column, value in played.cells() if column == "elig_site"}
    assert [record for record, site in sites.items() if not record.startswith(site)] == [planted["R52"]]
    other = planted["R02"]
    assert (envelopes[other][8:11], played.released[other][8:11]) == ("002", "001")
    assert [record for record, code in codes.items() if code != "7K3M-9QX2-ABCD"] == [planted["R11"]]
    assert planted["Q27"] not in played.released


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_dated_after_today(seed: int) -> None:
    """Only a callback, which was agreed yesterday or today, may lie ahead."""
    days = {
        (column, value)
        for _, column, value in world(seed).cells()
        if not column.endswith("_complete") and "date" in dictionary().get(column.split("___")[0]).validation
    }
    assert max(value for column, value in days if column not in ("nc_cb_date", "cl_cb_date")) <= TODAY.isoformat()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_entered_after_death_or_full_withdrawal(seed: int) -> None:
    """After the last day no contact and no questionnaire is dated."""
    for life in world(seed).story.lives:
        if life.role.part.state not in {"dead", "withdrawn_from_data", "withdrawn_from_contact", "lost"}:
            continue
        view = records(seed)[life.record]
        left = view.value("eos_date", "logs_arm_1")
        visits = [value for row in view.rows for name, value in row.values.items() if name in {"nc_date", "vas_date"}]
        assert left
        assert max(visits) <= left


def test_the_same_seed_tells_the_same_story() -> None:
    """Two performances send the same bytes; another seed does not."""
    again = World(write_story(1, 44, TODAY, setting())).play()
    assert again.requests == world(1).requests
    assert world(2).requests != world(1).requests


@pytest.mark.parametrize("seed", SEEDS)
def test_every_part_is_played_and_every_stage_is_seen(seed: int) -> None:
    """44 patients: all parts, both arms, month 12 done, 14 months of recruitment, one release open at the end."""
    story = world(seed).story
    parts = Counter(life.role.name for life in story.lives)
    assert set(parts) == set(roles(story.setting.script, story.setting.config))
    assert parts["released"] == parts["ready"] == 1
    assert world(seed).waiting == [life.record for life in story.lives if life.role.name == "released"]
    first = min(life.screened for life in story.lives)
    assert timedelta(days=395) <= TODAY - first <= timedelta(days=440)
    assert {view.value("nc_stat", "month_12_arm_1") for view in records(seed).values()} >= {"1"}
    assert {view.value("rand_arm", "randomisation_arm_1") for view in records(seed).values()} == {"", "1", "2"}
    assert {view.value("xo_dec", "logs_arm_1") for view in records(seed).values()} == {"", "1"}
    assert world(seed).progress[-1] == (44, 44)


@pytest.mark.parametrize("seed", SEEDS)
def test_envelopes_are_released_and_opened_one_at_a_time(seed: int) -> None:
    """Releases follow each other in time, each opened before the next; openings never share an hour."""
    moments = world(seed).moments
    opened = [life.opened for life in world(seed).story.lives if life.role.reach == Reach.OPENED]
    assert moments == sorted(moments)
    assert len({moment.replace(minute=0) for moment in opened}) == len(opened)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_patient_costs_at_most_four_requests(seed: int) -> None:
    """The demo has to be quick: screening and baseline, randomisation form, opening, everything after."""
    requests = Counter(rows[0]["record_id"] for _, rows in world(seed).requests)
    assert max(requests.values()) == 4
    assert all(rows[0]["record_id"].startswith(site) for site, rows in world(seed).requests)


def test_scores_fall_after_vertebroplasty_more_than_without() -> None:
    """Burden before is alike; at week 4 the treated patients are better, as far as the made-up course goes."""
    change: dict[str, list[float]] = {"1": [], "2": []}
    for seed in SEEDS:
        for view in records(seed).values():
            before, after = (view.value("odi_pct", event) for event in ("baseline_arm_1", "week_4_arm_1"))
            if before and after:
                change[view.value("rand_arm", "randomisation_arm_1")].append(float(before) - float(after))
    means = {arm: sum(values) / len(values) for arm, values in change.items()}
    assert 5 < means["2"] < means["1"] - 10 < 40


@pytest.mark.parametrize("patients", [1, 2, 5, 12, 40, 80])
def test_a_story_of_any_size_can_be_played(patients: int) -> None:
    """A small cast shows the most important parts first; a large one repeats ordinary patients."""
    played = World(write_story(7, patients, TODAY, setting())).play()
    assert len(played.story.lives) == patients
    assert len({life.record for life in played.story.lives}) == patients
    assert played.progress[-1] == (patients, patients)
