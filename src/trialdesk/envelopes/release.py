"""Releasing an envelope: one at a time, centrally orchestrated (reference/design.md 4).

Mark, then look. A release writes the register, then the record, and only then looks whether another release is open.
Two coordinators at once have both written before either looks, so at least one sees the other. Whoever sees another
takes its own marks back, waits for a random while and tries again: no tie is broken, and never are two released.
One that is found open before and after such a while is not another's back-off but a release; there the trying ends.

Only the call that wrote a mark takes it back by itself, and only before it has returned the envelope, that is, before
anybody was told. A later call takes nothing back: a release that stands alone is returned again; beside another one
both are named, and a person decides with `take_back`.

A crash between the two writes leaves the register marked and the record blank. Other records are refused until the
same record is released again; that call completes the release with the same envelope if it still is of the record's
site and stratum, or else puts it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import SystemRandom

from redcap_rules.dictionary import Dictionary
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.envelopes.filing import prove_codes, read_filed
from trialdesk.envelopes.gate import Case, available, half, refusals, rivals, standing, torn
from trialdesk.envelopes.marks import Marks, OpenRelease, read_marks
from trialdesk.envelopes.register import prove_blind, read_register, set_use
from trialdesk.errors import NotAllowed, RedcapRefused, RedcapUnreachable, ReleaseRefused, WriteBackFailed
from trialdesk.instruments.fitness import prove_fit
from trialdesk.model import Envelope, EnvelopeStatus
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patient
from trialdesk.redcap.snapshot import pull_records

_LONGEST = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class Contention:
    """What a call does that meets another: it tries again, after a random while that grows with each try.

    `wait` takes seconds, `draw` gives a number from 0 to 1. The while is measured in the time one try takes, so that it
    fits a quick server and a slow one.
    """

    tries: int = 6
    wait: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = SystemRandom().random

    def pause(self, attempt: int, took: float) -> None:
        """Wait before the next try; `attempt` counts from 0, `took` are the seconds of the one before."""
        self.wait(self.draw() * min(took * 2 ** (attempt + 1), _LONGEST))


class Contended(ReleaseRefused):
    """Another release was made at the same moment; of this one nothing is left.

    `found` are the releases that were open already when this try looked first, and wrote nothing.
    """

    def __init__(self, message: str, found: Iterable[OpenRelease] = ()) -> None:
        super().__init__(message)
        self.found = frozenset(found)


@dataclass(frozen=True, slots=True)
class Projects:
    """The two projects a release writes to."""

    config: Config
    trial: Gateway
    register: Gateway
    dictionary: Dictionary

    def look(self) -> Marks:
        """What both projects say now."""
        return read_marks(self.config, self.dictionary, self.trial, self.register)

    def released_at(self, record: str) -> datetime | None:
        """The moment of release the record holds."""
        return patient(pull_records(self.trial, (record,)), self.config, record).released_at

    def mark_record(self, record: str, envelope: str, at: str) -> None:
        """The record names the envelope and the minute; "" erases."""
        facts = self.config.facts
        values: dict[str, dict[str, str]] = {}
        for place, value in ((facts.released_envelope, envelope), (facts.released_at, at)):
            values.setdefault(place.event, {})[place.field] = value
        rows = [Row(record, event, "", 0, part) for event, part in values.items()]
        self.trial.write(self.dictionary.record_id, rows, clear=True)


def release(
    config: Config,
    trial: Gateway,
    register: Gateway,
    record: str,
    now: datetime,
    contention: Contention = Contention(),
) -> Envelope:
    """The lowest received envelope of the record's pile is released for it, in register and record; it is returned.

    One that is released for the record already, alone and fitting, is returned again.

    Args:
        config: The trial.
        trial: The trial project, seen with the coordinator's token.
        register: The envelope register, seen with the coordinator's token.
        record: The record id.
        now: The moment of release; a time without zone is read as the trial's own.
        contention: What to do when another call is at work.

    Raises:
        ReleaseRefused: no envelope may be released for the record now; one line for every reason.
        ConfigError: the configuration names something the trial project does not have.
        TableError: the codes in REDCap are not those the tables were made for, or a filed manifest is damaged.
        ConcealmentBroken: the coordinator's token can see allocations.
        WriteBackFailed: a project does not hold the release; what was written is taken back.
        RedcapUnreachable: the server did not answer; the line says what stands.
    """
    prove_blind(register)
    prove_codes(config, trial)
    prove_fit(config, trial)
    local = (now.astimezone(config.trial.zone) if now.tzinfo else now).replace(second=0, microsecond=0, tzinfo=None)
    before: frozenset[OpenRelease] = frozenset()
    for attempt in range(contention.tries):
        begun = time.monotonic()
        try:
            return _attempt((config, trial, register), record, local, first=attempt == 0)
        except (Contended, WriteBackFailed) as met:  # a call that backed off may have written over ours
            refused: Contended | WriteBackFailed = met
        found = refused.found if isinstance(refused, Contended) else frozenset()
        if found & before:
            break
        before = found
        if attempt + 1 < contention.tries:
            contention.pause(attempt, time.monotonic() - begun)
    raise refused


def _attempt(where: tuple[Config, Gateway, Gateway], record: str, local: datetime, *, first: bool) -> Envelope:
    """One try; Contended when another release came between, and nothing of this one is left."""
    config, trial, register = where
    snapshot = pull_records(trial, (record,))
    projects = Projects(config, trial, register, snapshot.dictionary)
    case = Case(config, snapshot, projects.look(), record, local.date(), read_filed(config))
    problems = refusals(case)
    stands = None if problems else standing(case)
    if stands is not None:
        return _again(case, stands)
    others = rivals(case) if record in snapshot.records else ()
    if problems:
        _put_back(projects, half(case))
        raise _refused(record, *problems, *others)
    if others and first:
        raise _refused(record, *others)
    if others:
        found = case.marks.rivals(record, case.patient.site, config.envelopes.scope)
        raise Contended(_lines(record, *others), found)
    return _released(projects, case, local)


def take_back(config: Config, trial: Gateway, register: Gateway, record: str) -> tuple[str, ...]:
    """The open release of the record is undone: the record names no envelope, the envelope is `received` again.

    For a release whose envelope was not opened: the patient withdrew, the call was for the wrong record, or another
    envelope was opened instead. An envelope the register has meanwhile as void or lost stays so. Returns the envelopes
    taken back.

    Raises:
        ReleaseRefused: nothing is released for the record, or an opening of it is typed in.
    """
    prove_blind(register)
    snapshot = pull_records(trial, (record,))
    projects = Projects(config, trial, register, snapshot.dictionary)
    marks = projects.look()
    who = patient(snapshot, config, record)
    held = {envelope.id for envelope in marks.released_to(record)}
    own = held | ({who.released_envelope} - {""})
    if not own:
        raise _refused(record, "no release is open for it; there is nothing to take back")
    opened = sorted(name for name in own if who.opened and not marks.opened_another(record, name))
    if opened:
        raise _refused(
            record, f"an opening of {' and '.join(opened)} is typed in: an opened envelope can't be taken back"
        )
    for envelope in sorted(held if who.opened else own):
        # a record in which another envelope was opened goes on saying which one was released for it
        (_unmark if who.opened else _back_off)(projects, record, envelope)
    return tuple(sorted(own))


def _again(case: Case, stands: Envelope) -> Envelope:
    """The release that stands for the record, if it stands alone."""
    others = case.marks.rivals(case.record, case.patient.site, case.config.envelopes.scope)
    if not others:
        return stands
    own = next(one for one in case.marks.open if one.envelope == stands.id)
    named = ", ".join(map(str, (own, *others)))
    raise _refused(
        case.record,
        f"two releases stand: {named}; nothing was changed. Take back, with --take-back, the one of the record whose "
        "clinician was not told",
    )


@dataclass(frozen=True, slots=True)
class Ours:
    """Which marks this call wrote: only these it takes back by itself."""

    register: bool
    record: bool


def _released(projects: Projects, case: Case, local: datetime) -> Envelope:
    """Marks are written, and stand."""
    begun, lost, envelope = half(case), torn(case), available(case)
    if envelope is None:
        raise _refused(case.record, "no received envelope is left; send more")
    if begun is not None and begun.id != envelope.id:
        _put_back(projects, begun)
    _still_there(projects.register, envelope, case.record)
    released = replace(envelope, status="released", record=case.record, released_at=local)
    ours = Ours(begun is None or begun.id != envelope.id, lost is None or lost.id != envelope.id)
    if ours.register:
        _mark_register(projects, released)
    if ours.record:
        _mark_record(projects, released, local.strftime("%Y-%m-%d %H:%M"), ours)
    _stand_or_back_off(projects, released, ours)
    return released


def _still_there(register: Gateway, envelope: Envelope, record: str) -> None:
    """Nobody has taken the envelope since it was chosen; reading the record takes a while."""
    (now,) = read_register(register, [envelope.id])
    if (now.status, now.record) != (envelope.status, envelope.record):
        taken = f"{envelope.id} is {now.status} for {now.record or 'no record'} by now"
        raise Contended(_lines(record, f"{taken}; try again"))


def _mark_register(projects: Projects, released: Envelope) -> None:
    """The register holds the release; an answer that was lost is looked for."""
    try:
        set_use(projects.register, [released])
    except RedcapUnreachable as error:
        try:
            (now,) = read_register(projects.register, [released.id])
        except RedcapUnreachable:
            raise _half_done(error, released) from None
        if (now.status, now.record) != ("released", released.record):
            raise RedcapUnreachable(f"{error}; nothing was changed, run it again") from None


def _mark_record(projects: Projects, released: Envelope, at: str, ours: Ours) -> None:
    """The record names the envelope; where it can't be written, the register is as before."""
    record = released.record
    try:
        projects.mark_record(record, released.id, at)
    except (NotAllowed, RedcapRefused):
        if ours.register:
            _unmark(projects, record, released.id)
        raise
    except RedcapUnreachable as error:
        try:
            marks = projects.look()
        except RedcapUnreachable:
            raise _half_done(error, released) from None
        if marks.envelope_in(record) != released.id:
            raise _half_done(error, released) from None


