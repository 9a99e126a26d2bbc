"""A forgotten record that REDCap keeps is one of a number: in every count, in no list, and nothing else of it held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from frozen import FROZEN, trial_rows
from redcap_rules.record import Row
from rehearsed import rehearsed
from trialdesk.config import load
from trialdesk.facts.counted import bare, counted, without
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.facts.tracks import tracks
from trialdesk.memory.digests import forgotten
from trialdesk.memory.store import Memory, opened
from trialdesk.memory.values import Remembered, Run, Scope
from trialdesk.model import FORGOTTEN, Envelope, Pile
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.flow import flow
from trialdesk.reports.pack import enrolment_packs
from trialdesk.workbook import as_bytes

pytestmark = pytest.mark.requirement("NGT-08")
CONFIG = load(FROZEN / "config.yaml")
DAY = date(2026, 11, 23)
SCOPE = Scope("T", "https://redcap.example.org/api/")
WITHDRAWN = {"eos_stat": "2", "eos_wd_type": "3", "eos_date": "2026-11-20"}


def pulled(snapshot: Snapshot, register: tuple[Envelope, ...] = ()) -> Pull:
    return Pull(snapshot, patients(snapshot, CONFIG), register, forms_by_event(trial_rows("mapping.csv")))


@pytest.fixture(name="pull", scope="module")
def a_pull() -> Pull:
    """A rehearsed trial in which the first patient who had the procedure withdraws from the use of data."""
    snapshot = rehearsed(3, DAY)
    who = next(one for one in pulled(snapshot).patients if "procedure_done" in one.states and not one.left_on)
    rows = {**snapshot.rows, who.record: (*snapshot.rows[who.record], Row(who.record, "logs_arm_1", "", 0, WITHDRAWN))}
    envelope = Envelope(Pile("ODE", "K1N"), 1, "ODE-K1N-001-X", 1, "opened", "00", record=who.record,
                        note=f"seen by the nurse of {who.record}, not of {who.record}9")  # fmt: skip
    return pulled(replace(snapshot, rows=rows), (envelope,))


@pytest.fixture(name="record", scope="module")
def its_record(pull: Pull) -> str:
    return pull.register[0].record


def remembering(*records: str) -> Remembered:
    return Remembered(SCOPE, b"secret", forgotten=frozenset(forgotten(b"secret", one) for one in records))


def derived(pull: Pull) -> Facts:
    return derive(pull, past(CONFIG, pull.snapshot), CONFIG, DAY)


def counts(facts: Facts) -> Iterator[object]:
    """What is counted, for the whole trial and for each site."""
    for part in (facts.cohort, *(facts.cohort.owned(site.code) for site in CONFIG.sites)):
        yield [part.reached(step) for step in range(len(part.steps))]
        yield part.randomised, part.states, part.opened_on
        yield [(box.name, box.n) for box in flow(part)]


def test_it_is_in_every_count_and_in_no_sheet(pull: Pull, record: str) -> None:
    """Of the whole trial, of its site, in the flow, and among those whose contacts are over."""
    before, after = derived(pull), derived(counted(pull, remembering(record)))
    assert [*counts(before)] == [*counts(after)]
    assert len(tracks(before.cohort, before.schedule, CONFIG)) == len(tracks(after.cohort, after.schedule, CONFIG))
    site = next(one.site for one in pull.patients if one.record == record)
    readers = ("monitor", f"site:{site}")
    shown = [enrolment_packs(facts, readers) for facts in (before, after)]
    for reader in readers:
        told = [as_bytes(pack[reader], "") for pack in shown]
        assert told[0] != told[1]
        cells = [
            str(value)
            for sheet in shown[1][reader]
            for part in sheet.tables
            for line in part.lines
            for value in line.values
        ]
        assert not [cell for cell in cells if record in cell]
        lists = [sheet for sheet in shown[1][reader] if sheet.columns[0].title == "Record"]
        assert not [sheet.name for sheet in lists if "" in {line.values[0] for line in sheet.lines}]
        assert any("withdrawn from the use of data, in no list" in cell for cell in cells)
    assert record not in repr((after.schedule.entries, after.findings, after.forms, after.patients, after.lives))


def test_it_stays_a_record_like_others_while_it_is_not_withdrawn(pull: Pull, record: str) -> None:
    """What was entered for the wrong patient is corrected in REDCap; and nothing changes while nothing is forgotten."""
    assert counted(pull, remembering()) is pull
    other = next(one.record for one in pull.patients if one.withdrawal != "data")
    assert other in counted(pull, remembering(other)).snapshot.rows
    assert {record, other} - {*counted(pull, remembering(record, other)).snapshot.rows} == {record}


def test_nothing_of_it_is_left_but_site_steps_and_days(pull: Pull, record: str) -> None:
    """No id, no treatment, no envelope, nothing of health; the register has a word in place of the record."""
    left = without(pull, {record}, counting=True)
    (one,) = left.counted
    who = next(one for one in pull.patients if one.record == record)
    assert one == bare(who)
    assert (one.record, one.arm, one.envelope, one.stratum, one.procedure_on) == ("", "", "", "", None)
    assert (one.site, one.opened_on, one.reached) == (who.site, who.opened_on, who.reached)
    assert one.states == {"withdrawn_from_data"}
    assert (left.register[0].record, left.register[0].note) == (
        FORGOTTEN,
        f"seen by the nurse of {FORGOTTEN}, not of {record}9",
    )
    assert without(pull, {record}, counting=False).counted == ()


def test_the_memory_knows_a_forgotten_record_again_and_can_t_tell_it(tmp_path: Path) -> None:
    """A keyed digest is all that is left of its ids, also in what people gave as a reason."""
    path = tmp_path / "memory.sqlite"
    with opened(path) as memory:
        memory.begin(SCOPE, Run("2026-11-23_043000", "2026-11-23", accepted=("A-7",), reason="A-7 and A-77 were twice"))
        memory.forget(SCOPE, frozenset({"A-7"}))
        told = memory.remembered(SCOPE)
    assert (told.forgot("A-7"), told.forgot("A-77")) == (True, False)
    assert b"A-7 " not in path.read_bytes()
    assert f"{FORGOTTEN} and A-77 were twice".encode() in path.read_bytes()


def test_a_memory_of_before_has_forgotten_nothing(tmp_path: Path) -> None:
    """The table is made where it is missing."""
    with opened(tmp_path / "memory.sqlite") as memory:
        assert isinstance(memory, Memory)
        assert memory.remembered(SCOPE).forgotten == frozenset()
