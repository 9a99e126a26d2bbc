"""Tries into the call log, from a sheet or from before there was one: what is new, and what a person has to decide.

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
from trialdesk.followup.attempts import WORDS, Attempt, Booking, read_log
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
    """A try that is to be written, as attempt and as what it is known by.

    `number` is its place among those of the record, `code` what REDCap stores for the outcome, `note` where it is from.
    """

    record: str
    attempt: Attempt
    key: str
    number: int
    code: str
    note: str = ""

    def __str__(self) -> str:
        one = self.attempt
        at = f" {one.at:%H:%M}" if one.at else ""
        back = f", call back {one.callback}" if one.callback else ""
        return f"{self.record} {one.contact} {one.on}{at} {WORDS[one.outcome]}{back}"


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
    return {record: stood(view, config) for record, view in views(gateway, config, records).items()}


def views(gateway: Gateway, config: Config, records: Collection[str] | None = None) -> Mapping[str, RecordView]:
    """Call log and contact forms of the named records (None: of all) that this token sees; no identifiers.

    Raises:
        ConfigError: the trial has no call log, or one whose entries have no key.
    """
    log = log_of(config)
    dictionary = gateway.dictionary()
    seen = gateway.ids(dictionary.record_id)
    forms = {form.instrument for form in config.contact_forms.values()} | {dictionary.form_of(log.outcome.field)}
    own = [f.name for f in dictionary.fields if f.form in forms and f.columns and not f.identifier]
    found: dict[str, list[Row]] = {record: [] for record in seen if records is None or record in records}
    events = tuple(row["unique_event_name"] for row in gateway.events(filled=True))
    if found:
        for row in gateway.records(dictionary.record_id, own, records=tuple(found)).rows:
            found[row.record].append(row)
    return {record: RecordView(rows, dictionary, events) for record, rows in found.items()}


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


def code_of(outcome: Outcome, log: CallLog) -> str:
    """What the call log stores for an outcome that one of its codes means."""
    return next(code for code, meant in log.outcomes.items() if meant == outcome)


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
    key = keys.of("try", row.key, str(typed.number))
    attempt = Attempt(contact, when.date(), at, outcome, _back(typed, outcome, when))
    return Try(row.record, attempt, key, typed.number, code_of(outcome, log_of(config)))


def _back(typed: Typed, outcome: Outcome, when: datetime) -> Booking | None:
    if typed.back in (None, ""):
        return None
    back = moment(typed.back, when.date())
    if back is None:
        raise Unclear("what stands under Call back at is no day or time such as 2026-02-25 10:30")
    if outcome not in _BACK:
        raise Unclear(f"{WORDS[outcome]} goes with no call back; choose another outcome, or leave it out")
    if datetime.combine(back[0], back[1] or time.max) < when:
        raise Unclear("the call back lies before the try")
    return Booking(back[0], f"{back[1]:%H:%M}" if back[1] else "")


def _stands(made: Try, log: Mapping[str, Stood]) -> bool:
    """Whether REDCap holds the try; unclear where something stands there that came after it, or at its minute."""
    stood = log.get(made.record)
    if stood is None:
        raise Unclear("REDCap shows no such record to this token")
    if made.key in stood.keys:
        return True
    if stood.reached_on and stood.reached_on > made.attempt.on:
        raise Unclear(f"the patient was reached on {stood.reached_on}; type it into REDCap if it is still needed")
    later = [one for one in stood.attempts if _moment(one) >= _moment(made.attempt)]
    if later:
        raise Unclear(f"REDCap holds a try of then or later ({later[-1]}); look there first")
    return False


def stood(view: RecordView, config: Config) -> Stood:
    """What a record's call log and contact forms hold.

    Raises:
        ConfigError: the trial has no call log, or one whose entries have no key.
    """
    log = log_of(config)
    form, event = view.dictionary.form_of(log.outcome.field), log.outcome.event
    name = log.key.field if log.key else ""
    held = frozenset(view.value(name, event, instance=number) for number in view.instances(event, form)) - {""}
    said = [read_form(config.contact_forms[rule.form], rule.event, view) for rule in config.contacts]
    reached = max((one.on for one in said if one.done and one.on), default=None)
    return Stood(read_log(view, config).attempts, held, reached)


def _moment(one: Attempt) -> tuple[date, time]:
    return one.on, one.at or time.min


def _row(one: Try, log: CallLog, form: str) -> Row:
    made, back = one.attempt, one.attempt.callback
    values = {
        log.contact: made.contact,
        log.date: str(made.on),
        log.time: f"{made.at:%H:%M}" if made.at else "",
        log.outcome: one.code,
        log.callback_date: str(back.on) if back else "",
        log.callback_time: back.at if back else "",
        log.key: one.key,
        log.note: one.note,
    }
    filled = {ref.field: value for ref, value in values.items() if ref and value}
    return Row(one.record, log.outcome.event, form, 0, filled)
