"""One night from beginning to end. A stage that fails ends the run, and nothing of it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from trialdesk.allocation.sealing import seal
from trialdesk.config import Config
from trialdesk.envelopes.filing import fingerprints, prove_codes
from trialdesk.envelopes.lists import coordinator_lists
from trialdesk.envelopes.register import prove_blind
from trialdesk.envelopes.testmarks import as_read
from trialdesk.errors import (
    INTERNAL,
    LockHeld,
    NotAllowed,
    OutputFailed,
    RedcapRefused,
    RedcapUnreachable,
    TrialError,
    WriteBackFailed,
)
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.enclosure import enclosed
from trialdesk.facts.links import Links, links_of
from trialdesk.facts.pulling import Pull, pull_both
from trialdesk.facts.todo import Task, ending, since, tasks
from trialdesk.followup.calendars import lost
from trialdesk.followup.keys import keys
from trialdesk.instruments.fitness import prove_fit
from trialdesk.memory.opening import remembering
from trialdesk.memory.store import Memory, opened
from trialdesk.memory.values import Night, Remembered, Run, Scope
from trialdesk.model import Finding
from trialdesk.nightly.calling import CallPack, call_pack
from trialdesk.nightly.publish import building, publish, run_name
from trialdesk.nightly.stages import Progress, Stages
from trialdesk.nightly.summary import Summary, summarise
from trialdesk.nightly.writeback import changes, write
from trialdesk.private import place
from trialdesk.redcap.answers import Removals
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.observing import moves, observe, settled
from trialdesk.redcap.sanity import Beside, gate, is_older, same_projects
from trialdesk.reports.coordinator import coordinator_sheets
from trialdesk.reports.delivery import (
    ENVELOPES,
    FLOW,
    INDEX,
    MEMORY,
    MONITOR,
    REGISTER,
    SERVER,
    SITE,
    TODO,
    of_site,
)
from trialdesk.reports.flowsvg import flow_svg
from trialdesk.reports.pack import enrolment_packs, footer
from trialdesk.reports.page import index_page
from trialdesk.workbook import SheetTable, save

OPEN_PROFILE = "monitor"
STOPPED = "stopped"
"""The folder in `folders.state` that holds an account of every run that was stopped."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked to do: for which day, at what moment, and what a person has accepted beforehand.

    `today` rules schedule and reports, `now` names the run. `accepted` are records that may have lost what they had,
    `writes` is how many call plans may change at once.
    """

    today: date
    now: datetime
    accepted: tuple[str, ...] = ()
    reason: str = ""
    by: str = ""
    writes: int | None = None

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


@dataclass(frozen=True, slots=True)
class Making:
    """What a run is made with: the memory and what was mended in it, the stages, the folder, and the run's name."""

    memory: Memory
    healed: tuple[str, ...]
    stage: Stages
    folder: Path
    run: str


