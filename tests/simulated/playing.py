"""A whole trial: what people do, day by day, and a judged night after each day that changed something."""

from __future__ import annotations

import gc
import os
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from tempfile import TemporaryDirectory

from faulty import plan
from simulated.judging import Judge
from simulated.mistakes import Planted
from simulated.nights import Night, Nights
from simulated.people import People
from simulated.supplies import Supplies
from simulated.world import FIVE_YEARS, STARTS, World, world
from trialdesk.errors import TrialError

PATIENTS = 135
"""Screened patients, of whom about 100 are randomised."""
_WHOLE, _TABLES, _COLLECT = 30, 10, 100
_QUIET = timedelta(days=7)
"""So long no night is run where nobody wrote anything: windows open and end meanwhile."""
_FAULTY = 0.03
_AT = clock(4, 30)
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
_TOLD_OF_LIES = frozenset({10, 11, 45})


@dataclass
class Trial:
    """One played trial in numbers; `wrong` are the lines of the first night that was wrong, with its day."""

    seed: int
    nights: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    screened: int = 0
    randomised: int = 0
    envelopes: int = 0
    versions: int = 0
    refused: int = 0
    braked: int = 0
    seconds: float = 0.0
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    wrong: list[str] = field(default_factory=list)


def play(seed: int, patients: int = PATIENTS, days: int = FIVE_YEARS, until: date = date.max) -> Trial:
    """The trial of a seed, five years of nine sites; it ends at the first night that is wrong, or on a day.

    Args:
        seed: The same seed plays the same trial, to the last finding.
        patients: How many are screened.
        days: How long the trial takes.
        until: The day on which to stop looking.
    """
    begun = time.process_time()
    told = Trial(seed)
    with _folder() as home, world(home, seed, patients, days) as it, _unswept():
        planted: list[Planted] = []
        played = _Played(it, People(it, planted), Supplies(it, planted), Nights(it), Judge(it, planted), told)
        try:
            played.all(min(until, it.story.today))
        except Exception:  # noqa: BLE001 - whatever it is: the seed and the day are told, and that it can be played again
            told.wrong += [f"{it.today}: {line}" for line in traceback.format_exc().splitlines()]
        told.screened, told.randomised = len(it.ledger.entered), len(played.people.opened)
        told.envelopes, told.versions = len(played.judge.before), len(it.cards.tables)
        told.named, told.closed = played.judge.named, played.judge.closed
        told.refused, told.braked = played.people.refused, played.nights.braked
    told.seconds = time.process_time() - begun
    return told


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory where the system has one: no fsync of the thousands of a trial costs anything there."""
    there = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else None
    with TemporaryDirectory(dir=there) as folder:
        yield Path(folder, "trial")


@contextmanager
def _unswept() -> Iterator[None]:
    """The collector looks through everything a trial holds now and then, and not all the time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass
class _Played:
    world: World
    people: People
    supplies: Supplies
    nights: Nights
    judge: Judge
    told: Trial
    _last: date = STARTS

    def all(self, last: date) -> None:
        self.supplies.begin()
        self.people.begin()
        day = STARTS
        while day <= last and not self.told.wrong:
            day += timedelta(days=1)
            with self._timed("people"):
                self._act(datetime.combine(day, _AT))
            if self.world.line.changed or day - self._last >= _QUIET:
                self._last = day
                self._night()
                self.world.line.changed = False
        if day > last >= self.world.story.today and not self.told.wrong:
            self.told.wrong += [f"{day}: {line}" for line in self.judge.last()]

    def _act(self, until: datetime) -> None:
        for act in self.world.acts(until):
            act()

    def _night(self) -> None:
        number = sum(self.told.nights.values()) + 1
        whole = number % _WHOLE == 0
        tables = whole or number % _TABLES == 0
        if number % _COLLECT == 0:
            gc.collect()
        kind = "whole" if whole else "with all tables" if tables else "quick"
        faulty = self.world.chance("fault", self.world.today).random() < _FAULTY
        kind = "with a fault" if faulty else kind
        self.told.nights[kind] += 1
        self.world.line.anew = whole
        with self._timed(kind):
            if faulty:
                night, wrong = self._faulty(tables=tables, whole=whole)
            else:
                night, wrong = self.nights.run(tables=tables, whole=whole), []
        with self._timed("judging"):
            wrong += self.judge.wrong(night)
        self.told.wrong += [f"{self.world.today}: {line}" for line in wrong]
        self.supplies.look(night.facts)

    def _faulty(self, *, tables: bool, whole: bool) -> tuple[Night, list[str]]:
        """A night with a fault by chance, and a straight one after it."""
        line, nights, wrong = self.world.line, self.nights, []
        seed = self.world.chance("kind", self.world.today).randrange(10**9)
        line.faulty.number, line.faulty.plan = 0, (mind := plan(seed))
        try:
            night: Night | None = nights.disturbed(tables=tables, whole=whole)
            self.told.faults["published"] += 1
        except TrialError as error:
            night = None
            self.told.faults[f"stopped with {error.exit_code}"] += 1
        finally:
            line.faulty.plan = None
        straight = nights.true_again(tuple(sorted(self.world.ledger.entered)), tables=tables, whole=whole)
        if night is not None and _differ(night, straight) and (night.code not in _TOLD_OF_LIES or not mind.content):
            wrong.append(f"{mind.kind} (fault {seed}): published with {night.code}, and is not what is true")
        return straight, wrong

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begun = time.process_time()
        try:
            yield
        finally:
            self.told.spent[what] += time.process_time() - begun


def _differ(one: Night, other: Night) -> bool:
    """Whether two nights of one moment tell otherwise of patients, findings or where envelopes are."""
    return _said(one) != _said(other)


def _said(night: Night) -> tuple[object, ...]:
    """What a night says; an envelope that one has just marked opened the next one reads as opened."""
    facts = night.facts
    return facts.patients, facts.findings, facts.cards.register
