"""One night from beginning to end. A stage that fails ends the run, and nothing of it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

from trialdesk.config import Config
from trialdesk.envelopes.filing import fingerprints, prove_codes
from trialdesk.envelopes.register import prove_blind
from trialdesk.errors import (
    INTERNAL,
    LockUnproved,
    NotAllowed,
    OutputFailed,
    RedcapRefused,
    RedcapUnreachable,
    TrialError,
    WriteBackFailed,
)
from trialdesk.facts.counted import counted
from trialdesk.facts.deriving import Facts, past
from trialdesk.facts.pulling import Pull, pull_both
from trialdesk.facts.todo import Task, since
from trialdesk.instruments.fitness import prove_fit
from trialdesk.memory.opening import remembering
from trialdesk.memory.store import Memory, opened
from trialdesk.memory.values import Night, Remembered, Run, Scope
from trialdesk.model import Finding
from trialdesk.nightly.alone import alone
from trialdesk.nightly.kept import Kept, clear_away, put_by, take_up
from trialdesk.nightly.machines import Hold
from trialdesk.nightly.pack import Making, books, build, found_in, refusals, write_records
from trialdesk.nightly.publish import building, publish, run_name
from trialdesk.nightly.retention import STOPPED
from trialdesk.nightly.sealed import copied, keep
from trialdesk.nightly.stages import Progress, Stages
from trialdesk.nightly.summary import Summary
from trialdesk.nightly.writeback import Changes, write
from trialdesk.private import place
from trialdesk.redcap.answers import Removals
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.observing import moves, observe, own_places, settled
from trialdesk.redcap.sanity import Beside, gate, is_older, same_projects
from trialdesk.reports.delivery import (
    MEMORY,
    SERVER,
)


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked to do: for which day, at what moment, and what a person has accepted beforehand.

    `today` rules schedule and reports, `now` names the run. With `resumed` it takes up what the last run that failed
    has read, asks REDCap nothing and writes nothing back. `accepted` are records that may have lost what they had,
    `writes` is how many call plans may change at once, `wait` for how many seconds another run may be at work.
    """

    today: date
    now: datetime
    accepted: tuple[str, ...] = ()
    reason: str = ""
    by: str = ""
    writes: int | None = None
    resumed: bool = False
    wait: float = 0

    @property
    def words(self) -> tuple[str, ...]:
        """Everything that was accepted, as the memory keeps it."""
        return (*self.accepted, *([] if self.writes is None else [f"{self.writes} call plans"]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a published run found; findings are those of all profiles, with their records."""

    summary: Summary
    findings: tuple[Finding, ...]
    tasks: tuple[Task, ...]
    exit_code: int


def nightly(config: Config, order: Order, trial: Gateway, register: Gateway, progress: Progress) -> Outcome:
    """One run is published whole, or nothing is; either way the memory knows of it.

    Args:
        config: The trial.
        order: For which day, and what was accepted beforehand.
        trial: The trial project, seen with the coordinator's token.
        register: The envelope register, seen with the coordinator's token.
        progress: Told the name of each stage as it begins.

    Returns:
        The summary, every finding and task, and exit code 0, 10 (something is new since the last published run), 11 (a
        file could not be made) or 45 (the register lacks envelopes).

    Raises:
        TrialError: a stage failed; the earlier run still stands.
    """
    reports, state, scope = config.reports, config.state, scope_of(config)
    with alone(config, order.wait) as hold, remembering(state, reports, scope) as (memory, healed):
        clear_away(config, order.now)
        run, stage = run_name(reports, order.now, memory.runs(scope)), Stages(progress)
        memory.begin(scope, Run(run, order.today.isoformat(), "begun", "", None, order.words, order.reason, order.by))
        try:
            _list(hold, run, stage)
            with building(reports, run) as folder:
                making = Making(memory, healed, stage, folder, run, order.now)
                outcome = _night(config, order, trial, register, making, hold)
                hold.end(outcome.exit_code)
                return outcome
        except BaseException as error:
            code = error.exit_code if isinstance(error, TrialError) else INTERNAL
            hold.end(code)
            status = "published" if memory.knows(scope, run) else "failed"
            with suppress(OutputFailed):  # the next start finds a run that began and never ended
                memory.end(scope, run, status, stage.current, code)
                if isinstance(error, TrialError):
                    error.account = _account(config, run, error, words_of(trial, register))
            raise


def words_of(*gateways: Gateway) -> str:
    """What REDCap refused, in its own words, a paragraph each."""
    return "\n\n".join(words for gateway in gateways for words in gateway.refusals)


def _account(config: Config, run: str, error: TrialError, words: str) -> Path:
    """A file for the coordinator alone: why a run was stopped, with the records it names and REDCap's own words."""
    path = config.state / STOPPED / f"{run}.txt"
    said = f"\n\nREDCap's own words\n\n{words}" if words else ""
    place(path, f"{run}: exit code {error.exit_code}\n\n{error}{said}\n".encode())
    return path


@contextmanager
def remembered_alone(config: Config) -> Iterator[Memory]:
    """The memory, with nobody else at work on it: what a person says between two runs.

    Raises:
        LockHeld: a run is at work.
        LockUnproved: the server of `machines` can't say.
        OutputFailed: the memory can't be opened.
    """
    with (
        alone(config),
        remembering(config.state, config.reports, scope_of(config)) as (memory, _),
    ):
        yield memory


def scope_of(config: Config) -> Scope:
    """Whose memory it is."""
    return Scope(config.trial.id, config.redcap.url)


def _night(config: Config, order: Order, trial: Gateway, register: Gateway, making: Making, hold: Hold) -> Outcome:
    """The stages in order; what each finds is a value the next ones read."""
    memory, stage, folder, run = cast(Memory, making.memory), making.stage, making.folder, making.run
    scope, remembered = scope_of(config), memory.remembered(scope_of(config))
    last = remembered.night
    told = (
        _resumed(config, order, making, last) if order.resumed else _asked(config, trial, register, making, remembered)
    )
    pull, removals, version = told.pull, told.removals, told.version
    with stage("sanity") as note:
        seen = seen_of(pull, removals, config, remembered)
        found = moves(last, seen, removals, own_places(config, pull.snapshot.dictionary))
        gate(pull.snapshot, pull.patients, Beside(seen, last, found), order.today, order.accepted)
        note(f"{seen.tally.randomised} randomised, {len(seen.tally.by_group)} data access groups")
    with stage("derive") as note:
        shown = found_in(told, past(config, pull.snapshot, remembered, found), config, order.today)
        facts = shown.facts
        note(f"{len(facts.findings)} findings, {len(facts.common.rules.rules)} rules")
        note(f"{len(facts.schedule.entries)} contacts")
    with stage("report") as note:
        laid = books(shown, making.lost)
        note(f"{len(laid)} workbooks, the open ones proved blind")
    with stage("build") as note:
        built = build(making, shown, laid, words_of(trial, register))
        kept = fingerprints(pull.register, facts.cards.held, last.commitments if last else {})
        seen = replace(seen, told=since(built.to_do), commitments=kept, proved=facts.cards.proved)
        night = settled(seen, remembered, found, run, built.summary.day)
        write_records(making, built.summary, version)
        keep(config, run, told, partial(copied, memory, folder), order.today, built.summary.files)
        memory.copy_to(folder / MEMORY)
        with opened(folder / MEMORY) as copy:
            copy.publish(scope, night, facts.lives, built.code, shown.calling.entries)
        note(f"{len(built.summary.files)} workbooks written and read back")
    with stage("publish") as note:
        hold.prove()
        making = replace(making, folder=publish(folder, config.reports, run))
        memory.take_over(making.folder / MEMORY)  # as the next start would, had this one died here
        clear_away(config)
        note(run)
    try:
        with stage("write back") as note, _published(making.folder / SERVER, trial, register):
            # what was read hours ago is no ground to write from
            note("nothing: resumed" if order.resumed else _written(built.wanted, order, facts, (trial, register), hold))
    finally:
        with suppress(OutputFailed):  # those of before it was published stand
            write_records(making, built.summary, version)
    return Outcome(built.summary, facts.findings, built.to_do, built.code)


def _list(hold: Hold, run: str, stage: Stages) -> None:
    """Where a server keeps a list of runs, this one is in it, and the run says so."""
    if listed := hold.begin(run):
        with stage("lock") as note:
            note(listed)


def _written(wanted: Changes, order: Order, facts: Facts, gateways: tuple[Gateway, Gateway], hold: Hold) -> str:
    """Trial and register hold the changes; before each of them it was proved that nobody else is at work."""
    trial, register = (gateway.guarded(hold.prove) for gateway in gateways)
    return write(wanted, facts, trial, register, order.writes)


@contextmanager
def _published(account: Path, trial: Gateway, register: Gateway) -> Iterator[None]:
    """What can't be written back says that the run is published, and why in REDCap's own words in a file of the run."""
    try:
        yield
    except (LockUnproved, NotAllowed, RedcapRefused, RedcapUnreachable, WriteBackFailed) as error:
        place(account, refusals(words_of(trial, register)))
        run = account.parents[1].name
        raise WriteBackFailed(f"published as {run}, but not written back: {error}") from None


def _asked(config: Config, trial: Gateway, register: Gateway, making: Making, remembered: Remembered) -> Kept:
    """What REDCap says now, once both tokens are proved; it is put by until a run is published."""
    at, last = making.now, remembered.night
    with making.stage("preflight") as note:
        _prove(config, trial, register, last)
        version = trial.version()
        note(f"REDCap {version}; the register token sees no card")
    with making.stage("pull") as note:
        counting = making.stage.counting("records")
        pull = pull_both(config, trial, register, last.envelopes if last else (), counting)
        kept = Kept(counted(pull, remembered), _removals(trial, remembered), version, at)
        put_by(config, kept)
        note(f"{len(pull.patients)} records, {len(pull.register)} envelopes")
    return kept


def _resumed(config: Config, order: Order, making: Making, last: Night | None) -> Kept:
    """What the last run that failed has read; its tokens were proved then."""
    with making.stage("resume") as note:
        kept = take_up(config, order.now)
        same_projects((kept.pull.snapshot.project_id, kept.pull.register_project), last, config.redcap.projects)
        hours = (order.now - kept.at).total_seconds() / 3600
        note(f"the snapshot of {kept.at:%Y-%m-%d %H:%M}, {hours:.1f} h old")
    return kept


def seen_of(pull: Pull, removals: Removals | None, config: Config, remembered: Remembered) -> Night:
    """Tonight as the memory will keep it."""
    seen = observe(pull.snapshot, pull.patients, pull.structure, config, remembered)
    last, tally, more = remembered.night, seen.tally, pull.counted
    tally = replace(
        tally, records=tally.records + len(more), randomised=tally.randomised + sum(who.randomised for who in more)
    )
    stamp = (removals.stamp if removals else "") or (last.stamp if last else "")
    shown = {envelope.id for envelope in pull.register}
    # an envelope that is missing tonight is missed tomorrow too
    ids = tuple(sorted(shown | {*(last.envelopes if last else ())}))
    return replace(seen, tally=tally, stamp=stamp, envelopes=ids, register=pull.register_project)


def _prove(config: Config, trial: Gateway, register: Gateway, last: Night | None) -> None:
    """Both tokens are of their projects, no card is seen, and codes, fields and events are those that are meant."""
    same_projects((_id(trial), _id(register)), last, config.redcap.projects)
    prove_blind(register)
    prove_codes(config, trial)
    prove_fit(config, trial)


def _removals(trial: Gateway, remembered: Remembered) -> Removals | None:
    """What the log says since the last run; an older log than last night's is asked for once more."""
    last = remembered.night
    since = _before(last.stamp) if last else ""
    found = trial.removals(since)
    told = trial.removals(since) if found and is_older(found.stamp, last) else found
    return told and replace(told, records={r: how for r, how in told.records.items() if not remembered.forgot(r)})


def _id(gateway: Gateway) -> str:
    return gateway.project().get("project_id", "")


def _before(stamp: str) -> str:
    """A day before the newest entry of the log: its times have the minute alone."""
    return (datetime.fromisoformat(stamp) - timedelta(days=1)).strftime("%Y-%m-%d %H:%M") if stamp else ""
