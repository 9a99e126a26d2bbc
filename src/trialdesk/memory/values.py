"""What the memory keeps, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from trialdesk.memory.digests import forgotten
from trialdesk.model import Finding, Tally

RunStatus = Literal["begun", "published", "failed", "died"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose memory it is: one trial on one server."""

    trial: str
    url: str

    def __str__(self) -> str:
        return f"{self.trial} {self.url}"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what it was for, how far it came, and what a person accepted beforehand."""

    run: str
    day: str
    status: RunStatus = "begun"
    stage: str = ""
    exit_code: int | None = None
    accepted: tuple[str, ...] = ()
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One record as a run saw it: its group, what is true of it, and keyed digests of its data and of its card.

    `first` is the run that saw it first, `original` the id under which it was first seen. `cells` counts the values of
    each event and form, `since` says on what day a run first saw them; those that were there before the memory began
    have no day.
    """

    record: str
    group: str
    states: frozenset[str] = frozenset()
    randomised: bool = False
    digest: str = field(default="", repr=False)
    card: str = field(default="", repr=False)
    first: str = ""
    original: str = ""
    cells: Mapping[str, int] = field(default_factory=dict, repr=False)
    since: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Night:
    """What one published run saw. `records` is None for a run of before there was a memory: it kept counts alone.

    `envelopes` are the register's ids, `structure` the digests of dictionary, events, mapping and repeating forms,
    `register` the id of its project, `stamp` the newest time in REDCap's log, and `told` the keys of what was to do
    with the day since when. `commitments` are digests of each envelope's commitment, as the register last held it
    while its version was as it was filed, `proved` keyed digests of cards that fit.
    """

    run: str
    day: str
    tally: Tally
    records: Mapping[str, Seen] | None = None
    envelopes: tuple[str, ...] = ()
    structure: Mapping[str, str] = field(default_factory=dict)
    register: str = ""
    stamp: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    commitments: Mapping[str, str] = field(default_factory=dict, repr=False)
    proved: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A person's word that a finding may stand, for the evidence it was given for and until a day."""

    finding: str
    evidence: str = field(repr=False)
    reason: str = ""
    by: str = ""
    on: date = date.min
    until: date | None = None

    def holds(self, evidence: str, day: date) -> bool:
        """Whether it still holds: for the same evidence, and not after its last day."""
        return evidence == self.evidence and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Dated:
    """One entry of the calendars as the last published run had it: `uid` is made with the key of that name.

    `day` and `at` (HH:MM, or "" for the whole day) are when, `changed` is the moment of the last change in UTC.
    """

    uid: str
    key: str
    record: str
    site: str
    contact: str
    day: date
    at: str
    cancelled: bool
    sequence: int
    changed: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """A report that was issued: its number, the run it is of, the day, and who issued it.

    `files` is path to SHA-256 of what was handed out, `figures` the id of each key figure to its value.
    """

    number: int
    run: str
    on: date
    by: str
    files: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)


Change = Literal["", "new", "reopened", "closed"]


@dataclass(frozen=True, slots=True)
class Known:
    """One finding with its life. `id` stays the same for ever, `evidence` is a keyed digest of what it rests on.

    `treatment` says that its rule tells of treatment: no open report may show anything of it.
    """

    id: str
    finding: Finding
    treatment: bool
    evidence: str = field(default="", repr=False)
    first: date = date.min
    last: date = date.min
    closed: date | None = None
    reopened: date | None = None
    change: Change = ""
    acceptance: Acceptance | None = None

    @property
    def open(self) -> bool:
        """Whether REDCap still shows it."""
        return self.closed is None

    @property
    def urgent(self) -> bool:
        """Whether somebody has to do something: open, and not accepted."""
        return self.open and self.acceptance is None

    def age(self, day: date) -> int:
        """Days since it was first seen, or seen again."""
        return (day - (self.reopened or self.first)).days


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything a run is told by the memory: read once at its beginning."""

    scope: Scope
    secret: bytes = field(default=b"", repr=False)
    night: Night | None = None
    known: tuple[Known, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    unpublished: tuple[Run, ...] = ()
    calendar: tuple[Dated, ...] = ()
    issued: tuple[Issued, ...] = ()
    forgotten: frozenset[str] = field(default=frozenset(), repr=False)

    def forgot(self, record: str) -> bool:
        """Whether the record was forgotten: what is left of it is a keyed digest of its id."""
        return forgotten(self.secret, record) in self.forgotten

    @property
    def aliases(self) -> Mapping[str, str]:
        """Record to the id under which it was first seen, where that is another."""
        seen = (self.night.records or {}).values() if self.night else ()
        return {one.record: one.original for one in seen if one.original not in ("", one.record)}
