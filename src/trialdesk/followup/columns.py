"""The columns of the call schedule: what each shows of a patient who is called, and what stands on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from trialdesk.config import Config, ContactRule
from trialdesk.followup.attempts import WORDS, Booking
from trialdesk.followup.morning import Call
from trialdesk.followup.opendays import WEEKDAYS
from trialdesk.followup.schedule import Entry
from trialdesk.model import Outcome
from trialdesk.workbook import Column, Kind, Link, Value

Address = Callable[[str, str, str], str]
"""Record, event and form to the address of the form in REDCap; "" where it is not known."""
BLOCKS = 2
"""How many tries of one day have cells on Today."""
OUTCOME, CLOCK, BACK = "Outcome", "Clock time", "Call back at"


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose sheets are made: the trial, addresses in REDCap, and the key of a row of Today.

    `key` is what the import knows a row by, from record and contact ("" where nothing is imported); `contacts` are
    those of the sheet Patients.
    """

    config: Config
    address: Address
    key: Callable[[str, str], str]
    contacts: tuple[ContactRule, ...]

    def record(self, record: str) -> Value:
        """The record, a click from its first form."""
        return linked(record, self.address(record, "", ""))

    def contact(self, entry: Entry, words: str) -> Value:
        """The contact in words, a click from the form it is written into."""
        rule = entry.contact.rule
        form = self.config.contact_forms[rule.form].instrument
        return linked(words, self.address(entry.contact.record, rule.event, form))


Show = Callable[[Desk, Call], Value]


def linked(text: str, url: str) -> Value:
    """The text, a click from an address where there is one."""
    return Link(text, url) if url else text


@dataclass(frozen=True, slots=True)
class Part:
    """One column of a sheet: how it looks, what it shows of a call, and whether it is on paper and in white cells."""

    column: Column
    show: Show
    paper: bool = False
    white: bool = False

    @property
    def title(self) -> str:
        """Its heading."""
        return self.column.title

    def wide(self, width: int) -> Part:
        """The same on paper, so many characters wide."""
        return replace(self, column=replace(self.column, width=width), paper=True)


def moment(booking: Booking | None) -> datetime | date | str | None:
    """What was promised as a day or a moment; the text where its time is none."""
    if booking is None:
        return None
    try:
        return datetime.fromisoformat(f"{booking.on}T{booking.at}") if booking.at else booking.on
    except ValueError:
        return str(booking)


def best_time(entry: Entry) -> str:
    """The weekday and time of day the patient prefers; "" without any."""
    weekday = WEEKDAYS[entry.contact.weekday - 1] if entry.contact.weekday else ""
    return " ".join(part for part in (weekday, entry.contact.time.lower()) if part)


def reached(entry: Entry) -> str:
    """When the patient was reached last, and by which contact; "" never."""
    return f"{entry.reached.said.on} {entry.reached.rule.code}" if entry.reached else ""


def _part(title: str, width: int, show: Show, kind: Kind = "text") -> Part:
    return Part(Column(title, kind, width), show)


def _window(name: str) -> Show:
    return lambda _, call: getattr(call.first.contact.window, name, None)


CONTACT = _part("Contact", 14, lambda desk, call: desk.contact(call.first, call.words))
RECORD = _part("Record", 10, lambda desk, call: desk.record(call.record))
SITE = _part("Site", 6, lambda _, call: call.site)
STATUS = _part("Status", 14, lambda _, call: call.first.status)
CALL_ON = _part("Call on", 11, lambda _, call: call.day, "date")
TARGET = _part("Target", 11, _window("target"), "date")
OPENS = _part("Window from", 12, _window("opens"), "date")
CLOSES = _part("Window to", 11, _window("closes"), "date")
LAST_DAY = _part("Last day", 11, _window("chased_until"), "date")
PLANNED = _part("Planned", 11, lambda _, call: call.first.planned.on if call.first.planned else None, "date")
PROMISED = _part("Promised", 16, lambda _, call: moment(call.promised), "datetime")
REACHED = _part("Last reached", 16, lambda _, call: reached(call.first) or None)
TRIED = _part("Last attempt", 22, lambda _, call: str(call.first.tried) if call.first.tried else None)
ATTEMPTS = _part("Attempts", 9, lambda _, call: call.first.attempts, "number")
NEXT_TRY = _part("Next try", 22, lambda _, call: str(call.next_try) if call.next_try else None)
BEST = _part("Best time", 16, lambda _, call: best_time(call.first) or None)
REMARK = _part("Remark", 32, lambda _, call: "; ".join(call.flags) or None)
KEY = _part("Key", 44, lambda desk, call: desk.key(call.record, call.first.contact.rule.code) or None)

_BESIDE = (SITE, STATUS, OPENS, CLOSES, PLANNED, REACHED, ATTEMPTS, BEST)


def _paper(*parts: Part) -> tuple[Part, ...]:
    return tuple(part.wide(part.column.width) for part in parts)


# On paper a sheet is at most 140 characters wide: then it is printed at 11 points on A4 across.
MORNING = (*_paper(CONTACT, RECORD, LAST_DAY, PROMISED, TRIED, NEXT_TRY, REMARK), *_BESIDE)
FOLLOWING = (*_paper(CALL_ON, CONTACT, RECORD, LAST_DAY, PROMISED, TRIED, NEXT_TRY, REMARK), *_BESIDE)
CALLBACKS = (*_paper(PROMISED, CONTACT, RECORD, LAST_DAY, TRIED, NEXT_TRY, REMARK), *_BESIDE)
VERIFY = (CONTACT.wide(34), RECORD.wide(10), SITE.wide(6), STATUS.wide(20), REMARK.wide(68))
EVERY = (
    *_paper(CONTACT, RECORD, SITE, STATUS, OPENS, CLOSES, LAST_DAY, PLANNED, PROMISED, REMARK),
    TARGET, ATTEMPTS, REACHED, TRIED, NEXT_TRY, BEST,
)  # fmt: skip


def today(config: Config) -> tuple[Part, ...]:
    """Today: two blocks of white cells, a try each, stand on paper too; without a call log nothing has a key."""
    known = (CONTACT.wide(10), RECORD.wide(9), LAST_DAY.wide(11), PROMISED.wide(16), TRIED.wide(15), NEXT_TRY.wide(15))
    keyed = (KEY,) if config.call_log else ()
    return (*known, REMARK.wide(15), *_white(tuple(choices(config))), *_BESIDE, *keyed)


def choices(config: Config) -> Mapping[str, Outcome]:
    """The outcomes a try can have that did not reach the patient, as the white cells offer them.

    Being reached is none of them: the contact's own form is filled in while talking.
    """
    known = set(config.call_log.outcomes.values()) if config.call_log else WORDS.keys() - {"not_reached"}
    return {words.capitalize(): outcome for outcome, words in WORDS.items() if outcome in known}


def numbered(title: str, number: int) -> str:
    """The heading of a white cell: the first block's plain, the others' with their number."""
    return title if number == 1 else f"{title} {number}"


def _white(offered: tuple[str, ...]) -> Iterator[Part]:
    for number in range(1, BLOCKS + 1):
        for title, width in ((OUTCOME, 10), (CLOCK, 6), (BACK, 8)):
            column = Column(numbered(title, number), width=width, choices=offered if title == OUTCOME else ())
            yield Part(column, lambda _, __: None, paper=True, white=True)
