"""Read the trial from REDCap, check it, and publish lists, schedule and report."""

from __future__ import annotations

import time
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, fault, run, stages
from trialdesk.errors import INTERNAL, NIGHT, OK_WITH_WARNINGS, TrialError

if TYPE_CHECKING:
    from trialdesk.config import Config

app = application("The nightly run: pull, check, derive, publish. Nothing half-done is ever shown.")


@command(app, "published", OK_WITH_WARNINGS, *NIGHT)
def nightly_sync(
    config: ConfigOption = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="One run now, then end: the form for timers and cron.")] = False,
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Another day than today; for rehearsals."),
    ] = None,
    accept_drop: Annotated[
        int, typer.Option(metavar="N", min=0, help="Records that may be missing since the last run.")
    ] = 0,
    reason: Annotated[str, typer.Option(help="Why they may; kept in the run ledger.")] = "",
) -> None:
    """Run once, or without --once stay up and run every night; prints the coordinator's summary."""
    if accept_drop and not reason:
        raise typer.BadParameter("say why with --reason", param_hint="--accept-drop")
    if not once and (today or accept_drop or reason):
        raise typer.BadParameter("--today, --accept-drop and --reason are for one run: add --once")
    from trialdesk.config import load

    trial = load(config)
    if once:
        raise typer.Exit(publish(trial, today.date() if today else None, accept_drop, reason))
    stay_up(trial)


def publish(trial: Config, today: date | None = None, accept_drop: int = 0, reason: str = "") -> int:
    """One run; returns its exit code."""
    from trialdesk.nightly.run import Order, nightly
    from trialdesk.redcap.gateway import open_gateway

    now = datetime.now(trial.trial.zone)
    order = Order(today or now.date(), now, accept_drop, reason)
    with stages() as progress:
        done = nightly(trial, order, open_gateway(trial, "trial"), open_gateway(trial, "register"), progress)
    for line in done.summary.lines():
        print(line)
    print(f"  files      {trial.path(trial.folders.reports) / 'latest'}", flush=True)
    return done.exit_code


def stay_up(trial: Config) -> None:
    """A run every night, and one at once when tonight's is missing."""
    from trialdesk.nightly.clockwork import Clockwork
    from trialdesk.nightly.ledger import last_published
    from trialdesk.nightly.run import ledger_of

    def told(error: Exception) -> None:
        # the text of an unexpected error may quote data
        what = f"({error.exit_code}): {error}" if isinstance(error, TrialError) else f"({INTERNAL}): {fault(error)}"
        print(f"{datetime.now(trial.trial.zone):%Y-%m-%d %H:%M} failed {what}", flush=True)

    clock = Clockwork(lambda: publish(trial), told)
    scheduler = clock.wind(trial.nightly.at, trial.trial.time_zone)
    last = last_published(ledger_of(trial), trial.trial.id, trial.redcap.url)
    now = datetime.now(trial.trial.zone)
    if f"{now:%H:%M}" >= trial.nightly.at and (last is None or last.day < now.date().isoformat()):
        scheduler.run_all()
    print(f"runs every day at {trial.nightly.at} ({trial.trial.time_zone}); stop with Ctrl-C", flush=True)
    while True:
        scheduler.run_pending()
        time.sleep(30)


if __name__ == "__main__":
    run(app)
