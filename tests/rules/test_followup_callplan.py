"""The call plan in REDCap: which contact is next, when that changes, and what holds too many changes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from followup_records import DONE, Record, made, pulled, record
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.errors import WriteBackFailed
from trialdesk.facts.deriving import Facts
from trialdesk.followup.callplan import call_plan_values, renewals
from trialdesk.followup.keeping import promises
from trialdesk.followup.schedule import schedule
from trialdesk.nightly.writeback import Changes, changes, write
from trialdesk.redcap.answers import Export
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot

pytestmark = pytest.mark.requirement("CAL-10")

PLAN = ("cp_next", "cp_target", "cp_opens", "cp_closes", "cp_planned", "cp_version")


@pytest.mark.parametrize(
    ("found", "today", "code", "planned"),
    [
        (record(), "2026-02-02", "W01", "2026-02-09"),
        (record(), "2026-02-12", "W01", "2026-02-09"),  # the last day of its window
        (record(), "2026-02-13", "W02", "2026-02-16"),
        (record(w1=DONE), "2026-02-09", "W02", "2026-02-16"),
        (record(w1={"nc_stat": "2", "nc_date": "2026-02-08"}), "2026-02-09", "W01", "2026-02-09"),
        (record(w1={"nc_stat": "3"}), "2026-02-09", "W02", "2026-02-16"),
        (record(w3={**DONE, "nc_cb_date": "2026-02-28"}), "2026-02-24", "W04", "2026-02-28"),
        (record(), "2026-05-20", "M03", "2026-05-01"),  # over on 16 May, chased until 30 May
        (record(), "2026-05-31", "M12", "2027-02-02"),
        (record(m3=DONE), "2026-05-20", "M12", "2027-02-02"),
        (record(m12=DONE), "2027-02-02", "", ""),
        (record(), "2029-01-01", "", ""),
        (record(eos={"eos_stat": "4"}), "2026-02-09", "", ""),
        (record(eos={"eos_stat": "3"}), "2026-02-09", "M03", "2026-05-01"),
    ],
)  # fmt: skip
def test_next_is_the_first_contact_that_is_still_to_be_made(
    frozen: Config, found: Record, today: str, code: str, planned: str
) -> None:
    """A missed contact gives way when its last day is over, also without anything typed later."""
    values = call_plan_values(made(frozen, today, ODE_1=found), frozen.call_plan)["ODE-1"]
    assert (values["cp_next"], values["cp_planned"]) == (code, planned)
    assert bool(values["cp_version"]) == bool(values["cp_target"]) == bool(code)


def test_nights_in_which_nothing_is_typed_write_once_a_contact(frozen: Config) -> None:
    """From the day of enrolment until after month 12: as many changes as contacts, and one that clears."""
    stored: Mapping[str, str] = {}
    seen = []
    for day in (date(2026, 2, 2) + timedelta(days=n) for n in range(500)):
        plan = made(frozen, str(day), ODE_1=record(plan=stored))
        found = renewals(plan, pulled({"ODE-1": record(plan=stored)}), frozen.call_plan)
        if found:
            stored = found[0].values
            seen.append((stored["cp_next"], found[0].brakes))
    codes = [*(f"W{n:02}" for n in range(1, 13)), "M03", "M12", ""]
    assert seen == [(code, False) for code in codes]


def first_plans(config: Config, found: Mapping[str, Record], today: str) -> dict[str, dict[str, str]]:
    snapshot = pulled(found)
    plan = schedule(patients(snapshot, config), snapshot, config, date.fromisoformat(today))
    return call_plan_values(plan, config.call_plan)


@pytest.mark.parametrize(
    ("change", "brakes"),
    [
        ({}, [False, False]),
        ({"week_1_arm_1": DONE}, [True, True]),  # typed on the day after the window ended, or before: data have changed
        ({"randomisation_arm_1": {"rand_date": "2026-02-03"}}, [True, True]),
        ({"logs_arm_1": {"eos_stat": "5"}}, [True, True]),
        ({"randomisation_arm_1": {"cp_planned": "2026-02-10"}}, [True, True]),  # changed by hand
    ],
)
def test_only_an_ended_window_and_a_first_plan_do_not_brake(
    frozen: Config, change: Record, brakes: Sequence[bool]
) -> None:
    """Week 1 stood in REDCap; its window ends on Thu 12 Feb, and the plan of Fri 13 Feb names week 2."""
    stored = first_plans(frozen, {"ODE-1": record()}, "2026-02-09")["ODE-1"]
    now = {event: dict(values) for event, values in record(plan=stored).items()}
    for event, values in change.items():
        now.setdefault(event, {}).update(values)
    found = []
    for today in ("2026-02-13", "2026-02-14"):
        snapshot = pulled({"ODE-1": now})
        promised = promises(snapshot, frozen.call_plan)
        plan = schedule(patients(snapshot, frozen), snapshot, frozen, date.fromisoformat(today), promised)
        found += [one.brakes for one in renewals(plan, snapshot, frozen.call_plan)]
    assert found == brakes


def test_the_plan_of_a_patient_in_doubt_stays_as_it_stands(frozen: Config) -> None:
    """A fatal adverse event and no end of study: neither a new contact nor a blank one is written."""
    fatal = {"ae_out": "4"}
    snapshot = pulled({"ODE-1": record(), "ODE-2": record()})
    rows = (*snapshot.rows["ODE-1"], Row("ODE-1", "logs_arm_1", "adverse_event", 1, fatal))
    snapshot = replace(snapshot, rows={**snapshot.rows, "ODE-1": rows})
    plan = schedule(patients(snapshot, frozen), snapshot, frozen, date(2026, 2, 9))
    assert [hold.record for hold in plan.holds] == ["ODE-1"]
    assert [one.record for one in renewals(plan, snapshot, frozen.call_plan)] == ["ODE-2"]


@dataclass
class Project:
    """A project that keeps what is written into it; `meanwhile` is typed before the first fresh reading."""

    held: dict[str, dict[str, dict[str, str]]]
    meanwhile: Mapping[str, Record] = field(default_factory=dict)
    deaf: bool = False
    sent: list[Row] = field(default_factory=list)
    calls: int = 0

    def records(self, _: str, names: Sequence[str], *, records: Sequence[str] = ()) -> Export:
        for name, events in self.meanwhile.items():
            for event, values in events.items():
                self.held[name].setdefault(event, {}).update(values)
        self.meanwhile = {}
        rows = [
            Row(name, event, "", 0, {column: value for column, value in values.items() if column in names and value})
            for name in records
            for event, values in self.held.get(name, {}).items()
        ]
        return Export(tuple(rows), frozenset(names), {}, ())

    def write(self, _: str, rows: Iterable[Row], *, clear: bool) -> int:
        assert clear
        self.calls += 1
        self.sent += (rows := list(rows))
        for row in rows if not self.deaf else ():
            self.held[row.record].setdefault(row.event, {}).update(row.values)
        return len(rows)


def night(config: Config, snapshot: Snapshot, today: str) -> Facts:
    promised = promises(snapshot, config.call_plan)
    plan = schedule(patients(snapshot, config), snapshot, config, date.fromisoformat(today), promised)
    made_of = SimpleNamespace(config=config, snapshot=snapshot, schedule=plan, cards=SimpleNamespace(opened=()))
    return cast(Facts, made_of)


def enrolled(
    number: int, stored: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, dict[str, dict[str, str]]]:
    names = [f"ODE-{n}" for n in range(1, number + 1)]
    records = {name: record(plan=(stored or {}).get(name, {})) for name in names}
    return {name: {event: dict(values) for event, values in found.items()} for name, found in records.items()}


def written(config: Config, project: Project, today: str, accepted: int | None = None) -> str:
    facts = night(config, pulled(project.held), today)
    return put(facts, project, accepted)


def put(facts: Facts, project: Project, accepted: int | None = None) -> str:
    return write(changes(facts), facts, cast(Gateway, project), cast(Gateway, Project({})), accepted)


def test_a_first_night_writes_every_plan_and_the_second_nothing(frozen: Config) -> None:
    """Thirty first plans are no reason to stop; they go in requests of at most 100 records."""
    project = Project(enrolled(130))
    assert written(frozen, project, "2026-02-09") == "0 envelope(s) marked opened, 130 call plan(s) renewed"
    assert (project.calls, len(project.sent)) == (2, 130)
    assert {name: {f: v["randomisation_arm_1"][f] for f in PLAN} for name, v in project.held.items()} == first_plans(
        frozen, enrolled(130), "2026-02-09"
    )
    assert written(frozen, project, "2026-02-10") == "0 envelope(s) marked opened, 0 call plan(s) renewed"
    assert project.calls == 2


def test_what_is_typed_meanwhile_is_left_to_the_next_run(frozen: Config) -> None:
    """Week 1 of one patient was entered after the pull, another record was deleted, the third is written."""
    project = Project(enrolled(3))
    facts = night(frozen, pulled(project.held), "2026-02-09")
    project.meanwhile = {"ODE-1": {"week_1_arm_1": DONE}}
    del project.held["ODE-2"]
    said = put(facts, project)
    assert said.endswith("1 call plan(s) renewed; 2 left to the next run, their records changed meanwhile")
    assert {row.record for row in project.sent} == {"ODE-3"}


def test_only_what_differs_from_redcap_as_it_is_now_is_written(frozen: Config) -> None:
    """Another run wrote all but the version in between."""
    project = Project(enrolled(1))
    facts = night(frozen, pulled(project.held), "2026-02-09")
    plan = first_plans(frozen, enrolled(1), "2026-02-09")["ODE-1"]
    project.meanwhile = {"ODE-1": {"randomisation_arm_1": {**plan, "cp_version": ""}}}
    put(facts, project)
    assert [row.values for row in project.sent] == [{"cp_version": plan["cp_version"]}]


def test_redcap_that_keeps_nothing_is_told(frozen: Config) -> None:
    """Written and read back: an import that says ok and does nothing is an error."""
    with pytest.raises(WriteBackFailed, match="REDCap does not hold the call plan of ODE-1"):
        written(frozen, Project(enrolled(1), deaf=True), "2026-02-09")


def shifted(config: Config, number: int, of: int) -> Project:
    """So many records, of which `number` got another day of enrolment after their first plan."""
    project = Project(enrolled(of))
    written(config, project, "2026-02-03")
    for name in sorted(project.held)[:number]:
        project.held[name]["randomisation_arm_1"]["rand_date"] = "2026-02-03"
    project.sent, project.calls = [], 0
    return project


def test_too_many_changes_at_once_are_held_until_their_number_is_accepted(frozen: Config) -> None:
    """Eleven of twenty: nothing is written, also not with another number; with eleven it is."""
    project = shifted(frozen, 11, 20)
    for accepted in (None, 12):
        with pytest.raises(WriteBackFailed, match=r"11 of 20 records .* --accept-writes 11 --reason TEXT --by NAME"):
            written(frozen, project, "2026-02-04", accepted)
    assert project.calls == 0
    assert written(frozen, project, "2026-02-04", 11).endswith("11 call plan(s) renewed")


@pytest.mark.parametrize(
    ("number", "of", "braked"), [(10, 12, False), (11, 55, False), (11, 54, True), (12, 59, True), (12, 60, False)]
)
def test_the_brake_is_ten_records_or_a_fifth(frozen: Config, number: int, of: int, braked: bool) -> None:
    """More than the larger of the two."""
    facts = night(frozen, pulled(shifted(frozen, number, of).held), "2026-02-04")
    found: Changes = changes(facts)
    assert (found.braking, found.braked) == (number, braked)
