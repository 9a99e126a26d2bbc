"""Read the trial from REDCap, check it, and publish lists, schedule and report."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, fault, run, stages
from trialdesk.errors import (
    ALONE,
    INTERNAL,
    NIGHT,
    OK,
    OK_WITH_WARNINGS,
    PARTIAL,
    ConfigError,
    MailFailed,
    OutputFailed,
    ReleaseRefused,
    TableError,
    TrialError,
    worst,
)

if TYPE_CHECKING:
    from trialdesk.config import Config
    from trialdesk.facts.todo import Task
    from trialdesk.nightly.run import Order, Outcome
    from trialdesk.nightly.summary import Summary

MOST, INTERRUPTED = 10, 130
app = application("The nightly run: pull, check, derive, publish. Nothing half-done is ever shown.")


@command(app, "published", OK_WITH_WARNINGS, PARTIAL, *NIGHT, alone=True)
def nightly_sync(
    context: typer.Context,
    config: ConfigOption = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="One run now, then end: the form for timers and cron.")] = False,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="The same, unless today's run is published already: for catching up.")
    ] = False,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Stay up and run every night at nightly.at; the same without any of these."),
    ] = False,
    trials: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="One run of every configuration in a folder: NAME.yaml, or NAME/config.yaml."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=64, help="With --trials: how many at one time; one without it.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="With --trials: on the workers of a Dask cluster (extra `cluster`)."),
    ] = None,
    wait: Annotated[
        int, typer.Option(min=0, max=3600, metavar="SECONDS", help="So long another run of the trial may be at work.")
    ] = 0,
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Another day than today; for rehearsals."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Publish from what the last run that failed has read; asks REDCap nothing, writes nothing."
        ),
    ] = False,
    accept_drop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RECORD",
            help="A record that may be gone or have lost what it had; again for each. EVENT:FORM for lost values.",
        ),
    ] = None,
    accept_writes: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="So many call plans may change at once: the number a run has shown."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why they may; kept in the desk's memory.")] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so.")] = "",
) -> None:
    """Run once, or stay up and run every night; prints what is to be done."""
    if context.invoked_subcommand:
        return
    _one_way(once, if_due, serve)
    accepted = tuple(word for words in accept_drop or () for word in words.split())
    if (accepted or accept_writes) and not (reason and by):
        hint = "--accept-drop" if accepted else "--accept-writes"
        raise typer.BadParameter("say why with --reason, and who you are with --by", param_hint=hint)
    if trials and (once or serve or today or resume or accepted or accept_writes or wait or (jobs and dask)):
        raise typer.BadParameter(
            "runs each once and takes --if-due, and either --jobs or --dask; no other option", param_hint="--trials"
        )
    if (jobs or dask) and not trials:
        raise typer.BadParameter("--jobs and --dask are for several trials: name their folder with --trials")
    if not once and (today or resume or accepted or accept_writes or reason or by):
        raise typer.BadParameter(
            "--today, --resume, --accept-drop, --accept-writes, --reason and --by are for one run: add --once"
        )
    if wait and not (once or if_due):
        raise typer.BadParameter("is for one run: add --once or --if-due", param_hint="--wait")
    if trials:
        raise typer.Exit(several(trials, jobs or 1, dask, if_due=if_due))
    from trialdesk.config import load

    trial = load(config)
    if if_due:
        due = _due(trial, datetime.now(trial.trial.zone), at="00:00")
        raise typer.Exit(publish(trial, wait=wait) if due else OK)
    if once:
        let_through = Accepted(accepted, accept_writes, reason, by)
        raise typer.Exit(publish(trial, today.date() if today else None, let_through, resumed=resume, wait=wait))
    stay_up(trial)


@command(app, "all is as a night needs it", OK_WITH_WARNINGS, *NIGHT)
def doctor(
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Look at everything a night needs and say what to do; reads only, and changes nothing anywhere."""
    import json
    from dataclasses import asdict

    from trialdesk.config import load
    from trialdesk.nightly.doctor import ASK, ending, examine

    found = examine(load(config), Path(__file__).resolve().parents[1] / "requirements.lock")
    if as_json:
        print(json.dumps({"schema": 1, "checks": [asdict(one) for one in found], "ask": ASK}, indent=2))
    else:
        for one in found:
            print(f"{one.verdict:5} {one.what:15} {one.said}")
        for question in ASK:
            print(f"{'ask':5} {'administrator':15} {question}")
    raise typer.Exit(ending(found))


