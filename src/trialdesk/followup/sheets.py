"""The call schedule as the research nurse works from it: four sheets, no names, no telephone numbers.

The trial is open: the sheets may say from when a patient may change arm, so they are for those who call, and never for
a monitor. What the nurse writes into the white cells is typed into REDCap; the next file starts from REDCap again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from trialdesk.config import Config
from trialdesk.followup.contacts import record_order
from trialdesk.followup.opendays import day_text
from trialdesk.followup.schedule import Entry, Hold, Schedule
from trialdesk.workbook import Column, Line, SheetTable, Tone, Value

AHEAD = timedelta(days=14)
_PEN = 24.0  # points: a printed row someone writes in
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
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _window(name: str) -> Callable[[Entry, date], Value]:
    return lambda entry, _: getattr(entry.contact.window, name, None)


def _days_left_with_grace(entry: Entry, day: date) -> int | None:
    around = entry.contact.window
    return (around.chased_until - day).days if around and entry.active else None


def _booked(entry: Entry, _: date) -> Value:
    booking = entry.contact.booking or entry.contact.recall
    if booking is None:
        return None
    try:
        return datetime.fromisoformat(f"{booking.on}T{booking.at}") if booking.at else booking.on
    except ValueError:
        return str(booking)


def _reached(entry: Entry, _: date) -> str | None:
    made = entry.reached
    return f"{made.said.on} {made.rule.code}" if made else None


def _best_time(entry: Entry, _: date) -> str | None:
    weekday = _WEEKDAYS[entry.contact.weekday - 1] if entry.contact.weekday else ""
    return " ".join(part for part in (weekday, entry.contact.time.lower()) if part) or None


# What a sheet can show of a contact on a day: the column, and its value.
_CHANGE = "May change arm from"
_COLUMNS: tuple[tuple[Column, Callable[[Entry, date], Value]], ...] = (
    (Column("Record", width=11), lambda entry, _: entry.contact.record),
    (Column("Site", width=6), lambda entry, _: entry.contact.site),
    (Column("Contact", width=9), lambda entry, _: entry.contact.rule.code),
    (Column("Call on", "date", 11), lambda _, day: day),
    (Column("Target", "date", 11), _window("target")),
    (Column("Window from", "date", 11), _window("opens")),
    (Column("Window to", "date", 11), _window("closes")),
    (Column("Planned", "date", 11), lambda entry, _: entry.planned.on if entry.planned else None),
    (Column("Booked by patient", "datetime", 16), _booked),
    (Column("Status", width=13), lambda entry, _: entry.status),
    (Column("Days left with grace", "number", 12), _days_left_with_grace),
    (Column("Attempts", "number", 9), lambda entry, _: entry.attempts),
    (Column("Last reached", width=15), _reached),
    (Column("Last attempt", width=32), lambda entry, _: str(entry.tried) if entry.tried else None),
    (Column("Next try", width=30), lambda entry, _: str(entry.next_try) if entry.next_try else None),
    (Column("Best time", width=14), _best_time),
    (Column(_CHANGE, "date", 12), lambda entry, _: entry.may_change_arm_from),
    (Column("Remarks", width=36), lambda entry, _: "; ".join(entry.flags) or None),
)
_ENTRY = (
    Column("Outcome", width=16, choices=OUTCOMES),
    Column("Time", width=10, choices=TIMES),
    Column("Note", width=20),
)
_PATIENT = ("Record", "Site", "Contact")
_KNOWN = ("Attempts", "Last reached", "Last attempt", "Next try", "Best time", _CHANGE, "Remarks")
_WINDOW = ("Target", "Window from", "Window to")
_TONES: dict[str, Tone] = {"overdue": "warning", "due": "strong", "missed": "quiet", "not applicable": "quiet"}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns a sheet has, and whether the nurse writes on it."""

    titles: tuple[str, ...]
    entry: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        shown = tuple(column for column, _ in _COLUMNS if column.title in self.titles)
        return (*shown, *_ENTRY) if self.entry else shown

    def of(self, config: Config) -> _Layout:
        """The layout without the column about changing arms where the trial knows no change."""
        if any(arm.may_change_from_day is not None for arm in config.arms):
            return self
        return replace(self, titles=tuple(title for title in self.titles if title != _CHANGE))

    def line(self, entry: Entry, day: date) -> Line:
        """One contact; "Call on" and the days left are those of `day`."""
        values = tuple(of(entry, day) for column, of in _COLUMNS if column.title in self.titles)
        return self._line(values, _TONES.get(entry.status, "plain"))

    def hold(self, hold: Hold) -> Line:
        """A patient nobody calls until something is verified, or a contact that can't be planned until then."""
        codes, why = ", ".join(hold.contacts), "; ".join(hold.reasons)
        said: dict[str, Value] = {
            "Record": hold.record,
            "Site": hold.site,
            "Contact": codes or "all",
            "Status": "CHECK DATE" if codes else "CHECK DATE FIRST" if hold.undated else "VERIFY FIRST",
            "Remarks": f"Only {codes} waits for this. Verify {why}" if codes else f"Do not call. Verify {why}",
        }
        tone: Tone = "warning" if codes else "alarm"
        return self._line(tuple(said.get(c.title) for c, _ in _COLUMNS if c.title in self.titles), tone)

    def _line(self, values: tuple[Value, ...], tone: Tone) -> Line:
        if not self.entry:
            return Line(values, tone)
        white: dict[int, Tone] = {len(values) + number: "entry" for number in range(len(_ENTRY))}
        return Line((*values, *(None for _ in _ENTRY)), tone, white)


