"""What fields, smart variables and `today` stand for where a formula is evaluated."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from redcap_rules.choices import Choice
from redcap_rules.logic.errors import LogicError
from redcap_rules.logic.steps import Lookup
from redcap_rules.logic.syntax import Clock, MissingCodes, Reference, Smart
from redcap_rules.record import RecordView

_ARM = re.compile(r"_arm_(\d+)[a-z]*$")


@dataclass(frozen=True, slots=True)
class Scope:
    """A record and the place in it that a formula is evaluated for."""

    record: RecordView
    event: str = ""
    instrument: str = ""
    instance: int = 0
    today: date | None = None
    now: datetime | None = None
    smart: Mapping[str, str] = field(default_factory=dict)

    def value(self, lookup: Lookup) -> str:
        """The text a leaf of the formula stands for, '' when it is blank.

        Raises:
            LogicError: An unknown field, or `today` or `now` without a clock.
        """
        if isinstance(lookup, Reference):
            return self._field(lookup)
        if isinstance(lookup, Smart):
            return self._smart(lookup.name)
        if isinstance(lookup, MissingCodes):
            return codes_text(self.record.dictionary.missing_codes)
        return moment(lookup, self.today, self.now)

    def _field(self, reference: Reference) -> str:
        dictionary = self.record.dictionary
        try:
            form = dictionary.form_of(reference.field)
        except KeyError:
            message = f"there is no field {reference.field!r}"
            raise LogicError(message, reference.span.line, reference.span.column) from None
        event = self._event(reference.event)
        if event is None:
            return ""
        instance = self._instance(reference.instance, event, form)
        if instance is None:
            return ""
        text = self.record.value(reference.field, event, code=reference.code, instance=instance)
        if reference.field in dictionary.comma_decimals:
            return text.replace(",", ".")
        if reference.shown == "label" and not reference.code:
            return dictionary.label_of(reference.field, text)
        return text

    def _event(self, name: str) -> str | None:
        if not name:
            return self.event
        return self._event_named(name) if name in _EVENT_PLACES else name

    def _event_named(self, name: str) -> str | None:
        arm = _arm(self.event)
        events = [event for event in self.record.events if _arm(event) == arm]
        at = events.index(self.event) if self.event in events else None
        return _EVENT_PLACES[name](events, at)

    def _instance(self, name: str, event: str, form: str) -> int | None:
        if name.isdigit():
            return int(name)
        here = self.instance if event == self.event and self.instrument in {"", form} else 0
        if not name:
            return here
        return _INSTANCE_PLACES[name](self.record.instances(event, form), here)

    def _smart(self, name: str) -> str:
        if name in self.smart:
            return self.smart[name]
        if name == "record-name":
            return self.record.record
        if name in _EVENT_PLACES:
            return self._event_named(name) or ""
        if name in _INSTANCE_PLACES:
            there = self.record.instances(self.event, self.instrument)
            return str(_INSTANCE_PLACES[name](there, self.instance) or "")
        return _OFFLINE.get(name, "")


def codes_text(codes: Iterable[Choice]) -> str:
    """The missing-data codes as functions are given them: one a line."""
    return "\n".join(choice.code for choice in codes)


def moment(clock: Clock, today: date | None, now: datetime | None) -> str:
    """The text of `today` or `now`; LogicError if that was not given."""
    if clock.name == "now" and now is not None:
        return now.strftime("%Y-%m-%d %H:%M:%S")
    if clock.name == "today" and today is not None:
        return today.isoformat()
    message = f"the formula asks for {clock.name}, which was not given"
    raise LogicError(message, clock.span.line, clock.span.column)


def _arm(event: str) -> str:
    found = _ARM.search(event)
    return found[1] if found else ""


def _at(events: list[str], place: int | None) -> str | None:
    return events[place] if place is not None and 0 <= place < len(events) else None


_EVENT_PLACES: dict[str, Callable[[list[str], int | None], str | None]] = {
    "event-name": _at,
    "first-event-name": lambda events, _: _at(events, 0),
    "last-event-name": lambda events, _: _at(events, len(events) - 1),
    "previous-event-name": lambda events, at: None if at is None else _at(events, at - 1),
    "next-event-name": lambda events, at: None if at is None else _at(events, at + 1),
}
_INSTANCE_PLACES: dict[str, Callable[[tuple[int, ...], int], int | None]] = {
    "current-instance": lambda _there, here: here,
    "first-instance": lambda there, _here: min(there, default=None),
    "last-instance": lambda there, _here: max(there, default=None),
    "previous-instance": lambda there, here: max((one for one in there if one < here), default=None),
    "next-instance": lambda there, here: min((one for one in there if one > here), default=None),
}
# Offline there is neither survey nor user, unless the caller says so.
_OFFLINE: dict[str, str] = {"is-survey": "0", "is-form": "0"}
