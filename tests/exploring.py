"""Every order in which calls of the real release code can meet, over two projects that are kept in memory.

What a call does next follows from the answers it has had: it is run with them until it asks for one more, and how far
it came is kept, so that the same answers never run it twice. A state is the two projects and what each call has heard;
two orders that lead to one state have one future. Reads that no call can change (dictionary, configuration) are taken
once outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import pytest

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
CRASHED = -1
Lives = Mapping[str, Mapping[str, Mapping[str, str]]]
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Stage:
    """What does not change: the trial, its dictionary and events, and in which group each record is."""

    config: Config
    dictionary: Dictionary
    events: tuple[str, ...]
    groups: Mapping[str, str]


@dataclass(frozen=True)
class Memory:
    """Both projects: the values by record, event and field, and the envelopes by their ids."""

    facts: frozenset[tuple[Place, str]]
    envelopes: frozenset[Envelope]

    @cached_property
    def values(self) -> dict[Place, str]:
        """The values by their places."""
        return dict(self.facts)

    def with_values(self, rows: Iterable[Row]) -> Memory:
        """The trial holds what was written; a blank clears."""
        new = {(row.record, row.event, name): value for row in rows for name, value in row.values.items()}
        return replace(self, facts=frozenset((at, value) for at, value in {**self.values, **new}.items() if value))

    def with_envelopes(self, envelopes: Iterable[Envelope]) -> Memory:
        """The register holds what was written."""
        new = {envelope.id: envelope for envelope in envelopes}
        kept = (envelope for envelope in self.envelopes if envelope.id not in new)
        return replace(self, envelopes=frozenset((*kept, *new.values())))

    def rows(self, record: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """What a record holds, by event."""
        events = sorted({event for (whose, event, _), _ in self.facts if whose == record})
        return tuple(
            (event, tuple(sorted((at[2], value) for at, value in self.facts if at[:2] == (record, event))))
            for event in events
        )

    def register(self, ids: Sequence[str] | None = None) -> tuple[Envelope, ...]:
        """The envelopes in the order of their ids."""
        return tuple(sorted((e for e in self.envelopes if ids is None or e.id in ids), key=lambda one: one.id))

    def marks(self, stage: Stage) -> tuple[RecordMark, ...]:
        """The marks of all records."""
        return tuple(self._mark(stage, record) for record in sorted(stage.groups))

    def _mark(self, stage: Stage, record: str) -> RecordMark:
        facts = stage.config.facts

        def text(ref: Any) -> str:
            return self.values.get((record, ref.event, ref.field), "")

        typed = [text(ref) for ref in (facts.envelope, facts.arm, facts.card_code, facts.opened_on, facts.opened_time)]
        at = text(facts.released_at)
        moment = datetime.fromisoformat(at) if at else None
        return RecordMark(record, text(facts.site), text(facts.released_envelope), typed[0], is_opened(*typed), moment)


@dataclass(frozen=True)
class Request:
    """The next step of a call: what it asks for, and what comes of it in the projects as they are then."""

    kind: str
    done: Callable[[Memory], tuple[object, Memory]]


class _Unanswered(BaseException):
    """The call has come to a request that has no answer yet."""

    def __init__(self, request: Request) -> None:
        self.request = request


class Projects:
    """What a call asks, in place of both gateways: the answers it has had, then a stop."""

    def __init__(self, stage: Stage, answers: Sequence[object]) -> None:
        self.stage = stage
        self._answers = iter(answers)

    def ask(self, kind: str, done: Callable[[Memory], tuple[object, Memory]]) -> Any:
        """The next answer.

        Raises:
            _Unanswered: When there is none yet.
        """
        try:
            return next(self._answers)
        except StopIteration:
            raise _Unanswered(Request(kind, done)) from None

    def pull(self, record: str) -> Snapshot:
        """The record as REDCap holds it."""
        life = self.ask("read", lambda memory: (memory.rows(record), memory))
        rows = tuple(Row(record, event, "", 0, dict(values)) for event, values in life)
        stage = self.stage
        return Snapshot("1", "T", stage.dictionary, stage.events, {record: rows}, {record: stage.groups[record]})

    def look(self) -> Marks:
        """The marks of all records, then, a step later, those of all envelopes."""
        marks = self.ask("read", lambda memory: (memory.marks(self.stage), memory))
        return Marks(marks, self.read())

    def read(self, ids: Sequence[str] | None = None) -> tuple[Envelope, ...]:
        """The register."""
        found: tuple[Envelope, ...] = self.ask("read", lambda memory: (memory.register(ids), memory))
        return found

    def set_use(self, envelopes: Iterable[Envelope]) -> None:
        """The register holds what was written."""
        written = tuple(envelopes)
        self.ask("write", lambda memory: (None, memory.with_envelopes(written)))

    def write(self, _record_id: str, rows: Iterable[Row], **_: bool) -> int:
        """The trial holds what was written."""
        written = tuple(rows)
        self.ask("write", lambda memory: (None, memory.with_values(written)))
        return 1

    def type(self, rows: tuple[Row, ...]) -> None:
        """A person types: one step, and nobody is killed over it."""
        self.ask("type", lambda memory: (None, memory.with_values(rows)))


@contextmanager
def inside() -> Iterator[None]:
    """The release code asks `Projects` in place of gateways."""
    with pytest.MonkeyPatch.context() as patched:
        put_inside(patched)
        yield


def put_inside(patched: pytest.MonkeyPatch) -> None:
    """The same until `patched` is undone; a test that patches the release code as well does it with this one."""
    for name, what in (
        ("read_filed", lambda _: ()),
        ("prove_blind", lambda _: None),
        ("prove_fit", lambda *_: None),
        ("prove_codes", lambda *_: None),
        ("pull_records", lambda trial, records: trial.pull(records[0])),
        ("read_marks", lambda _config, _dictionary, _trial, register: register.look()),
        ("read_register", lambda register, ids: register.read(ids)),
        ("set_use", lambda register, envelopes: register.set_use(envelopes)),
    ):
        patched.setattr(room, name, what)
    patched.setattr("trialdesk.envelopes.gate._unproved", lambda *_: iter(()))  # nobody files anything meanwhile


@dataclass(frozen=True)
class Call:
    """What somebody does: its name says all of it."""

    name: str
    work: Callable[[Any], object]


def caller(config: Config, record: str, tries: int = 1) -> Call:
    """A coordinator who releases an envelope for a record; a retry is a call of its own."""
    still = Contention(tries, lambda _: None, lambda: 0.0)
    return Call(f"release {record} {tries}", lambda port: release(config, port, port, record, NOW, still))


def taker_back(config: Config, record: str) -> Call:
    """A coordinator who takes the release of a record back."""
    return Call(f"take back {record}", lambda port: take_back(config, port, port, record))


def site(record: str, values: Mapping[str, Mapping[str, str]]) -> Call:
    """A site that types something into a record."""
    rows = tuple(Row(record, event, "", 0, dict(some)) for event, some in values.items())
    return Call(f"site {record}", lambda port: port.type(rows))


class State(NamedTuple):
    """The projects, and what each call has heard (or that it was killed), as numbers of the world's tables."""

    memory: int
    minds: tuple[int, ...]


