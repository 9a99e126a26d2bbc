"""The call schedule as the research nurse works from it: no names, no telephone numbers, a click from the form.

The trial is open: the sheets may say from when a patient may change arm, so they are for those who call, and never for
a monitor. What stands on paper is the left part of a sheet. A try that did not reach the patient is typed into the
white cells of Today and brought into REDCap by `call_schedule.py import`, or typed into REDCap at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from trialdesk.followup import columns
from trialdesk.followup.columns import Desk, Part, reached
from trialdesk.followup.contacts import record_order
from trialdesk.followup.morning import Call, ahead, load, today
from trialdesk.followup.opendays import WEEKDAYS, OpenDays, day_text, open_days
from trialdesk.followup.schedule import Entry, Hold, Schedule
from trialdesk.model import ContactStatus
from trialdesk.workbook import Column, Line, SheetTable, Tone, Value

_OVER = timedelta(days=30)
_PEN = 24.0  # points: a printed row someone writes in
_TONES: Mapping[str, Tone] = {"overdue": "warning", "due": "strong", "missed": "quiet", "not applicable": "quiet"}
SIGNS: Mapping[ContactStatus, tuple[str, str, Tone]] = {
    "done": ("D", "done in window", "good"),
    "done early": ("E", "done early", "warning"),
    "done late": ("L", "done late", "warning"),
    "missed": ("M", "missed", "alarm"),
    "overdue": ("V", "overdue", "warning"),
    "due": ("T", "due today", "strong"),
    "open": ("O", "open", "plain"),
    "upcoming": ("·", "to come", "quiet"),
    "paused": ("P", "paused", "quiet"),
    "stopped": ("S", "stopped", "quiet"),
    "withdrawn": ("W", "withdrawn", "quiet"),
    "not applicable": ("–", "does not apply", "quiet"),
}
"""What stands for each status in the sheet Patients: its letter, what it means, and its colour."""


def tables(plan: Schedule, desk: Desk, data_as_of: datetime, *, whole: bool = False) -> tuple[SheetTable, ...]:
    """The sheets of the call schedule in the order of a morning.

    Args:
        plan: The schedule, of all sites or one; the sheets are for its day.
        desk: Whose sheets they are.
        data_as_of: When the data were read from REDCap; every sheet says so, with a warning when it was another day.
        whole: Whether All contacts holds those too that are over for more than 30 days.
    """
    about = _about(plan.today, data_as_of)
    title = f"{desk.config.trial.id} · call schedule · {day_text(plan.today)}"

    def sheet(name: str, parts: Sequence[Part], lines: Iterable[Line], empty: str) -> SheetTable:
        shown, printed = tuple(part.column for part in parts), sum(part.paper for part in parts)
        high = _PEN if any(part.white for part in parts) else 0
        head = f"{title} · {name.lower()}"
        return SheetTable(name, head, about, shown, tuple(lines), 2, empty, high, printed=printed)

    morning, every = (
        today(plan),
        [Call(plan.today, (entry,)) for entry in plan.entries if whole or _lately(plan, entry)],
    )
    late = [call for call in morning if any(entry.status == "overdue" for entry in call.entries)]
    first, verify = columns.today(desk.config), columns.VERIFY
    return (
        sheet("Today", first, (*_held(desk, first, plan), *_lines(desk, first, morning)), "Nobody is to be called."),
        sheet(
            "Next 14 days", columns.FOLLOWING, _lines(desk, columns.FOLLOWING, ahead(plan)), "No contact is planned."
        ),
        sheet("Overdue", columns.MORNING, _lines(desk, columns.MORNING, late), "No contact is overdue."),
        sheet("Callbacks", columns.CALLBACKS, _lines(desk, columns.CALLBACKS, callbacks(plan)), "No call is promised."),
        sheet("Verify first", verify, _held(desk, verify, plan), "Nothing is to be verified."),
        _patients(plan, desk, title),
        sheet("All contacts", columns.EVERY, _lines(desk, columns.EVERY, every), "No patient is randomised yet."),
        _load(plan, open_days(desk.config), title),
    )


def callbacks(plan: Schedule) -> tuple[Call, ...]:
    """Every promise that is still to be kept, the earliest first; one no open contact covers is over with its day."""
    asked = [(entry.contact.booking, entry) for entry in plan.entries if entry.active]
    asked += [(e.contact.recall, e) for e in plan.entries if any(day >= plan.today for day in e.calls)]
    found = {(one.on, entry.contact.key): Call(max(one.on, plan.today), (entry,)) for one, entry in asked if one}
    return tuple(sorted(found.values(), key=lambda call: (str(call.promised), call.site, record_order(call.record))))


def _lines(desk: Desk, parts: Sequence[Part], calls: Iterable[Call]) -> Iterable[Line]:
    white = _white(parts)
    for call in calls:
        tone = "quiet" if call.waits else _TONES.get(call.first.status, "plain")
        yield Line(tuple(part.show(desk, call) for part in parts), tone, white)


def _white(parts: Sequence[Part]) -> Mapping[int, Tone]:
    return {number: "entry" for number, part in enumerate(parts) if part.white}


def _held(desk: Desk, parts: Sequence[Part], plan: Schedule) -> Iterable[Line]:
    """The patients nobody calls until something is verified, and contacts that can't be planned until then."""
    for hold in plan.holds:
        said = _said(desk, hold)
        tone: Tone = "warning" if hold.contacts else "alarm"
        yield Line(tuple(said.get(part.title) for part in parts), tone, _white(parts))


