"""Write the enrolment report of one profile from what REDCap holds now."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run, watched
from trialdesk.errors import (
    ALONE,
    REDCAP,
    ConcealmentBroken,
    ConfigError,
    InstrumentError,
    OutputFailed,
    SanityFailed,
    TableError,
)

if TYPE_CHECKING:
    from trialdesk.config import Config, Trial
    from trialdesk.facts.deriving import Facts

IDENTITY = "the statistician's age identity (scripts/keygen.py makes one)"
YEAR = timedelta(days=366)
app = application("The enrolment report as an Excel workbook, issuing it, and what stands behind its figures.")


@command(
    app, "written", InstrumentError, *REDCAP, SanityFailed, ConcealmentBroken, TableError, OutputFailed, alone=True
)
def enrolment_report(
    context: typer.Context,
    config: ConfigOption = DEFAULT_CONFIG,
    profile: Annotated[
        str,
        typer.Option(metavar="PROFILE", help="monitor, site:CODE, or closed (by arm, sealed for the statistician)."),
    ] = "monitor",
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Data cut; default: today in the trial. An earlier one has no sheets Completeness and Findings.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to; default: enrolment-PROFILE.xlsx among the reports (closed: .xlsx.age), with an earlier cut "
            "in its name.",
        ),
    ] = None,
    register: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="closed: register.age of a run; without it, nothing is said of envelopes."),
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="closed: the age identity that opens register.age; a masked report needs it always."
        ),
    ] = None,
) -> None:
    """Write the enrolment report; an open one only after the proof that no cell depends on an arm.

    The closed one is made from the statistician's own token and sealed for the recipients of the profile `closed`.
    """
    if context.invoked_subcommand:
        return
    from trialdesk.allocation.sealing import seal
    from trialdesk.config import load
    from trialdesk.config.parts import CLOSED
    from trialdesk.envelopes.testmarks import as_read
    from trialdesk.private import place
    from trialdesk.reports.pack import enrolment_packs, footer
    from trialdesk.reports.profiles import profile as reader
    from trialdesk.workbook import as_bytes, digest, save

    trial = load(config)
    name = reader(profile, trial).name
    closed = name == CLOSED
    masked = closed and trial.closed.masked
    if (register and not (closed and identity)) or (identity and not (register or masked)):
        raise typer.BadParameter("--register and --identity belong together, and to the closed report")
    if closed and not trial.sealed_for:
        raise ConfigError(
            "recipients: nobody has an age key for the closed report; write {profile: closed, age: age1…} there "
            "(scripts/keygen.py makes a key)"
        )
    today = _today(trial.trial)
    cut = _asked(as_of.date(), trial.trial, today) if as_of else today
    path = out or trial.reports / _file(name, cut, today, closed=closed)
    if closed and path.suffix != ".age":
        raise typer.BadParameter("the closed report is sealed: a name that ends in .xlsx.age", param_hint="--out")
    secret = _secret(trial, identity) if masked else ""
    facts = _closed(trial, register, identity, (today, cut)) if closed else _open(trial, (today, cut))
    tables = as_read(trial, enrolment_packs(facts, [name], secret=secret)[name])
    foot = footer(trial, name, cut)
    if closed:
        place(path, seal(as_bytes(tables, foot), trial.sealed_for))
    else:
        save(path, tables, foot)
    print(tables[0].title)
    print(tables[0].about)
    print(f"{path} ({len(tables)} sheets, content {digest(tables)[:12]})")


@command(app, "told", name="groups")
def tell_groups(
    identity: Annotated[Path, typer.Option(metavar="FILE", help="The statistician's age identity.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Tell which arm each group of the masked closed report is; for the statistician, on a terminal alone."""
    from trialdesk.config import load
    from trialdesk.reports.groups import letters

    if not watched():
        raise typer.BadParameter("which group has which arm is shown on a terminal alone, never into a file or a pipe")
    trial = load(config)
    for code, group in letters(trial, _secret(trial, identity)).items():
        print(f"{group}\t{trial.arms_by_code[code].label}")