_TODAY = _Layout((*_PATIENT, "Window to", "Booked by patient", "Status", *_KNOWN), entry=True)
_NEXT = _Layout((*_PATIENT, "Call on", "Window to", "Booked by patient", "Status", *_KNOWN), entry=True)
_LATE = _Layout((*_PATIENT, *_WINDOW, "Status", "Days left with grace", *_KNOWN))
_ALL = _Layout((*_PATIENT, *_WINDOW, "Planned", "Booked by patient", "Status", *_KNOWN))


def tables(plan: Schedule, config: Config, today: date, data_as_of: datetime) -> tuple[SheetTable, ...]:
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

    def sheet(name: str, layout: _Layout, lines: Iterable[Line], empty: str) -> SheetTable:
        height = _PEN if layout.entry else 0
        return SheetTable(name, f"{title} · {name.lower()}", about, layout.columns, tuple(lines), 3, empty, height)

    due, following, behind, whole = (layout.of(config) for layout in (_TODAY, _NEXT, _LATE, _ALL))
    held = (due.hold(hold) for hold in plan.holds)
    now = (due.line(entry, today) for entry in calls)
    soon = (following.line(entry, day) for day, entry in ahead)
    over = (behind.line(entry, today) for entry in (*late, *missed))
    every = (whole.line(entry, today) for entry in plan.entries)
    return (
        sheet("Today", due, (*held, *now), "No contact is due or overdue today."),
        sheet("Next 14 days", following, soon, "No contact is planned in the next 14 days."),
        sheet("Overdue and missed", behind, over, "No contact is overdue or was missed."),
        sheet("All contacts", whole, every, "No patient is randomised yet."),
    )


def _about(today: date, data_as_of: datetime) -> str:
    days = (today - data_as_of.date()).days
    read = f"Data read from REDCap {data_as_of:%Y-%m-%d %H:%M}."
    if days:
        return f"NOT THIS DAY'S DATA. {read} Before you call, look in REDCap whether the patient has died or withdrawn."
    return (
        f"{read} Open the record in REDCap before you call. Rows marked VERIFY FIRST or CHECK DATE FIRST: do not call."
    )


def _urgency(entry: Entry) -> tuple[object, ...]:
    """Promised calls first, by time; then the primary contact; then what closes first."""
    contact = entry.contact
    asked = contact.booking or contact.recall
    last = contact.window.chased_until if contact.window else date.max
    return (str(asked or "~"), not contact.rule.primary, last, contact.site, record_order(contact.record))


def _by_target(entry: Entry) -> tuple[object, ...]:
    target = entry.contact.window.target if entry.contact.window else date.min
    return (target, entry.contact.site, record_order(entry.contact.record))
