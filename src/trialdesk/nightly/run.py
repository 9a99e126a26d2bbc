"""The stages of a nightly run, in order. A stage that fails ends the run and nothing of it is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from trialdesk.config import Config
from trialdesk.envelopes.lists import coordinator_lists
from trialdesk.envelopes.openings import settle
from trialdesk.envelopes.register import prove_blind, read_register
from trialdesk.envelopes.stock import PileStock, stock
from trialdesk.errors import (
    INTERNAL,
    OK,
    OK_WITH_WARNINGS,
    LockHeld,
    NotAllowed,
    OutputFailed,
    RedcapRefused,
    RedcapUnreachable,
    TrialError,
    WriteBackFailed,
)
from trialdesk.followup.schedule import Schedule, schedule
from trialdesk.followup.sheets import tables as call_tables
from trialdesk.instruments.fitness import prove_fit
from trialdesk.model import Envelope, Finding, Patient
from trialdesk.nightly import summary as told
from trialdesk.nightly.ledger import Entry, append, last_published
from trialdesk.nightly.publish import building, publish, run_name
from trialdesk.nightly.sources import settled, sources
from trialdesk.nightly.summary import StageResult, Summary
from trialdesk.nightly.writeback import Changes, changes, write
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patients
from trialdesk.redcap.sanity import Tally, gate
from trialdesk.redcap.snapshot import Snapshot, pull
from trialdesk.reports.pack import Facts, Sources, enrolment_packs, facts, footer
from trialdesk.workbook import Table, save

OPEN_PROFILE = "monitor"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked to do: for which day, at what moment, and what a person has accepted beforehand."""

    today: date
    now: datetime
    accepted_drop: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a published run found; findings are those of all profiles, with their records."""

    summary: Summary
    findings: tuple[Finding, ...]
    exit_code: int


@dataclass(slots=True)
class Work:
    """What the stages hand to one another. `order.today` rules the schedule and reports, `order.now` names the run."""

    config: Config
    order: Order
    trial: Gateway
    register: Gateway
    run: str
    folder: Path
    snapshot: Snapshot = field(init=False)
    patients: tuple[Patient, ...] = field(init=False)
    tally: Tally | None = None
    envelopes: tuple[Envelope, ...] = field(init=False)
    mapping: Sequence[Mapping[str, str]] = ()
    opened: tuple[Envelope, ...] = ()
    sources: Sources = field(init=False)
    facts: Facts = field(init=False)
    stock: tuple[PileStock, ...] = ()
    schedule: Schedule = field(init=False)
    books: dict[str, tuple[tuple[Table, ...], str]] = field(default_factory=dict)
    changes: Changes = field(init=False)
    stages: list[StageResult] = field(default_factory=list)
    summary: Summary = field(init=False)

    @property
    def reports(self) -> Path:
        """Where runs are published."""
        return self.config.path(self.config.folders.reports)


def nightly(config: Config, order: Order, trial: Gateway, register: Gateway, progress: Progress) -> Outcome:
    """One run is published whole, or nothing is; either way the ledger has a line about it.

    Args:
        config: The trial.
        order: For which day, and what was accepted beforehand.
        trial: The trial project, seen with the coordinator's token.
        register: The envelope register, seen with the coordinator's token.
        progress: Told the name of each stage as it begins.

    Returns:
        The summary, every finding, and exit code 0 or 10 (findings a person has to look at).

    Raises:
        TrialError: a stage failed; the earlier run still stands.
    """
    reports = config.path(config.folders.reports)
    with _locked(reports):
        run = run_name(reports, order.now)
        with building(reports, run) as folder, _recorded(Work(config, order, trial, register, run, folder)) as work:
            for name, stage in STAGES.items():
                progress(name)
                begun = time.monotonic()
                note = stage(work)
                work.stages.append(StageResult(name, note, round(time.monotonic() - begun, 3)))
    code = OK_WITH_WARNINGS if work.summary.needs_attention else OK
    return Outcome(work.summary, work.facts.findings, code)


def ledger_of(config: Config) -> Path:
    """Where the run ledger is."""
    return config.path(config.folders.reports) / "ledger.jsonl"


@contextmanager
def _locked(reports: Path) -> Iterator[None]:
    try:
        reports.mkdir(parents=True, exist_ok=True)
        with FileLock(reports / ".lock", timeout=0):
            yield
    except Timeout:
        raise LockHeld(f"{reports}: another run is at work; wait for it to end") from None
    except OSError as error:
        raise OutputFailed(
            f"{reports}: can't be used ({error.strerror}); check folders.reports and its rights"
        ) from None


@contextmanager
def _recorded(work: Work) -> Iterator[Work]:
    """However the run ends, the ledger says so; messages with record ids stay out of it."""
    code = INTERNAL
    try:
        yield work
        code = OK_WITH_WARNINGS if work.summary.needs_attention else OK
    except TrialError as error:
        code = error.exit_code
        raise
    finally:
        done = code in (OK, OK_WITH_WARNINGS)
        entry = Entry(
            run=work.run,
            trial=work.config.trial.id,
            url=work.config.redcap.url,
            day=work.order.today.isoformat(),
            status="published" if done else f"failed in {tuple(STAGES)[len(work.stages)]}",
            exit_code=code,
            tally=work.tally if done else None,
            accepted_drop=work.order.accepted_drop,
            reason=work.order.reason,
            files=tuple(sorted(work.books)),
        )
        append(ledger_of(work.config), entry)


def _preflight(work: Work) -> str:
    prove_blind(work.register)
    prove_fit(work.config, work.trial)
    return f"REDCap {work.trial.version()}; the register token sees no card"


def _pull(work: Work) -> str:
    work.snapshot = pull(work.trial)
    work.patients = patients(work.snapshot, work.config)
    work.mapping = work.trial.mapping()
    work.envelopes = read_register(work.register)
    return f"{len(work.patients)} records, {len(work.envelopes)} envelopes"


def _sanity(work: Work) -> str:
    last = last_published(ledger_of(work.config), work.config.trial.id, work.config.redcap.url)
    yardstick = last.tally if last else None
    work.tally = gate(work.snapshot, work.patients, yardstick, work.order.today, work.order.accepted_drop)
    return f"{work.tally.randomised} randomised, {len(work.tally.by_group)} data access groups"


def _reconcile(work: Work) -> str:
    config, today = work.config, work.order.today
    work.opened = settle(work.patients, work.envelopes, config.trial.id)
    work.sources = sources(config, work.snapshot, work.envelopes, work.mapping, today)
    work.facts = facts(work.snapshot, config, work.sources, today)
    work.stock = stock(config, work.envelopes, today)
    return f"{len(work.facts.findings)} findings, {len(work.sources.rules.rules)} rules"


def _schedule(work: Work) -> str:
    work.schedule = schedule(work.patients, work.snapshot, work.config, work.order.today)
    return f"{len(work.schedule.entries)} contacts"


def _report(work: Work) -> str:
    config, today = work.config, work.order.today
    packs = enrolment_packs(work.snapshot, config, work.sources, [OPEN_PROFILE], work.facts)
    lists = coordinator_lists(config, settled(work.patients, work.envelopes, config), today, work.sources.envelopes)
    foot = footer(config, "{}", today) + (" · REHEARSAL" if config.envelopes.domain == "dev" else "")
    work.books = {
        "envelope_lists.xlsx": (lists, foot.format("coordinator")),
        "call_schedule.xlsx": (
            call_tables(work.schedule, config, today, work.order.now),
            foot.format("research nurse"),
        ),
        "enrolment_report.xlsx": (packs[OPEN_PROFILE], foot.format(OPEN_PROFILE)),
    }
    return f"{len(work.books)} workbooks, the open one proved blind"


def _build(work: Work) -> str:
    digests = {name: save(work.folder / name, tables, foot) for name, (tables, foot) in work.books.items()}
    work.changes = changes(work.snapshot, work.opened, work.schedule, work.config)
    work.summary = _summary(work, digests)
    text = json.dumps(work.summary.as_json(), ensure_ascii=False, indent=2)
    (work.folder / "summary.json").write_text(f"{text}\n", encoding="utf-8")
    return f"{len(digests)} workbooks written and read back"


def _publish(work: Work) -> str:
    publish(work.folder, work.reports, work.run)
    return work.run


def _write_back(work: Work) -> str:
    try:
        write(work.changes, work.snapshot, work.config, work.trial, work.register)
    except (NotAllowed, RedcapRefused, RedcapUnreachable, WriteBackFailed) as error:
        raise WriteBackFailed(f"published as {work.run}, but not written back: {error}") from None
    return str(work.changes)


STAGES: Mapping[str, Callable[[Work], str]] = {
    "preflight": _preflight,
    "pull": _pull,
    "sanity": _sanity,
    "reconcile": _reconcile,
    "schedule": _schedule,
    "report": _report,
    "build": _build,
    "publish": _publish,
    "write back": _write_back,
}


def _open_releases(work: Work) -> list[str]:
    """Records with an open release, also those only the register knows of: a release that broke off blocks the next."""
    in_register = {e.record for e in settled(work.patients, work.envelopes, work.config) if e.status == "released"}
    used = {patient.record for patient in work.patients if patient.randomised}
    return sorted({patient.record for patient in work.patients if patient.release_open} | (in_register - used))


def _summary(work: Work, digests: Mapping[str, str]) -> Summary:
    config, whole = work.config, work.facts.cohort
    return Summary(
        run=work.run,
        trial=config.trial.id,
        domain=config.envelopes.domain,
        day=work.order.today.isoformat(),
        data_as_of=work.order.now.isoformat(timespec="seconds"),
        recruitment=told.recruitment(whole),
        states={state: number for state, number in whole.states.items() if number},
        target=config.trial.target,
        calls=told.calls(work.schedule),
        verify_first=[hold.record for hold in work.schedule.holds],
        envelopes_to_send=told.to_do(work.stock, "send"),
        envelopes_to_make=told.to_do(work.stock, "make"),
        release_open=_open_releases(work),
        findings=told.by_rule(work.facts.findings),
        to_write=str(work.changes),
        stages=tuple(work.stages),
        files=dict(digests),
    )
