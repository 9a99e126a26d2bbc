"""The call schedule as the research nurse works from it: four sheets, no names, no telephone numbers.

The trial is open: the sheets may say from when a patient may change arm, so they are for those who call, and never for
a monitor. What the nurse writes into the white cells is typed into REDCap; the next file starts from REDCap again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from trialdesk.config import Config
from trialdesk.followup.contacts import record_order
from trialdesk.followup.opendays import day_text
from trialdesk.followup.schedule import Entry, Hold, Schedule
from trialdesk.workbook import Column, Line, Table, Tone, Value

AHEAD = timedelta(days=14)
OUTCOMES = (
    "Reached",
    "Asks to be called later",
    "No answer",
    "Voicemail",
    "Wrong number",
    "Relative answered",
    "In hospital",
    "Declines this contact",
    "Declines all contacts",
    "Died",
)
TIMES = ("Morning", "Midday", "Afternoon", "Evening")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_FACTS = (
    Column("Record", width=12),
    Column("Site", width=7),
    Column("Contact", width=11),
    Column("Target", "date", 11),
    Column("Window from", "date", 11),
    Column("Window to", "date", 11),
    Column("Planned", "date", 11),
    Column("Booked by patient", "datetime", 16),
    Column("Status", width=13),
    Column("Days left", "number", 7),
    Column("Attempts", "number", 9),
    Column("Last contact", "date", 11),
    Column("Best time", width=19),
    Column("May change arm from", "date", 12),
    Column("Remarks", width=60),
)
_ENTRY = (
    Column("Outcome", width=16, choices=OUTCOMES),
    Column("Time", width=11, choices=TIMES),
    Column("Note", width=26),
)
_TONES: dict[str, Tone] = {"overdue": "warning", "due": "strong", "missed": "quiet", "not applicable": "quiet"}
_TO_WRITE: dict[int, Tone] = {len(_FACTS) + number: "entry" for number in range(len(_ENTRY))}


def tables(plan: Schedule, config: Config, today: date, data_as_of: datetime) -> tuple[Table, ...]:
    """The four sheets of the call schedule: Today, Next 14 days, Overdue and missed, All contacts.

    Args:
        plan: The schedule, of all sites or one.
        config: The trial.
        today: The day the sheets are for.
        data_as_of: When the data were read from REDCap; every sheet says so, with a warning when it was another day.
    """
    about = _about(today, data_as_of)
    title = f"{config.trial.id} · call schedule · {day_text(today)}"
    ahead = [(day, entry) for entry in plan.entries for day in entry.calls if today < day <= today + AHEAD]
    ahead.sort(key=lambda found: (found[0], _urgency(found[1])))
    late = sorted((e for e in plan.entries if e.status == "overdue"), key=_urgency)
    missed = sorted((e for e in plan.entries if e.status == "missed"), key=_by_target, reverse=True)
    calls = sorted((e for e in plan.entries if e.status == "overdue" or today in e.calls), key=_urgency)
    held = tuple(_hold_line(hold) for hold in plan.holds)

    def sheet(name: str, lines: Iterable[Line], empty: str) -> Table:
        return Table(name, f"{title} · {name.lower()}", about, (*_FACTS, *_ENTRY), tuple(lines), 3, empty)

    line = _liner(today)
    return (
        sheet("Today", (*held, *map(line, calls)), "No contact is due or overdue today."),
        sheet("Next 14 days", (line(entry) for _, entry in ahead), "No contact is planned in the next 14 days."),
        sheet("Overdue and missed", map(line, (*late, *missed)), "No contact is overdue or was missed."),
        sheet("All contacts", map(line, plan.entries), "No patient is randomised yet."),
    )


def _about(today: date, data_as_of: datetime) -> str:
    days = (today - data_as_of.date()).days
    read = f"Data read from REDCap {data_as_of:%Y-%m-%d %H:%M}."
    if days:
        return f"NOT THIS DAY'S DATA. {read} Before you call, look in REDCap whether the patient has died or withdrawn."
    return f"{read} Open the record in REDCap before you call. Rows marked VERIFY FIRST: do not call."


def _urgency(entry: Entry) -> tuple[object, ...]:
    """Promised calls first, by time; then the primary contact; then what closes first."""
    contact = entry.contact
    asked = contact.booking or contact.recall
    last = contact.window.chased_until if contact.window else date.max
    return (str(asked or "~"), not contact.rule.primary, last, contact.site, record_order(contact.record))


def _by_target(entry: Entry) -> tuple[object, ...]:
    target = entry.contact.window.target if entry.contact.window else date.min
    return (target, entry.contact.site, record_order(entry.contact.record))


def _hold_line(hold: Hold) -> Line:
    blank: tuple[Value, ...] = (None,) * 5
    reasons = "; ".join(hold.reasons)
    facts = (hold.record, hold.site, "all", *blank, "VERIFY FIRST", *blank, f"Do not call. Verify {reasons}")
    return Line((*facts, None, None, None), "alarm", _TO_WRITE)


def _liner(today: date) -> Callable[[Entry], Line]:
    def line(entry: Entry) -> Line:
        contact, around = entry.contact, entry.contact.window
        facts: tuple[Value, ...] = (
            contact.record,
            contact.site,
            contact.rule.code,
            around.target if around else None,
            around.opens if around else None,
            around.closes if around else None,
            entry.planned.on if entry.planned else None,
            _booked(entry),
            entry.status,
            (around.chased_until - today).days if around and entry.active else None,
            contact.said.attempts,
            entry.last_contact,
            _best_time(entry),
            entry.may_change_arm_from,
            "; ".join(entry.flags) or None,
        )
        return Line((*facts, None, None, None), _TONES.get(entry.status, "plain"), _TO_WRITE)

    return line


def _booked(entry: Entry) -> Value:
    booking = entry.contact.booking or entry.contact.recall
    if booking is None:
        return None
    try:
        return datetime.fromisoformat(f"{booking.on}T{booking.at}") if booking.at else booking.on
    except ValueError:
        return str(booking)


def _best_time(entry: Entry) -> str | None:
    weekday = _WEEKDAYS[entry.contact.weekday - 1] if entry.contact.weekday else ""
    return " ".join(part for part in (weekday, entry.contact.time.lower()) if part) or None
