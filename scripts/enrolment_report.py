"""Write the enrolment report of one profile from what REDCap holds now."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import REDCAP, ConcealmentBroken, InstrumentError, OutputFailed, SanityFailed, TableError

if TYPE_CHECKING:
    from trialdesk.config import Trial

YEAR = timedelta(days=366)
app = application("Write the enrolment report as an Excel workbook: sites, months, flow, patients and findings.")


@command(app, "written", InstrumentError, *REDCAP, SanityFailed, ConcealmentBroken, TableError, OutputFailed)
def enrolment_report(
    config: ConfigOption = DEFAULT_CONFIG,
    profile: Annotated[
        str, typer.Option(metavar="PROFILE", help="monitor, site:CODE, or closed (shows patients by arm).")
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
            help="Where to; default: enrolment-PROFILE.xlsx among the reports, with an earlier cut in its name.",
        ),
    ] = None,
) -> None:
    """Write the enrolment report; an open one only after the proof that no cell depends on an arm."""
    from trialdesk.config import load
    from trialdesk.envelopes.register import prove_blind
    from trialdesk.facts.deriving import derive, past
    from trialdesk.facts.pulling import pull_both
    from trialdesk.memory.opening import recalled
    from trialdesk.memory.values import Scope
    from trialdesk.redcap.gateway import open_gateway
    from trialdesk.reports.pack import enrolment_packs, footer
    from trialdesk.reports.profiles import profile as reader
    from trialdesk.workbook import save

    trial = load(config)
    name = reader(profile, trial).name
    today = _today(trial.trial)
    cut = _asked(as_of.date(), trial.trial, today) if as_of else today
    gateway, register = open_gateway(trial, "trial"), open_gateway(trial, "register")
    prove_blind(register)
    pull = pull_both(trial, gateway, register)
    remembered = recalled(trial.state, Scope(trial.trial.id, trial.redcap.url))
    facts = derive(pull, past(trial, pull.snapshot, remembered), trial, today, cut)
    tables = enrolment_packs(facts, [name])[name]
    file = "-".join(("enrolment", name.replace(":", "-"), *([str(cut)] if cut != today else [])))
    path = out or trial.path(trial.folders.reports) / f"{file}.xlsx"
    digest = save(path, tables, footer(trial, name, cut))
    print(tables[0].title)
    print(tables[0].about)
    print(f"{path} ({len(tables)} sheets, content {digest[:12]})")


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