def _said(desk: Desk, hold: Hold) -> Mapping[str, Value]:
    names = {rule.code: rule.label for rule in desk.config.contacts}
    words, why = ", ".join(names[code] for code in hold.contacts), "; ".join(hold.reasons)
    status = "CHECK DATE" if words else "CHECK DATE FIRST" if hold.undated else "VERIFY FIRST"
    return {
        "Record": desk.record(hold.record),
        "Site": hold.site,
        "Contact": words or "all",
        "Status": status,
        "Next try": status,
        "Remark": f"Only {words} waits for this. Verify {why}" if words else f"Do not call. Verify {why}",
    }


def _lately(plan: Schedule, entry: Entry) -> bool:
    """Whether a contact is not over, or over in the last 30 days."""
    if entry.status in ("stopped", "withdrawn", "not applicable"):
        return False
    around, on = entry.contact.window, entry.contact.said.on
    ends = on or (around.chased_until if around else None)
    return ends is None or ends >= plan.today - _OVER


def _patients(plan: Schedule, desk: Desk, title: str) -> SheetTable:
    """One row a patient: every contact as a letter."""
    codes = [rule.code for rule in desk.contacts]
    columns = (
        Column("Record", width=10), Column("Site", width=6), Column("Enrolled", "date", 11),
        *(Column(code, width=5) for code in codes),
        Column("Last reached", width=16), Column("Next", width=7), Column("On", "date", 11),
    )  # fmt: skip
    about = ", ".join(f"{sign} {words}" for sign, words, _ in SIGNS.values())
    lines = tuple(_letters(desk, entries, codes) for entries in plan.by_record.values())
    empty = "No patient is randomised yet."
    return SheetTable("Patients", f"{title} · patients", about, columns, lines, 2, empty)


def _letters(desk: Desk, entries: Sequence[Entry], codes: Sequence[str]) -> Line:
    by_code = {entry.contact.rule.code: entry for entry in entries}
    first = entries[0].contact
    signs = [SIGNS[by_code[code].status if code in by_code else "not applicable"] for code in codes]
    following = next((entry for entry in entries if entry.coming), None)
    values: tuple[Value, ...] = (
        desk.record(first.record), first.site, first.enrolled_on, *(sign for sign, _, _ in signs),
        reached(entries[0]) or None,
        following.contact.rule.code if following else None, following.due if following else None,
    )  # fmt: skip
    return Line(values, tones={number: tone for number, (_, _, tone) in enumerate(signs, 3)})


def _load(plan: Schedule, calendar: OpenDays, title: str) -> SheetTable:
    """How many patients are to be called on each day of the next four weeks."""
    columns = (Column("Week from", "date", 12), *(Column(name, "number", 10) for name in WEEKDAYS),
               Column("All", "number", 8))  # fmt: skip
    lines = tuple(
        Line((week, *(_day(calendar, week + timedelta(days=n), count) for n, count in enumerate(counts)), sum(counts)))
        for week, counts in load(plan)
    )
    about = "Patients to be called a day, in the next four weeks; a closed day says so, and who asked for it counts."
    return SheetTable("Load", f"{title} · load", about, columns, lines, 1)


def _day(calendar: OpenDays, day: date, count: int) -> Value:
    return "closed" if not (count or calendar.is_open(day)) else count


def _about(today: date, data_as_of: datetime) -> str:
    days = (today - data_as_of.date()).days
    read = f"Data read from REDCap {data_as_of:%Y-%m-%d %H:%M}."
    if days:
        return f"NOT THIS DAY'S DATA. {read} Before you call, look in REDCap whether the patient has died or withdrawn."
    return (
        f"{read} Open the record in REDCap before you call. Rows marked VERIFY FIRST or CHECK DATE FIRST: do not call."
    )