def nightly(config: Config, order: Order, trial: Gateway, register: Gateway, progress: Progress) -> Outcome:
    """One run is published whole, or nothing is; either way the memory knows of it.

    Args:
        config: The trial.
        order: For which day, and what was accepted beforehand.
        trial: The trial project, seen with the coordinator's token.
        register: The envelope register, seen with the coordinator's token.
        progress: Told the name of each stage as it begins.

    Returns:
        The summary, every finding and task, and exit code 0, 10 (something is new since the last published run) or 45
        (the register lacks envelopes).

    Raises:
        TrialError: a stage failed; the earlier run still stands.
    """
    reports, state, scope = config.reports, config.state, scope_of(config)
    with _locked(reports, state), remembering(state, reports, scope) as (memory, healed):
        run, stage = run_name(reports, order.now, memory.runs(scope)), Stages(progress)
        memory.begin(scope, Run(run, order.today.isoformat(), "begun", "", None, order.words, order.reason, order.by))
        try:
            with building(reports, run) as folder:
                return _night(config, order, trial, register, Making(memory, healed, stage, folder, run))
        except BaseException as error:
            code = error.exit_code if isinstance(error, TrialError) else INTERNAL
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
        OutputFailed: the memory can't be opened.
    """
    with (
        _locked(config.reports, config.state),
        remembering(config.state, config.reports, scope_of(config)) as (memory, _),
    ):
        yield memory


def scope_of(config: Config) -> Scope:
    """Whose memory it is."""
    return Scope(config.trial.id, config.redcap.url)


def _night(config: Config, order: Order, trial: Gateway, register: Gateway, making: Making) -> Outcome:
    """The stages in order; what each finds is a value the next ones read."""
    memory, stage, folder, run = making.memory, making.stage, making.folder, making.run
    scope, remembered = scope_of(config), memory.remembered(scope_of(config))
    last = remembered.night
    with stage("preflight") as note:
        _prove(config, trial, register, last)
        version = trial.version()
        note(f"REDCap {version}; the register token sees no card")
    with stage("pull") as note:
        pull = pull_both(config, trial, register, last.envelopes if last else ())
        removals = _removals(trial, last)
        note(f"{len(pull.patients)} records, {len(pull.register)} envelopes")
    with stage("sanity") as note:
        seen = _seen(pull, removals, config, remembered)
        found = moves(last, seen, removals)
        gate(pull.snapshot, pull.patients, Beside(seen, last, found), order.today, order.accepted)
        note(f"{seen.tally.randomised} randomised, {len(seen.tally.by_group)} data access groups")
    with stage("derive") as note:
        own = keys(config.path(config.calls.key))
        before = past(config, pull.snapshot, remembered, found)
        rekeyed = lost(own, remembered.calendar)
        facts = derive(pull, replace(before, rekeyed=rekeyed), config, order.today)
        note(f"{len(facts.findings)} findings, {len(facts.common.rules.rules)} rules")
        note(f"{len(facts.schedule.entries)} contacts")
    with stage("report") as note:
        links = links_of(config, pull, version)
        calling = call_pack(facts, links, own, order.now)
        books = _books(facts, calling, links)
        note(f"{len(books)} workbooks, the open one proved blind")
    with stage("build") as note:
        digests = {name: save(folder / name, as_read(config, sheets), foot) for name, (sheets, foot) in books.items()}
        wanted, to_do = changes(facts), tasks(facts)
        code = ending(facts)
        summary = summarise(facts, run, order.now, str(wanted), digests)
        kept = fingerprints(pull.register, facts.cards.held, last.commitments if last else {})
        night = settled(replace(seen, told=since(to_do), commitments=kept), remembered, found, run, summary.day)
        _write_texts(making, facts, summary, calling, links)
        place(folder / FLOW, flow_svg(books[MONITOR][0]).encode())
        place(folder / SERVER, _told(words_of(trial, register)))
        memory.copy_to(folder / MEMORY)
        with opened(folder / MEMORY) as copy:
            copy.publish(scope, night, facts.lives, code, calling.entries)
        note(f"{len(digests)} workbooks written and read back")
    with stage("publish") as note:
        publish(folder, config.reports, run)
        memory.publish(scope, night, facts.lives, code, calling.entries)
        note(run)
    with stage("write back") as note, _published(config.reports / run / SERVER, trial, register):
        note(write(wanted, facts, trial, register, order.writes))
    return Outcome(summary, facts.findings, to_do, code)


@contextmanager
def _published(account: Path, trial: Gateway, register: Gateway) -> Iterator[None]:
    """What can't be written back says that the run is published, and why in REDCap's own words in a file of the run."""
    try:
        yield
    except (NotAllowed, RedcapRefused, RedcapUnreachable, WriteBackFailed) as error:
        place(account, _told(words_of(trial, register)))
        run = account.parents[1].name
        raise WriteBackFailed(f"published as {run}, but not written back: {error}") from None


def _seen(pull: Pull, removals: Removals | None, config: Config, remembered: Remembered) -> Night:
    """Tonight as the memory will keep it."""
    seen = observe(pull.snapshot, pull.patients, pull.structure, config, remembered)
    last = remembered.night
    stamp = (removals.stamp if removals else "") or (last.stamp if last else "")
    shown = {envelope.id for envelope in pull.register}
    # an envelope that is missing tonight is missed tomorrow too
    ids = tuple(sorted(shown | {*(last.envelopes if last else ())}))
    return replace(seen, stamp=stamp, envelopes=ids, register=pull.register_project)


def _prove(config: Config, trial: Gateway, register: Gateway, last: Night | None) -> None:
    """Both tokens are of their projects, no card is seen, and codes, fields and events are those that are meant."""
    same_projects((_id(trial), _id(register)), last, config.redcap.projects)
    prove_blind(register)
    prove_codes(config, trial)
    prove_fit(config, trial)


def _removals(trial: Gateway, last: Night | None) -> Removals | None:
    """What the log says since the last run; an older log than last night's is asked for once more."""
    since = _before(last.stamp) if last else ""
    found = trial.removals(since)
    return trial.removals(since) if found and is_older(found.stamp, last) else found


