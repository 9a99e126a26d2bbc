"""Write the envelope lists as an Excel workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import REDCAP, ConcealmentBroken, ConfigError, OutputFailed, TableError

app = application("Write the envelope lists as an Excel workbook; no arm is in it.")


@command(app, "written", *REDCAP, ConcealmentBroken, TableError, OutputFailed)
def envelope_lists(
    config: ConfigOption = DEFAULT_CONFIG,
    site: Annotated[str, typer.Option(metavar="CODE", help="The list for this site alone.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write; default envelopes[-CODE].xlsx among the reports."),
    ] = None,
) -> None:
    """Write where every envelope is and what to send, or with --site the list for one site."""
    from datetime import datetime

    from trialdesk.config import load
    from trialdesk.envelopes.lists import coordinator_lists, site_list
    from trialdesk.envelopes.register import prove_blind, read_register
    from trialdesk.redcap.gateway import open_gateway
    from trialdesk.workbook import save

    trial = load(config)
    if site and site not in trial.sites_by_code:
        raise ConfigError(f"--site {site}: no such site; sites are {', '.join(trial.sites_by_code)}")
    register = open_gateway(trial, "register")
    prove_blind(register)
    envelopes = read_register(register)
    now = datetime.now(trial.trial.zone)
    tables = site_list(trial, envelopes, site, now.date()) if site else coordinator_lists(trial, envelopes, now.date())
    path = out or trial.path(trial.folders.reports) / f"envelopes{'-' if site else ''}{site}.xlsx"
    save(path, tables, f"{trial.trial.id} · envelopes · {now:%Y-%m-%d %H:%M}")
    print(path)


if __name__ == "__main__":
    run(app)
