"""Findings that may stand: list what is open, accept one, take an acceptance back."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import ALONE, ConfigError, OutputFailed

if TYPE_CHECKING:
    from trialdesk.config import Config
    from trialdesk.memory.values import Known

app = application("What the desk has found: list it, accept what may stand, take an acceptance back.")
Id = Annotated[str, typer.Argument(metavar="ID", help="The finding's id, as in coordinator.xlsx.")]


@command(app, "listed", OutputFailed, name="list")
def listed(
    config: ConfigOption = DEFAULT_CONFIG,
    accepted: Annotated[bool, typer.Option("--accepted", help="Only what is accepted.")] = False,
) -> None:
    """Print open findings of the last run with their ids; it names records, so do not keep the output."""
    from trialdesk.allocation.numbering import printed
    from trialdesk.config import load
    from trialdesk.memory.opening import recalled
    from trialdesk.nightly.run import scope_of

    trial = load(config)
    remembered = recalled(trial.state, scope_of(trial))
    for one in remembered.known:
        if one.open and (one.acceptance or not accepted):
            given = f" · accepted by {one.acceptance.by}: {one.acceptance.reason}" if one.acceptance else ""
            text = printed(one.finding.text, trial.envelopes.domain)
            print(f"{one.id}  {one.finding.rule:<5} {one.finding.record:<10} {text}{given}")


@command(app, "accepted", *ALONE, OutputFailed)
def accept(
    finding: Id,
    reason: Annotated[str, typer.Option(help="Why it may stand.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The last day on which it may.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let a finding stand as it is: no longer urgent, until what it rests on changes or the last day is over."""
    from trialdesk.config import load
    from trialdesk.memory.values import Acceptance
    from trialdesk.nightly.run import remembered_alone, scope_of

    trial = load(config)
    today = datetime.now(trial.trial.zone).date()
    last = until.date() if until else None
    if not reason.strip() or not by.strip():
        raise typer.BadParameter("say why with --reason, and who you are with --by")
    if last and last < today:
        raise typer.BadParameter(f"{last} is over", param_hint="--until")
    with remembered_alone(trial) as memory:
        known = _open(trial, memory.remembered(scope_of(trial)).known, finding)
        memory.accept(scope_of(trial), Acceptance(known.id, known.evidence, reason.strip(), by.strip(), today, last))
    print(f"{known.id} accepted{f' until {last}' if last else ''}: {known.finding.rule} {known.finding.record}")


@command(app, "taken back", *ALONE, OutputFailed)
def take_back(finding: Id, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Take an acceptance back: from the next run on the finding is urgent again."""
    from trialdesk.config import load
    from trialdesk.nightly.run import remembered_alone, scope_of

    trial = load(config)
    with remembered_alone(trial) as memory:
        if not memory.take_back(scope_of(trial), finding.upper(), _today(trial)):
            raise ConfigError(f"{finding}: is not accepted; findings.py list --accepted shows what is")
    print(f"{finding.upper()} is accepted no longer")


def _today(trial: Config) -> date:
    return datetime.now(trial.trial.zone).date()


def _open(trial: Config, known: tuple[Known, ...], name: str) -> Known:
    found = next((one for one in known if one.id == name.upper() and one.open), None)
    if found is None:
        raise ConfigError(
            f"{name}: no open finding of the last run of {trial.trial.id} has this id; see findings.py list"
        )
    return found


if __name__ == "__main__":
    run(app)
