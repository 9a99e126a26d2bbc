"""Every order in which calls of the real release code can meet, over two projects that are kept in memory.

Each call runs in a greenlet and stops before every look at the marks and every write; a scheduler says who goes on.
What a call does next follows from what it has seen, so two orders that leave the same projects and the same memories
are one state, and what comes after it is explored once. Reads that no call can change (dictionary, configuration) are
taken once outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from greenlet import getcurrent, greenlet

from redcap_rules.dictionary import Dictionary
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.envelopes import release as room
from trialdesk.envelopes.marks import Marks, RecordMark
from trialdesk.envelopes.release import Contention, release, take_back
from trialdesk.errors import TrialError
from trialdesk.model import Envelope, is_opened
from trialdesk.redcap.snapshot import Snapshot

NOW = datetime(2026, 3, 2, 10, 30)
Lives = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Stage:
    """What does not change: the trial, its dictionary and events, and in which group each record is."""

    config: Config
    dictionary: Dictionary
    events: tuple[str, ...]
    groups: Mapping[str, str]


@dataclass
class Memory:
    """Both projects: record to event to values, and the envelopes."""

    records: dict[str, dict[str, dict[str, str]]]
    envelopes: dict[str, Envelope]

    @property
    def key(self) -> tuple[Any, ...]:
        """What two equal states have in common."""
        facts = (
            (record, event, name, value)
            for record, life in self.records.items()
            for event, values in life.items()
            for name, value in values.items()
            if value
        )
        used = ((e.id, e.status, e.record, e.released_at) for e in self.envelopes.values())
        return (tuple(sorted(facts)), tuple(sorted(used, key=lambda one: one[0])))


@dataclass
class Actor:
    """One call or one person: what it does, what it has seen so far, and how it ended."""

    name: str
    work: Callable[[], object]
    seen: list[object] = field(default_factory=list)
    next: str = ""
    ended: object = None
    running: greenlet | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.ended is not None


CRASHED = "crashed"


class World:
    """One run from the beginning: actors go on one step at a time, as the scheduler says."""

    def __init__(self, stage: Stage, lives: Lives, envelopes: Sequence[Envelope], actors: Iterable[Actor]) -> None:
        self.stage = stage
        self.memory = Memory(
            {record: {event: dict(values) for event, values in life.items()} for record, life in lives.items()},
            {envelope.id: envelope for envelope in envelopes},
        )
        self.actors = list(actors)
        self._current: Actor | None = None
        self._home = getcurrent()
        self._snapshots: dict[Any, Snapshot] = {}

    def begin(self) -> None:
        """Every actor stands before its first step."""
        for actor in self.actors:
            actor.running = greenlet(actor.work)
            self._go_on(actor)

    def step(self, number: int, *, crash: bool = False) -> None:
        """An actor takes its next step; with `crash` it is killed right after it."""
        actor = self.actors[number]
        wrote = actor.next == "write"
        self._go_on(actor)
        if crash and wrote:
            actor.ended, actor.running = CRASHED, None

    def _go_on(self, actor: Actor) -> None:
        self._current, running = actor, actor.running
        assert running is not None
        try:
            said = running.switch()
        except TrialError as error:
            actor.ended = error
            return
        if running.dead:
            actor.ended = said if said is not None else "done"
        else:
            actor.next = str(said)

    def stop(self, kind: str) -> None:
        """The actor that runs waits here, before it reads or writes."""
        self._home.switch(kind)

    def saw(self, what: object) -> None:
        """The actor that runs has learnt something."""
        if self._current is not None:
            self._current.seen.append(what)

    @property
    def state(self) -> tuple[Any, ...]:
        """Two equal states have the same future."""
        minds = tuple((tuple(a.seen), a.next, str(a.ended) if a.over else "") for a in self.actors)
        return (self.memory.key, minds)

    # What the release code asks of the two projects.

    def pull(self, record: str) -> Snapshot:
        """The record as REDCap holds it."""
        self.stop("read")
        life = self.memory.records.get(record, {})
        rows = tuple(Row(record, event, "", 0, dict(values)) for event, values in sorted(life.items()) if values)
        self.saw(("pull", record, tuple((row.event, tuple(sorted(row.values.items()))) for row in rows)))
        stage = self.stage
        return Snapshot("1", "T", stage.dictionary, stage.events, {record: rows}, {record: stage.groups[record]})

    def look(self) -> Marks:
        """The marks of all records, then, a step later, those of all envelopes."""
        self.stop("read")
        marks = tuple(map(self._mark, sorted(self.memory.records)))
        self.saw(marks)
        return Marks(marks, self.read())

    def _mark(self, record: str) -> RecordMark:
        facts, life = self.stage.config.facts, self.memory.records[record]

        def text(ref: Any) -> str:
            return life.get(ref.event, {}).get(ref.field, "")

        typed = [text(ref) for ref in (facts.envelope, facts.arm, facts.card_code, facts.opened_on, facts.opened_time)]
        at = text(facts.released_at)
        moment = datetime.fromisoformat(at) if at else None
        return RecordMark(record, text(facts.site), text(facts.released_envelope), typed[0], is_opened(*typed), moment)

    def read(self, ids: Sequence[str] | None = None) -> tuple[Envelope, ...]:
        """The register."""
        self.stop("read")
        found = tuple(e for name, e in sorted(self.memory.envelopes.items()) if ids is None or name in ids)
        self.saw(tuple((e.id, e.status, e.record, e.released_at) for e in found))
        return found

    def set_use(self, envelopes: Iterable[Envelope]) -> None:
        """The register holds what was written."""
        self.stop("write")
        self.memory.envelopes.update((envelope.id, envelope) for envelope in envelopes)

    def write(self, _record_id: str, rows: Iterable[Row], **_: bool) -> int:
        """The trial holds what was written."""
        self.stop("write")
        for row in rows:
            self.memory.records[row.record].setdefault(row.event, {}).update(row.values)
        return 1


@contextmanager
def inside(world: World) -> Iterator[World]:
    """The release code works on this world."""
    with pytest.MonkeyPatch.context() as patched:
        for name, what in (
            ("read_filed", lambda _: ()),
            ("prove_blind", lambda _: None),
            ("prove_fit", lambda *_: None),
            ("prove_codes", lambda *_: None),
            ("pull_records", lambda _, records: world.pull(records[0])),
            ("read_marks", lambda *_: world.look()),
            ("read_register", lambda _, ids: world.read(ids)),
            ("set_use", lambda _, envelopes: world.set_use(envelopes)),
        ):
            patched.setattr(room, name, what)
        patched.setattr("trialdesk.envelopes.gate._unproved", lambda *_: iter(()))  # nobody files anything meanwhile
        yield world


def caller(world: World, record: str, tries: int = 1) -> Actor:
    """A coordinator who releases an envelope for a record; a retry is a call of its own."""
    port: Any = world
    still = Contention(tries, lambda _: None, lambda: 0.0)
    return Actor(record, lambda: release(world.stage.config, port, port, record, NOW, still))


def taker_back(world: World, record: str) -> Callable[[], object]:
    """A coordinator who takes the release of a record back."""
    port: Any = world
    return lambda: take_back(world.stage.config, port, port, record)


def site(world: World, record: str, values: Mapping[str, Mapping[str, str]]) -> Actor:
    """A site that types something into a record."""

    def typing() -> None:
        world.stop("type")
        for event, some in values.items():
            world.memory.records[record].setdefault(event, {}).update(some)

    return Actor(f"site {record}", typing)


@dataclass
class Explored:
    """How many states and orders there were, and what was wrong in any of them."""

    states: int = 0
    orders: int = 0
    ends: int = 0


Check = Callable[[World], None]
Making = Callable[[], World]
Choice = tuple[int, bool]


def replayed(make: Making, path: Sequence[Choice]) -> World:
    """A fresh world in which these steps were taken."""
    world = make()
    world.begin()
    for number, crash in path:
        world.step(number, crash=crash)
    return world


def choices(world: World, last: int, switches: int, *, crashes: bool) -> Iterator[Choice]:
    """Who may go on now; without switches left only who went on last, as long as it can."""
    able = [number for number, actor in enumerate(world.actors) if not actor.over]
    kept = [last] if switches <= 0 and last in able else able
    for number in kept:
        yield number, False
        if crashes and world.actors[number].next == "write":
            yield number, True


def explore(make: Making, check: Check, *, crashes: bool = True, switches: int = 10_000) -> Explored:
    """Every order of steps, with a crash after every write; `check` looks at every state.

    Args:
        make: A world from the beginning.
        check: Raises when a state is wrong.
        crashes: Whether calls may be killed.
        switches: How often the scheduler may turn from a call that could go on to another.
    """
    found = Explored()
    known: dict[object, int] = {}

    def orders_from(path: list[Choice], last: int, left: int) -> int:
        with inside(replayed_world := make()) as world:
            world.begin()
            for number, crash in path:
                world.step(number, crash=crash)
            check(world)
            key = hash((world.state, last if left <= len(world.actors) * 50 else -1, min(left, 99)))
            if key in known:
                return known[key]
            found.states += 1
            ways = list(choices(world, last, left, crashes=crashes))
            able = {number for number, actor in enumerate(world.actors) if not actor.over}
        del replayed_world
        if not ways:
            found.ends += 1
            known[key] = 1
            return 1
        total = 0
        for number, crash in ways:
            turned = number != last and last in able
            total += orders_from([*path, (number, crash)], number, left - turned)
        known[key] = total
        return total

    found.orders = orders_from([], -1, switches)
    return found


def walked(make: Making, check: Check, draw: Callable[[int], int], *, crashes: bool = True) -> None:
    """One order of steps, drawn."""
    with inside(make()) as world:
        world.begin()
        check(world)
        while ways := list(choices(world, -1, 1, crashes=crashes)):
            number, crash = ways[draw(len(ways))]
            world.step(number, crash=crash)
            check(world)


def undisturbed(world: World, work: Callable[[], object]) -> object:
    """What a call returns when nobody else is at work; its error, if it is refused."""
    actor = Actor("alone", work)
    world.actors.append(actor)
    number = len(world.actors) - 1
    actor.running = greenlet(work)
    world._go_on(actor)
    while not actor.over:
        world.step(number)
    return actor.ended


def told(world: World) -> list[Envelope]:
    """The envelopes whose numbers a coordinator was told."""
    return [actor.ended for actor in world.actors if isinstance(actor.ended, Envelope)]


def with_status(envelope: Envelope, **changes: Any) -> Envelope:
    """The envelope with other facts."""
    return replace(envelope, **changes)
