"""Write the research nurse's call schedule from what REDCap holds now."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import OK_WITH_WARNINGS, REDCAP, OutputFailed, SanityFailed

if TYPE_CHECKING:
    from trialdesk.config import Trial

app = application(
    "Write the call schedule: whom to call today, whom next, and what was missed. Changes nothing in REDCap."
)


@command(app, "written", OK_WITH_WARNINGS, *REDCAP, SanityFailed, OutputFailed)
def call_schedule(
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
) -> None:
    """Read REDCap, plan every contact on a working day in its window, and write one workbook."""
    from trialdesk.config import load
    from trialdesk.followup.feasibility import weakest_windows
    from trialdesk.followup.keeping import promises
    from trialdesk.followup.schedule import schedule
    from trialdesk.followup.sheets import tables
    from trialdesk.redcap.gateway import open_gateway
    from trialdesk.redcap.patients import patients
    from trialdesk.redcap.snapshot import pull
    from trialdesk.workbook import save

    trial = load(config)
    if site and site not in trial.sites_by_code:
        raise typer.BadParameter(f"no such site; sites are {', '.join(trial.sites_by_code)}", param_hint="--site")
    now = datetime.now(trial.trial.zone)
    day = _asked(today.date(), trial.trial) if today else now.date()
    snapshot = pull(open_gateway(trial, "trial"))
    plan = schedule(patients(snapshot, trial), snapshot, trial, day, promises(snapshot, trial.call_plan))
    shown = plan.at_site(site) if site else plan
    name = "_".join(filter(None, ("call_schedule", site, str(day) if day != now.date() else "")))
    path = out or trial.path(trial.folders.reports) / f"{name}.xlsx"
    save(path, tables(shown, trial, day, now), f"{trial.trial.id} call schedule {day}")

    counts = {name: sum(e.status == name for e in shown.entries) for name in ("due", "overdue", "missed")}
    print(f"{path}: {', '.join(f'{count} {name}' for name, count in counts.items())} on {day}")
    for hold in shown.holds:
        print(f"{'check a date in REDCap' if hold.contacts else 'verify first, do not call'}: {hold.record}")
    if plan.strays:
        print(f"patients in no site's list, named in Remarks of the list of all sites: {len(plan.strays)}")
    hopeless = [
        weak for weak in weakest_windows(trial, day, day.replace(year=day.year + 5, day=1)) if not weak.open_days
    ]
    for weak in hopeless:
        print(
            f"{weak.code}: no working day in the window of a patient counted from {weak.anchor}; widen contacts.window"
        )
    if shown.holds or plan.strays or hopeless:
        raise typer.Exit(OK_WITH_WARNINGS)


def _asked(day: date, trial: Trial) -> date:
    from trialdesk.followup.windows import add_months

    first, last = add_months(trial.starts, -12), add_months(trial.ends, 120)
    if not first <= day <= last:
        raise typer.BadParameter(f"{day} is not from {first} to {last}", param_hint="--today")
    return day


if __name__ == "__main__":
    run(app)
