"""The script of a rehearsal: what is particular to one trial's story, kept in `story.yaml` beside its configuration.

Everything else follows from the dictionary and the configuration. The kinds of a value stand in `writing.KINDS`;
docs/your-own-trial.md tells how a script is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from trialdesk.config.loading import read_settings
from trialdesk.config.parts import Part, States

FILE = "story.yaml"

Value = Any
Values = dict[str, Value]
Text = Annotated[str, BeforeValidator(str)]
Span = Annotated[tuple[int, int], BeforeValidator(lambda days: (days, days) if isinstance(days, int) else days)]


class Day(Part):
    """A day so many days (from, to) after another one, moved on to an open day; in so many of a hundred lives."""

    after: str
    days: Span = (0, 0)
    arms: tuple[Text, ...] = ()
    chance: Annotated[int, Field(ge=0, le=100)] = 100


Days = dict[str, Annotated[Day | None, BeforeValidator(lambda day: {"after": day} if isinstance(day, str) else day)]]


class Entry(Part):
    """A form that is filled in on a named day after the opening, besides those of the contacts.

    One of the `variants` is added to `values`. With `alone` nothing but the values is written.
    """

    form: str
    on: str
    event: str = ""
    parts: tuple[str, ...] = ()
    values: Values = Field(default_factory=dict)
    variants: tuple[Values, ...] = ()
    alone: bool = False


class Happening(Part):
    """What parts and turns have in common: what is different, which findings it leads to, and its deviation.

    `late` moves contacts: contact code to days after the target.
    """

    rules: tuple[str, ...] = ()
    deviation: Text = ""
    sentence: str = ""
    days: Days = Field(default_factory=dict)
    values: Values = Field(default_factory=dict)
    variants: tuple[Values, ...] = ()
    late: dict[str, Span] = Field(default_factory=dict)


class PartOf(Happening):
    """One part: how far the patient gets, how many days ago the screening was (oldest, youngest), and what is special.

    `state` is a state of the configuration that becomes true. `strata` is a pattern the stratum code has to match.
    `alone` keeps a pile for this patient.
    """

    reach: Literal["screened", "consented", "assessed", "baseline", "ready", "released", "opened"] = "opened"
    age: tuple[int, int] = (300, 90)
    state: str = ""
    strata: str = ".*"
    alone: bool = False

    @model_validator(mode="after")
    def _known_state(self) -> PartOf:
        if self.state and self.state not in States.model_fields:
            msg = f"{self.state} is no state of the configuration"
            raise ValueError(msg)
        return self


class Turn(Happening):
    """What happens to one ordinary patient of an arm once it is known, from so many days after the opening."""

    arm: Text
    age: int = 0


class Script(Part):
    """What one trial's story adds to the dictionary and the configuration.

    Attributes:
        values: Field, pattern of fields, or `[event][field]` to how it is filled in.
        days: Named days after the opening, in the order in which they follow from one another. A part may also name
            `consented: opened`: the consent is signed on the day of the envelope.
        entries: Forms besides those of admission, randomisation and contacts.
        parts: Who breaks the protocol whatever the arm; a part of the rehearsal's own may be extended.
        turns: What happens in one arm only.
        always: Forms that never stay empty at a contact that is done.
        bill: The parts in order of importance; without one the rehearsal's own parts, then those of the script.
        filling: What is repeated after the bill.
    """

    values: Values = Field(default_factory=dict)
    days: Days = Field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    parts: dict[str, PartOf] = Field(default_factory=dict)
    turns: dict[str, Turn] = Field(default_factory=dict)
    always: tuple[str, ...] = ()
    bill: tuple[str, ...] = ()
    filling: tuple[str, ...] = ()


def read_script(config_file: Path) -> Script:
    """The script beside a configuration; an empty one where there is no such file.

    Raises:
        ConfigError: the file has problems; each with its line.
    """
    path = config_file.resolve().with_name(FILE)
    return read_settings(path, Script) if path.exists() else Script()


def of_all(*several: Mapping[str, Value]) -> Values:
    """All of them together; the later one decides."""
    return {name: value for values in several for name, value in values.items()}
