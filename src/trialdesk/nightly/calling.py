"""The files of a run for those who call: workbooks, the day sheet, calendars, and the schedule for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from trialdesk.facts.deriving import Facts
from trialdesk.facts.links import Links
from trialdesk.facts.tracks import shared
from trialdesk.followup.calendars import at_site, calendar, entries
from trialdesk.followup.columns import Desk
from trialdesk.followup.day_sheet import day_sheet
from trialdesk.followup.keys import Keys
from trialdesk.followup.machine import calls_json
from trialdesk.followup.sheets import tables
from trialdesk.memory.values import Dated
from trialdesk.reports.delivery import (
    CALENDAR,
    CALLS,
    CALLS_JSON,
    DAY_SHEET,
    SITE_CALENDAR,
    SITE_CALLS,
    of_site,
)
from trialdesk.workbook import SheetTable


@dataclass(frozen=True, slots=True)
class CallPack:
    """File name to what lays out a workbook, or makes the pieces of another file, and the entries of the calendars."""

    books: Mapping[str, Callable[[], tuple[SheetTable, ...]]]
    texts: Mapping[str, Callable[[], Iterable[bytes]]]
    entries: tuple[Dated, ...]


def call_pack(facts: Facts, links: Links, keys: Keys, now: datetime) -> CallPack:
    """What everybody who calls is given: the central nurse all patients, each site its own.

    In a site's table of contacts stand those that every arm has: a column of the others would tell the arms side by
    side.

    Args:
        facts: What was derived.
        links: Addresses of REDCap's own forms.
        keys: What rows and entries are known by.
        now: When the data were read.
    """
    config, plan = facts.config, facts.schedule

    printed = datetime.combine(plan.today, now.timetz())

    def row_key(record: str, contact: str) -> str:
        return keys.row(printed, record, contact)

    nurse = Desk(config, links.form, row_key, config.contacts)
    site = Desk(config, links.form, row_key, shared(config))
    dated = entries(plan, config, keys, facts.common.past.remembered.calendar, now)
    name = f"{config.trial.id} calls"
    books = {CALLS: partial(tables, plan, nurse, now)}
    texts: dict[str, Callable[[], Iterable[bytes]]] = {
        DAY_SHEET: lambda: [day_sheet(plan, nurse, now).encode()],
        CALLS_JSON: lambda: map(str.encode, calls_json(plan, config.trial.id, now)),
        CALENDAR: partial(calendar, dated, config, name),
    }
    for one in config.sites:
        books[of_site(SITE_CALLS, one.code)] = partial(tables, plan.at_site(one.code), site, now)
        own = at_site(dated, plan, one.code)
        texts[of_site(SITE_CALENDAR, one.code)] = partial(calendar, own, config, f"{name} {one.code}")
    return CallPack(books, texts, dated)
