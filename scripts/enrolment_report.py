"""Write the enrolment report of one profile from what REDCap holds now."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, run

app = application("Write the enrolment report as an Excel workbook: sites, months, flow, patients and findings.")


@app.command(
    epilog="Exit codes: 0 written · 20 configuration, token or profile · 21 rules · 30 REDCap not reached · "
    "31 token refused · 40 REDCap sent too little · 42 the report would show an arm: nothing written · 60 not written."
)
def enrolment_report(
    config: ConfigOption = DEFAULT_CONFIG,
    profile: Annotated[
        str, typer.Option(metavar="PROFILE", help="monitor, site:CODE, or closed (shows patients by arm).")
    ] = "monitor",
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], metavar="DATE", help="Data cut; default: today in the trial."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; default: enrolment-PROFILE.xlsx among the reports.")
    ] = None,
) -> None:
    """Write the enrolment report; an open one only after the proof that no cell depends on an arm."""
    from trialdesk.config import load
    from trialdesk.nightly.due import contacts_over, crosschecks
    from trialdesk.redcap.gateway import open_gateway
    from trialdesk.redcap.snapshot import pull
    from trialdesk.reports.completeness import forms_by_event
    from trialdesk.reports.findings import read_rules
    from trialdesk.reports.pack import Sources, enrolment_packs, footer
    from trialdesk.reports.profiles import profile as reader
    from trialdesk.workbook import save

    trial = load(config)
    name = reader(profile, trial).name
    cut = as_of.date() if as_of else datetime.now(trial.trial.zone).date()
    gateway = open_gateway(trial, "trial")
    snapshot = pull(gateway)
    rules = read_rules(trial.path(trial.folders.instruments) / "trial", snapshot.dictionary, trial)
    sources = Sources(
        rules,
        crosschecks=crosschecks(trial, cut),
        due=partial(contacts_over, trial, cut),
        mapping=forms_by_event(gateway.mapping()),
    )
    tables = enrolment_packs(snapshot, trial, sources, [name], cut)[name]
    path = out or trial.path(trial.folders.reports) / f"enrolment-{name.replace(':', '-')}.xlsx"
    digest = save(path, tables, footer(trial, name, cut))
    print(tables[0].title)
    print(tables[0].about)
    print(f"{path} ({len(tables)} sheets, content {digest[:12]})")


if __name__ == "__main__":
    run(app)
