"""Write the research nurse's call schedule from what REDCap holds now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, run

app = application(
    "Write the call schedule: whom to call today, whom next, and what was missed. Changes nothing in REDCap."
)


@app.command(
    epilog="Exit codes: 0 written · 10 written, with patients to verify first or windows without a working day · "
    "20 configuration · 30 REDCap not reached · 31 token refused · 40 REDCap sent too little · 60 not written."
)
def call_schedule(
    config: ConfigOption = DEFAULT_CONFIG,
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Another day than today, for example 2026-11-23."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write; default call_schedule.xlsx in the folder of reports."),
    ] = None,
    site: Annotated[str | None, typer.Option(metavar="CODE", help="Only the patients of this site.")] = None,
) -> None:
    """Read REDCap, plan every contact on a working day in its window, and write one workbook."""
    from trialdesk.config import load
    from trialdesk.errors import OK_WITH_WARNINGS
    from trialdesk.followup.feasibility import weakest_windows
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
    day = today.date() if today else now.date()
    snapshot = pull(open_gateway(trial, "trial"))
    plan = schedule(patients(snapshot, trial), snapshot, trial, day)
    shown = plan.at_site(site) if site else plan
    path = out or trial.path(trial.folders.reports) / f"call_schedule{f'_{site}' if site else ''}.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, tables(shown, trial, day, now), f"{trial.trial.id} call schedule {day}")

    counts = {name: sum(e.status == name for e in shown.entries) for name in ("due", "overdue", "missed")}
    print(f"{path}: {', '.join(f'{count} {name}' for name, count in counts.items())} on {day}")
    for hold in shown.holds:
        print(f"verify first, do not call: {hold.record}")
    hopeless = [
        weak for weak in weakest_windows(trial, day, day.replace(year=day.year + 5, day=1)) if not weak.open_days
    ]
    for weak in hopeless:
        print(
            f"{weak.code}: no working day in the window of a patient counted from {weak.anchor}; widen contacts.window"
        )
    if shown.holds or hopeless:
        raise typer.Exit(OK_WITH_WARNINGS)


if __name__ == "__main__":
    run(app)
