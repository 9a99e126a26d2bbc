"""Tries from a sheet into the call log: what is new, what is there already, and what a person has to decide.

Nothing that stands in REDCap is ever changed. A try is written once, however often its sheet is brought: its key is
looked up before it is written (reference/trial-operations.md 3.4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from redcap_rules.record import RecordView, Row
from trialdesk.config import CallLog, Config
from trialdesk.errors import ConfigError, WriteBackFailed
from trialdesk.followup.attempts import WORDS, Attempt, read_log
from trialdesk.followup.columns import choices
from trialdesk.followup.contacts import read_form
from trialdesk.followup.keys import Keys, printed
from trialdesk.followup.returned import Returned, Typed, clock, moment
from trialdesk.model import Outcome
from trialdesk.redcap.gateway import Gateway

OLDEST = timedelta(days=7)
_BACK: frozenset[Outcome] = frozenset({"later", "relative", "in_hospital"})


@dataclass(frozen=True, slots=True)
class Stood:
    """What REDCap holds of a record: its tries, their keys, and the day it was reached last."""

    attempts: tuple[Attempt, ...] = ()
    keys: frozenset[str] = frozenset()
    reached_on: date | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """A try that is to be written; `number` is that of its cells, `code` what REDCap stores for the outcome."""

    record: str
    contact: str
    at: datetime
    outcome: Outcome
    back: tuple[date, time | None] | None
    key: str
    number: int
    code: str

    def __str__(self) -> str:
        back = f", call back {self.back[0]}{f' {self.back[1]:%H:%M}' if self.back[1] else ''}" if self.back else ""
        return f"{self.record} {self.contact} {self.at:%Y-%m-%d %H:%M} {WORDS[self.outcome]}{back}"


@dataclass(frozen=True, slots=True)
class Brought:
    """The tries to write, how many stand in REDCap already, and a sentence for each that is left to a person."""

    new: tuple[Try, ...] = ()
    known: int = 0
    open: tuple[str, ...] = ()


class Unclear(Exception):
    """Why a try can't be brought."""


def sort_out(rows: Sequence[Returned], log: Mapping[str, Stood], config: Config, keys: Keys, now: datetime) -> Brought:
    """What is to be done with every try of a sheet.

    Args:
        rows: The sheet.
        log: Record to what REDCap holds of it now; a record that is missing is not there.
        config: The trial; it has a call log whose entries have keys.
        keys: What the sheet's rows were made with.
        now: The moment, in the trial's time zone: nothing was tried after it.
    """
    new: list[Try] = []
    known, left = 0, []
    for row in rows:
        for typed in row.tries:
            try:
                made = _made(row, typed, config, keys, now)
                if _stands(made, log):
                    known += 1
                else:
                    new.append(made)
            except Unclear as unclear:
                left.append(f"row {row.row}, {row.record or 'no record'}, try {typed.number}: {unclear}")
    return Brought(tuple(new), known, tuple(left))


def read_back(gateway: Gateway, config: Config, records: Collection[str]) -> Mapping[str, Stood]:
    """Record to what REDCap holds of it now, of those that this token sees; identifiers are not asked for.

    Raises:
        ConfigError: the trial has no call log, or one whose entries have no key.
    """
    log = log_of(config)
    dictionary = gateway.dictionary()
    seen = set(gateway.ids(dictionary.record_id))
    forms = {form.instrument for form in config.contact_forms.values()} | {dictionary.form_of(log.outcome.field)}
    own = [f.name for f in dictionary.fields if f.form in forms and f.columns and not f.identifier]
    found: dict[str, list[Row]] = {record: [] for record in sorted(records) if record in seen}
    events = tuple(row["unique_event_name"] for row in gateway.events(filled=True))
    if found:
        for row in gateway.records(dictionary.record_id, own, records=tuple(found)).rows:
            found[row.record].append(row)
    views = {record: RecordView(rows, dictionary, events) for record, rows in found.items()}
    return {record: _stood(view, log, config) for record, view in views.items()}