def _id(gateway: Gateway) -> str:
    return gateway.project().get("project_id", "")


def _before(stamp: str) -> str:
    """A day before the newest entry of the log: its times have the minute alone."""
    return (datetime.fromisoformat(stamp) - timedelta(days=1)).strftime("%Y-%m-%d %H:%M") if stamp else ""


@contextmanager
def _locked(reports: Path, state: Path) -> Iterator[None]:
    try:
        for folder in (reports, state):
            folder.mkdir(parents=True, exist_ok=True)
        with FileLock(state / ".lock", timeout=0):
            yield
    except Timeout:
        raise LockHeld(f"{state}: another run is at work; wait for it to end") from None
    except OSError as error:
        raise OutputFailed(
            f"{reports}: can't be used ({error.strerror}); check folders.reports, folders.state and their rights"
        ) from None


def _books(facts: Facts, calling: CallPack, links: Links) -> Mapping[str, tuple[tuple[SheetTable, ...], str]]:
    """File name to its sheets and the foot of its pages."""
    config, today, cards = facts.config, facts.common.day, facts.cards
    foot = footer(config, "{}", today) + (" · REHEARSAL" if config.envelopes.domain == "dev" else "")
    open_files = {OPEN_PROFILE: MONITOR, **{f"site:{site.code}": of_site(SITE, site.code) for site in config.sites}}
    packs = enrolment_packs(facts, tuple(open_files))
    lists = coordinator_lists(config, cards.register, today, cards.findings, cards.held.versions)
    return {
        TODO: (coordinator_sheets(facts, links), foot.format("coordinator")),
        ENVELOPES: (lists, foot.format("coordinator")),
        **{name: (sheets, foot.format("calls")) for name, sheets in calling.books.items()},
        **{name: (packs[reader], foot.format(reader)) for reader, name in open_files.items()},
    }


def _write_texts(making: Making, facts: Facts, summary: Summary, calling: CallPack, links: Links) -> None:
    """All of a run but workbooks: the page, the counts, how it was made, and what is sealed for the statistician.

    Without a recipient of the closed report nothing is sealed.
    """
    folder, keys = making.folder, facts.config.sealed_for
    place(folder / INDEX, index_page(facts, links, calling.read_at, asdict(summary)).encode())
    for name, made in calling.texts.items():
        place(folder / name, made)
    if keys:
        place(folder / REGISTER, seal(enclosed(facts.cards, facts.config.trial.id, making.run), keys))
    done = [asdict(stage) for stage in making.stage.done]
    how = {"schema": 1, "run": making.run, "redcap": links.version, "memory": list(making.healed), "stages": done}
    for name, content in (("summary.json", summary.as_json(making.stage.done)), ("run.json", how)):
        place(folder / name, f"{json.dumps(content, ensure_ascii=False, indent=2)}\n".encode())


def _told(words: str) -> bytes:
    return f"{words or 'REDCap refused nothing.'}\n".encode()
