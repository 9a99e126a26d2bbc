"""The line between desk and REDCap in one process: it keeps the clock, and fails and lies where that is planned."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

import requests

from faulty import Answer, Between
from inprocess import Ask

_STRUCTURE = frozenset(
    {"version", "project", "metadata", "event", "formEventMapping", "repeatingFormsEvents", "instrument"}
)
_WRITES = re.compile(r"(?:^|&)(?:data|action)=")
_TOKEN = re.compile(r"(?:^|&)token=(\w+)")
_CONTENT = re.compile(r"(?:^|&)content=(\w+)")


@dataclass
class Line:
    """What every request goes through.

    A question that was asked before is not put to REDCap again as long as nothing was written into that project; once
    `settled`, what it says of its structure stands until the end. `register` are the tokens of the register, all
    others are of the trial; `named_by` are the record-id fields of both. `meanwhile` is called once, before so many
    more requests have gone. `written` is told whether something is written into the register, and into which of its
    records, None where that can't be told; `changed` says that something was. `anew` says that what is kept of earlier
    nights has to be proved.
    """

    now: datetime = datetime.min
    faulty: Between = field(default_factory=Between)
    settled: bool = False
    register: frozenset[str] = frozenset()
    meanwhile: tuple[int, Callable[[], object]] | None = None
    named_by: tuple[str, ...] = ()
    written: Callable[[bool, Collection[str] | None], object] = lambda *_: None
    anew: bool = False
    changed: bool = False
    _structure: dict[str, Answer] = field(default_factory=dict)
    _records: tuple[dict[str, Answer], dict[str, Answer]] = field(default_factory=lambda: ({}, {}))

    @property
    def sparing(self) -> bool:
        """Whether nothing is planned that asking less often would hide."""
        return self.settled and self.faulty.plan is None and self.meanwhile is None

    def clock(self) -> datetime:
        """The moment in the trial, as the server's clock has it."""
        return self.now

    def through(self, sent: str, ask: Ask) -> Answer:
        """The answer to what is sent, or what becomes of it on its way."""
        self._let_others()
        of_register = not self.register.isdisjoint(_TOKEN.findall(sent))
        records = self._records[of_register]
        if _WRITES.search(sent):
            records.clear()
            self.changed = True
            self.written(of_register, _records(sent, self.named_by))
            return ask()
        content = _CONTENT.search(sent)
        known = self._structure if self.settled and content and content[1] in _STRUCTURE else records
        if sent not in known:
            known[sent] = ask()
        return self._conveyed(known[sent], sent)

    def _let_others(self) -> None:
        if self.meanwhile is None:
            return
        left, act = self.meanwhile
        self.meanwhile = (left - 1, act) if left else None
        if not left:
            act()

    def _conveyed(self, answer: Answer, sent: str) -> Answer:
        """The answer as it comes out; where a socket would break, what requests raises then."""
        if self.faulty.plan is None:
            return answer
        asked = dict(parse_qsl(sent, keep_blank_values=True))
        found = self.faulty.answer(asked, answer)
        if found.raw is not None:
            raise requests.ConnectionError
        if found.promised is not None and found.promised != len(found.body):
            raise requests.exceptions.ChunkedEncodingError
        return found


def _records(sent: str, named_by: Collection[str]) -> frozenset[str] | None:
    """The records of the rows that are sent; None for what is no rows of records."""
    asked = dict(parse_qsl(sent))
    if asked.get("content") != "record" or "action" in asked:
        return None
    found = [[row[name] for name in named_by if name in row] for row in json.loads(asked["data"])]
    return frozenset(names[0] for names in found) if all(found) else None