def write_log(gateway: Gateway, config: Config, tries: Sequence[Try]) -> None:
    """The call log holds every try once, as an instance of its own, and was read back.

    The first tries of all records go before the second ones, so that no request has two new instances of one record.

    Raises:
        WriteBackFailed: REDCap does not hold what was written.
    """
    log = log_of(config)
    dictionary = gateway.dictionary()
    form = dictionary.form_of(log.outcome.field)
    for number in sorted({one.number for one in tries}):
        rows = [_row(one, log, form) for one in tries if one.number == number]
        gateway.append(dictionary.record_id, rows)
    held = read_back(gateway, config, {one.record for one in tries})
    lacking = [one.record for one in tries if one.key not in held.get(one.record, Stood()).keys]
    if lacking:
        raise WriteBackFailed(
            f"REDCap does not hold the tries of {', '.join(lacking[:5])}; run it again: each is written once"
        )


def log_of(config: Config) -> CallLog:
    """The call log of a trial in which tries can be brought.

    Raises:
        ConfigError: there is none, or its entries have no key.
    """
    log = config.call_log
    if log is None or log.key is None:
        raise ConfigError(
            "call_log: key: name the field that holds an entry's key; without it a sheet can't be brought"
        )
    return log


def _made(row: Returned, typed: Typed, config: Config, keys: Keys, now: datetime) -> Try:
    """The try of a block of cells, as it was typed."""
    contact = keys.contact(row.key, row.record, [rule.code for rule in config.contacts])
    day = printed(row.key)
    if not contact or day is None:
        raise Unclear("its key was changed, or is of another record; type it into REDCap")
    if now.date() - day.date() > OLDEST:
        raise Unclear(f"the sheet is of {day:%Y-%m-%d}, more than {OLDEST.days} days ago; type it into REDCap")
    outcome = choices(config).get(typed.outcome.capitalize())
    if outcome is None:
        raise Unclear(f"the outcome is {typed.outcome!r}" if typed.outcome else "it has no outcome")
    at = clock(typed.clock)
    if at is None:
        raise Unclear("it has no clock time such as 9:30")
    when = datetime.combine(day.date(), at)
    if when > now.replace(tzinfo=None):
        raise Unclear(f"{when:%Y-%m-%d %H:%M} has not come yet")
    code = next(code for code, meant in log_of(config).outcomes.items() if meant == outcome)
    key = keys.of("try", row.key, str(typed.number))
    return Try(row.record, contact, when, outcome, _back(typed, outcome, when), key, typed.number, code)


def _back(typed: Typed, outcome: Outcome, when: datetime) -> tuple[date, time | None] | None:
    if typed.back in (None, ""):
        return None
    back = moment(typed.back, when.date())
    if back is None:
        raise Unclear("what stands under Call back at is no day or time such as 2026-02-25 10:30")
    if outcome not in _BACK:
        raise Unclear(f"{WORDS[outcome]} goes with no call back; choose another outcome, or leave it out")
    if datetime.combine(back[0], back[1] or time.max) < when:
        raise Unclear("the call back lies before the try")
    return back


def _stands(made: Try, log: Mapping[str, Stood]) -> bool:
    """Whether REDCap holds the try; unclear where something stands there that came after it, or at its minute."""
    stood = log.get(made.record)
    if stood is None:
        raise Unclear("REDCap shows no such record to this token")
    if made.key in stood.keys:
        return True
    if stood.reached_on and stood.reached_on > made.at.date():
        raise Unclear(f"the patient was reached on {stood.reached_on}; type it into REDCap if it is still needed")
    later = [one for one in stood.attempts if datetime.combine(one.on, one.at or time.min) >= made.at]
    if later:
        raise Unclear(f"REDCap holds a try of then or later ({later[-1]}); look there first")
    return False


def _stood(view: RecordView, log: CallLog, config: Config) -> Stood:
    form, event = view.dictionary.form_of(log.outcome.field), log.outcome.event
    name = log.key.field if log.key else ""
    held = frozenset(view.value(name, event, instance=number) for number in view.instances(event, form)) - {""}
    said = [read_form(config.contact_forms[rule.form], rule.event, view) for rule in config.contacts]
    reached = max((one.on for one in said if one.done and one.on), default=None)
    return Stood(read_log(view, config).attempts, held, reached)


def _row(one: Try, log: CallLog, form: str) -> Row:
    values = {
        log.contact.field: one.contact,
        log.date.field: str(one.at.date()),
        log.time.field: f"{one.at:%H:%M}",
        log.outcome.field: one.code,
        **({log.key.field: one.key} if log.key else {}),
    }
    if one.back:
        values[log.callback_date.field] = str(one.back[0])
        values |= {log.callback_time.field: f"{one.back[1]:%H:%M}"} if one.back[1] else {}
    return Row(one.record, log.outcome.event, form, 0, values)