def _half_done(error: RedcapUnreachable, released: Envelope) -> RedcapUnreachable:
    return RedcapUnreachable(
        f"{error}; {released.id} may be half released for {released.record}, and nobody else gets one meanwhile: run "
        "this again to finish it, or with --take-back"
    )


def _stand_or_back_off(projects: Projects, released: Envelope, ours: Ours) -> None:
    try:
        marks = projects.look()
    except RedcapUnreachable as error:
        raise _half_done(error, released) from None
    record, site = released.record, released.pile.site
    others = marks.rivals(record, site, projects.config.envelopes.scope)
    held = [envelope.id for envelope in marks.released_to(record)]
    stands = held == [released.id] and marks.envelope_in(record) == released.id
    user = marks.named_by(released.id)
    typed = marks.opened_another(record, released.id) or user not in ("", record)
    if stands and not others and not typed:
        return
    _back_off(projects, record, released.id, ours)
    if typed:
        what = f"{released.id} was typed in for {user}" if user else "the opening of another envelope was typed in"
        raise Contended(_lines(record, f"{what} meanwhile; this release was taken back"))
    if not others:
        raise WriteBackFailed(
            f"{record}: register or record does not hold the release of {released.id}; it was taken back, try again"
        )
    named = ", ".join(map(str, others))
    raise Contended(_lines(record, f"another release was made at the same moment ({named}); this one was taken back"))


