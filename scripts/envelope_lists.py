"""The envelope lists as an Excel workbook, and what is filed about envelopes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import REDCAP, ConcealmentBroken, ConfigError, OutputFailed, TableError

app = application("The envelope lists, and what belongs to them; no arm is in any of it.")


@command(app, "written", *REDCAP, ConcealmentBroken, TableError, OutputFailed, alone=True)
def envelope_lists(
    context: typer.Context,
    config: ConfigOption = DEFAULT_CONFIG,
    site: Annotated[str, typer.Option(metavar="CODE", help="The list for this site alone.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write; default envelopes[-CODE].xlsx among the reports."),
    ] = None,
) -> None:
    """Write where every envelope is and what to send, or with --site the list for one site."""
    if context.invoked_subcommand:
        return
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


@command(app, "filed", TableError, OutputFailed)
def file(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The packer's manifest.json of one version.")],
    root: Annotated[str, typer.Option(metavar="ROOT", help="The Merkle root, typed from the paper that was filed.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """File a version's manifest: runs and releases hold the register against it from now on."""
    from trialdesk.config import load
    from trialdesk.envelopes.filing import FOLDER, file_manifest

    trial = load(config)
    made = file_manifest(trial, manifest, root)
    print(f"version {made.version} of {made.trial}: {made.envelopes} envelopes, filed in {trial.state / FOLDER}")


if __name__ == "__main__":
    run(app)