class World:
    """The calls, and how far every one of them came with every row of answers."""

    def __init__(self, stage: Stage, lives: Lives, envelopes: Sequence[Envelope], calls: Sequence[Call]) -> None:
        self.stage = stage
        self.calls = tuple(calls)
        self._memories: list[Memory] = []
        self._numbers: dict[Memory, int] = {}
        self._minds: list[tuple[Call, tuple[object, ...]]] = []
        self._known: dict[tuple[object, object], int] = {}
        self._moves: dict[int, Request | tuple[object]] = {}
        rows = (Row(record, event, "", 0, dict(some)) for record, life in lives.items() for event, some in life.items())
        first = Memory(frozenset(), frozenset(envelopes)).with_values(rows)
        self.start = State(self._number(first), tuple(self.begun(call) for call in self.calls))

    def _number(self, memory: Memory) -> int:
        if memory not in self._numbers:
            self._numbers[memory] = len(self._memories)
            self._memories.append(memory)
        return self._numbers[memory]

    def begun(self, call: Call) -> int:
        """The mind of a call that has heard nothing."""
        return self._mind((call.name, ()), call, ())

    def _mind(self, key: tuple[object, object], call: Call, heard: tuple[object, ...]) -> int:
        if key not in self._known:
            self._known[key] = len(self._minds)
            self._minds.append((call, heard))
        return self._known[key]

    def move(self, mind: int) -> Request | tuple[object]:
        """What a call asks next; its ending, alone in a tuple, when it asks nothing more."""
        if mind not in self._moves:
            call, heard = self._minds[mind]
            try:
                ended = call.work(Projects(self.stage, heard))
                self._moves[mind] = (ended,)
            except _Unanswered as stopped:
                self._moves[mind] = stopped.request
            except TrialError as error:
                self._moves[mind] = (error,)
        return self._moves[mind]

    def over(self, mind: int) -> bool:
        """Whether nothing more comes of a call."""
        return mind == CRASHED or isinstance(self.move(mind), tuple)

    def writes(self, mind: int) -> bool:
        """Whether the next step of a call writes."""
        move = self.move(mind)
        return isinstance(move, Request) and move.kind == "write"

    def answered(self, memory: int, mind: int) -> tuple[int, int]:
        """The projects and the mind after the next step of a call that is not over."""
        move = self.move(mind)
        assert isinstance(move, Request)
        answer, after = move.done(self._memories[memory])
        call, heard = self._minds[mind]
        return self._number(after), self._mind((mind, answer), call, (*heard, answer))

    def step(self, state: State, number: int, *, crash: bool = False) -> State:
        """The state after a call took its next step; with `crash` it is killed right after it."""
        memory, mind = self.answered(state.memory, state.minds[number])
        minds = (*state.minds[:number], CRASHED if crash else mind, *state.minds[number + 1 :])
        return State(memory, minds)

    def moment(self, state: State) -> Moment:
        """What can be seen in a state."""
        endings = tuple(None if mind == CRASHED else self.move(mind) for mind in state.minds)
        told = tuple(one[0] for one in endings if isinstance(one, tuple) and isinstance(one[0], Envelope))
        return Moment(self, state, self._memories[state.memory], told)


