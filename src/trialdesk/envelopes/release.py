"""Releasing an envelope: one at a time, centrally orchestrated (reference/design.md 4).

Mark, then look. A release writes the register, then the record, and only then looks whether another release is open.
Two coordinators at once have both written before either looks, so at least one sees the other. Whoever sees another
takes its own marks back, in any case: no tie is broken, both may have to try again, and never are two released. Two
calls for the same record end with the same envelope for it.

A crash between the two writes leaves the register marked and the record blank. Other records are refused until the
same record is released again; that call completes the release with the same envelope, or puts the envelope back when
the record may not be released any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from redcap_rules.dictionary import Dictionary
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.envelopes.gate import Case, available, refusals
from trialdesk.envelopes.marks import Marks, read_marks
from trialdesk.envelopes.register import prove_blind, read_register, set_use
from trialdesk.errors import NotAllowed, RedcapRefused, RedcapUnreachable, ReleaseRefused, WriteBackFailed
from trialdesk.instruments.fitness import prove_fit
from trialdesk.model import Envelope
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patient
from trialdesk.redcap.snapshot import pull_records


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


def release(config: Config, trial: Gateway, register: Gateway, record: str, now: datetime) -> Envelope:
    """The lowest received envelope of the record's pile is released for it, in register and record; it is returned.

    Args:
        config: The trial.
        trial: The trial project, seen with the coordinator's token.
        register: The envelope register, seen with the coordinator's token.
        record: The record id.
        now: The moment of release; a time without zone is read as the trial's own.

    Raises:
        ReleaseRefused: no envelope may be released for the record now; one line for every reason.
        ConfigError: the configuration names something the trial project does not have.
        ConcealmentBroken: the coordinator's token can see allocations.
        WriteBackFailed: a project does not hold the release; what was written is taken back.
    """
    prove_blind(register)
    prove_fit(config, trial)
    local = (now.astimezone(config.trial.zone) if now.tzinfo else now).replace(second=0, microsecond=0, tzinfo=None)
    snapshot = pull_records(trial, (record,))
    projects = Projects(config, trial, register, snapshot.dictionary)
    case = Case(config, snapshot, projects.look(), record, local.date())
    problems = refusals(case)
    envelope = None if problems else available(case)
    if envelope is None:
        _put_back_half(projects, case)
        raise _refused(record, *problems)
    released = replace(envelope, status="released", record=record, released_at=local)
    _still_there(register, envelope, record)
    set_use(register, [released])
    _mark(projects, released, local.strftime("%Y-%m-%d %H:%M"))
    _stand_or_back_off(projects, released)
    return released


def take_back(config: Config, trial: Gateway, register: Gateway, record: str) -> tuple[str, ...]:
    """The open release of the record is undone: the record names no envelope, the envelope is `received` again.

    For a release whose envelope was not opened: the patient withdrew, or the call was for the wrong record. An
    envelope the register has meanwhile as void or lost stays so. Returns the envelopes taken back.

    Raises:
        ReleaseRefused: nothing is released for the record, or its opening is recorded.
    """
    prove_blind(register)
    snapshot = pull_records(trial, (record,))
    projects = Projects(config, trial, register, snapshot.dictionary)
    marks = projects.look()
    own = {other.envelope for other in marks.open if other.record == record}
    if not own:
        raise _refused(record, "no release is open for it; there is nothing to take back")
    who = patient(snapshot, config, record)
    if who.envelope or who.arm:
        raise _refused(record, "an envelope or arm is typed in already: an opened envelope can't be taken back")
    for envelope in sorted(own):
        _back_off(projects, marks, record, envelope)
    return tuple(sorted(own))


def _still_there(register: Gateway, envelope: Envelope, record: str) -> None:
    """Nobody has taken the envelope since it was chosen; reading the record takes a while."""
    (now,) = read_register(register, [envelope.id])
    if (now.status, now.record) != (envelope.status, envelope.record):
        raise _refused(record, f"{envelope.id} is {now.status} for {now.record or 'no record'} by now; try again")


def _mark(projects: Projects, released: Envelope, at: str) -> None:
    """The record names the envelope; where it can't be written, the register is as before."""
    record = released.record
    try:
        projects.mark_record(record, released.id, at)
    except (NotAllowed, RedcapRefused):
        _unmark(projects, record, released.id)
        raise
    except RedcapUnreachable as error:
        half = f"{released.id} is half released for {record}: run this again to finish it, or with --take-back"
        raise RedcapUnreachable(f"{error}; {half}") from None


def _stand_or_back_off(projects: Projects, released: Envelope) -> None:
    marks = projects.look()
    record, site = released.record, released.pile.site
    rivals = marks.rivals(record, site, projects.config.envelopes.scope)
    kept = marks.released_to(record)
    stands = kept is not None and kept.id == released.id == marks.envelope_in(record)
    if stands and not rivals:
        return
    _back_off(projects, marks, record, released.id)
    if not rivals:
        raise WriteBackFailed(
            f"{record}: register or record does not hold the release of {released.id}; it was taken back, try again"
        )
    others = ", ".join(f"{other.envelope} for {other.record}" for other in rivals)
    raise _refused(record, f"another release was made at the same moment ({others}); this one was taken back")


def _back_off(projects: Projects, marks: Marks, record: str, envelope: str) -> None:
    """Our own marks are gone; the record first, so that a crash in between leaves what the next call can mend."""
    if marks.envelope_in(record) == envelope:
        projects.mark_record(record, "", "")
    _unmark(projects, record, envelope)


def _put_back_half(projects: Projects, case: Case) -> None:
    """A release that broke off between its two writes is undone, unless the site has the envelope open already."""
    half = case.marks.released_to(case.record)
    if half is not None and not case.marks.envelope_in(case.record) and not case.marks.named_by(half.id):
        _unmark(projects, case.record, half.id)


def _unmark(projects: Projects, record: str, envelope: str) -> None:
    """The register no longer holds our mark, as it is now.

    A release of the same envelope that stands for another record gets its own back, which ours had written over.
    """
    marks = projects.look()
    kept = marks.released_to(record)
    if kept is None or kept.id != envelope:
        return
    holder = marks.holder_of(envelope, record)
    if holder:
        set_use(projects.register, [replace(kept, record=holder, released_at=projects.released_at(holder))])
    # The other may have been backing off too: whoever looks last finds no holder and puts the envelope back.
    if not holder or not projects.look().holder_of(envelope, record):
        set_use(projects.register, [replace(kept, status="received", record="", released_at=None)])


def _refused(record: str, *reasons: str) -> ReleaseRefused:
    return ReleaseRefused("\n".join(f"{record}: {reason}" for reason in reasons))
