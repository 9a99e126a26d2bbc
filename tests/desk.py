"""Two projects in memory that answer the release code at once, and may be disturbed between two of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from exploring import NOW, Memory, Projects, Stage
from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import Config, load
from trialdesk.envelopes.marks import Marks
from trialdesk.envelopes.release import Contention, release, take_back
from trialdesk.model import Envelope, EnvelopeStatus, Pile
from trialdesk.redcap.snapshot import Snapshot

CONFIG = load(FROZEN / "config.yaml").model_copy(update={"release": ()})
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
GROUPS = {"A": "ode", "B": "rig", "C": "ode"}
ODE, RIG, OTHER = Pile("ODE", "K1N"), Pile("RIG", "K1N"), Pile("ODE", "N2F")
ODE_1, ODE_2, ODE_3 = (envelope_id(ODE, number) for number in (1, 2, 3))
RIG_1, OTHER_1 = envelope_id(RIG, 1), envelope_id(OTHER, 1)
DICTIONARY = trial_dictionary()
Disturbance = Callable[[int], None]


def received(pile: Pile, number: int) -> Envelope:
    """An envelope that lies at its site."""
    return Envelope(pile, number, envelope_id(pile, number), 1, "received", "00", received_on=date(2026, 1, 5))


class Desk(Projects):
    """Both projects, with patients A and C at ODE and B at RIG, three envelopes of each pile, and who calls.

    `before` names what happens before a step (`pull`, `look`, `read`, `set_use`, `write`); it is told how often the
    step was taken before. What it raises, the step raises.
    """

    def __init__(self, config: Config = CONFIG) -> None:
        super().__init__(Stage(config, DICTIONARY, EVENTS, GROUPS), ())
        envelopes = (received(pile, number) for pile in (ODE, RIG, OTHER) for number in (1, 2, 3))
        self.memory = Memory(frozenset(), frozenset(envelopes))
        self.before: dict[str, Disturbance] = {}
        self.steps: Counter[str] = Counter()
        self.waits: list[float] = []
        for record, group in GROUPS.items():
            self.enter(record, "screening_arm_1", elig_site=group.upper())
            self.enter(record, "randomisation_arm_1", rand_grp="1", rand_lvl="1", rand_for="0")

    def ask(self, kind: str, done: Callable[[Memory], tuple[object, Memory]]) -> Any:  # noqa: ARG002 - steps have names here
        """What comes of it, now."""
        answer, self.memory = done(self.memory)
        return answer

    def _step(self, name: str) -> None:
        number = self.steps[name]
        self.steps[name] += 1
        if name in self.before:
            self.before[name](number)

    def pull(self, record: str) -> Snapshot:
        """The record; a snapshot without records when there is none such."""
        self._step("pull")
        if record in GROUPS:
            return super().pull(record)
        return Snapshot("1", "T", DICTIONARY, EVENTS, {}, {})

    def look(self) -> Marks:
        """All marks."""
        self._step("look")
        return Marks(self.memory.marks(self.stage), self.memory.register())

    def read(self, ids: Sequence[str] | None = None) -> tuple[Envelope, ...]:
        """The register, but for looks."""
        self._step("read")
        return super().read(ids)

    def set_use(self, envelopes: Iterable[Envelope]) -> None:
        """The register is written."""
        self._step("set_use")
        super().set_use(envelopes)

    def write(self, _record_id: str, rows: Iterable[Row], **given: bool) -> int:
        """The trial is written: texts in rows of no repeating form, with blanks that clear."""
        self._step("write")
        sent = tuple(rows)
        assert (_record_id, given) == ("record_id", {"clear": True})
        assert all((row.instrument, row.instance) == ("", 0) for row in sent)
        assert all(isinstance(value, str) for row in sent for value in row.values.values())
        return super().write(_record_id, sent, **given)

    def enter(self, record: str, event: str, **values: str) -> None:
        """Somebody types into a record; a blank clears."""
        self.memory = self.memory.with_values([Row(record, event, "", 0, dict(values))])

    def put(self, name: str, status: EnvelopeStatus, record: str = "", at: datetime | None = None) -> None:
        """Somebody writes the register."""
        self.memory = self.memory.with_envelopes(
            [replace(self.envelope(name), status=status, record=record, released_at=at)]
        )

    def envelope(self, name: str) -> Envelope:
        """One of the register."""
        return self.memory.register([name])[0]

    def held(self, record: str) -> tuple[str, str]:
        """What a record says of its release."""
        values: Mapping[str, str] = {at[2]: value for at, value in self.memory.values.items() if at[0] == record}
        return values.get("rand_env_released", ""), values.get("rand_released_at", "")

    def open(self) -> list[tuple[str, str]]:
        """(envelope, record) of everything the register has as released."""
        return [(one.id, one.record) for one in self.memory.register() if one.status == "released"]

    def release(self, record: str, tries: int = 1, now: datetime = NOW) -> Envelope:
        """A coordinator releases; what she would wait is noted."""
        patience = Contention(tries, self.waits.append, lambda: 1.0)
        return release(self.stage.config, self, self, record, now, patience)  # type: ignore[arg-type]

    def take_back(self, record: str) -> tuple[str, ...]:
        """A coordinator takes back."""
        return take_back(self.stage.config, self, self, record)  # type: ignore[arg-type]