def _back_off(projects: Projects, record: str, envelope: str, ours: Ours = Ours(True, True)) -> None:
    """Our own marks are gone; the record first, so that a crash in between leaves what the next call can mend."""
    if ours.record and projects.look().envelope_in(record) == envelope:
        projects.mark_record(record, "", "")
    if ours.register:
        _unmark(projects, record, envelope)


def _put_back(projects: Projects, begun: Envelope | None) -> None:
    """A release that broke off between its two writes, and can't be completed, is undone."""
    if begun is not None:
        _unmark(projects, begun.record, begun.id)


def _unmark(projects: Projects, record: str, envelope: str) -> None:
    """The register no longer holds our mark.

    The envelope is received again, or released for another record that names it: ours had written over its mark, or
    does so here, between a look and a write. So we look again after each write, until what we wrote is right, or
    another call has written since.
    """
    ours: tuple[EnvelopeStatus, str] = ("released", record)
    while True:
        marks = projects.look()
        now = next((one for one in marks.envelopes if one.id == envelope), None)
        if now is None or (now.status, now.record) != ours:
            return
        holder = marks.holder_of(envelope, record)
        right: tuple[EnvelopeStatus, str] = ("released", holder) if holder else ("received", "")
        if right == ours:
            return
        at = projects.released_at(holder) if holder else None
        set_use(projects.register, [replace(now, status=right[0], record=holder, released_at=at)])
        ours = right


def _refused(record: str, *reasons: str) -> ReleaseRefused:
    return ReleaseRefused(_lines(record, *reasons))


def _lines(record: str, *reasons: str) -> str:
    return "\n".join(f"{record}: {reason}" for reason in reasons)
