"""Sheet, page, calendar, JSON and REDCap's call plan say the same of every patient, for one rehearsal."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import icalendar

from followup_records import cells, desk, planned
from frozen import FROZEN
from rehearsed import rehearsed
from trialdesk.config import Config, load
from trialdesk.followup.calendars import calendar, entries
from trialdesk.followup.callplan import next_contacts
from trialdesk.followup.day_sheet import day_sheet
from trialdesk.followup.keys import Keys
from trialdesk.followup.machine import calls_json
from trialdesk.followup.morning import today
from trialdesk.followup.schedule import Schedule
from trialdesk.followup.sheets import SIGNS, tables

DAY = date(2026, 11, 23)
READ_AT = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
OWN = Keys(b"k" * 32)


def plan_of(seed: int) -> Schedule:
    """The schedule of a rehearsal."""
    return planned(load(FROZEN / "config.yaml"), rehearsed(seed, DAY), str(DAY))


def agree(frozen: Config, seed: int) -> None:
    """Status and day of each contact, who is called today, and what comes next are the same in all outputs.

    Args:
        frozen: The frozen trial.
        seed: Of the rehearsal.
    """
    plan = plan_of(seed)
    contacts = json.loads("".join(calls_json(plan, "x", READ_AT)))["contacts"]
    said = {(one["record"], one["contact"]): one for one in contacts}
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
    text = b"".join(calendar(entries(plan, config, OWN, (), READ_AT), config, "x"))
    found: dict[str, date] = {}
    for one in icalendar.Calendar.from_ical(text).walk("VEVENT"):
        start = one.decoded("dtstart")
        found[str(one["summary"])] = start.date() if isinstance(start, datetime) else start
    expected = {
        f"{e.contact.rule.code} – {e.contact.record}": e.due
        for e in plan.entries
        if e.coming and e.due and not config.tells_arm(e.contact.rule)
    }
    assert expected.items() <= found.items()
    assert all(day <= plan.today or name in expected for name, day in found.items())
