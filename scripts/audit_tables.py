"""The statistician's audit of the allocation: the questions that need the arms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import OK, OK_WITH_WARNINGS, REDCAP, InstrumentError, OutputFailed, SanityFailed, TableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialdesk.config import Config
    from trialdesk.config.values import FieldRef
    from trialdesk.redcap.snapshot import Snapshot

app = application("Audit the allocation with the arms in hand. The statistician's job; never part of a night.")


@command(
    app, "everything is as expected", OK_WITH_WARNINGS, InstrumentError, *REDCAP, SanityFailed, TableError, OutputFailed
)
def audit_tables(
    identity: Annotated[Path, typer.Option(metavar="FILE", help="An age identity that opens the tables (mode 0600).")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The workbook to write, .xlsx; not among the reports.")],
    config: ConfigOption = DEFAULT_CONFIG,
    baseline: Annotated[
        list[str] | None,
        typer.Option(metavar="[EVENT][FIELD]", help="A number measured before the opening (R45); repeat for more."),
    ] = None,
) -> None:
    """Ask R32, R42 to R46, R48, balance and runs of the tables and of what records say, with a token of one's own."""
    from datetime import datetime

    from trialdesk.allocation.making import open_tables
    from trialdesk.config import load
    from trialdesk.envelopes.audit.case import Case
    from trialdesk.envelopes.audit.sheets import answers, audit_sheets
    from trialdesk.envelopes.push import check_tables
    from trialdesk.facts.pulling import pull_trial
    from trialdesk.redcap.gateway import open_gateway
    from trialdesk.workbook import save

    trial = load(config)
    if trial.reports.resolve() in (out.resolve(), *out.resolve().parents):
        raise typer.BadParameter("this file names arms: keep it outside of the reports", param_hint="--out")
    wanted = {text: _field(text) for text in baseline or ()}
    tables = open_tables(trial, identity)
    check_tables(trial, tables)
    pull = pull_trial(trial, open_gateway(trial, "statistician"))
    case = Case(trial, tables, pull.patients, _numbers(pull.snapshot, trial, wanted))
    said = answers(case)
    today = datetime.now(trial.trial.zone).date()
    save(out, audit_sheets(case, said), f"{trial.trial.id} · UNBLINDED · statistician · {today}")
    look = [one.rule for one in said if one.verdict == "look at this"]
    print(f"{len(said)} questions; to look at: {', '.join(look) or 'none'}; the answers, with arms, are in {out}")
    raise typer.Exit(OK_WITH_WARNINGS if look else OK)


def _field(text: str) -> FieldRef:
    from pydantic import TypeAdapter, ValidationError

    from trialdesk.config.values import Reference

    try:
        return TypeAdapter(Reference).validate_python(text)
    except ValidationError:
        raise typer.BadParameter(f"{text}: write [event][field]", param_hint="--baseline") from None


def _numbers(snapshot: Snapshot, trial: Config, wanted: Mapping[str, FieldRef]) -> Mapping[str, Mapping[str, float]]:
    """Name to record to number; what is blank or no number is left out."""
    from redcap_rules.logic.values import number as read

    unknown = [text for text, ref in wanted.items() if ref.field not in snapshot.dictionary]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: not a field of {trial.trial.id}", param_hint="--baseline")
    return {
        text: {
            record: number
            for record in snapshot.records
            if (number := read(snapshot.view(record).value(ref.field, ref.event))) is not None
        }
        for text, ref in wanted.items()
    }


if __name__ == "__main__":
    run(app)