@dataclass(frozen=True)
class Moment:
    """A state as a check sees it: both projects, and the envelopes whose numbers a coordinator was told."""

    world: World
    state: State
    memory: Memory
    told: tuple[Envelope, ...]

    @cached_property
    def marks(self) -> dict[str, RecordMark]:
        """The marks of all records, by record."""
        return {mark.record: mark for mark in self.memory.marks(self.world.stage)}

    @property
    def quiet(self) -> bool:
        """Whether every call is over."""
        return all(map(self.world.over, self.state.minds))

    @property
    def crashed(self) -> bool:
        """Whether a call was killed."""
        return CRASHED in self.state.minds

    def undisturbed(self, call: Call) -> tuple[object, Moment]:
        """What a call returns when nobody else is at work (its error, if it is refused), and the moment after it."""
        memory, mind = self.state.memory, self.world.begun(call)
        while not self.world.over(mind):
            memory, mind = self.world.answered(memory, mind)
        (ended,) = self.world.move(mind)  # type: ignore[misc]
        return ended, self.world.moment(self.state._replace(memory=memory))


@dataclass
class Explored:
    """How many states and orders there were."""

    states: int = 0
    orders: int = 0


Check = Callable[[Moment], None]
Choice = tuple[int, bool]


def choices(world: World, state: State, last: int, switches: int, *, crashes: bool) -> Iterator[Choice]:
    """Who may go on now; without switches left only who went on last, as long as it can."""
    able = [number for number, mind in enumerate(state.minds) if not world.over(mind)]
    for number in [last] if switches <= 0 and last in able else able:
        yield number, False
        if crashes and world.writes(state.minds[number]):
            yield number, True


def explore(world: World, check: Check, *, crashes: bool = True, switches: int | None = None) -> Explored:
    """Every order of steps, with a crash after every write; `check` looks at every state.

    Args:
        world: The calls, before their first step.
        check: Raises when a state is wrong.
        crashes: Whether calls may be killed.
        switches: How often the scheduler may turn from a call that could go on to another; as often as it likes when
            none is given.
    """
    found = Explored()
    known: dict[object, int] = {}
    checked: set[State] = set()

    def orders_from(state: State, last: int, left: int) -> int:
        key = state if switches is None else (state, last, left)
        if key in known:
            return known[key]
        if state not in checked:
            checked.add(state)
            check(world.moment(state))
        total = 0
        for number, crash in choices(world, state, last, left, crashes=crashes):
            turned = switches is not None and number != last and last >= 0 and not world.over(state.minds[last])
            total += orders_from(world.step(state, number, crash=crash), number, left - turned)
        known[key] = total or 1
        return known[key]

    with inside():
        found.orders = orders_from(world.start, -1, 1 if switches is None else switches)
    found.states = len(checked)
    return found


def walked(world: World, check: Check, draw: Callable[[int], int]) -> None:
    """One order of steps and crashes, drawn."""
    state = world.start
    with inside():
        check(world.moment(state))
        while ways := list(choices(world, state, -1, 1, crashes=True)):
            number, crash = ways[draw(len(ways))]
            state = world.step(state, number, crash=crash)
            check(world.moment(state))
