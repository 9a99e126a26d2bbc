"""The calls as calendars (RFC 5545): an entry keeps its name for ever and its number rises only when it changes.

A calendar holds what a person may lose on the way: contact and record, no name, no telephone number, nothing of what
was said. A day nobody was promised is a whole day that leaves its owner free; a promised time is one
(reference/trial-operations.md 3.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from trialdesk.config import Config
from trialdesk.followup.contacts import record_order
from trialdesk.followup.keys import Keys
from trialdesk.followup.schedule import Entry, Schedule
from trialdesk.memory.values import Dated

KEPT = timedelta(days=60)
"""How long an entry stays after it was cancelled, or after its day."""
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_LASTS = timedelta(minutes=30)
_AFTER = 730  # days after the planned end for which the rules of summer time are given


def entries(plan: Schedule, config: Config, keys: Keys, before: Sequence[Dated], now: datetime) -> tuple[Dated, ...]:
    """The entries of all calendars, by site, record and day.

    An entry whose day, time and state are those of before is that of before. One that changed has the next number; a
    new one has 0, or the minutes since 2026 where nothing is known of earlier ones, so that no number ever falls.

    Args:
        plan: The schedule of all sites.
        config: The trial; contacts that only one arm has stay out unless its calendars show treatment.
        keys: What the names are made with.
        before: The entries of the last published run; those made with another key count for nothing.
        now: The moment of the run.
    """
    known = {one.uid: one for one in before if one.key == keys.name}
    first = 0 if known else int((now - _EPOCH) / timedelta(minutes=1))
    told = {rule.code for rule in config.contacts if config.calendars.treatment or not config.tells_arm(rule)}
    wanted = {one.uid: one for one in _wanted(plan, config, keys, told)}
    moment = now.astimezone(UTC).replace(microsecond=0)
    found = [_next(one, known.get(uid), first, moment) for uid, one in wanted.items()]
    found += [
        _cancelled(one, plan.today, moment) for uid, one in known.items() if uid not in wanted and one.contact in told
    ]
    stays = (
        one for one in found if max(one.day, one.changed.date() if one.cancelled else one.day) + KEPT >= plan.today
    )
    return tuple(sorted(stays, key=lambda one: (one.site, record_order(one.record), one.day, one.contact)))


def lost(keys: Keys, before: Sequence[Dated]) -> bool:
    """Whether the calendars of before were made with another key: they have to be deleted and taken in anew."""
    return bool(before) and all(one.key != keys.name for one in before)


def at_site(found: Iterable[Dated], plan: Schedule, site: str) -> tuple[Dated, ...]:
    """The entries of one site: of the patients in its list, and of records that are gone and were its own."""
    own = plan.at_site(site).by_record
    return tuple(one for one in found if one.record in own or (one.record not in plan.by_record and one.site == site))


def calendar(found: Iterable[Dated], config: Config, name: str) -> Iterator[bytes]:
    """A calendar of these entries as the pieces of a file; the same entries give the same bytes.

    Args:
        found: The entries, in their order.
        config: The trial.
        name: What the calendar is called.
    """
    import icalendar

    made = icalendar.Calendar()
    made.add("prodid", "-//trialdesk//calls//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("refresh-interval", timedelta(hours=12), {"value": "DURATION"})
    dated = tuple(found)
    if any(one.at for one in dated):
        ends = config.trial.ends + timedelta(days=_AFTER)
        made.add_component(
            icalendar.Timezone.from_tzid(config.trial.time_zone, first_date=config.trial.starts, last_date=ends)
        )
    frame, end = bytes(made.to_ical()), b"END:VCALENDAR\r\n"
    yield frame.removesuffix(end)
    yield from (_written(one, config.trial.zone) for one in dated)
    yield end


def _wanted(plan: Schedule, config: Config, keys: Keys, told: Iterable[str]) -> Iterator[Dated]:
    for entry in plan.entries:
        contact, day = entry.contact, _day(entry)
        if contact.rule.code in told and day:
            uid = f"{keys.of('calendar', config.trial.id, *contact.key)}@{config.trial.id.lower()}.invalid"
            at = contact.booking.at if contact.booking and _clock(contact.booking.at) else ""
            yield Dated(uid, keys.name, contact.record, contact.site, contact.rule.code, day, at, False, 0, _EPOCH)


def _day(entry: Entry) -> date | None:
    """The day of a contact that is to be made, or was on the day or later: what is over by itself stays as it was."""
    if entry.coming:
        return entry.due
    over = entry.contact.said.on if entry.contact.said.done else None
    was = entry.due
    happened = (over and was and over >= was) or (entry.status == "missed" and not entry.contact.said.refused)
    return was if happened else None


def _next(one: Dated, before: Dated | None, first: int, moment: datetime) -> Dated:
    if before is None:
        return replace(one, sequence=first, changed=moment)
    alike = (one.day, one.at, one.site, False) == (before.day, before.at, before.site, before.cancelled)
    return before if alike else replace(one, sequence=before.sequence + 1, changed=moment)


def _cancelled(one: Dated, today: date, moment: datetime) -> Dated:
    """What is not to be made any more, told to those who have it in their calendar; what was before stays."""
    if one.cancelled or one.day < today:
        return one
    return replace(one, cancelled=True, sequence=one.sequence + 1, changed=moment)


def _written(one: Dated, zone: ZoneInfo) -> bytes:
    """The lines of an entry."""
    at = _clock(one.at)
    begins = one.day if at is None else datetime.combine(one.day, at)
    lasts, own = (timedelta(days=1), None) if at is None else (_LASTS, zone)
    lines = (
        _line("summary", f"{one.contact} – {one.record}"),
        _line("dtstart", begins, own),
        _line("dtend", begins + lasts, own),
        _line("dtstamp", one.changed),
        _line("uid", one.uid),
        _line("sequence", one.sequence),
        _line("class", "PRIVATE"),
        _line("last-modified", one.changed),
        _line("status", "CANCELLED" if one.cancelled else "CONFIRMED"),
        _line("transp", "TRANSPARENT" if at is None else "OPAQUE"),
    )
    return b"BEGIN:VEVENT\r\n" + b"".join(lines) + b"END:VEVENT\r\n"


@lru_cache(maxsize=2**17)
def _line(name: str, value: str | int | date, zone: ZoneInfo | None = None) -> bytes:
    """A property as a file holds it, in a time of that zone.

    A site's calendar holds the entries of the central one again, and many entries share their days and numbers.
    """
    import icalendar

    one = icalendar.Event()
    one.add(name, value.replace(tzinfo=zone) if zone and isinstance(value, datetime) else value)
    return bytes(one.content_line(name.upper(), one[name]).to_ical()) + b"\r\n"


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text else None
    except ValueError:
        return None