@command(app, "issued", *ALONE, OutputFailed, name="issue")
def issue_report(
    number: Annotated[int, typer.Option("--number", min=1, help="The number of the report, higher than the last one.")],
    by: Annotated[str, typer.Option("--by", help="Who issues it.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Issue the newest run's report for the monitor: a frozen copy with digests, which later ones are compared with."""
    from trialdesk.config import load
    from trialdesk.nightly.issuing import issue

    trial = load(config)
    issued, folder = issue(trial, number, by, _today(trial.trial))
    for name, digest in issued.files.items():
        print(f"{digest}  {name}")
    print(f"report {issued.number}, of run {issued.run}: {folder}")


@command(app, "listed", InstrumentError, *REDCAP, SanityFailed, ConcealmentBroken, TableError)
def explain(
    figure: Annotated[str, typer.Argument(metavar="ID", help="Of the sheet Key figures, for example F-09.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """List the records behind a key figure, and the rule by which they are counted; for the coordinator."""
    from trialdesk.config import load
    from trialdesk.facts.figures import figures
    from trialdesk.reports.explaining import BEHIND, explained

    if figure not in BEHIND:
        raise typer.BadParameter(f"there are records behind {', '.join(BEHIND)}", param_hint="ID")
    trial = load(config)
    today = _today(trial.trial)
    facts = _open(trial, (today, today))
    found = explained(figure, facts, figures(facts))
    if found:
        rule, rows = found
        print(f"{figure}: {rule}")
        for record, site, why in rows:
            print(f"{site}\t{record}\t{why}")
        print(f"{len(rows)} listed")


@command(app, "written", InstrumentError, *REDCAP, SanityFailed, ConcealmentBroken, TableError, OutputFailed)
def dataset(
    config: ConfigOption = DEFAULT_CONFIG,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A new folder; default dataset-DATE among the reports.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--treatment", help="With arm and treatment: needs TRIALDESK_STATISTICIAN_TOKEN.")
    ] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet files as well (extra `analysis`).")] = False,
) -> None:
    """Write the data as tidy tables, one for each instrument, with a codebook and the scores recomputed.

    Without --treatment nothing in it tells an arm, and that is proved before a file is written.
    """
    from trialdesk.config import load
    from trialdesk.reports.dataset import dataset as made
    from trialdesk.reports.tables import write

    trial = load(config)
    today = _today(trial.trial)
    days = (today, today)
    facts = _closed(trial, None, None, days) if whole else _open(trial, days)
    folder = out or trial.reports / f"dataset{'-treatment' if whole else ''}-{today}"
    tables = made(facts, whole=whole)
    write(folder, tables, trial, parquet=parquet)
    for table in tables:
        print(f"{table.name}\t{len(table.rows)} rows")
    print(folder)


def _open(trial: Config, days: tuple[date, date]) -> Facts:
    """The facts as the night reads them, with the coordinator's tokens."""
    from trialdesk.envelopes.register import prove_blind
    from trialdesk.facts.counted import counted
    from trialdesk.facts.deriving import derive, past
    from trialdesk.facts.pulling import pull_both
    from trialdesk.memory.opening import recalled
    from trialdesk.memory.values import Scope
    from trialdesk.redcap.gateway import open_gateway

    gateway, register = open_gateway(trial, "trial"), open_gateway(trial, "register")
    prove_blind(register)
    remembered = recalled(trial.state, Scope(trial.trial.id, trial.redcap.url))
    pull = counted(pull_both(trial, gateway, register), remembered)
    return derive(pull, past(trial, pull.snapshot, remembered), trial, *days)


def _closed(trial: Config, register: Path | None, identity: Path | None, days: tuple[date, date]) -> Facts:
    """The facts as the statistician reads them: the trial with a token of one's own, envelopes as a run enclosed them.

    Nothing comes from the coordinator's memory.
    """
    from trialdesk.allocation.sealing import unseal
    from trialdesk.facts.cards import Cards
    from trialdesk.facts.deriving import derive, past
    from trialdesk.facts.enclosure import unclosed
    from trialdesk.facts.pulling import pull_trial
    from trialdesk.private import read_private
    from trialdesk.redcap.gateway import open_gateway

    gateway, cards = open_gateway(trial, "statistician"), Cards(told_by="not given")
    if register and identity:
        key = read_private(identity, IDENTITY)
        cards = unclosed(unseal(_sealed(register), key, str(register)), trial.trial.id)
    pull = pull_trial(trial, gateway)
    return derive(pull, past(trial, pull.snapshot), trial, *days, cards)


def _secret(trial: Config, identity: Path | None) -> str:
    """What decides the letters of the groups."""
    from trialdesk.allocation.sealing import identities
    from trialdesk.private import read_private
    from trialdesk.reports.groups import own_secret

    if identity is None:
        raise typer.BadParameter(
            "closed.masked: the statistician's age identity decides the letters of the groups", param_hint="--identity"
        )
    return own_secret(trial, identities(read_private(identity, IDENTITY)))


def _sealed(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read ({error.strerror}); name closed/register.age of a run with --register"
        ) from None


def _file(name: str, cut: date, today: date, *, closed: bool) -> str:
    words = ("enrolment", name.replace(":", "-"), *([str(cut)] if cut != today else []))
    return f"{'-'.join(words)}.xlsx{'.age' if closed else ''}"


def _today(trial: Trial) -> date:
    return datetime.now(trial.zone).date()


def _asked(cut: date, trial: Trial, today: date) -> date:
    """The day asked for, if REDCap can say anything about it."""
    first = trial.starts - YEAR
    if not first <= cut <= today:
        raise typer.BadParameter(
            f"a day from {first} (a year before the trial) to today, {today}", param_hint="--as-of"
        )
    return cut


if __name__ == "__main__":
    run(app)
