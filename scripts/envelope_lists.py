"""The envelope lists as an Excel workbook, and what is filed about envelopes."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import (
    REDCAP,
    ConcealmentBroken,
    ConfigError,
    OutputFailed,
    ReleaseRefused,
    TableError,
    WriteBackFailed,
)

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
    from trialdesk.config import load
    from trialdesk.envelopes.filing import held, read_filed
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
    if site:
        tables = site_list(trial, envelopes, site, now.date())
    else:
        versions = held(read_filed(trial), envelopes).versions
        tables = coordinator_lists(trial, envelopes, now.date(), versions=versions)
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


WordsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="ENVELOPE|PARCEL", help="Numbers, or parcels such as ODE-v002; - reads lines of a scanner."),
]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who did it.")]
OnOption = Annotated[
    datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], metavar="DATE", help="The day; default: today.")
]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the register.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
MOVING = (*REDCAP, ReleaseRefused, ConcealmentBroken, TableError, WriteBackFailed)


def _moving(kind: str, what: str) -> None:
    """A command that moves envelopes; all of them take the same words."""

    def move(
        words: WordsArgument = None,
        by: ByOption = "",
        on: OnOption = None,
        reason: ReasonOption = "",
        config: ConfigOption = DEFAULT_CONFIG,
        dry_run: DryOption = False,
    ) -> None:
        _move(kind, words or [], (by, on, reason), config, dry_run=dry_run)

    move.__doc__ = what
    command(app, "moved, or shown", *MOVING, name=kind)(move)


def _move(kind: str, words: list[str], said: tuple[str, datetime | None, str], config: Path, *, dry_run: bool) -> None:
    from trialdesk.config import load
    from trialdesk.envelopes.filing import read_filed
    from trialdesk.envelopes.moving import Said, carry_out, chosen, plan_move
    from trialdesk.envelopes.register import prove_blind, read_register
    from trialdesk.redcap.gateway import open_gateway

    by, on, reason = said
    if not by:
        raise typer.BadParameter("say who with --by NAME", param_hint="--by")
    if not words:
        raise typer.BadParameter("name envelopes or a parcel, or - to read them from a scanner")
    trial = load(config)
    register = open_gateway(trial, "register")
    prove_blind(register)
    lines = [line for word in words for line in (sys.stdin if word == "-" else [word])]
    names = chosen(lines, read_filed(trial), trial.envelopes.domain)
    day = on.date() if on else datetime.now(trial.trial.zone).date()
    planned = plan_move(kind, names, read_register(register), Said(by, day, reason))
    for envelope in planned.envelopes:
        print(f"{envelope.id}  {envelope.status}")
    if planned.already:
        print(f"{len(planned.already)} envelope(s) were moved before")
    if not dry_run:
        carry_out(planned, register)
    print(f"{len(planned.envelopes)} envelope(s) {'would be ' if dry_run else ''}{planned.move.to}")


for kind, what in {
    "packed": "Note that envelopes are packed.",
    "ship": "Note that envelopes are sent to their clinic: whole parcels.",
    "received": "Note that the clinic has received envelopes.",
    "void": "Note that envelopes are void: spoilt, opened by mistake; never replaced under the same number.",
    "lost": "Note that envelopes are lost.",
    "returned": "Note that unused envelopes came back from the clinic.",
}.items():
    _moving(kind, what)


if __name__ == "__main__":
    run(app)
