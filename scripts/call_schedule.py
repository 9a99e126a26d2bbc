"""The research nurse's call schedule, and tries that come back from its sheet."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import OK_WITH_WARNINGS, REDCAP, OutputFailed, SanityFailed, WriteBackFailed

if TYPE_CHECKING:
    from trialdesk.config import Config, Trial
    from trialdesk.followup.bringing import Brought
    from trialdesk.followup.schedule import Schedule
    from trialdesk.redcap.gateway import Gateway

app = application("Whom to call today, whom next, and what was missed; and bringing tries from the sheet into REDCap.")


@command(app, "written", OK_WITH_WARNINGS, *REDCAP, SanityFailed, OutputFailed, alone=True)
def call_schedule(
    context: typer.Context,
    config: ConfigOption = DEFAULT_CONFIG,
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Another day than today, for example 2026-11-23."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write; default call_schedule.xlsx in the folder of reports, "
            "with site and other day in its name.",
        ),
    ] = None,
    site: Annotated[str | None, typer.Option(metavar="CODE", help="Only the patients of this site.")] = None,
    whole: Annotated[
        bool, typer.Option("--all", help="In All contacts those too that are over for more than 30 days.")
    ] = False,
) -> None:
    """Read REDCap, plan every contact on a working day in its window, and write one workbook. Changes nothing there."""
    if context.invoked_subcommand:
        return
    from trialdesk.config import load
    from trialdesk.facts.counted import counted
    from trialdesk.facts.links import links_of
    from trialdesk.facts.pulling import pull_trial
    from trialdesk.facts.tracks import shared
    from trialdesk.followup.columns import Desk
    from trialdesk.followup.keeping import promises
    from trialdesk.followup.keys import keys
    from trialdesk.followup.schedule import schedule
    from trialdesk.followup.sheets import tables
    from trialdesk.memory.opening import recalled
    from trialdesk.memory.values import Scope
    from trialdesk.redcap.gateway import open_gateway
    from trialdesk.workbook import save

    trial = load(config)
    if site and site not in trial.sites_by_code:
        raise typer.BadParameter(f"no such site; sites are {', '.join(trial.sites_by_code)}", param_hint="--site")
    now = datetime.now(trial.trial.zone)
    day = _asked(today.date(), trial.trial) if today else now.date()
    gateway = open_gateway(trial, "trial")
    scope = Scope(trial.trial.id, trial.redcap.url)
    pull = counted(pull_trial(trial, gateway, groups=True), recalled(trial.state, scope))
    plan = schedule(pull.patients, pull.snapshot, trial, day, promises(pull.snapshot, trial.call_plan))
    shown = plan.at_site(site) if site else plan
    own, printed = keys(trial.path(trial.calls.key)), datetime.combine(day, now.timetz())
    desk = Desk(
        trial,
        links_of(trial, pull, gateway.version()).form,
        lambda record, contact: own.row(printed, record, contact),
        shared(trial) if site else trial.contacts,
    )
    name = "_".join(filter(None, ("call_schedule", site, str(day) if day != now.date() else "")))
    path = out or trial.path(trial.folders.reports) / f"{name}.xlsx"
    save(path, tables(shown, desk, now, whole=whole), f"{trial.trial.id} call schedule {day}")

    counts = {name: sum(e.status == name for e in shown.entries) for name in ("due", "overdue", "missed")}
    print(f"{path}: {', '.join(f'{count} {name}' for name, count in counts.items())} on {day}")
    if _told(shown, plan, trial):
        raise typer.Exit(OK_WITH_WARNINGS)


def _told(shown: Schedule, plan: Schedule, trial: Config) -> bool:
    """What is to be looked at, a line each; whether there is any."""
    from trialdesk.followup.feasibility import weakest_windows

    day = plan.today
    for hold in shown.holds:
        print(f"{'check a date in REDCap' if hold.contacts else 'verify first, do not call'}: {hold.record}")
    if plan.strays:
        print(f"patients in no site's list, named in Remark of the list of all sites: {len(plan.strays)}")
    until = day.replace(year=day.year + 5, day=1)
    hopeless = [weak for weak in weakest_windows(trial, day, until) if not weak.open_days]
    for weak in hopeless:
        print(
            f"{weak.code}: no working day in the window of a patient counted from {weak.anchor}; widen contacts.window"
        )
    return bool(shown.holds or plan.strays or hopeless)


@command(app, "nothing is open", OK_WITH_WARNINGS, *REDCAP, WriteBackFailed, name="import")
def bring_back(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.xlsx", help="The call schedule with its white cells filled in.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write; without it only what would be written is shown.")
    ] = False,
) -> None:
    """Bring the tries typed into Today into the call log, each once; needs TRIALDESK_CALLER_TOKEN.

    Being reached is not brought: that is the contact's own form. What can't be written is listed and left to a person.
    """
    from trialdesk.config import load
    from trialdesk.followup.bringing import read_back, sort_out
    from trialdesk.followup.keys import keys
    from trialdesk.followup.returned import NoSchedule, read_sheet
    from trialdesk.redcap.gateway import open_gateway

    trial = load(config)
    try:
        rows = read_sheet(file)
    except NoSchedule as why:
        raise typer.BadParameter(f"{file} {why}", param_hint="FILE.xlsx") from None
    now = datetime.now(trial.trial.zone)
    gateway = open_gateway(trial, "caller")
    log = read_back(gateway, trial, {row.record for row in rows if row.tries})
    _bring(sort_out(rows, log, trial, keys(trial.path(trial.calls.key)), now), gateway, trial, apply=apply)


@command(app, "nothing is open", OK_WITH_WARNINGS, *REDCAP, WriteBackFailed, name="callbacks")
def copy_call_backs(
    config: ConfigOption = DEFAULT_CONFIG,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write; without it only what would be written is shown.")
    ] = False,
) -> None:
    """Copy open call backs from the contact forms of an older project into its call log; needs TRIALDESK_CALLER_TOKEN.

    Each is written once, with the field it is from in the note. The forms stay as they are.
    """
    from trialdesk.config import load
    from trialdesk.followup.bringing import views
    from trialdesk.followup.copying import sort_out_bookings
    from trialdesk.followup.keys import keys
    from trialdesk.redcap.gateway import open_gateway

    trial = load(config)
    gateway = open_gateway(trial, "caller")
    today = datetime.now(trial.trial.zone).date()
    found = sort_out_bookings(views(gateway, trial), trial, keys(trial.path(trial.calls.key)), today)
    _bring(found, gateway, trial, apply=apply)


def _bring(found: Brought, gateway: Gateway, trial: Config, *, apply: bool) -> None:
    """What is new is written if it may be; all of it is told, and whether anything is left to do."""
    from trialdesk.followup.bringing import write_log

    for try_ in found.new:
        print(f"{'written' if apply else 'would write'}: {try_}")
    for line in found.open:
        print(f"left to you: {line}")
    if apply:
        write_log(gateway, trial, found.new)
    print(f"{len(found.new)} {'written' if apply else 'to write'}, {found.known} already there, {len(found.open)} left")
    if found.open or (found.new and not apply):
        raise typer.Exit(OK_WITH_WARNINGS)


def _asked(day: date, trial: Trial) -> date:
    from trialdesk.followup.windows import add_months

    first, last = add_months(trial.starts, -12), add_months(trial.ends, 120)
    if not first <= day <= last:
        raise typer.BadParameter(f"{day} is not from {first} to {last}", param_hint="--today")
    return day


if __name__ == "__main__":
    run(app)
