"""Sheet, page, calendar, JSON and REDCap's call plan say the same of every patient, in ten rehearsals."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import icalendar
import pytest

from followup_records import cells, desk, planned, pulled, record
from frozen import FROZEN
from redcap_rules.record import Row
from rehearsal.play import play
from rehearsal.script import read_script
from rehearsal.setting import setting_of
from rehearsal.story import write_story
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import Config, load
from trialdesk.followup.calendars import calendar, entries
from trialdesk.followup.callplan import next_contacts
from trialdesk.followup.day_sheet import day_sheet
from trialdesk.followup.keys import Keys
from trialdesk.followup.machine import calls_json
from trialdesk.followup.morning import today
from trialdesk.followup.schedule import Schedule
from trialdesk.followup.sheets import SIGNS, tables
from trialdesk.instruments.folder import read_design
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("CAL-06")

DAY = date(2026, 11, 23)
READ_AT = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
OWN = Keys(b"k" * 32)
PLACE = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")


class Notes:
    """What the sites of a rehearsal enter, kept as REDCap would keep it."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[tuple[str, str, int], dict[str, str]]] = {}

    def import_records(self, to_import: list[dict[str, str]]) -> None:
        for sent in to_import:
            values = dict(sent)
            event, form, instance = (values.pop(name, "") for name in PLACE)
            place = (event, form, int(instance or 0))
            self.rows.setdefault(values.pop("record_id"), {}).setdefault(place, {}).update(values)


@cache
def rehearsed(seed: int) -> Schedule:
    """The schedule of forty patients as their sites entered them."""
    config = load(FROZEN / "config.yaml")
    setting = setting_of(config, read_design(config, "trial"), read_script(FROZEN / "config.yaml"))
    story = write_story(seed, 40, DAY, setting)
    notes, numbers = Notes(), Counter[Pile]()
    pile_of = {life.record: life.pile for life in story.lives}

    def release(name: str, _: datetime) -> str:
        numbers[pile_of[name]] += 1
        return envelope_id(pile_of[name], numbers[pile_of[name]])

    play(story, lambda _: notes, release, lambda name: ("12"[len(name) % 2], "7K3M9QX2ABCD"), lambda *_: None)
    snapshot = pulled({})
    rows = {
        name: tuple(Row(name, *place, values) for place, values in found.items()) for name, found in notes.rows.items()
    }
    return planned(config, replace(snapshot, rows=rows), str(DAY))


@pytest.mark.parametrize("seed", range(1, 11))
def test_all_outputs_agree_on_every_patient(frozen: Config, seed: int) -> None:
    """Status and day of each contact, who is called today, and what comes next."""
    plan = rehearsed(seed)
    said = {(one["record"], one["contact"]): one for one in json.loads(calls_json(plan, "x", READ_AT))["contacts"]}
    by_key = {entry.contact.key: entry for entry in plan.entries}
    assert {key: one["status"] for key, one in said.items()} == {key: e.status for key, e in by_key.items()}
    books = {table.name: table for table in tables(plan, desk(frozen), READ_AT, whole=True)}
    _patients_agree(books["Patients"], by_key)
    listed = books["All contacts"]
    every = [cells(listed, line) for line in listed.lines]
    assert [(one["Record"], one["Status"], one["Planned"]) for one in every] == [
        (e.contact.record, e.status, e.planned and e.planned.on) for e in plan.entries
    ]
    held = [hold.record for hold in plan.holds]
    rows = [cells(books["Today"], line)["Record"] for line in books["Today"].lines]
    assert rows == held + [call.record for call in today(plan)]
    page = day_sheet(plan, desk(frozen), READ_AT)
    assert all(f">{name}<" in page for name in rows)
    upcoming = {one.record: (one.code, one.planned) for one in next_contacts(plan) if one.code}
    coming = {r: next(e for e in es if e.coming and e.due) for r, es in plan.by_record.items()
              if any(e.coming and e.due for e in es)}  # fmt: skip
    assert upcoming == {name: (e.contact.rule.code, e.due) for name, e in coming.items()}
    _calendar_agrees(frozen, plan)


def _patients_agree(table, by_key) -> None:  # type: ignore[no-untyped-def]
    for line in table.lines:
        row = cells(table, line)
        for title, sign in row.items():
            if (entry := by_key.get((row["Record"], title))) is not None:
                assert sign == SIGNS[entry.status][0]


def _calendar_agrees(config: Config, plan: Schedule) -> None:
    """Every contact that is to be made and that all arms have, on its day; nobody else's."""
    text = calendar(entries(plan, config, OWN, (), READ_AT), config, "x")
    found: Mapping[str, date] = {}
    for one in icalendar.Calendar.from_ical(text).walk("VEVENT"):
        start = one.decoded("dtstart")
        found = {**found, str(one["summary"]): start.date() if isinstance(start, datetime) else start}
    expected = {
        f"{e.contact.rule.code} – {e.contact.record}": e.due
        for e in plan.entries
        if e.coming and e.due and not config.tells_arm(e.contact.rule)
    }
    assert expected.items() <= found.items()
    assert all(day <= plan.today or name in expected for name, day in found.items())


def test_two_thousand_patients_are_planned_in_seconds(frozen: Config) -> None:
    """1.5 s on a machine that does nothing else (docs/performance.md); three times that where others are at work."""
    records = {f"ODE-{n}": record(str(date(2026, 1, 5) + timedelta(n % 330))) for n in range(2000)}
    snapshot = pulled(records)
    began = time.process_time()
    plan = planned(frozen, snapshot, "2026-11-23")
    assert len(plan.by_record) == 2000
    assert time.process_time() - began <= 6
