"""One night from beginning to end. A stage that fails ends the run, and nothing of it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from trialdesk.config import Config
from trialdesk.envelopes.lists import coordinator_lists
from trialdesk.envelopes.register import prove_blind
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
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.pulling import pull_both
from trialdesk.followup.sheets import tables as call_tables
from trialdesk.instruments.fitness import prove_fit
from trialdesk.model import Finding
from trialdesk.nightly.ledger import Entry, append, last_published
from trialdesk.nightly.publish import building, publish, run_name
from trialdesk.nightly.stages import Progress, Stages
from trialdesk.nightly.summary import Summary, summarise
from trialdesk.nightly.writeback import changes, write
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.sanity import gate
from trialdesk.reports.pack import enrolment_packs, footer
from trialdesk.workbook import SheetTable, save

OPEN_PROFILE = "monitor"


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked to do: for which day, at what moment, and what a person has accepted beforehand.

    `today` rules schedule and reports, `now` names the run.
    """

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
        run, stage = run_name(reports, order.now), Stages(progress)
        with building(reports, run) as folder:
            try:
                outcome, entry = _night(config, order, trial, register, (stage, folder, run))
            except BaseException as error:
                code = error.exit_code if isinstance(error, TrialError) else INTERNAL
                append(ledger_of(config), _entry(config, order, run, f"failed in {stage.current}", code))
                raise
            append(ledger_of(config), entry)
    return outcome


def ledger_of(config: Config) -> Path:
    """Where the run ledger is."""
    return config.path(config.folders.reports) / "ledger.jsonl"


def _night(
    config: Config, order: Order, trial: Gateway, register: Gateway, making: tuple[Stages, Path, str]
) -> tuple[Outcome, Entry]:
    """The stages in order; what each finds is a value the next ones read."""
    stage, folder, run = making
    with stage("preflight") as note:
        prove_blind(register)
        prove_fit(config, trial)
        note(f"REDCap {trial.version()}; the register token sees no card")
    with stage("pull") as note:
        pull = pull_both(config, trial, register)
        note(f"{len(pull.patients)} records, {len(pull.register)} envelopes")
    with stage("sanity") as note:
        last = last_published(ledger_of(config), config.trial.id, config.redcap.url)
        before = past(config, pull.snapshot, last.tally if last else None)
        tally = gate(pull.snapshot, pull.patients, before.tally, order.today, order.accepted_drop)
        note(f"{tally.randomised} randomised, {len(tally.by_group)} data access groups")
    with stage("derive") as note:
        facts = derive(pull, before, config, order.today)
        note(f"{len(facts.findings)} findings, {len(facts.common.rules.rules)} rules")
        note(f"{len(facts.schedule.entries)} contacts")
    with stage("report") as note:
        books = _books(facts, order.now)
        note(f"{len(books)} workbooks, the open one proved blind")
    with stage("build") as note:
        digests = {name: save(folder / name, sheets, foot) for name, (sheets, foot) in books.items()}
        wanted = changes(facts)
        summary = summarise(facts, run, order.now, str(wanted), digests)
        _write_summary(folder, summary, stage)
        note(f"{len(digests)} workbooks written and read back")
    with stage("publish") as note:
        publish(folder, config.path(config.folders.reports), run)
        note(run)
    with stage("write back") as note:
        try:
            write(wanted, facts, trial, register)
        except (NotAllowed, RedcapRefused, RedcapUnreachable, WriteBackFailed) as error:
            raise WriteBackFailed(f"published as {run}, but not written back: {error}") from None
        note(str(wanted))
    code = OK_WITH_WARNINGS if summary.needs_attention else OK
    entry = replace(_entry(config, order, run, "published", code), tally=tally, files=tuple(sorted(books)))
    return Outcome(summary, facts.findings, code), entry


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


def _entry(config: Config, order: Order, run: str, status: str, code: int) -> Entry:
    """How a run ended; messages with record ids stay out of it."""
    return Entry(
        run=run,
        trial=config.trial.id,
        url=config.redcap.url,
        day=order.today.isoformat(),
        status=status,
        exit_code=code,
        accepted_drop=order.accepted_drop,
        reason=order.reason,
    )


def _books(facts: Facts, now: datetime) -> Mapping[str, tuple[tuple[SheetTable, ...], str]]:
    """File name to its sheets and the foot of its pages."""
    config, today, cards = facts.config, facts.common.day, facts.cards
    foot = footer(config, "{}", today) + (" · REHEARSAL" if config.envelopes.domain == "dev" else "")
    return {
        "envelope_lists.xlsx": (
            coordinator_lists(config, cards.register, today, cards.findings),
            foot.format("coordinator"),
        ),
        "call_schedule.xlsx": (call_tables(facts.schedule, config, today, now), foot.format("research nurse")),
        "enrolment_report.xlsx": (enrolment_packs(facts, [OPEN_PROFILE])[OPEN_PROFILE], foot.format(OPEN_PROFILE)),
    }


def _write_summary(folder: Path, summary: Summary, stage: Stages) -> None:
    """The summary beside the workbooks, with the stages up to here."""
    text = json.dumps(summary.as_json(stage.done), ensure_ascii=False, indent=2)
    (folder / "summary.json").write_text(f"{text}\n", encoding="utf-8")
