"""The envelope lists as an Excel workbook, and what is filed about envelopes."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import (
    REDCAP,
    ConcealmentBroken,
    ConfigError,
    OutputFailed,
    ReleaseRefused,
    SanityFailed,
    TableError,
    WriteBackFailed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialdesk.config import Config
    from trialdesk.model import Envelope


class Language(StrEnum):
    """The languages of paper."""

    da = "da"
    en = "en"


app = application("The envelope lists, and what belongs to them; no arm is in any of it.")


@command(app, "written", *REDCAP, SanityFailed, ConcealmentBroken, TableError, OutputFailed, alone=True)
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
    from trialdesk.allocation.making import batch_told
    from trialdesk.config import load
    from trialdesk.envelopes.filing import held, read_filed
    from trialdesk.envelopes.lists import coordinator_lists, site_list
    from trialdesk.envelopes.register import prove_blind, read_register
    from trialdesk.envelopes.testmarks import as_read
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
    for line in batch_told(trial):
        print(f"warning: {line}")
    path = out or trial.path(trial.folders.reports) / f"envelopes{'-' if site else ''}{site}.xlsx"
    save(path, as_read(trial, tables), f"{trial.trial.id} · envelopes · {now:%Y-%m-%d %H:%M}")
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


printing = typer.Typer(help="Print labels, cards and shipment papers as PDF.", no_args_is_help=True)
app.add_typer(printing, name="print")
LanguageOption = Annotated[Language | None, typer.Option(help="Default: trial.language.")]
TemplateOption = Annotated[Path | None, typer.Option(metavar="FILE", help="A typst template of your own.")]
OutOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Default: among the reports, by its name.")]
ParcelOption = Annotated[str, typer.Option("--parcel", metavar="NAME", help="A parcel, such as ODE-v002.")]
SiteOption = Annotated[str, typer.Option("--site", metavar="CODE", help="The clinic.")]
PRINTED = (*REDCAP, ConcealmentBroken, TableError, OutputFailed)


@command(printing, "written", *PRINTED)
def labels(
    parcel: ParcelOption = "",
    sheet: Annotated[str, typer.Option(metavar="SHEET", help="L7160, L7163, single, or your own in mm.")] = "L7160",
    language: LanguageOption = None,
    template: TemplateOption = None,
    out: OutOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Outer labels of a parcel, or of everything that is made and not packed yet."""
    from trialdesk.envelopes.printing import labels as told
    from trialdesk.paper.sheets import sheet_of

    trial = _trial(config)
    chosen = _of_parcel(trial, _register(trial), parcel)
    values = told(trial, chosen, sheet_of(sheet), language or trial.trial.language)
    _printed(trial, "labels", values, (parcel, template, out))


@command(printing, "written", *PRINTED)
def cards(
    identity: Annotated[Path, typer.Option(metavar="FILE", help="The packer's age identity (mode 0600).")],
    parcel: ParcelOption,
    language: LanguageOption = None,
    template: TemplateOption = None,
    out: OutOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Inner cards of a parcel, with arms: the packer's job, with the packer's token, on the packer's printer."""
    from trialdesk.allocation.making import open_tables
    from trialdesk.envelopes.printing import cards as told
    from trialdesk.envelopes.push import check_tables, plan_push
    from trialdesk.redcap.gateway import open_gateway

    trial = _trial(config)
    tables = open_tables(trial, identity)
    check_tables(trial, tables)
    plan_push(tables, open_gateway(trial, "packer"))  # the register holds these envelopes as the tables do, or it stops
    made = {name: cards for table in tables for name, cards in table.parcels.items()}
    if parcel not in made:
        raise TableError(f"{parcel}: no such parcel; parcels are {', '.join(made)}")
    _printed(trial, "cards", told(trial, made[parcel], language or trial.trial.language), (parcel, template, out))


@command(printing, "written", *PRINTED)
def shipment(
    parcel: ParcelOption,
    language: LanguageOption = None,
    template: TemplateOption = None,
    out: OutOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Shipping manifest, receipt and packing checklist of a parcel; every tenth envelope is marked to be checked."""
    from trialdesk.allocation.manifest import to_text
    from trialdesk.envelopes.filing import read_filed
    from trialdesk.envelopes.printing import shipment as told

    trial = _trial(config)
    envelopes = _of_parcel(trial, _register(trial), parcel)
    version = int(parcel.rpartition("-v")[2])
    manifest = next(to_text(one) for one in read_filed(trial) if one.version == version)
    values = told(trial, parcel, envelopes, manifest, language or trial.trial.language)
    _printed(trial, "shipment", values, (parcel, template, out))


@command(printing, "written", *PRINTED)
def log(
    site: SiteOption,
    language: LanguageOption = None,
    template: TemplateOption = None,
    out: OutOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """A page of the clinic's opening log, to be filled in by hand."""
    from trialdesk.envelopes.printing import opening_log

    trial = _trial(config)
    if site not in trial.sites_by_code:
        raise ConfigError(f"--site {site}: no such site; sites are {', '.join(trial.sites_by_code)}")
    _printed(trial, "log", opening_log(trial, site, language or trial.trial.language), (site, template, out))


@command(printing, "written", *PRINTED, SanityFailed)
def accountability(
    language: LanguageOption = None,
    template: TemplateOption = None,
    out: OutOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """How many envelopes of each pile were sent, lie there, were opened, are void, lost or came back: PDF and Excel."""
    from trialdesk.envelopes.printing import accountability as told
    from trialdesk.envelopes.printing import accountability_sheet
    from trialdesk.envelopes.testmarks import as_read
    from trialdesk.workbook import save

    trial = _trial(config)
    register, day = _register(trial), datetime.now(trial.trial.zone).date()
    words = language or trial.trial.language
    path = _printed(trial, "accountability", told(trial, register, day, words), ("", template, out))
    book = path.with_suffix(".xlsx")
    save(book, as_read(trial, [accountability_sheet(trial, register, day, words)]), f"{trial.trial.id} · {day}")
    print(book)


def _trial(path: Path) -> Config:
    from trialdesk.config import load

    return load(path)


def _register(trial: Config) -> Sequence[Envelope]:
    from trialdesk.envelopes.register import prove_blind, read_register
    from trialdesk.redcap.gateway import open_gateway

    register = open_gateway(trial, "register")
    prove_blind(register)
    return read_register(register)


def _of_parcel(trial: Config, register: Sequence[Envelope], parcel: str) -> Sequence[Envelope]:
    """The envelopes of a filed parcel, or without one those that are made."""
    from trialdesk.envelopes.filing import read_filed
    from trialdesk.envelopes.moving import parcels

    if not parcel:
        return [envelope for envelope in register if envelope.status == "made"]
    known = parcels(read_filed(trial))
    if parcel not in known:
        raise TableError(f"{parcel}: no such parcel; parcels are {', '.join(known) or 'named by filed manifests'}")
    return [envelope for envelope in register if envelope.id in known[parcel]]


def _printed(trial: Config, what: str, values: dict[str, Any], where: tuple[str, Path | None, Path | None]) -> Path:
    """The PDF is there, for its owner alone; its name tells the parcel or clinic and nothing more."""
    from trialdesk.paper.engine import pdf
    from trialdesk.private import place

    name, template, out = where
    path = out or trial.reports / f"{what}{'-' if name else ''}{name}.pdf"
    place(path, pdf(what, values, template))
    print(path)
    return path


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