@command(app, "every workbook is the one that was published", OK_WITH_WARNINGS, TableError, OutputFailed)
def rebuild(
    name: Annotated[str, typer.Argument(metavar="RUN", help="The name of the run, for example 2026-11-23_043000.")],
    identity: Annotated[Path, typer.Option(metavar="FILE", help="An age identity its snapshot is sealed for.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make a past run again from its kept snapshot, and hold it against what was published."""
    from trialdesk.config import load
    from trialdesk.nightly.rebuilding import rebuild as made_again
    from trialdesk.private import read_private

    made = made_again(load(config), name, read_private(identity, "an age identity; scripts/keygen.py makes one"))
    for file, same in sorted(made.same.items()):
        print(f"{'same' if same else 'OTHER':6} {file}")
    for line in made.differing:
        print(f"note   {line}")
    print(f"files  {made.folder}")
    raise typer.Exit(OK if made.equal else OK_WITH_WARNINGS)


@command(app, "listed, or deleted with --apply", *ALONE, OutputFailed)
def prune(
    config: ConfigOption = DEFAULT_CONFIG,
    apply: Annotated[bool, typer.Option("--apply", help="Delete them; without it they are listed.")] = False,
) -> None:
    """List what is older than the configuration keeps it: runs, kept snapshots, accounts of stopped runs."""
    from trialdesk.config import load
    from trialdesk.nightly.retention import delete, surplus
    from trialdesk.nightly.run import remembered_alone

    trial = load(config)
    with remembered_alone(trial):
        found = surplus(trial, datetime.now(trial.trial.zone).date())
        for path in found:
            print(path)
        if apply:
            print(f"{delete(found)} deleted")
        else:
            print(f"{len(found)} to delete; with --apply they are deleted")


@command(app, "listed, or forgotten with --apply", OK_WITH_WARNINGS, ReleaseRefused, TableError, *NIGHT)
def forget(
    record: Annotated[
        str, typer.Argument(metavar="RECORD", help="A record REDCap no longer returns, or may only be counted.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    identity: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An age identity kept snapshots are sealed for: they are rewritten, not deleted."
        ),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Forget it; without it the places are listed.")] = False,
) -> None:
    """List every place that holds a record; with --apply the desk forgets it, and `latest` is a run made anew."""
    from trialdesk.config import load
    from trialdesk.memory.opening import recalled
    from trialdesk.nightly.forgetting import places, returned, rewrite
    from trialdesk.nightly.retention import delete
    from trialdesk.nightly.run import remembered_alone, scope_of
    from trialdesk.nightly.sealed import Leaving
    from trialdesk.private import read_private
    from trialdesk.redcap.gateway import open_gateway

    trial = load(config)
    key = read_private(identity, "an age identity; scripts/keygen.py makes one") if identity else ""
    gateway, register = open_gateway(trial, "trial"), open_gateway(trial, "register")
    back = returned(record, trial, gateway, register, recalled(trial.state, scope_of(trial)))
    with remembered_alone(trial) as memory:
        names = memory.names_of(scope_of(trial), record)
        leaving = Leaving(names, datetime.now(trial.trial.zone).date(), counting=back)
        found = places(trial, leaving, key)
        for path in found.deleted:
            print(path)
        for path in found.rewritten:
            print(f"{path} (a kept snapshot: rewritten without it)")
        for path in found.issued:
            print(f"{path} (an issued report: it stays)")
        said = f"{len(found.deleted)} to delete, {len(found.rewritten)} to rewrite, and what the memory knows of it"
        if back:
            said += "; REDCap keeps it, and from then on it is only counted"
        if not apply:
            print(f"{said}; with --apply it is forgotten")
            return
        anew = rewrite(trial, found.rewritten, leaving, key)
        rows = memory.forget(scope_of(trial), names)
    code = publish(trial)
    gone = delete(path for path in found.deleted if path.exists())
    print(f"{gone} deleted, {anew} rewritten, {rows} rows of the memory forgotten")
    raise typer.Exit(code)


def _one_way(*chosen: bool) -> None:
    if chosen.count(True) > 1:
        raise typer.BadParameter("--once, --if-due and --serve are three ways to run: choose one")


class Accepted(NamedTuple):
    """What a person lets through: records that may have lost something, so many call plans; why, and who says so."""

    records: tuple[str, ...] = ()
    writes: int | None = None
    reason: str = ""
    by: str = ""


NOTHING = Accepted()


def several(folder: Path, jobs: int, cluster: str | None, *, if_due: bool) -> int:
    """One run of every trial of a folder; returns the worst exit code and prints a line for each."""
    from trialdesk.nightly.cluster import run_on_cluster
    from trialdesk.nightly.several import Ended, configurations, lines, name, run_all

    def told(one: Ended) -> None:
        if one.code not in (OK, OK_WITH_WARNINGS):
            print(f"{name(one)}: {one.said}", file=sys.stderr, flush=True)

    configs, form = configurations(folder), "--if-due" if if_due else "--once"
    if cluster:
        ended = run_on_cluster(configs, cluster, form, told)
    else:
        ended = run_all(configs, (sys.executable, __file__, form), jobs, told)
    print("\n".join(lines(ended)))
    return worst(*(one.code for one in ended))


def publish(
    trial: Config, today: date | None = None, accepted: Accepted = NOTHING, *, resumed: bool = False, wait: int = 0
) -> int:
    """One run; returns its exit code, and says in the state folder when it was and how it ended."""
    from trialdesk.nightly.heartbeat import beat
    from trialdesk.nightly.run import Order

    begun, code = datetime.now(trial.trial.zone), INTERNAL
    day, (records, writes, reason, by) = today or begun.date(), accepted
    try:
        done = _publish(trial, Order(day, begun, records, reason, by, writes, resumed, wait))
        code = _told(trial, begun, done.exit_code, done.summary)
    except TrialError as error:
        code = _told(trial, begun, error.exit_code)
        raise
    except KeyboardInterrupt:
        code = INTERRUPTED
        raise
    except Exception:
        _told(trial, begun, INTERNAL)
        raise
    finally:
        beat(trial.state, begun, code)
    return code


def _told(trial: Config, begun: datetime, code: int, summary: Summary | None = None) -> int:
    """Who has to know of the run is told by mail; returns the run's exit code, or 61 where that is worse."""
    from dataclasses import asdict

    from trialdesk.notices.due import Ending
    from trialdesk.notices.notify import notify

    try:
        if sent := notify(trial, Ending(begun.date(), code, asdict(summary) if summary else None)):
            print(f"  mail       {sent} message(s) sent")
    except (MailFailed, ConfigError) as error:
        print(f"mail: {error}", file=sys.stderr)
        return worst(code, MailFailed.exit_code)
    return code


def _publish(trial: Config, order: Order) -> Outcome:
    from trialdesk.allocation.making import batch_told
    from trialdesk.allocation.numbering import printed
    from trialdesk.nightly.run import nightly
    from trialdesk.redcap.gateway import open_gateway
    from trialdesk.redcap.patience import for_a_night

    for line in batch_told(trial):
        print(f"warning: {line}")
    with stages() as progress:
        patience = for_a_night(60 * trial.nightly.budget)
        records, envelopes = (open_gateway(trial, role, patience) for role in ("trial", "register"))
        done = nightly(trial, order, records, envelopes, progress)
    # records and envelopes are for the person in front of a terminal, and for no log
    for line in top(done.tasks) if sys.stdout.isatty() else ():
        print(printed(line, trial.envelopes.domain))
    for line in done.summary.lines():
        print(line)
    if order.resumed:
        read = datetime.fromisoformat(done.summary.data_as_of)
        hours = (order.now - read).total_seconds() / 3600
        print(f"  resumed    what was read {read:%Y-%m-%d %H:%M}, {hours:.1f} h ago; nothing is written back")
    print(f"  files      {trial.reports / 'latest'}", flush=True)
    return done


def top(found: Sequence[Task]) -> list[str]:
    """What is to be done first, in at most ten lines."""
    shown = [f"  {'new ' if t.new else ''}{t.kind.name}: {t.record or t.envelope or t.site} {t.why}" for t in found]
    more = [f"  and {len(shown) - MOST + 2} more, in coordinator.xlsx"] if len(shown) > MOST - 1 else []
    return ["To do", *(shown[: MOST - 1 - len(more)] or ["  nothing"]), *more]


def stay_up(trial: Config) -> None:
    """A run every night, and one at once when tonight's is missing; never two for one night."""
    from trialdesk.nightly.clockwork import Clockwork

    def told(error: Exception) -> None:
        # the text of an unexpected error may quote data
        what = f"({error.exit_code}): {error}" if isinstance(error, TrialError) else f"({INTERNAL}): {fault(error)}"
        print(f"{datetime.now(trial.trial.zone):%Y-%m-%d %H:%M} failed {what}", flush=True)

    def night() -> None:
        # a person may have started tonight's beforehand
        if _due(trial, datetime.now(trial.trial.zone), trial.nightly.at):
            publish(trial)

    scheduler = Clockwork(night, told).wind(trial.nightly.at, trial.trial.time_zone)
    scheduler.run_all()
    print(f"runs every day at {trial.nightly.at} ({trial.trial.time_zone}); stop with Ctrl-C", flush=True)
    while True:
        scheduler.run_pending()
        time.sleep(30)


def _due(trial: Config, now: datetime, at: str) -> bool:
    """Whether today's run has its time behind it and is not published."""
    from trialdesk.memory.opening import recalled
    from trialdesk.nightly.run import scope_of

    last = recalled(trial.state, scope_of(trial)).night
    return f"{now:%H:%M}" >= at and (last is None or last.day < now.date().isoformat())


if __name__ == "__main__":
    run(app)
