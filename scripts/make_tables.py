"""Make the allocation tables: sealed for the packer, with a public manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run, watched
from trialdesk.errors import REDCAP, OutputFailed, PlanRefused, ReleaseRefused, TableError, WriteBackFailed

app = application("Make the next version of the allocation tables. The packer's job; shows counts, never arms.")


@command(app, "made", PlanRefused, TableError, OutputFailed, alone=True)
def make_tables(
    context: typer.Context,
    config: ConfigOption = DEFAULT_CONFIG,
    identity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your age identity; needed once tables exist.")
    ] = None,
    master_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="64 hexadecimal digits, mode 0600. Without it the first version draws its own master.",
        ),
    ] = None,
    pile: Annotated[
        list[str] | None,
        typer.Option(metavar="SITE-STRATUM", help="Resupply this pile with its next batch; repeat for more."),
    ] = None,
    filed: Annotated[
        Path | None,
        typer.Option(metavar="MANIFEST", help="Your filed copy of the newest manifest: a lost version shows by it."),
    ] = None,
    freeze: Annotated[
        bool,
        typer.Option("--freeze", help="The codes that were shown are right; asked for once."),
    ] = False,
) -> None:
    """Make the first batch of every pile that has none, or the next batch of the piles named."""
    if context.invoked_subcommand:
        return
    from datetime import datetime
    from secrets import token_bytes

    from trialdesk.allocation.making import PackerFiles, blocks_told, make_version
    from trialdesk.allocation.manifest import sites_of
    from trialdesk.allocation.parcels import parcel_name
    from trialdesk.allocation.scheme import MASTER_BYTES
    from trialdesk.config import load

    trial = load(config)
    files = PackerFiles(identity, master_file, filed)
    today = datetime.now(trial.trial.zone).date()
    made = make_version(trial, files, pile or (), lambda: token_bytes(MASTER_BYTES), today, freeze=freeze)
    mark = " (TEST)" if made.domain == "dev" else ""
    print(f"version {made.version}{mark}: {made.envelopes} envelopes in {len(made.piles)} pile(s)")
    print(f"parcels     {', '.join(parcel_name(site, made.version) for site in sites_of(made))}")
    print(f"Merkle root {made.merkle_root}: file it before the first of them is sent")
    if made.version > 1 and not filed:
        print("not checked: whether a later version was lost; --filed MANIFEST, your copy of the newest, shows it")
    for line in blocks_told(trial):
        print(f"warning: {line}")


@command(app, "as they were made", TableError)
def verify(
    config: ConfigOption = DEFAULT_CONFIG,
    identity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An age identity; with it everything is made again.")
    ] = None,
) -> None:
    """Prove the tables: with an identity every list is drawn again and compared; without, the chain of manifests."""
    from trialdesk.allocation.making import open_tables
    from trialdesk.allocation.verifying import verify as verified
    from trialdesk.allocation.versions import read_manifests
    from trialdesk.config import load

    trial = load(config)
    manifests = read_manifests(trial.path(trial.folders.tables))
    for manifest in manifests:
        print(f"version {manifest.version}: {manifest.envelopes} envelopes, Merkle root {manifest.merkle_root}")
    if identity:
        problems = list(verified(open_tables(trial, identity)))
        if problems:
            raise TableError("\n".join(problems))
    what = (
        "made again and compared to the last byte" if identity else "chain and sealed files fit; --identity proves more"
    )
    print(f"{len(manifests)} version(s): {what}")


@command(app, "written", *REDCAP, TableError, OutputFailed)
def module(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; not among the reports.")],
    identity: Annotated[Path, typer.Option(metavar="FILE", help="Your age identity (mode 0600).")],
    config: ConfigOption = DEFAULT_CONFIG,
    append: Annotated[
        bool, typer.Option("--append", help="Only the newest version, for a project that is in production.")
    ] = False,
) -> None:
    """Write the lists as REDCap's Randomization module takes them, for who lets the module decide instead."""
    from trialdesk.allocation.making import open_tables
    from trialdesk.allocation.modulefile import module_files
    from trialdesk.config import load
    from trialdesk.envelopes.push import check_tables
    from trialdesk.private import place
    from trialdesk.redcap.gateway import open_gateway

    trial = load(config)
    if trial.reports.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise typer.BadParameter("these files name arms: keep them outside of the reports")
    tables = open_tables(trial, identity)
    check_tables(trial, tables)
    if not tables:
        raise TableError("there are no tables yet; make the first version")
    project = open_gateway(trial, "trial")
    groups = {row["unique_group_name"]: str(row.get("data_access_group_id", "")) for row in project.groups()}
    files = module_files(trial, tables, groups, project.version(), append=append)
    for name, text in files.items():
        place(folder / name, text.encode())
        print(f"{folder / name}: {text.count(chr(10)) - 1} allocations")
    if not files:
        raise TableError("these are tables of a rehearsal; nothing of them is appended in production")
    print("They name arms: upload them (Randomization, step 2), then delete them. Never beside the envelopes: only one")
    print("of the two may decide.")


@command(app, "shown", *REDCAP, TableError, ReleaseRefused, WriteBackFailed)
def unseal(
    envelope: Annotated[str, typer.Argument(help="The number on the outside.")],
    identity: Annotated[Path, typer.Option(metavar="FILE", help="Your age identity (mode 0600).")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept in the register.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who asks for it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    offline: Annotated[
        bool, typer.Option("--offline", help="Without a network: print what has to be noted in the register.")
    ] = False,
) -> None:
    """Show the arm of one envelope whose card is lost or can't be read: noted first, on a terminal alone."""
    from datetime import datetime

    from trialdesk.allocation.making import open_tables
    from trialdesk.allocation.numbering import tidy_envelope_id
    from trialdesk.config import load
    from trialdesk.envelopes.moving import Said
    from trialdesk.envelopes.push import check_tables
    from trialdesk.envelopes.unsealing import find, form_line, note_unsealing
    from trialdesk.redcap.gateway import open_gateway

    if not watched():
        raise typer.BadParameter("an arm is shown on a terminal alone, never into a file or a pipe")
    trial = load(config)
    tables = open_tables(trial, identity)
    check_tables(trial, tables)
    name = tidy_envelope_id(envelope, trial.envelopes.domain)
    made, said = find(tables, name), Said(by, datetime.now(trial.trial.zone).date(), reason)
    if offline:
        print(f"Write into the note of {name} in the register, before anything else: {form_line(said)}")
    else:
        note_unsealing(open_gateway(trial, "packer"), name, said)
    print(f"{name}: {trial.arms_by_code[made.card.arm].label}")


if __name__ == "__main__":
    run(app)
